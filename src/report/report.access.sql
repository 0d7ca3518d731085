-- Who may do what with reports.

INSERT INTO cec._access_row (object, run_by) VALUES
	('coverage_audit', '{auditor,admin}');
