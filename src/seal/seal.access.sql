-- Who may do what with the tree over the log.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('audit_block', '{auditor,admin}', '{}'),
	('audit_leaf', '{auditor,admin}', '{}'),
	('audit_node', '{auditor,admin}', '{}'),
	('audit_erasure', '{auditor,admin}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('seal_audit', '{auditor,admin}'),
	('audit_digest', '{auditor,admin}'),
	('verify_audit', '{auditor,admin}'),
	('audit_proof', '{auditor,admin}'),
	('audit_consistency', '{auditor,admin}'),
	('erase_audit', '{auditor}');
