-- Who may ask for tiles. The grid is nobody's: mvt_assets reads it for who may read all that it sums.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('map_step', '{}', '{}'),
	('map_sum', '{}', '{}'),
	('map_total', '{}', '{}'),
	('map_fold', '{}', '{}'),
	('map_place', '{}', '{}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('mvt_assets', '{all}'),
	('mvt_contracts', '{all}'),
	('mvt_gaps', '{all}');
