-- Random facts, with NULL wherever a column takes it, and what conditions mean about them by SQL of its own.
--
-- rule_world() fills the portfolio "rules"; plain_fact is the row that a condition speaks of, written by hand; judge()
-- runs a condition as SQL over it, pair by pair where it fails; breach() compares what is recorded with that.

SET check_function_bodies = off;
SELECT cec.create_portfolio('rules');

CREATE FUNCTION pick(choices text[]) RETURNS text LANGUAGE sql
AS $$ SELECT nullif(choices[1 + floor(random() * cardinality(choices))::int], 'NULL') $$;

CREATE FUNCTION dice(most integer) RETURNS integer LANGUAGE sql
AS $$ SELECT floor(random() * most)::int $$;

CREATE FUNCTION maybe(value anyelement, chance double precision DEFAULT 0.25) RETURNS anyelement LANGUAGE sql
AS $$ SELECT CASE WHEN random() < chance THEN NULL ELSE value END $$;

CREATE FUNCTION random_attributes() RETURNS jsonb LANGUAGE sql
AS $$
	SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE random() < 0.75), '{}') FROM (VALUES
		('fuel', to_jsonb(pick('{gas,coal,Wind,""}'))), ('kw', to_jsonb(dice(5) * 2.5)), ('n', to_jsonb(pick('{0,1,7,-3,12,n/a,1.5}'))),
		('on', to_jsonb(pick('{2019-06-30,2019-02-30,30.06.2019,NULL}'))), ('leased', to_jsonb(pick('{true,false,t,maybe}'))),
		('tags', CASE dice(3) WHEN 0 THEN '[]' WHEN 1 THEN '["a", "b"]' ELSE '"a"' END::jsonb)) AS a(key, value)
$$;

-- New facts for some assets; tags and keys stay.
CREATE FUNCTION rule_facts(ids bigint[]) RETURNS void LANGUAGE sql
AS $$
	WITH f AS MATERIALIZED (SELECT id, maybe(pick('{DE,AT,FR}')) AS country, maybe(date '2008-02-29' + dice(6800)) AS first
		FROM unnest(ids) AS id)
	UPDATE rules.asset SET tag_symbology = pick('{code128,code39,qr}'), serial_number = maybe('S-' || asset_id),
		manufacturer = maybe(pick('{Nordpump,Voltis,nordpump,Å & Co}')), model = maybe(pick('{M1,M2,m1}')),
		category = maybe(pick('{pump,motor,Pump,inspection}')), usage_type = maybe(pick('{production,backup,ab%_}')),
		status = pick('{planned,in_service,in_storage,in_repair}'), customer_id = maybe(1 + dice(3)::bigint),
		country = f.country, region = maybe(f.country || pick('{-BY,-1}')),
		location = maybe(st_setsrid(st_makepoint(dice(21), 45 + dice(10)), 4326)),
		commissioned_on = f.first, decommissioned_on = maybe(coalesce(f.first, '2000-01-01') + dice(9000)),
		out_of_service = CASE WHEN random() < 0.5 THEN '{}' ELSE datemultirange(daterange(current_date - dice(20), current_date + dice(20))) END,
		successor_id = maybe(CASE WHEN asset_id > 3 THEN 1 + dice(3)::bigint END), attributes = random_attributes(),
		source = maybe(pick('{erp,mastr}')), source_updated_at = maybe(timestamptz '2026-01-01' + dice(400) * interval '7 hours')
	FROM f WHERE asset_id = f.id
$$;

CREATE FUNCTION rule_events(many integer) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM rules.maintenance_event WHERE random() < 0.1;
	DELETE FROM rules.service_request WHERE random() < 0.1;
	INSERT INTO rules.maintenance_event (asset_id, kind, performed_on)
		SELECT (SELECT asset_id FROM rules.asset ORDER BY random(), g LIMIT 1), pick('{inspection,repair,pump}'), current_date + 5 - dice(500)
		FROM generate_series(1, many) g;
	INSERT INTO rules.service_request (asset_id, opened_at)
		SELECT (SELECT asset_id FROM rules.asset ORDER BY random(), g LIMIT 1), now() + interval '5 days' - dice(12000) * interval '1 hour'
		FROM generate_series(1, many) g;
END;
$$;

CREATE FUNCTION random_boundary() RETURNS geometry LANGUAGE sql
AS $$
	SELECT CASE WHEN random() < 0.75 THEN st_multi(st_union(ARRAY[
		st_makeenvelope(x, y, x + 3 + dice(6), y + 2 + dice(4), 4326), st_makeenvelope(x + 10, y, x + 12, y + 1, 4326),
		st_setsrid(st_makepolygon(st_makeline(ARRAY[st_makepoint(x, y), st_makepoint(x + 9, y), st_makepoint(x, y + 7), st_makepoint(x, y)])), 4326)])) END
	FROM (SELECT dice(10) AS x, 44 + dice(6) AS y) AS corner
$$;

