-- Who may do what with the layers of a map.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('asset_map', '{all}', '{}'),
	('contract_map', '{all}', '{}'),
	('map_legend', '{all}', '{}');
