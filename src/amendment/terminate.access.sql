-- Who may end a contract early.

INSERT INTO cec._access_row (object, run_by) VALUES
	('terminate_contract', '{manager,admin}');
