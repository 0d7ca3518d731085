-- Who may do what with contracts.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('service_tier', '{all}', '{admin}'),
	('contract', '{all}', '{manager,admin}'),
	('boundary_part', '{admin}', '{}'),
	('coverage_term', '{all}', '{manager,admin}'),
	('term_price', '{all}', '{manager,admin}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('find_term', '{all}');
