-- Who may do what with the levels that roles hold.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('access_grant', '{all}', '{}');