CREATE FUNCTION rule_world(assets integer) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE rules.setting SET duplicates_allowed = true, time_zone = pick('{UTC,Pacific/Apia,America/Havana}');
	INSERT INTO rules.customer (name) VALUES ('A'), ('B'), ('C');
	INSERT INTO rules.service_tier (code, name, rank) VALUES ('gold', 'Gold', 3), ('basic', 'Basic', 1), ('none', 'None', 0);
	INSERT INTO rules.contract (number, customer_id, status, during, kind, governing_country, boundary)
		SELECT 'C-' || g, 1, 'active', '(,)', pick('{service,warranty,lease,extended_warranty}'), maybe(pick('{DE,AT}')), random_boundary()
		FROM generate_series(1, 6) g;
	INSERT INTO rules.coverage_term (contract_id, number, during, tier_id)
		SELECT 1 + g % 6, g::text, '(,)', maybe(1 + g::bigint % 3) FROM generate_series(1, 12) g;
	INSERT INTO rules.asset (asset_tag) SELECT 'T-' || g FROM generate_series(1, assets) g;
	PERFORM rule_facts(array_agg(asset_id)) FROM rules.asset;
	PERFORM rule_events(assets);
	INSERT INTO rules.bundle (name, primary_asset_id) VALUES ('B', 1);
	INSERT INTO rules.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)');
	CREATE VIEW plain_fact AS
		SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category, a.usage_type, a.status,
			a.customer_id, a.country, a.region, a.location, a.commissioned_on, a.decommissioned_on, a.out_of_service, a.successor_id,
			a.attributes, a.source, a.source_updated_at, d.as_of,
			greatest(to_char(d.as_of, 'YYYYMMDD')::int - to_char(a.commissioned_on, 'YYYYMMDD')::int, 0 * length(a.commissioned_on::text)) / 10000 AS age_years,
			st_covers(c.boundary, a.location) AS inside_boundary,
			CASE WHEN st_covers(c.boundary, a.location) THEN 0 ELSE st_distance(c.boundary::geography, a.location::geography) END AS distance_to_boundary_m,
			t.term_id, c.number AS contract_number, c.kind AS contract_kind, c.governing_country, s.code AS tier_code, s.rank AS tier_rank
		FROM rules.asset a CROSS JOIN rules.coverage_term t JOIN rules.contract c USING (contract_id)
			LEFT JOIN rules.service_tier s USING (tier_id)
			CROSS JOIN (SELECT (now() AT TIME ZONE time_zone)::date AS as_of, time_zone FROM rules.setting) AS d;
END;
$$;

-- What a round is about: conditions, and how they read as SQL over plain_fact f. may_be_false: a part of it, joined by
-- AND, may be false where another one fails, and then either is right.
CREATE TABLE trial (rule_id bigint PRIMARY KEY, sql text NOT NULL, may_be_false boolean NOT NULL);
CREATE TABLE verdict (rule_id bigint, asset_id bigint, verdict text, sqlstate text, PRIMARY KEY (rule_id, asset_id));

CREATE FUNCTION judge() RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	t record;
	a bigint;
	v boolean;
