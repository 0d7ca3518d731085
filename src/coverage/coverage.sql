-- Effective coverage: questions about it, and the definition in plain SQL that the engine is held against.

CREATE FUNCTION cec.refuse_typing() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_refuse_typing';
CREATE FUNCTION cec._recompute(portfolio oid) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_recompute';

CREATE FUNCTION cec._covered(portfolio oid, identifier text, at timestamptz, on_day date)
RETURNS TABLE (rank bigint, asset_id bigint, asset_tag text, contract_id bigint, contract_number text, term_id bigint,
	tier_code text, valid_from date, last_day date, is_stated boolean, is_inherited boolean, is_ruled boolean,
	is_ambiguous boolean)
LANGUAGE c STABLE ROWS 2 AS 'MODULE_PATHNAME', 'cec_covered';

CREATE FUNCTION cec.covered(portfolio regnamespace, identifier text, at timestamptz)
RETURNS TABLE (rank bigint, asset_id bigint, asset_tag text, contract_id bigint, contract_number text, term_id bigint,
	tier_code text, valid_from date, last_day date, is_stated boolean, is_inherited boolean, is_ruled boolean,
	is_ambiguous boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._covered(portfolio::oid, identifier, at, NULL);
END;

CREATE FUNCTION cec.covered_on(portfolio regnamespace, identifier text, on_day date)
RETURNS TABLE (rank bigint, asset_id bigint, asset_tag text, contract_id bigint, contract_number text, term_id bigint,
	tier_code text, valid_from date, last_day date, is_stated boolean, is_inherited boolean, is_ruled boolean,
	is_ambiguous boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._covered(portfolio::oid, identifier, NULL, on_day);
END;

CREATE FUNCTION cec.coverage_as_of(portfolio regnamespace, on_day date, known_at timestamptz)
RETURNS TABLE (coverage_id bigint, asset_id bigint, term_id bigint, valid_from date, last_day date,
	is_stated boolean, is_ruled boolean, is_inherited boolean, recorded_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE format(
		'SELECT coverage_id, asset_id, term_id, lower(during), upper(during) - 1, is_stated, is_ruled, is_inherited, recorded_at
		FROM %1$s.coverage WHERE during @> $1 AND recorded_at <= $2
		UNION ALL
		SELECT coverage_id, asset_id, term_id, lower(during), upper(during) - 1, is_stated, is_ruled, is_inherited, lower(recorded)
		FROM %1$s.coverage_history WHERE during @> $1 AND recorded @> $2
		ORDER BY 2, 3, 4', portfolio) USING on_day, known_at;
END;
$$;

-- The definition in plain SQL, for the assets given (NULL: all): shares no code with the engine. Sets of days are
-- multiranges; reach holds one row for each way down from a listed asset to a member. Not materialized, because the
-- planner knows nothing of a materialized set's values and joined all terms with all assets.
CREATE FUNCTION cec._define_coverage(portfolio regnamespace, asset_ids bigint[])
RETURNS TABLE (asset_id bigint, term_id bigint, during daterange, is_stated boolean, is_ruled boolean, is_inherited boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH RECURSIVE base AS NOT MATERIALIZED (
			SELECT t.term_id, t.covers_bundles,
				CASE WHEN c.status IN ('draft', 'void') THEN '{}'::datemultirange
					ELSE datemultirange(t.during * c.during) - c.suspensions END AS days
			FROM %1$s.coverage_term t JOIN %1$s.contract c USING (contract_id)
		), life AS NOT MATERIALIZED (
			SELECT a.asset_id,
				CASE WHEN a.status = 'planned' AND a.commissioned_on IS NULL THEN '{}'::datemultirange
					ELSE datemultirange(daterange(a.commissioned_on, nullif(a.decommissioned_on, '5874897-12-31'), '[]')) - a.out_of_service END AS days
			FROM %1$s.asset a
		), listed AS (
			SELECT i.asset_id, i.term_id, range_agg(i.during) AS days
			FROM %1$s.inclusion i WHERE i.effect = 'include' GROUP BY i.asset_id, i.term_id
		), carved_out AS (
			SELECT i.asset_id, i.term_id, range_agg(i.during) AS days
			FROM %1$s.inclusion i WHERE i.effect = 'exclude' GROUP BY i.asset_id, i.term_id
		), membership AS (
			SELECT b.primary_asset_id AS primary_id, m.asset_id, datemultirange(m.during) AS days
			FROM %1$s.bundle_member m JOIN %1$s.bundle b USING (bundle_id)
		), reach AS (
			SELECT l.asset_id, l.term_id, l.days * f.days * b.days - coalesce(x.days, '{}') AS days, false AS is_inherited
			FROM listed l
				JOIN base b USING (term_id)
				JOIN life f USING (asset_id)
				LEFT JOIN carved_out x ON x.asset_id = l.asset_id AND x.term_id = l.term_id
			WHERE NOT isempty(l.days * f.days * b.days - coalesce(x.days, '{}'))
			UNION ALL
			SELECT m.asset_id, r.term_id, r.days * m.days * f.days - coalesce(x.days, '{}'), true
			FROM reach r
				JOIN base b ON b.term_id = r.term_id AND b.covers_bundles
				JOIN membership m ON m.primary_id = r.asset_id
				JOIN life f ON f.asset_id = m.asset_id
				LEFT JOIN carved_out x ON x.asset_id = m.asset_id AND x.term_id = r.term_id
			WHERE NOT isempty(r.days * m.days * f.days - coalesce(x.days, '{}'))
		), grounds AS (
			SELECT r.asset_id, r.term_id,
				coalesce(range_agg(r.days) FILTER (WHERE NOT r.is_inherited), '{}') AS stated,
				coalesce(range_agg(r.days) FILTER (WHERE r.is_inherited), '{}') AS inherited
			FROM reach r
			WHERE $1 IS NULL OR r.asset_id = ANY ($1)
			GROUP BY r.asset_id, r.term_id
		)
		SELECT g.asset_id, g.term_id, d.during, s.is_stated, false, s.is_inherited
		FROM grounds g
			CROSS JOIN LATERAL (VALUES
				(g.stated - g.inherited, true, false),
				(g.stated * g.inherited, true, true),
				(g.inherited - g.stated, false, true)) AS s(days, is_stated, is_inherited)
			CROSS JOIN LATERAL unnest(s.days) AS d(during)
		$query$, portfolio) USING asset_ids;
END;
$$;

-- Two snapshots would make differences where there are none.
CREATE FUNCTION cec._require_read_committed(what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING ERRCODE = 'active_sql_transaction',
			MESSAGE = format('%s needs isolation level READ COMMITTED', what),
			DETAIL = format('The transaction runs at %s.', upper(current_setting('transaction_isolation'))),
			HINT = 'Run it in a transaction of its own: BEGIN ISOLATION LEVEL READ COMMITTED.';
	END IF;
END;
$$;

CREATE FUNCTION cec.verify_coverage(portfolio regnamespace)
RETURNS TABLE (problem text, asset_id bigint, term_id bigint, valid_from date, last_day date,
	is_stated boolean, is_ruled boolean, is_inherited boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_read_committed('verify_coverage');
	RETURN QUERY EXECUTE format($query$
		WITH defined AS MATERIALIZED (SELECT * FROM cec._define_coverage($1, NULL)),
			stored AS MATERIALIZED (SELECT v.asset_id, v.term_id, v.during, v.is_stated, v.is_ruled, v.is_inherited FROM %1$s.coverage v),
			difference AS (
				SELECT 'missing' AS problem, m.* FROM (TABLE defined EXCEPT ALL TABLE stored) AS m
				UNION ALL
				SELECT 'extra', e.* FROM (TABLE stored EXCEPT ALL TABLE defined) AS e)
		SELECT d.problem, d.asset_id, d.term_id, lower(d.during), upper(d.during) - 1, d.is_stated, d.is_ruled, d.is_inherited
		FROM difference d ORDER BY 2, 3, 4, 1
		$query$, portfolio) USING portfolio;
END;
$$;

CREATE FUNCTION cec.recompute_coverage(portfolio regnamespace) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_read_committed('recompute_coverage');
	IF NOT has_table_privilege(format('%s.setting', portfolio)::regclass, 'UPDATE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('permission denied to recompute the coverage of portfolio %s', portfolio),
			HINT = 'It needs UPDATE on the table setting, as level admin has.';
	END IF;
	RETURN cec._recompute(portfolio);
END;
$$;

-- The reasons, term by term, in the order of the definition.
CREATE FUNCTION cec.explain_coverage(portfolio regnamespace, asset_id bigint, on_day date)
RETURNS TABLE (step integer, term_id bigint, outcome text, reason text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	asked_day date;
	asset_tag text;
	found boolean := false;
BEGIN
	PERFORM cec._require_version(portfolio);
	asked_day := coalesce(on_day, cec.today(portfolio));
	EXECUTE format('SELECT a.asset_tag FROM %s.asset a WHERE a.asset_id = $1', portfolio) INTO asset_tag USING asset_id;
	IF asset_tag IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no asset %s', coalesce(asset_id::text, 'NULL')),
			HINT = 'See find_asset for what an identifier names.';
	END IF;
	FOR step, term_id, outcome, reason IN EXECUTE format($query$
		WITH RECURSIVE above AS (
			SELECT $1 AS asset_id, NULL::bigint AS member_id, NULL::text AS bundle, 0 AS height
			UNION
			SELECT b.primary_asset_id, a.asset_id, b.name, a.height + 1
			FROM above a
				JOIN %1$s.bundle_member m ON m.asset_id = a.asset_id AND m.during @> $2
				JOIN %1$s.bundle b USING (bundle_id)
		), considered AS (
			SELECT DISTINCT i.term_id FROM %1$s.inclusion i JOIN above USING (asset_id)
			UNION SELECT v.term_id FROM %1$s.coverage v WHERE v.asset_id = $1
		), fact AS (
			SELECT t.term_id, c.number AS contract, t.number AS term, c.status, c.during AS contract_days, c.suspensions,
				t.during AS term_days, t.covers_bundles, a.asset_tag, a.status AS asset_status, a.commissioned_on,
				a.decommissioned_on, a.out_of_service,
				(SELECT i.during FROM %1$s.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'include' AND i.during @> $2 LIMIT 1) AS listed,
				(SELECT i.during FROM %1$s.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'include' ORDER BY i.during LIMIT 1) AS listed_elsewhen,
				(SELECT i.during FROM %1$s.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'exclude' AND i.during @> $2 LIMIT 1) AS carved_out,
				(SELECT p.asset_tag FROM above u JOIN %1$s.coverage v ON v.asset_id = u.asset_id AND v.term_id = t.term_id AND v.during @> $2
					JOIN %1$s.asset p ON p.asset_id = u.asset_id WHERE u.height = 1 ORDER BY 1 LIMIT 1) AS covered_primary,
				(SELECT p.asset_tag FROM above u JOIN %1$s.asset p ON p.asset_id = u.asset_id
					WHERE u.height = 1 ORDER BY 1 LIMIT 1) AS primary_tag,
				EXISTS (SELECT FROM %1$s.coverage v WHERE v.asset_id = $1 AND v.term_id = t.term_id AND v.during @> $2) AS is_covered
			FROM considered JOIN %1$s.coverage_term t USING (term_id) JOIN %1$s.contract c USING (contract_id)
				CROSS JOIN %1$s.asset a
			WHERE a.asset_id = $1
		)
		SELECT s.step, f.term_id, s.outcome, s.reason
		FROM fact f CROSS JOIN LATERAL (VALUES
			(1, CASE WHEN f.status IN ('draft', 'void') OR NOT f.contract_days @> $2 OR f.suspensions @> $2 THEN 'no' ELSE 'yes' END,
				CASE WHEN f.status IN ('draft', 'void') THEN format('Contract %%s is %%s and covers nothing.', f.contract, f.status)
					WHEN NOT f.contract_days @> $2 THEN format('Contract %%s runs for %%s, which leaves the day out.', f.contract, f.contract_days)
					WHEN f.suspensions @> $2 THEN format('Contract %%s is suspended on the day.', f.contract)
					ELSE format('Contract %%s is %%s and runs on the day.', f.contract, f.status) END),
			(2, CASE WHEN f.term_days @> $2 THEN 'yes' ELSE 'no' END,
				CASE WHEN f.term_days @> $2 THEN format('Term %%s runs on the day.', f.term)
					ELSE format('Term %%s runs for %%s, which leaves the day out.', f.term, f.term_days) END),
			(3, CASE WHEN (f.asset_status = 'planned' AND f.commissioned_on IS NULL) OR f.commissioned_on > $2
					OR f.decommissioned_on < $2 OR f.out_of_service @> $2 THEN 'no' ELSE 'yes' END,
				CASE WHEN f.asset_status = 'planned' AND f.commissioned_on IS NULL THEN format('Asset "%%s" is planned and has no day of commissioning.', f.asset_tag)
					WHEN f.commissioned_on > $2 THEN format('Asset "%%s" is commissioned only on %%s.', f.asset_tag, f.commissioned_on)
					WHEN f.decommissioned_on < $2 THEN format('Asset "%%s" was decommissioned on %%s.', f.asset_tag, f.decommissioned_on)
					WHEN f.out_of_service @> $2 THEN format('Asset "%%s" is out of service on the day.', f.asset_tag)
					ELSE format('Asset "%%s" is in its life on the day.', f.asset_tag) END),
			(4, CASE WHEN f.listed IS NOT NULL THEN 'yes' ELSE 'no' END,
				CASE WHEN f.listed IS NOT NULL THEN format('It is listed for %%s.', f.listed)
					WHEN f.listed_elsewhen IS NOT NULL THEN format('It is listed for %%s, which leaves the day out.', f.listed_elsewhen)
					ELSE 'It is not listed on this term.' END),
			(5, CASE WHEN f.covered_primary IS NOT NULL AND f.covers_bundles THEN 'yes' ELSE 'no' END,
				CASE WHEN f.covered_primary IS NOT NULL AND f.covers_bundles THEN format('It belongs to the bundle of "%%s", which this term covers.', f.covered_primary)
					WHEN f.covered_primary IS NOT NULL THEN format('It belongs to the bundle of "%%s", but this term does not cover bundles.', f.covered_primary)
					WHEN f.primary_tag IS NOT NULL THEN format('It belongs to the bundle of "%%s", which this term does not cover on the day.', f.primary_tag)
					ELSE 'It belongs to no bundle on the day.' END),
			(6, CASE WHEN f.carved_out IS NULL THEN 'yes' ELSE 'no' END,
				CASE WHEN f.carved_out IS NULL THEN 'It is not carved out of this term on the day.'
					ELSE format('It is carved out of this term for %%s.', f.carved_out) END),
			(7, CASE WHEN f.is_covered THEN 'covered' ELSE 'not covered' END,
				format('Asset "%%s" is %%s under term %%s of contract %%s on %%s.', f.asset_tag,
					CASE WHEN f.is_covered THEN 'covered' ELSE 'not covered' END, f.term, f.contract, $2))
			) AS s(step, outcome, reason)
		ORDER BY f.term_id, s.step
		$query$, portfolio) USING asset_id, asked_day
	LOOP
		found := true;
		RETURN NEXT;
	END LOOP;
	IF NOT found THEN
		step := 7;
		term_id := NULL;
		outcome := 'not covered';
		reason := format('Asset "%s" stands on no list, and no primary that it belongs to on %s does.', asset_tag, asked_day);
		RETURN NEXT;
	END IF;
END;
$$;

COMMENT ON FUNCTION cec.refuse_typing() IS 'Engine trigger: refuses changes of derived tables by statements (SQLSTATE 42501).';
COMMENT ON FUNCTION cec._recompute(oid) IS 'Private. Computes and writes the coverage of all assets; returns the number of rows changed.';
COMMENT ON FUNCTION cec._covered(oid, text, timestamptz, date) IS 'Private. Terms that cover an asset at an instant, or on a day.';
COMMENT ON FUNCTION cec.covered(regnamespace, text, timestamptz) IS 'Terms that cover an asset at an instant; see covered of a portfolio.';
COMMENT ON FUNCTION cec.covered_on(regnamespace, text, date) IS 'Terms that cover an asset on a day; see covered_on of a portfolio.';
COMMENT ON FUNCTION cec.coverage_as_of(regnamespace, date, timestamptz) IS 'Coverage of a day as it was known at an instant; see coverage_as_of of a portfolio.';
COMMENT ON FUNCTION cec._define_coverage(regnamespace, bigint[]) IS 'Private. The definition of coverage in plain SQL, for some assets or all (NULL).';
COMMENT ON FUNCTION cec._require_read_committed(text) IS 'Private. Raises SQLSTATE 25001 above READ COMMITTED.';
COMMENT ON FUNCTION cec.verify_coverage(regnamespace) IS 'Every difference between stored coverage and its definition; see verify_coverage of a portfolio.';
COMMENT ON FUNCTION cec.recompute_coverage(regnamespace) IS 'Brings stored coverage back to its definition; see recompute_coverage of a portfolio.';
COMMENT ON FUNCTION cec.explain_coverage(regnamespace, bigint, date) IS 'Why an asset is or is not covered on a day; see explain_coverage of a portfolio.';
