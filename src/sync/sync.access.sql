-- Who may do what with sources, what they stage, and runs.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('asset_source', '{all}', '{registry,admin}'),
	('asset_staging', '{registry,admin}', '{registry,admin}'),
	('sync_run', '{all}', '{}'),
	('sync_reject', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('sync_preview', '{registry,admin}'),
	('sync_assets', '{registry,admin}');