BEGIN
	TRUNCATE verdict;
	FOR t IN SELECT * FROM trial JOIN rules.coverage_rule USING (rule_id) LOOP
		BEGIN
			EXECUTE format('INSERT INTO verdict SELECT $1, f.asset_id, coalesce(CASE WHEN (%s) THEN ''true'' WHEN NOT (%1$s) THEN ''false'' END, ''unknown'')
				FROM plain_fact f WHERE f.term_id = $2', t.sql) USING t.rule_id, t.term_id;
			CONTINUE;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		FOR a IN SELECT asset_id FROM rules.asset LOOP
			BEGIN
				EXECUTE format('SELECT (%s) FROM plain_fact f WHERE f.term_id = $2 AND f.asset_id = $1', t.sql) INTO v USING a, t.term_id;
				INSERT INTO verdict VALUES (t.rule_id, a, coalesce(v::text, 'unknown'));
			EXCEPTION WHEN OTHERS THEN
				INSERT INTO verdict VALUES (t.rule_id, a, 'failed', SQLSTATE);
			END;
		END LOOP;
	END LOOP;
END;
$$;

-- What should act and be found, by the verdicts.
CREATE VIEW wanted AS
	SELECT r.rule_id, v.asset_id, v.verdict,
		CASE v.verdict WHEN 'true' THEN r.effect <> 'require' WHEN 'false' THEN r.effect = 'require'
			ELSE (r.on_unknown = 'allow') = (r.effect = 'include') END AS acts,
		CASE WHEN v.verdict = 'failed' THEN 'rule_failed ' || v.sqlstate
			WHEN v.verdict = 'unknown' AND r.on_unknown = 'flag' THEN 'rule_unknown ' END AS finding,
		r.effect = 'include' OR EXISTS (SELECT FROM rules.inclusion i WHERE i.term_id = r.term_id AND i.asset_id = v.asset_id) AS is_concerned,
		v.verdict = 'failed' AND t.may_be_false AS may_be_false
	FROM trial t JOIN rules.coverage_rule r USING (rule_id) JOIN verdict v USING (rule_id);

CREATE VIEW got AS
	SELECT t.rule_id, a.asset_id,
		EXISTS (SELECT FROM rules.rule_effect e WHERE e.rule_id = t.rule_id AND e.asset_id = a.asset_id AND e.during @> cec.today('rules')) AS acts,
		(SELECT string_agg(concat_ws(' ', f.kind, coalesce(f.detail ->> 'sqlstate', '')), ', ' ORDER BY f.kind) FROM rules.finding f
			WHERE f.rule_id = t.rule_id AND f.asset_id = a.asset_id AND f.closed_at IS NULL) AS finding
	FROM trial t CROSS JOIN rules.asset a;

-- Pairs for which something else is recorded than SQL says.
CREATE FUNCTION breach(OUT place text, OUT wrong text) RETURNS SETOF record LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM judge();
	RETURN QUERY
		SELECT format('rule %s, asset %s', w.rule_id, w.asset_id), format('%s %s: %s. SQL: %s. Acts: %s; found: %s', r.effect, r.on_unknown,
			r.condition, w.verdict, g.acts, g.finding)
		FROM wanted w JOIN got g USING (rule_id, asset_id) JOIN rules.coverage_rule r USING (rule_id)
		WHERE w.is_concerned AND (g.acts, g.finding) IS DISTINCT FROM (w.acts, w.finding)
			AND NOT (w.may_be_false AND g.finding IS NULL AND g.acts = (r.effect = 'require'));
	RETURN QUERY SELECT 'verify_coverage', to_jsonb(v)::text FROM rules.verify_coverage() v;
END;
$$;

-- Pairs for which cec._scan_rule says something else, or that it puts into none or two of true, false and unknown.
CREATE FUNCTION scan_breach(OUT place text, OUT wrong text) RETURNS SETOF record LANGUAGE plpgsql
AS $$
DECLARE
	r record;
	p bigint[];
	parts bigint[];
BEGIN
	FOR r IN SELECT * FROM trial JOIN rules.coverage_rule c USING (rule_id)
		WHERE NOT EXISTS (SELECT FROM verdict v WHERE v.rule_id = c.rule_id AND v.verdict = 'failed')
	LOOP
		p := ARRAY(SELECT m FROM cec._scan_rule('rules'::regnamespace::oid, r.term_id, r.effect, r.on_unknown, r.condition, cec.today('rules')) m ORDER BY 1);
		IF p <> ARRAY(SELECT asset_id FROM wanted w WHERE w.rule_id = r.rule_id AND w.acts ORDER BY 1) THEN
			RETURN QUERY SELECT format('_scan_rule of rule %s', r.rule_id), r.condition;
		END IF;
		parts := ARRAY(SELECT m FROM unnest(ARRAY[format('%s', r.condition), format('NOT (%s)', r.condition), format('(%s) IS NULL', r.condition)]) c,
			cec._scan_rule('rules'::regnamespace::oid, r.term_id, 'include', 'deny', c, cec.today('rules')) m ORDER BY 1);
		IF parts <> ARRAY(SELECT asset_id FROM rules.asset ORDER BY 1) THEN
			RETURN QUERY SELECT format('parts of rule %s', r.rule_id), r.condition;
		END IF;
	END LOOP;
END;
$$;

-- All facts away, and back: every asset is judged by what is compiled, twice.
CREATE TABLE kept (LIKE cec.rule_fact);
CREATE FUNCTION take_away() RETURNS void LANGUAGE sql
AS $$
	TRUNCATE kept;
	INSERT INTO kept (asset_id, tag_symbology, serial_number, manufacturer, model, category, usage_type, status, customer_id, country, region,
		location, commissioned_on, decommissioned_on, out_of_service, successor_id, attributes, source, source_updated_at)
	SELECT asset_id, tag_symbology, serial_number, manufacturer, model, category, usage_type, status, customer_id, country, region,
		location, commissioned_on, decommissioned_on, out_of_service, successor_id, attributes, source, source_updated_at FROM rules.asset;
	UPDATE rules.asset SET tag_symbology = 'datamatrix', serial_number = NULL, manufacturer = NULL, model = NULL, category = NULL,
		usage_type = NULL, status = 'in_storage', customer_id = NULL, country = NULL, region = NULL, location = NULL, commissioned_on = NULL,
		decommissioned_on = NULL, out_of_service = '{}', successor_id = NULL, attributes = '{}', source = NULL, source_updated_at = NULL;
$$;
CREATE FUNCTION bring_back() RETURNS void LANGUAGE sql
AS $$
	UPDATE rules.asset a SET tag_symbology = k.tag_symbology, serial_number = k.serial_number, manufacturer = k.manufacturer, model = k.model,
		category = k.category, usage_type = k.usage_type, status = k.status, customer_id = k.customer_id, country = k.country, region = k.region,
		location = k.location, commissioned_on = k.commissioned_on, decommissioned_on = k.decommissioned_on, out_of_service = k.out_of_service,
		successor_id = k.successor_id, attributes = k.attributes, source = k.source, source_updated_at = k.source_updated_at
	FROM kept k WHERE k.asset_id = a.asset_id;
$$;
