-- Who may do what with regulations and jurisdictions.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('regulation', '{all}', '{admin}'),
	('jurisdiction', '{all}', '{admin}'),
	('cross_border_contract', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('regulation_review', '{all}'),
	('test_regulation', '{manager,admin}');
