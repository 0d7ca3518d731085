-- Who may do what with the verifiers that replay the log.

INSERT INTO cec._access_row (object, run_by) VALUES
	('verify_replay', '{auditor,admin}'),
	('verify_history', '{auditor,admin}');
