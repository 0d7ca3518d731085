-- Who may do what with the register.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('customer', '{all}', '{registry,admin}'),
	('asset', '{all}', '{registry,admin}'),
	('asset_identifier', '{all}', '{registry,admin}'),
	('maintenance_event', '{all}', '{registry,admin}'),
	('service_request', '{all}', '{registry,admin}'),
	('field_observation', '{all}', '{registry,admin}'),
	('tag_to_print', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('find_asset', '{all}'),
	('find_asset_scanned', '{all}');
