-- Who may do what with coverage.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('coverage', '{all}', '{}'),
	('coverage_history', '{all}', '{}'),
	('coverage_by_asset', '{all}', '{}'),
	('coverage_by_contract', '{all}', '{}'),
	('coverage_now', '{all}', '{}'),
	('uncovered_asset', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('covered', '{all}'),
	('covered_on', '{all}'),
	('covered_many', '{all}'),
	('explain_coverage', '{all}'),
	('coverage_as_of', '{all}'),
	('verify_coverage', '{auditor,admin}'),
	('recompute_coverage', '{admin}');
