-- Who may do what with lists.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('inclusion', '{all}', '{manager,admin}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('include_asset', '{manager,admin}'),
	('exclude_asset', '{manager,admin}'),
	('remove_asset', '{manager,admin}'),
	('check_inclusions', '{manager,admin}');
