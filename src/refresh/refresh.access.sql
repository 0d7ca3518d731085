-- Who may do what with refresh and its runs.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('refresh_run', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('refresh', '{admin}');
