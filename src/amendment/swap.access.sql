-- Who may put an asset in the place of another one.

INSERT INTO cec._access_row (object, run_by) VALUES
	('swap_asset', '{manager,admin}');
