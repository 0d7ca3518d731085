-- Who may do what with regulations and jurisdictions.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('regulation', '{all}', '{admin}'),
	('jurisdiction', '{all}', '{admin}');
