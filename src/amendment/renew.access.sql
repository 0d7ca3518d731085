-- Who may renew a contract.

INSERT INTO cec._access_row (object, run_by) VALUES
	('renew_contract', '{manager,admin}');
