-- What becomes of staged rows: the plan of a run as a relation, and the functions that ask for it or carry it out (sync_plan.c, sync_apply.c, sync_run.c).
--
-- The plan is computed once, from asset_staging and the register, by whoever calls; sync_preview shows it, dry_run counts it, sync_assets
-- carries it out. So nothing is decided in two places.

CREATE FUNCTION cec._point(longitude double precision, latitude double precision) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT st_setsrid(st_makepoint(longitude, latitude), 4326);
END;

CREATE FUNCTION cec._is_elsewhere(one geometry, other geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT one::bytea IS DISTINCT FROM other::bytea;
END;

-- A row of the plan. Its asset's columns are those that it has after the run.
CREATE TYPE cec._sync_row AS (
	seq bigint,
	staged_no bigint,
	asset_id bigint,
	asset_tag text,
	outcome text,
	columns text[],
	message text,
	sqlstate text,
	constraint_name text,
	step text,
	is_living boolean,
	made_ref text,
	ended_ids bigint[],
	new_schemes text[],
	new_values text[],
	tag_symbology text,
	serial_number text,
	manufacturer text,
	model text,
	category text,
	usage_type text,
	status text,
	customer_id bigint,
	country text,
	region text,
	location geometry,
	commissioned_on date,
	decommissioned_on date,
	out_of_service datemultirange,
	successor_id bigint,
	attributes jsonb,
	source_updated_at timestamptz
);

DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT a.attname, coalesce(c.comment, 'Of the asset, after the run.') AS comment
		FROM pg_attribute a LEFT JOIN (VALUES
			('seq', 'Its place among the rows that are carried out.'),
			('staged_no', 'The row that was staged; NULL: the asset was not.'),
			('asset_id', 'The asset; NULL: it is new.'),
			('outcome', 'What becomes of it.'),
			('columns', 'What changes; NULL: nothing is taken.'),
			('message', 'Why.'),
			('sqlstate', 'Of a rejected row.'),
			('constraint_name', 'Of a rejected row.'),
			('step', 'How it is carried out: insert, update, or name where identifiers alone change; NULL: there is nothing to do.'),
			('is_living', 'Whether the asset was not retired before.'),
			('made_ref', 'Customer that is to be made.'),
			('ended_ids', 'Identifiers that end.'),
			('new_schemes', 'Schemes of identifiers that are new.'),
			('new_values', 'And their values.')) AS c(name, comment) ON c.name = a.attname
		WHERE a.attrelid = 'cec._sync_row'::regclass
	LOOP
		EXECUTE format('COMMENT ON COLUMN cec._sync_row.%I IS %L', part.attname, part.comment);
	END LOOP;
END $$;

-- The days of an asset that is retired today, and the columns that change.
CREATE FUNCTION cec._retired(status text, commissioned_on date, decommissioned_on date, out_of_service datemultirange, today date)
RETURNS TABLE (columns text[], decommissioned_on date, out_of_service datemultirange)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT array_remove(ARRAY[CASE WHEN $1 <> 'retired' THEN 'status' END, CASE WHEN n.last_day IS DISTINCT FROM $3 THEN 'decommissioned_on' END,
			CASE WHEN n.gaps <> $4 THEN 'out_of_service' END], NULL), n.last_day, n.gaps
	FROM (SELECT CASE WHEN $2 > $5 THEN $2 WHEN $3 < $5 THEN $3 ELSE $5 END,
		$4 + CASE WHEN $2 > $5 THEN datemultirange(daterange($2, $2, '[]'))
			WHEN $1 = 'planned' AND $2 IS NULL THEN datemultirange(daterange(NULL, least($3, $5), '[]')) ELSE '{}' END) AS n(last_day, gaps);
END;

-- What the table would say of a row: SQLSTATE, constraint and message of its refusal, or NULL.
CREATE FUNCTION cec._asset_refusal(portfolio oid, asset_id bigint, asset_tag text, tag_symbology text, serial_number text, manufacturer text,
	model text, category text, usage_type text, status text, customer_id bigint, country text, region text, location geometry,
	commissioned_on date, decommissioned_on date, out_of_service datemultirange, successor_id bigint, attributes jsonb, source text,
	source_updated_at timestamptz) RETURNS text[]
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_asset_refusal';

-- Rows by which nothing changes are seen at once and left out of the rest, unless is_quick is false: then the plan is the same, by the long way.
CREATE FUNCTION cec._sync_plan(portfolio regnamespace, source text, mode text, today date, is_quick boolean DEFAULT true) RETURNS SETOF cec._sync_row
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = on AS $$
DECLARE
	-- What a source can own, and whether there must be a value.
	every_column CONSTANT text[] := '{tag_symbology,serial_number,manufacturer,model,category,usage_type,status,customer_id,country,region,location,commissioned_on,decommissioned_on,out_of_service,attributes}';
	needs_value CONSTANT text[] := '{tag_symbology,status,out_of_service,attributes}';
	of record;
	owned text[];
	owns_life boolean;
	rows_staged bigint;
	taken text := '';
	told text := '';
	kept text := '';
	part text;
	given text;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT s.owned_columns, s.null_means = ''clear'' AS clears, s.makes_customers FROM @P@.asset_source s WHERE s.source = $1')
		INTO of USING source;
	EXECUTE cec._sql(portfolio, 'SELECT count(*) FROM @P@.asset_staging s WHERE s.source = $1') INTO rows_staged USING source;
	-- Of many rows none is looked up by itself, whatever the planner thinks of tables that were just filled.
	IF rows_staged >= 1000 THEN
		PERFORM set_config('enable_nestloop', 'off', true);
	END IF;
	owned := coalesce(of.owned_columns, every_column);
	owns_life := owned @> '{status,decommissioned_on}';
	-- What each column is after the run, n, of the staged row s and the asset o; its name where it changes; and whether it stays.
	FOREACH part IN ARRAY every_column LOOP
		given := CASE
			WHEN part <> ALL (owned) THEN format('o.%I', part)
			WHEN part = 'customer_id' THEN CASE WHEN of.clears THEN 'k.customer_id'
				ELSE 'CASE WHEN s.customer_ref IS NULL THEN o.customer_id ELSE k.customer_id END' END
			WHEN part = 'location' THEN CASE WHEN of.clears THEN 'coalesce(s.location, cec._point(s.longitude, s.latitude))'
				ELSE 'coalesce(s.location, cec._point(s.longitude, s.latitude), o.location)' END
			WHEN of.clears AND part <> ALL (needs_value) THEN format('s.%I', part)
			ELSE format('coalesce(s.%I, o.%I)', part, part) END;
		IF part = ANY (owned) THEN
			kept := kept || format(CASE part WHEN 'location' THEN ' AND NOT cec._is_elsewhere(%s, o.%I)' ELSE ' AND %s IS NOT DISTINCT FROM o.%I' END, given, part);
		END IF;
		given := CASE part
			WHEN 'tag_symbology' THEN format('coalesce(%s, ''code128'')', given)
			WHEN 'status' THEN CASE
				WHEN owns_life THEN format('CASE WHEN b.reappears THEN coalesce(s.status, ''in_service'') ELSE coalesce(%s, ''in_service'') END', given)
				ELSE format('CASE WHEN (s.status = ''retired'') <> coalesce(o.status = ''retired'', false) THEN coalesce(o.status, ''in_service'') ELSE coalesce(%s, ''in_service'') END', given) END
			WHEN 'decommissioned_on' THEN CASE WHEN owns_life THEN format('CASE WHEN b.reappears THEN s.decommissioned_on ELSE %s END', given) ELSE given END
			WHEN 'out_of_service' THEN format('coalesce(%s, ''{}'') + CASE WHEN b.reappears AND o.decommissioned_on + 1 < $2
				THEN datemultirange(daterange(o.decommissioned_on + 1, $2)) ELSE ''{}'' END', given)
			WHEN 'attributes' THEN format('coalesce(%s, ''{}'')', given)
			ELSE given END;
		taken := taken || format(', %s AS %I', given, part);
		told := told || CASE part
			WHEN 'customer_id' THEN ', CASE WHEN n.customer_id IS DISTINCT FROM o.customer_id OR n.made_ref IS NOT NULL THEN ''customer_id'' END'
			WHEN 'location' THEN ', CASE WHEN cec._is_elsewhere(n.location, o.location) THEN ''location'' END'
			WHEN 'tag_symbology' THEN ', CASE WHEN n.tag_symbology <> coalesce(o.tag_symbology, ''code128'') THEN ''tag_symbology'' END'
			WHEN 'status' THEN ', CASE WHEN n.status <> coalesce(o.status, ''in_service'') THEN ''status'' END'
			WHEN 'out_of_service' THEN ', CASE WHEN n.out_of_service <> coalesce(o.out_of_service, ''{}'') THEN ''out_of_service'' END'
			WHEN 'attributes' THEN ', CASE WHEN n.attributes <> coalesce(o.attributes, ''{}'') THEN ''attributes'' END'
			ELSE format(', CASE WHEN n.%1$I IS DISTINCT FROM o.%1$I THEN %1$L END', part) END;
	END LOOP;
	-- LIMIT $9 takes nothing away: of each there are no more than are staged, and the planner does not know.
	RETURN QUERY EXECUTE cec._sql(portfolio, replace(replace(replace(replace($query$
	WITH repeated AS MATERIALIZED ( -- what is staged more than once
		SELECT s.asset_tag, NULL AS source_key FROM @P@.asset_staging s WHERE s.source = $1 GROUP BY s.asset_tag HAVING count(*) > 1
		UNION ALL
		SELECT NULL, s.source_key FROM @P@.asset_staging s WHERE s.source = $1 AND s.source_key <> '' GROUP BY s.source_key HAVING count(*) > 1
	), own AS MATERIALIZED ( -- keys that assets have from the source
		SELECT i.asset_id, min(i.value) AS source_key, count(*) = 1 AND bool_and(i.during @> $2) AS is_only
		FROM @P@.asset_identifier i
		WHERE i.scheme = 'source_key:' || $1 AND i.during && daterange($2, NULL)
		GROUP BY i.asset_id
	), same AS MATERIALIZED ( -- rows by which nothing changes, as can be seen at once; most of a snapshot is of these
		SELECT s.staged_no, o.asset_id, s.asset_tag, s.serial_number, s.manufacturer, s.model
		FROM @P@.asset_staging s
			JOIN @P@.asset o ON o.asset_tag = s.asset_tag AND o.source = $1
			LEFT JOIN @P@.customer k ON k.external_ref = s.customer_ref
			LEFT JOIN own ON own.asset_id = o.asset_id
		WHERE $10 AND s.source = $1 AND s.is_deleted IS NOT TRUE AND s.identifiers IS NULL AND s.source_ids IS NULL
			AND CASE WHEN own.asset_id IS NULL THEN coalesce(s.source_key, '') = '' ELSE own.is_only AND own.source_key = s.source_key END
			AND NOT ($5 AND o.status = 'retired' AND s.status IS DISTINCT FROM 'retired')
			AND NOT ($8 AND s.customer_ref IS NOT NULL AND k.customer_id IS NULL)
			AND (s.serial_number = o.serial_number) IS NOT FALSE
			AND (s.source_updated_at IS NOT DISTINCT FROM o.source_updated_at OR NOT $6 AND s.source_updated_at IS NULL)
			@KEPT@
			AND NOT EXISTS (SELECT FROM repeated r WHERE r.asset_tag = s.asset_tag)
			AND NOT EXISTS (SELECT FROM repeated r WHERE r.source_key = s.source_key)
	), tagless AS MATERIALIZED ( -- a row without a tag is one of the tag that rows of its key give it, else of that of the asset whose key it is
		SELECT s.staged_no, coalesce(k.asset_tag, a.asset_tag) AS tag
		FROM @P@.asset_staging s
			LEFT JOIN (
				SELECT DISTINCT ON (n.source_key) n.source_key, n.asset_tag
				FROM @P@.asset_staging n
				WHERE n.source = $1 AND n.asset_tag IS NOT NULL AND n.source_key <> '' AND n.is_deleted IS NOT TRUE
					AND EXISTS (SELECT FROM @P@.asset_staging e WHERE e.source = $1 AND e.asset_tag IS NULL AND e.source_key = n.source_key)
				ORDER BY n.source_key, n.source_updated_at DESC NULLS LAST, n.staged_no DESC) AS k ON k.source_key = s.source_key
			LEFT JOIN @P@.asset_identifier i ON i.scheme = 'source_key:' || $1 AND i.value = s.source_key AND i.during @> $2
			LEFT JOIN @P@.asset a ON a.asset_id = i.asset_id
		WHERE s.source = $1 AND s.asset_tag IS NULL AND s.source_key <> ''
	), staged AS MATERIALIZED ( -- the others
		SELECT r.*, r.place = 1 AND NOT ($4 AND r.is_dead) AS is_live
		FROM (
			SELECT s.*, g.tag, coalesce(s.is_deleted, false) AS is_dead,
				row_number() OVER (PARTITION BY g.tag, CASE WHEN g.tag IS NULL THEN s.staged_no END
					ORDER BY s.source_updated_at DESC NULLS LAST, s.staged_no DESC) AS place
			FROM @P@.asset_staging s LEFT JOIN tagless n ON n.staged_no = s.staged_no
				CROSS JOIN LATERAL (SELECT coalesce(s.asset_tag, n.tag) AS tag) AS g
			WHERE s.source = $1 AND NOT EXISTS (SELECT FROM same e WHERE e.staged_no = s.staged_no)
		) AS r
	), unit_staged AS MATERIALIZED ( -- serial numbers that are staged
		SELECT s.staged_no, s.tag, s.serial_number, s.manufacturer, s.model
		FROM staged s
		WHERE s.is_live AND NOT s.is_dead AND s.tag IS NOT NULL AND s.serial_number IS NOT NULL
		UNION ALL
		SELECT e.staged_no, e.asset_tag, e.serial_number, e.manufacturer, e.model FROM same e WHERE e.serial_number IS NOT NULL
	), named AS MATERIALIZED ( -- what rows are called besides; a name may come twice
		SELECT s.staged_no, 'source_key:' || $1 AS scheme, s.source_key AS value
		FROM staged s WHERE s.is_live AND NOT s.is_dead AND s.source_key <> ''
		UNION ALL
		SELECT i.staged_no, 'source_id:' || $1, i.value
		FROM (SELECT s.staged_no, unnest(s.source_ids) AS value FROM staged s WHERE s.is_live AND NOT s.is_dead AND s.source_ids IS NOT NULL) AS i
		WHERE i.value <> ''
		UNION ALL -- sets in the select list: in FROM each row of millions would leave something behind until the end of the query
		SELECT v.staged_no, v.scheme, v.value
		FROM (
			SELECT l.staged_no, l.scheme, l.list ->> generate_series(0, jsonb_array_length(l.list) - 1) AS value
			FROM (
				SELECT e.staged_no, e.scheme,
					CASE jsonb_typeof(e.identifiers -> e.scheme) WHEN 'array' THEN e.identifiers -> e.scheme ELSE jsonb_build_array(e.identifiers -> e.scheme) END AS list
				FROM (
					SELECT s.staged_no, s.identifiers, jsonb_object_keys(s.identifiers) AS scheme
					FROM staged s WHERE s.is_live AND NOT s.is_dead AND jsonb_typeof(s.identifiers) = 'object'
				) AS e
				WHERE e.scheme <> 'former_tag' AND e.scheme !~ '^source_(key|id):'
				OFFSET 0
			) AS l
		) AS v
		WHERE v.value <> ''
	), keyed AS MATERIALIZED ( -- by the source's own key: of several rows the newest, but for those whose tag is another asset's, which they are by tag
		SELECT DISTINCT ON (i.asset_id) i.asset_id, s.staged_no
		FROM staged s JOIN @P@.asset_identifier i ON i.scheme = 'source_key:' || $1 AND i.value = s.source_key AND i.during @> $2
			LEFT JOIN @P@.asset t ON t.asset_tag = s.tag
		WHERE s.is_live AND s.source_key <> ''
		ORDER BY i.asset_id, coalesce(t.asset_id <> i.asset_id, false), s.source_updated_at DESC NULLS LAST, s.staged_no DESC
		LIMIT $9
	), matched AS MATERIALIZED ( -- by key, else by tag
		SELECT s.staged_no, k.asset_id IS NOT NULL AS by_key, t.asset_id AS holder_id,
			CASE WHEN k.asset_id IS NOT NULL THEN k.asset_id WHEN h.asset_id IS NULL THEN t.asset_id END AS asset_id
		FROM staged s
			LEFT JOIN keyed k ON k.staged_no = s.staged_no
			LEFT JOIN @P@.asset t ON t.asset_tag = s.tag
			LEFT JOIN keyed h ON h.asset_id = t.asset_id
		WHERE s.is_live
		LIMIT $9
	), gone AS MATERIALIZED ( -- assets of the source that are not staged
		SELECT a.asset_id, a.asset_tag, a.serial_number, a.manufacturer, a.model, a.status, a.successor_id
		FROM @P@.asset a
		WHERE a.source = $1 AND NOT EXISTS (SELECT FROM same e WHERE e.asset_id = a.asset_id)
			AND NOT EXISTS (SELECT FROM matched m WHERE m.asset_id = a.asset_id)
			AND NOT EXISTS (SELECT FROM matched m WHERE m.holder_id = a.asset_id)
			@GONE@
	), candidate AS (
		SELECT g.asset_id, g.asset_tag, s.staged_no, s.tag AS row_tag, 1000000::bigint AS shared
		FROM gone g JOIN unit_staged s ON s.serial_number = g.serial_number
			AND coalesce(s.manufacturer, '') = coalesce(g.manufacturer, '') AND coalesce(s.model, '') = coalesce(g.model, '')
		UNION ALL
		SELECT g.asset_id, g.asset_tag, s.staged_no, s.tag, count(DISTINCT (d.scheme, d.value))
		FROM gone g
			JOIN @P@.asset_identifier i ON i.asset_id = g.asset_id AND i.during @> $2 AND i.scheme <> 'former_tag'
			JOIN named d ON d.scheme = i.scheme AND d.value = i.value
			JOIN staged s ON s.staged_no = d.staged_no
		WHERE $4 AND s.tag IS NOT NULL
		GROUP BY g.asset_id, g.asset_tag, s.staged_no, s.tag
	), pair AS MATERIALIZED ( -- what each of them is now
		SELECT DISTINCT ON (c.asset_id) c.asset_id, c.asset_tag, c.staged_no, c.shared
		FROM candidate c
		ORDER BY c.asset_id, c.shared DESC, c.row_tag, c.staged_no
	), renamed AS MATERIALIZED (
		SELECT DISTINCT ON (p.staged_no) p.staged_no, p.asset_id
		FROM pair p JOIN matched m ON m.staged_no = p.staged_no
		WHERE m.asset_id IS NULL AND m.holder_id IS NULL
		ORDER BY p.staged_no, p.shared DESC, p.asset_tag
		LIMIT $9
	), found AS MATERIALIZED (
		SELECT m.staged_no, m.by_key, m.holder_id, coalesce(m.asset_id, r.asset_id) AS asset_id, r.asset_id IS NOT NULL AS by_pair
		FROM matched m LEFT JOIN renamed r ON r.staged_no = m.staged_no
		LIMIT $9
	), drawn AS MATERIALIZED ( -- what each row makes of its asset
		SELECT s.staged_no, s.is_dead, f.asset_id, f.holder_id, f.by_key OR f.by_pair AS is_known, o.asset_tag AS old_tag, o.status AS old_status,
			o.source AS old_source, o.serial_number AS old_serial_number, coalesce(s.tag, o.asset_tag) AS asset_tag, n.*, b.reappears,
			coalesce(s.source_updated_at < o.source_updated_at, false) AS is_outdated, s.serial_number AS given_serial_number,
			(n.serial_number, n.manufacturer, n.model) IS DISTINCT FROM (o.serial_number, o.manufacturer, o.model) AS is_other_unit,
			s.identifiers, s.source_key IS NOT NULL AS has_key, s.source_ids IS NOT NULL AS has_ids,
			array_remove(ARRAY[CASE WHEN s.tag <> o.asset_tag OR o.asset_id IS NULL THEN 'asset_tag' END @TOLD@,
				CASE WHEN n.successor_id IS DISTINCT FROM o.successor_id THEN 'successor_id' END,
				CASE WHEN o.source IS DISTINCT FROM $1 THEN 'source' END,
				CASE WHEN n.source_updated_at IS DISTINCT FROM o.source_updated_at THEN 'source_updated_at' END], NULL) AS columns
		FROM staged s
			JOIN found f ON f.staged_no = s.staged_no
			LEFT JOIN @P@.asset o ON o.asset_id = f.asset_id
			LEFT JOIN @P@.customer k ON k.external_ref = s.customer_ref
			CROSS JOIN LATERAL (
				SELECT $5 AND coalesce(o.status = 'retired', false) AND coalesce(s.status, 'in_service') <> 'retired'
					AND (s.decommissioned_on IS NULL OR s.decommissioned_on >= $2) AS reappears
			) AS b
			CROSS JOIN LATERAL (
				SELECT CASE WHEN $8 AND k.customer_id IS NULL THEN s.customer_ref END AS made_ref,
					CASE WHEN NOT b.reappears THEN o.successor_id END AS successor_id,
					CASE WHEN $6 THEN s.source_updated_at ELSE coalesce(s.source_updated_at, o.source_updated_at) END AS source_updated_at
					@TAKEN@
			) AS n
		LIMIT $9
	), objected AS MATERIALIZED ( -- what speaks against a row by itself
		SELECT * FROM (
			SELECT d.staged_no, CASE
				WHEN d.asset_tag IS NULL AND NOT d.is_dead
					THEN ARRAY['23502', NULL, 'the row has no asset_tag, and no source_key of an asset that is known']
				WHEN d.old_source <> $1
					THEN ARRAY['23514', 'asset_source_conflict', format('asset %s comes from source %s', d.old_tag, d.old_source)]
				WHEN d.is_dead THEN NULL
				WHEN jsonb_typeof(d.identifiers) <> 'object'
					THEN ARRAY['22023', NULL, 'identifiers is no object of lists, as in {"eic": ["…"]}']
				WHEN NOT d.is_known AND d.given_serial_number <> d.old_serial_number
					THEN ARRAY['23514', 'asset_identity_changed', format('asset %s has serial number %s, not %s', d.old_tag, d.old_serial_number, d.given_serial_number)]
				WHEN d.asset_tag <> d.old_tag AND d.holder_id IS NOT NULL
					THEN ARRAY['23505', 'asset_asset_tag_key', format('another asset has tag %s; this one is %s', d.asset_tag, d.old_tag)]
				WHEN d.made_ref IS NOT NULL AND NOT $7
					THEN ARRAY['23503', 'asset_customer_known', format('no customer has external_ref %s', left(d.made_ref, 100))]
				WHEN char_length(d.made_ref) NOT BETWEEN 1 AND 200
					THEN ARRAY['23514', 'customer_external_ref_length', 'customer_ref must have 1 to 200 characters']
				WHEN d.columns <> '{}'
					THEN cec._asset_refusal($3, d.asset_id, d.asset_tag, d.tag_symbology, d.serial_number, d.manufacturer, d.model,
						d.category, d.usage_type, d.status, d.customer_id, d.country, d.region, d.location, d.commissioned_on, d.decommissioned_on,
						d.out_of_service, d.successor_id, d.attributes, $1, d.source_updated_at)
				END AS refusal
			FROM drawn d
			OFFSET 0
		) AS o
		WHERE o.refusal IS NOT NULL
	), moving AS MATERIALIZED ( -- rows that change something, as far as that is known
		SELECT d.staged_no, d.asset_id, d.asset_tag, d.old_tag, d.is_other_unit, d.serial_number, d.manufacturer, d.model
		FROM drawn d
		WHERE d.columns <> '{}' AND NOT d.is_outdated AND NOT d.is_dead AND NOT EXISTS (SELECT FROM objected o WHERE o.staged_no = d.staged_no)
		LIMIT $9
	), unit AS ( -- other units: whose serial number they take, and who is before them
		SELECT m.staged_no, m.serial_number, a.asset_tag AS holder_tag, h.asset_id IS NOT NULL AND m.asset_id IS NULL AS is_let_go,
			row_number() OVER (PARTITION BY m.serial_number, m.manufacturer, m.model ORDER BY m.asset_tag) AS place
		FROM moving m
			LEFT JOIN @P@.asset a ON a.serial_number = m.serial_number AND a.manufacturer = m.manufacturer AND a.model = m.model
				AND a.asset_id IS DISTINCT FROM m.asset_id
			LEFT JOIN moving h ON h.asset_id = a.asset_id AND h.is_other_unit
		WHERE m.is_other_unit AND m.serial_number IS NOT NULL AND m.manufacturer IS NOT NULL AND m.model IS NOT NULL
	), refused AS MATERIALIZED (
		SELECT * FROM objected
		UNION ALL
		SELECT u.staged_no, ARRAY['23505', 'asset_serial_number_key', format('another asset of this manufacturer and model has serial number %s', u.serial_number)]
		FROM unit u
		WHERE u.place > 1 OR u.holder_tag IS NOT NULL AND NOT u.is_let_go
		LIMIT $9
	), settled AS MATERIALIZED ( -- a tag of another asset is free for a new one where that one gets another tag by this run
		SELECT d.staged_no, d.asset_id, d.asset_tag, d.old_tag, d.is_outdated, d.is_dead, d.identifiers, d.has_key, d.has_ids,
			coalesce(r.refusal, CASE WHEN d.asset_id IS NULL AND d.holder_id IS NOT NULL AND NOT d.is_dead
				AND NOT EXISTS (SELECT FROM moving h LEFT JOIN refused hr ON hr.staged_no = h.staged_no
					WHERE h.asset_id = d.holder_id AND h.asset_tag <> h.old_tag AND hr.staged_no IS NULL)
				THEN ARRAY['23505', 'asset_asset_tag_key', format('another asset has tag %s', d.asset_tag)] END) AS refusal
		FROM drawn d LEFT JOIN refused r ON r.staged_no = d.staged_no
		LIMIT $9
	), good AS MATERIALIZED (
		SELECT * FROM settled g WHERE g.refusal IS NULL AND NOT g.is_outdated AND NOT g.is_dead
	), leaving AS MATERIALIZED ( -- assets that are not staged: something else now, or nothing
		SELECT g.asset_id, g.asset_tag, g.status, s.asset_id AS successor_id, s.asset_tag AS successor_tag
		FROM gone g JOIN pair p ON p.asset_id = g.asset_id
			JOIN (SELECT staged_no, asset_id, asset_tag FROM good UNION ALL SELECT staged_no, asset_id, asset_tag FROM same) AS s ON s.staged_no = p.staged_no
		WHERE $5 AND s.asset_id <> g.asset_id AND (g.status <> 'retired' OR g.successor_id IS DISTINCT FROM s.asset_id)
		UNION ALL
		SELECT g.asset_id, g.asset_tag, g.status, NULL, NULL
		FROM gone g
		WHERE $4 AND $5 AND g.status <> 'retired' AND NOT EXISTS (SELECT FROM pair p WHERE p.asset_id = g.asset_id)
	), ended AS MATERIALIZED ( -- identifiers that end
		SELECT i.asset_identifier_id, i.asset_id
		FROM good g JOIN @P@.asset_identifier i ON i.asset_id = g.asset_id AND i.during && daterange($2, NULL)
		WHERE $4 AND i.scheme <> 'former_tag'
			AND (CASE i.scheme WHEN 'source_key:' || $1 THEN g.has_key WHEN 'source_id:' || $1 THEN g.has_ids ELSE g.identifiers ? i.scheme END)
			AND NOT EXISTS (SELECT FROM named d WHERE d.staged_no = g.staged_no AND d.scheme = i.scheme AND d.value = i.value)
		UNION ALL
		SELECT i.asset_identifier_id, i.asset_id
		FROM leaving l JOIN @P@.asset_identifier i ON i.asset_id = l.asset_id AND i.during && daterange($2, NULL)
		WHERE i.scheme <> 'former_tag' AND $4
	), wanted AS MATERIALIZED ( -- identifiers that are new to their asset; a tag that is given up stays its name
		SELECT DISTINCT g.staged_no, g.asset_tag, d.scheme, d.value, daterange($2, NULL) AS during
		FROM good g JOIN named d ON d.staged_no = g.staged_no
		WHERE NOT EXISTS (SELECT FROM @P@.asset_identifier i WHERE i.asset_id = g.asset_id AND i.scheme = d.scheme AND i.value = d.value
			AND i.during && daterange($2, NULL))
		UNION ALL
		SELECT g.staged_no, g.asset_tag, 'former_tag', g.old_tag, daterange(NULL, NULL)
		FROM good g
		WHERE g.asset_tag <> g.old_tag AND NOT EXISTS (SELECT FROM @P@.asset_identifier i
			WHERE i.asset_id = g.asset_id AND i.scheme = 'former_tag' AND i.value = g.old_tag)
	), held AS (
		SELECT w.scheme, w.value, min(i.asset_id) AS asset_id
		FROM wanted w JOIN @P@.asset_identifier i ON i.scheme = w.scheme AND i.value = w.value AND i.during && w.during
		WHERE NOT EXISTS (SELECT FROM ended e WHERE e.asset_identifier_id = i.asset_identifier_id)
		GROUP BY w.scheme, w.value
	), judged AS MATERIALIZED (
		SELECT w.*, h.asset_id AS holder_id, row_number() OVER (PARTITION BY w.scheme, w.value ORDER BY w.asset_tag, w.staged_no) AS place
		FROM wanted w LEFT JOIN held h ON h.scheme = w.scheme AND h.value = w.value
	), kept_out AS MATERIALIZED (
		SELECT j.staged_no, j.asset_tag, j.scheme, j.value, CASE
			WHEN j.holder_id IS NOT NULL THEN ARRAY['23P01', 'asset_identifier_names_one_asset', format('%s %s is an identifier of asset %s', j.scheme, j.value,
				(SELECT a.asset_tag FROM @P@.asset a WHERE a.asset_id = j.holder_id))]
			WHEN char_length(j.scheme) NOT BETWEEN 1 AND 40
				THEN ARRAY['23514', 'asset_identifier_scheme_length', format('the scheme %s must have 1 to 40 characters', left(j.scheme, 100))]
			WHEN char_length(j.value) > 200
				THEN ARRAY['23514', 'asset_identifier_value_length', format('an identifier of scheme %s must have 1 to 200 characters', j.scheme)]
			WHEN j.place > 1 THEN ARRAY['23P01', 'asset_identifier_names_one_asset', format('%s %s is staged for another asset as well', j.scheme, j.value)]
			END AS refusal
		FROM judged j
	), gained AS MATERIALIZED (
		SELECT k.staged_no, array_agg(k.scheme ORDER BY k.scheme, k.value) AS schemes, array_agg(k.value ORDER BY k.scheme, k.value) AS names
		FROM kept_out k WHERE k.refusal IS NULL
		GROUP BY k.staged_no
	), lost AS MATERIALIZED (
		SELECT e.asset_id, array_agg(e.asset_identifier_id ORDER BY e.asset_identifier_id) AS ids
		FROM ended e
		GROUP BY e.asset_id
	)
	SELECT 0::bigint, d.staged_no, d.asset_id, d.asset_tag,
		CASE WHEN s.refusal IS NOT NULL THEN 'rejected'
			WHEN d.is_outdated THEN 'outdated'
			WHEN d.asset_id IS NULL THEN 'inserted'
			WHEN d.asset_tag <> d.old_tag THEN 'retagged'
			WHEN d.old_source IS NULL THEN 'adopted'
			WHEN d.reappears THEN 'reappeared'
			WHEN d.columns <> '{}' OR g.staged_no IS NOT NULL OR l.asset_id IS NOT NULL THEN 'updated'
			ELSE 'unchanged' END,
		CASE WHEN s.refusal IS NULL AND NOT d.is_outdated
			THEN d.columns || CASE WHEN g.staged_no IS NOT NULL OR l.asset_id IS NOT NULL THEN '{identifiers}'::text[] ELSE '{}' END END,
		CASE WHEN s.refusal IS NOT NULL THEN s.refusal[3]
			WHEN d.is_outdated THEN 'the register has a newer row of it'
			WHEN d.asset_tag <> d.old_tag THEN format('its tag was %s', d.old_tag)
			WHEN d.asset_id IS NOT NULL AND d.old_source IS NULL THEN 'it came from no source before'
			WHEN d.reappears THEN 'it was retired' END,
		s.refusal[1], s.refusal[2],
		CASE WHEN s.refusal IS NOT NULL OR d.is_outdated THEN NULL
			WHEN d.asset_id IS NULL THEN 'insert'
			WHEN d.columns <> '{}' THEN 'update'
			WHEN g.staged_no IS NOT NULL OR l.asset_id IS NOT NULL THEN 'name' END,
		d.old_status <> 'retired', d.made_ref, l.ids, g.schemes, g.names,
		d.tag_symbology, d.serial_number, d.manufacturer, d.model, d.category, d.usage_type, d.status, d.customer_id, d.country, d.region,
		d.location, d.commissioned_on, d.decommissioned_on, d.out_of_service, d.successor_id, d.attributes, d.source_updated_at
	FROM drawn d
		JOIN settled s ON s.staged_no = d.staged_no
		LEFT JOIN gained g ON g.staged_no = d.staged_no
		LEFT JOIN lost l ON l.asset_id = d.asset_id
	WHERE NOT d.is_dead
	UNION ALL -- of what is deleted nothing else is taken, another tag neither
	SELECT 0, d.staged_no, d.asset_id, CASE WHEN s.refusal IS NULL THEN coalesce(d.old_tag, d.asset_tag) ELSE d.asset_tag END,
		CASE WHEN s.refusal IS NOT NULL THEN 'rejected' WHEN d.is_outdated THEN 'outdated' WHEN c.retires THEN 'retired' ELSE 'unchanged' END,
		CASE WHEN s.refusal IS NULL AND NOT d.is_outdated THEN CASE WHEN c.retires THEN x.columns ELSE '{}' END END,
		CASE WHEN s.refusal IS NOT NULL THEN s.refusal[3]
			WHEN d.is_outdated THEN 'the register has a newer row of it'
			WHEN c.retires THEN 'the source has deleted it'
			ELSE 'the source has deleted it, and there is nothing to retire' END,
		s.refusal[1], s.refusal[2], CASE WHEN s.refusal IS NULL AND NOT d.is_outdated AND c.retires THEN 'update' END,
		d.old_status <> 'retired', NULL, NULL, NULL, NULL, o.tag_symbology, o.serial_number, o.manufacturer, o.model, o.category, o.usage_type, 'retired',
		o.customer_id, o.country, o.region, o.location, o.commissioned_on, x.decommissioned_on, x.out_of_service, o.successor_id, o.attributes, o.source_updated_at
	FROM drawn d
		JOIN settled s ON s.staged_no = d.staged_no
		LEFT JOIN @P@.asset o ON o.asset_id = d.asset_id
		CROSS JOIN LATERAL cec._retired(o.status, o.commissioned_on, o.decommissioned_on, o.out_of_service, $2) AS x
		CROSS JOIN LATERAL (SELECT coalesce($5 AND o.source = $1 AND o.status <> 'retired', false) AS retires) AS c
	WHERE d.is_dead
	UNION ALL
	SELECT 0, NULL, l.asset_id, l.asset_tag, CASE WHEN l.successor_id IS NULL THEN 'retired' ELSE 'merged' END,
		x.columns || CASE WHEN l.successor_id IS DISTINCT FROM o.successor_id AND l.successor_id IS NOT NULL THEN '{successor_id}'::text[] ELSE '{}' END
			|| CASE WHEN e.asset_id IS NOT NULL THEN '{identifiers}'::text[] ELSE '{}' END,
		CASE WHEN l.successor_id IS NULL THEN 'the source has it no more' ELSE format('the source has it as %s', l.successor_tag) END,
		NULL, NULL, 'update', l.status <> 'retired', NULL, e.ids, NULL, NULL, o.tag_symbology, o.serial_number, o.manufacturer, o.model, o.category,
		o.usage_type, 'retired', o.customer_id, o.country, o.region, o.location, o.commissioned_on, x.decommissioned_on, x.out_of_service,
		coalesce(l.successor_id, o.successor_id), o.attributes, o.source_updated_at
	FROM leaving l
		JOIN @P@.asset o ON o.asset_id = l.asset_id
		LEFT JOIN lost e ON e.asset_id = l.asset_id
		CROSS JOIN LATERAL cec._retired(o.status, o.commissioned_on, o.decommissioned_on, o.out_of_service, $2) AS x
	UNION ALL
	SELECT 0, s.staged_no, NULL, s.tag, CASE WHEN s.place > 1 THEN 'superseded' ELSE 'unchanged' END, CASE WHEN s.place > 1 THEN NULL ELSE '{}'::text[] END,
		CASE WHEN s.place > 1 THEN 'a newer row of it is staged' ELSE 'the source has deleted it, and there is nothing to retire' END,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM staged s
	WHERE NOT s.is_live AND (s.place > 1 OR NOT EXISTS (SELECT FROM leaving l WHERE l.asset_tag = s.tag))
	UNION ALL
	SELECT 0, k.staged_no, d.asset_id, k.asset_tag, 'rejected', '{identifiers}', k.refusal[3], k.refusal[1], k.refusal[2],
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM kept_out k JOIN found d ON d.staged_no = k.staged_no
	WHERE k.refusal IS NOT NULL
	UNION ALL
	SELECT 0, e.staged_no, e.asset_id, e.asset_tag, 'unchanged', '{}', NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM same e
	$query$, '@TAKEN@', taken), '@TOLD@', told), '@KEPT@', kept), '@GONE@', CASE WHEN mode <> 'snapshot'
		THEN 'AND EXISTS (SELECT FROM unit_staged s WHERE s.serial_number = a.serial_number)' ELSE '' END))
	USING source, today, portfolio::oid, mode = 'snapshot', owns_life, of.clears, of.makes_customers, 'customer_id' = ANY (owned), rows_staged, is_quick;
END;
$$;

-- Runs a plan, or says what it would do (sync_run.c). step: preview, count, apply or batch; a batch carries out batch_rows changes of
-- tags behind after_tag, and the last one what is left.
CREATE FUNCTION cec._sync_preview(portfolio oid, source text, mode text, max_retire_fraction numeric, expected_rows bigint)
RETURNS TABLE (asset_tag text, asset_id bigint, outcome text, columns text[], message text)
LANGUAGE c STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_sync_preview';
CREATE FUNCTION cec._sync_assets(portfolio oid, source text, mode text, dry_run boolean, max_retire_fraction numeric, expected_rows bigint)
RETURNS TABLE (outcome text, assets bigint)
LANGUAGE c ROWS 11 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_sync_assets';

-- What is asked for must be there, and make sense. Errors: 22004, 22023, 23503.
CREATE FUNCTION cec._require_sync(portfolio regnamespace, source text, mode text, max_retire_fraction numeric) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_known boolean;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF source IS NULL OR mode IS NULL OR max_retire_fraction IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a sync needs a source, a mode and the fraction that may be retired',
			DETAIL = format('Source %s, mode %s, max_retire_fraction %s.', coalesce(source, 'NULL'), coalesce(mode, 'NULL'), coalesce(max_retire_fraction::text, 'NULL'));
	END IF;
	IF mode NOT IN ('delta', 'snapshot') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no mode of a sync', left(mode, 100)),
			HINT = 'It is delta where the staged rows are what has changed, and snapshot where they are all that there is.';
	END IF;
	IF NOT max_retire_fraction BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s is no fraction of the assets', max_retire_fraction),
			HINT = 'Give a number from 0 to 1; 0.1 is a tenth of them.';
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.asset_source s WHERE s.source = $1)') INTO is_known USING source;
	IF NOT is_known THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no source "%s"', left(source, 100)),
			DETAIL = format('Key (source)=(%s) is not present in table "asset_source".', left(source, 100)),
			HINT = format('The table %s.asset_source lists the sources; add it there.', portfolio), CONSTRAINT = 'asset_source_source_known';
	END IF;
END;
$$;

CREATE FUNCTION cec.sync_preview(portfolio regnamespace, source text, mode text, max_retire_fraction numeric, expected_rows bigint)
RETURNS TABLE (asset_tag text, asset_id bigint, outcome text, columns text[], message text)
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_sync(portfolio, source, mode, max_retire_fraction);
	RETURN QUERY SELECT p.asset_tag, p.asset_id, p.outcome, p.columns, p.message
		FROM cec._sync_preview(portfolio::oid, source, mode, max_retire_fraction, expected_rows) AS p
		ORDER BY p.asset_tag COLLATE "C", p.outcome COLLATE "C", p.message COLLATE "C";
END;
$$;

CREATE FUNCTION cec.sync_assets(portfolio regnamespace, source text, mode text, dry_run boolean, max_retire_fraction numeric, expected_rows bigint)
RETURNS TABLE (outcome text, assets bigint)
LANGUAGE plpgsql ROWS 11 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_sync(portfolio, source, mode, max_retire_fraction);
	IF dry_run IS NOT TRUE THEN
		PERFORM cec._require_read_committed('sync_assets');
	END IF;
	RETURN QUERY SELECT s.outcome, s.assets
		FROM cec._sync_assets(portfolio::oid, source, mode, coalesce(dry_run, false), max_retire_fraction, expected_rows) AS s;
END;
$$;

CREATE FUNCTION cec._run_sync_batch(portfolio oid, source text, mode text, max_retire_fraction numeric, expected_rows bigint, batch_no integer,
	after_tag text, batch_rows bigint, started_at timestamptz, applied bigint)
RETURNS TABLE (last_tag text, is_done boolean, all_applied bigint, error_code text, error_message text, error_detail text, error_hint text, error_constraint text)
LANGUAGE c ROWS 1 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_run_sync_batch';

-- What a run in batches goes from one to the next by; NULL: it begins.
CREATE TYPE cec._sync_state AS (
	batch_no integer,
	last_tag text,
	applied bigint,
	started_at timestamptz,
	is_done boolean,
	error_code text,
	error_message text,
	error_detail text,
	error_hint text,
	error_constraint text
);

CREATE FUNCTION cec._sync_batch(portfolio text, source text, mode text, max_retire_fraction numeric, expected_rows bigint, batch_rows integer,
	state cec._sync_state) RETURNS cec._sync_state
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace := cec._require_portfolio(portfolio);
	done record;
BEGIN
	PERFORM cec._require_sync(schema, source, mode, max_retire_fraction);
	PERFORM cec._require_read_committed('sync_assets_batched');
	IF batch_rows IS NULL OR batch_rows < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('a batch of %s rows is none', coalesce(batch_rows::text, 'NULL')),
			HINT = 'Give a number of rows, such as 10000: lists and contracts are changed between batches.';
	END IF;
	state.batch_no := coalesce(state.batch_no, 0) + 1;
	state.started_at := coalesce(state.started_at, clock_timestamp());
	SELECT * INTO done FROM cec._run_sync_batch(schema::oid, source, mode, max_retire_fraction, expected_rows, state.batch_no, coalesce(state.last_tag, ''),
		batch_rows, state.started_at, coalesce(state.applied, 0));
	state.last_tag := done.last_tag;
	state.applied := done.all_applied;
	state.is_done := done.is_done;
	state.error_code := done.error_code;
	state.error_message := done.error_message;
	state.error_detail := done.error_detail;
	state.error_hint := done.error_hint;
	state.error_constraint := done.error_constraint;
	RETURN state;
END;
$$;

CREATE FUNCTION cec._raise_sync_error(error_code text, error_message text, error_detail text, error_hint text, error_constraint text) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_raise_sync_error';

-- A procedure that commits has no SET clause. So nothing in it is looked up by the caller's path: neither functions nor operators.
CREATE PROCEDURE cec.sync_assets_batched(portfolio text, source text, mode text, max_retire_fraction numeric DEFAULT 0.1, expected_rows bigint DEFAULT NULL,
	batch_rows integer DEFAULT 10000)
LANGUAGE plpgsql AS $$
DECLARE
	state cec._sync_state;
BEGIN
	LOOP
		state := cec._sync_batch(portfolio, source, mode, max_retire_fraction, expected_rows, batch_rows, state);
		COMMIT;
		EXIT WHEN state.is_done;
	END LOOP;
	IF state.error_code IS NOT NULL THEN
		PERFORM cec._raise_sync_error(state.error_code, state.error_message, state.error_detail, state.error_hint, state.error_constraint);
	END IF;
END;
$$;

DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT a.attname, c.comment
		FROM pg_attribute a JOIN (VALUES
			('batch_no', 'The last batch.'),
			('last_tag', 'The last tag that it came to.'),
			('applied', 'How many rows are done.'),
			('started_at', 'When the run was started.'),
			('is_done', 'Whether that was the last batch, or it failed.'),
			('error_code', 'SQLSTATE that it failed with; NULL: it did not.'),
			('error_message', 'Message that it failed with.'),
			('error_detail', 'Detail of that.'),
			('error_hint', 'Hint of that.'),
			('error_constraint', 'Constraint of that.')) AS c(name, comment) ON c.name = a.attname
		WHERE a.attrelid = 'cec._sync_state'::regclass
	LOOP
		EXECUTE format('COMMENT ON COLUMN cec._sync_state.%I IS %L', part.attname, part.comment);
	END LOOP;
END $$;

COMMENT ON FUNCTION cec._raise_sync_error(text, text, text, text, text) IS 'Private. Raises what a batch has failed with, once the run that says so is committed.';
COMMENT ON TYPE cec._sync_state IS 'Private. How far a run in batches is.';
COMMENT ON FUNCTION cec._run_sync_batch(oid, text, text, numeric, bigint, integer, text, bigint, timestamptz, bigint) IS 'Private. Carries out a batch of a run, the last one with what is left; notes it where it fails.';
COMMENT ON FUNCTION cec._sync_batch(text, text, text, numeric, bigint, integer, cec._sync_state) IS 'Private. The next batch of a run.';
COMMENT ON PROCEDURE cec.sync_assets_batched(text, text, text, numeric, bigint, integer) IS 'Takes what is staged of a source into the register as sync_assets does, and commits behind each batch_rows changes, so that lists and contracts can be changed in between. The last batch also merges and retires, and the rows leave asset_staging with it: what is interrupted is gone on with by another call. Each batch has a row in sync_run, one that failed too. Errors as sync_assets; 2D000 inside a transaction block, 3F000 portfolio.';
COMMENT ON TYPE cec._sync_row IS 'Private. A row of the plan of a sync: what becomes of a staged row, or of an asset that is not staged, with the columns of the asset after it.';
COMMENT ON FUNCTION cec._point(double precision, double precision) IS 'Private. A place, by degrees.';
COMMENT ON FUNCTION cec._is_elsewhere(geometry, geometry) IS 'Private. Whether two places differ.';
COMMENT ON FUNCTION cec._retired(text, date, date, datemultirange, date) IS 'Private. The days of an asset that is retired today, and which of its columns change.';
COMMENT ON FUNCTION cec._asset_refusal(oid, bigint, text, text, text, text, text, text, text, text, bigint, text, text, geometry, date, date, datemultirange, bigint, jsonb, text, timestamptz) IS 'Private. SQLSTATE, constraint and message with which the CHECK and NOT NULL constraints of asset refuse a row; NULL: they do not.';
COMMENT ON FUNCTION cec._sync_plan(regnamespace, text, text, date, boolean) IS 'Private. What a sync makes of what is staged of a source.';
COMMENT ON FUNCTION cec._sync_preview(oid, text, text, numeric, bigint) IS 'Private. The plan of a sync, row by row, once its guards let it pass.';
COMMENT ON FUNCTION cec._sync_assets(oid, text, text, boolean, numeric, bigint) IS 'Private. Carries out the plan of a sync, or counts it.';
COMMENT ON FUNCTION cec._require_sync(regnamespace, text, text, numeric) IS 'Private. Refuses what no sync can be made of.';
COMMENT ON FUNCTION cec.sync_preview(regnamespace, text, text, numeric, bigint) IS 'What sync_assets would do; see sync_preview of a portfolio.';
COMMENT ON FUNCTION cec.sync_assets(regnamespace, text, text, boolean, numeric, bigint) IS 'Takes what is staged of a source into the register; see sync_assets of a portfolio.';

INSERT INTO cec.finding_kind (kind, severity, is_gap, depends_on_day, hears, needs, meaning) VALUES
	('merged_in_register', 'warning', false, false, '{}', '{}', 'A source has an asset under another one of the register now, so it was retired.'),
	('reappeared', 'warning', false, false, '{}', '{}', 'A source has an asset again that was retired.'),
	('registry_overwrote', 'info', false, false, '{}', '{}', 'A source has replaced what somebody had changed of an asset by hand.'),
	('registry_stale', 'warning', false, true, '{asset_source}', '{}', 'A source has not been fed for longer than it may be.');
