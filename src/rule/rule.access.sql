-- Who may do what with rules.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('coverage_rule', '{all}', '{manager,admin}'),
	('rule_effect', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('test_rule', '{manager,admin}');
