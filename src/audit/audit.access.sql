-- Who may do what with the log.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('audit_log', '{auditor,admin}', '{}'),
	('audit_schema', '{auditor,admin}', '{}'),
	('audit_entry', '{auditor,admin}', '{}'),
	('audit_change', '{auditor,admin}', '{}'),
	('audit_delta', '{auditor,admin}', '{}');
