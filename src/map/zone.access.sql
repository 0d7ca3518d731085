-- Who may do what with zones.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('gap_map', '{all}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('under_covered_zones', '{all}'),
	('zone_candidates', '{all}');
