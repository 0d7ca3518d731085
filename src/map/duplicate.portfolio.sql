-- Assets of a portfolio that may be registered twice.

CREATE FUNCTION @P@.duplicate_registrations(within_m double precision DEFAULT 25)
RETURNS TABLE (asset_id bigint, other_asset_id bigint, reason text, distance_m double precision, is_likely boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.duplicate_registrations(@L@::regnamespace, within_m);
END;

COMMENT ON FUNCTION @P@.duplicate_registrations(double precision) IS 'Pairs of assets that may be one, whatever their status: one row a pair, the smaller id first, with the first reason that holds. same_key: a tag has the cec.identifier_key of the other''s tag or serial number; same_serial: serial numbers have one key; for both the key has 5 characters or more, and manufacturers are equal or one is not known. same_place: equal models within within_m metres of each other. is_likely: all but same_place where both have serial numbers that differ. distance_m: on a sphere, as ST_DistanceSphere has it; NULL where a location is missing. Where more than 20 assets have one key, or more than 20 others of its model stand around an asset, there are no pairs: each such asset has one row, other_asset_id NULL, not likely. Errors: 22004 NULL, 22023 within_m negative or infinite.';
