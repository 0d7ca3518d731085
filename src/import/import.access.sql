-- Who may do what with imports.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('import_run', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('import_inclusions', '{manager,admin}');
