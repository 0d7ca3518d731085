-- Who may do what with the rows that are locked for names.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('finding_bucket', '{}', '{}');
