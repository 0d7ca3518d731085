-- Who may do what with pictures of maps.

INSERT INTO cec._access_row (object, run_by) VALUES
	('coverage_map_svg', '{all}');
