-- What keeps those apart who name assets at the same time.

CREATE TABLE @P@.finding_bucket (
	bucket_id bigint NOT NULL,
	CONSTRAINT finding_bucket_pkey PRIMARY KEY (bucket_id)
);

INSERT INTO @P@.finding_bucket (bucket_id) SELECT g FROM generate_series(0, 31) AS g;

COMMENT ON TABLE @P@.finding_bucket IS '32 rows that never change: whoever changes what assets are called locks those of the names, so that two who give one name see each other.';
COMMENT ON COLUMN @P@.finding_bucket.bucket_id IS 'Key: 0 to 31, the hash of a name''s identifier key.';
