-- Metrics: months, and what views of metrics compute with.

CREATE TABLE cec.calendar_month (
	month_id bigint NOT NULL,
	first_day date NOT NULL,
	last_day date NOT NULL,
	CONSTRAINT calendar_month_pkey PRIMARY KEY (month_id),
	CONSTRAINT calendar_month_first_day_key UNIQUE (first_day)
);

INSERT INTO cec.calendar_month (month_id, first_day, last_day)
SELECT extract(year FROM m.first) * 100 + extract(month FROM m.first), m.first::date, (m.first + interval '1 month')::date - 1
FROM generate_series(timestamp '1970-01-01', timestamp '2199-12-01', interval '1 month') AS m(first);

-- The first day of a day's month.
CREATE FUNCTION cec._month_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT date_trunc('month', day::timestamp)::date;
END;

CREATE FUNCTION cec._month_after(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT (date_trunc('month', day::timestamp) + interval '1 month')::date;
END;

CREATE FUNCTION cec._day_count(days datemultirange) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(days) AS r;
END;

-- What days of one month cost at a price that holds on some of them: of a flat price the days are those of the term, and a price for the
-- whole month is the one of the first of these days.
CREATE FUNCTION cec._charge_part(price numeric, price_basis text, proration text, days datemultirange, price_days daterange, term_first_day date)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN price_basis = 'flat_once' THEN CASE WHEN price_days @> term_first_day THEN price END
		WHEN proration = 'full_month' AND price_basis <> 'per_unit_day' THEN
			CASE WHEN price_days @> lower(days) THEN cec.charge_amount(price, replace(price_basis, 'flat_', 'per_unit_'), proration, days, term_first_day) END
		ELSE cec.charge_amount(price, replace(price_basis, 'flat_', 'per_unit_'), proration, days * datemultirange(price_days), term_first_day) END;
END;

CREATE FUNCTION cec._lies_inside(boundary geometry, location geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_Covers(boundary, location);
END;

-- Days of an asset's life, as the definition of coverage has them.
CREATE FUNCTION cec._life_has(status text, commissioned_on date, decommissioned_on date, out_of_service datemultirange, day date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT (status <> 'planned' OR commissioned_on IS NOT NULL) AND coalesce(commissioned_on, day) <= day AND coalesce(decommissioned_on, day) >= day
		AND NOT out_of_service @> day;
END;

COMMENT ON TABLE cec.calendar_month IS 'Calendar months from 1970 through 2199, for joins with the column month of reports. Reports on months know no others.';
COMMENT ON COLUMN cec.calendar_month.month_id IS 'Key: year and month as a number, e.g. 202606.';
COMMENT ON COLUMN cec.calendar_month.first_day IS 'First day; what the column month of reports holds.';
COMMENT ON COLUMN cec.calendar_month.last_day IS 'Last day, included.';
COMMENT ON FUNCTION cec._month_of(date) IS 'Private. The first day of the month of a day.';
COMMENT ON FUNCTION cec._month_after(date) IS 'Private. The first day of the month after that of a day.';
COMMENT ON FUNCTION cec._day_count(datemultirange) IS 'Private. How many days a set of days has.';
COMMENT ON FUNCTION cec._charge_part(numeric, text, text, datemultirange, daterange, date) IS 'Private. What days of one month cost at a price, where it holds; NULL: it does not.';
COMMENT ON FUNCTION cec._lies_inside(geometry, geometry) IS 'Private. Whether an area covers a point.';
COMMENT ON FUNCTION cec._life_has(text, date, date, datemultirange, date) IS 'Private. Whether an asset is in service on a day: the day is one of its life.';

GRANT SELECT ON cec.calendar_month TO PUBLIC;

-- Samples of days that are over stay what they are.
CREATE FUNCTION cec.keep_samples() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' OR OLD.on_day < cec.today(quote_ident(TG_TABLE_SCHEMA)::regnamespace) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('table "%s" is append-only', TG_TABLE_NAME),
			DETAIL = 'What was sampled on a day that is over is neither changed nor removed, not even by its owner.',
			HINT = 'refresh samples today, again with each run.', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
	END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END;
$$;

COMMENT ON FUNCTION cec.keep_samples() IS 'Trigger: refuses to change or remove samples of days that are over (SQLSTATE 42501).';
