-- Who may do what with findings.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('finding', '{all}', '{}');
