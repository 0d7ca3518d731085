-- Who may give an asset to another customer: whoever may change both the register and lists.

INSERT INTO cec._access_row (object, run_by) VALUES
	('transfer_asset', '{manager,registry,admin}');
