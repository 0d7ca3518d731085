-- Who may do what with bundles.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('bundle', '{all}', '{manager,admin}'),
	('bundle_member', '{all}', '{manager,admin}');
