-- Who may do what with the settings. The gate is locked, and never read.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('gate', '{}', '{}'),
	('setting', '{all}', '{admin}');
