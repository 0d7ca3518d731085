-- What an asset is on a map, and how that looks.

-- In the order in which the first that holds is the status; colours are those of Okabe and Ito, which people who do not tell red from green
-- tell apart, and each has a shape of its own for those who print in grey.
CREATE TABLE cec._map_symbol (
	status text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	label text COLLATE "C" NOT NULL,
	colour text COLLATE "C" NOT NULL,
	shape text COLLATE "C" NOT NULL,
	is_drawn boolean NOT NULL,
	CONSTRAINT _map_symbol_pkey PRIMARY KEY (status),
	CONSTRAINT _map_symbol_place_key UNIQUE (place)
);

INSERT INTO cec._map_symbol (status, place, label, colour, shape, is_drawn) VALUES
	('covered', 1, 'covered', '#0072b2', 'circle', true),
	('covered_by_bundle', 2, 'covered by its bundle', '#56b4e9', 'diamond', true),
	('covered_by_rule', 3, 'covered by a rule', '#009e73', 'square', true),
	('not_in_service', 4, 'not in service', '#999999', 'cross', true),
	('excluded', 5, 'carved out', '#cc79a7', 'pentagon', true),
	('uncovered', 6, 'not covered', '#d55e00', 'triangle', true),
	('no_location', 7, 'no location', '#595959', 'none', false),
	('beyond_map', 8, 'beyond 85.0511° north or south', '#595959', 'none', false);

-- Of an asset on a day: what its rows of coverage say of the day, whether it is in service, and whether a contract has carved it out.
CREATE FUNCTION cec._map_status(is_stated boolean, is_inherited boolean, is_ruled boolean, is_in_service boolean, is_excluded boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN is_stated THEN 'covered' WHEN is_inherited THEN 'covered_by_bundle' WHEN is_ruled THEN 'covered_by_rule'
		WHEN NOT is_in_service THEN 'not_in_service' WHEN is_excluded THEN 'excluded' ELSE 'uncovered' END;
END;

CREATE FUNCTION cec._longitude(location geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_X(location);
END;

CREATE FUNCTION cec._latitude(location geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_Y(location);
END;

COMMENT ON TABLE cec._map_symbol IS 'Private. What an asset may be on a map, and how that is drawn.';
COMMENT ON COLUMN cec._map_symbol.status IS 'Status of an asset on a day; no_location and beyond_map: it is counted, never drawn.';
COMMENT ON COLUMN cec._map_symbol.place IS 'Its place in a legend.';
COMMENT ON COLUMN cec._map_symbol.label IS 'What a legend calls it.';
COMMENT ON COLUMN cec._map_symbol.colour IS 'Colour, as #rrggbb.';
COMMENT ON COLUMN cec._map_symbol.shape IS 'Shape of its symbol.';
COMMENT ON COLUMN cec._map_symbol.is_drawn IS 'Whether assets of this status are drawn.';
COMMENT ON FUNCTION cec._map_status(boolean, boolean, boolean, boolean, boolean) IS 'Private. The status of an asset on a map, from what is so on the day.';
COMMENT ON FUNCTION cec._longitude(geometry) IS 'Private. Longitude of a point.';
COMMENT ON FUNCTION cec._latitude(geometry) IS 'Private. Latitude of a point.';

GRANT SELECT ON cec._map_symbol TO PUBLIC;
