-- Who may do what with amendments.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('amendment', '{all}', '{manager,admin}'),
	('amendment_line', '{all}', '{manager,admin}');
