-- Who may do what with accepted exceptions.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('finding_waiver', '{all}', '{manager,admin}');
