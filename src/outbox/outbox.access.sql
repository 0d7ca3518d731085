-- Who may do what with what is handed over.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('outbox', '{billing,auditor,admin}', '{}');
