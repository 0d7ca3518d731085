-- Who may do what with reports.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('term', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('coverage_audit', '{auditor,admin}'),
	('asset_history', '{auditor,admin}'),
	('contract_history', '{auditor,admin}'),
	('coverage_changes', '{auditor,admin}'),
	('explain_change', '{auditor,admin}'),
	('report_audit', '{auditor,admin}');
