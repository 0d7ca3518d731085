-- What functions that change the lists of whole assets or contracts have in common.

CREATE FUNCTION cec._lock_listed(portfolio oid, assets bigint[]) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_lock_listed';

-- A day that a function was given.
CREATE FUNCTION cec._require_day(argument text, day date) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF day IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = format('%s must not be NULL', argument);
	ELSIF NOT isfinite(day) THEN
		RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow', MESSAGE = format('%s must not be infinite', argument);
	END IF;
END;
$$;

-- One of the ways in which a function can do its work.
CREATE FUNCTION cec._require_policy(policy text, policies text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF policy IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'policy must not be NULL',
			HINT = format('It is one of: %s.', array_to_string(policies, ', '));
	ELSIF policy <> ALL (policies) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('policy "%s" is not known', left(policy, 100)),
			DETAIL = format('A policy is one of: %s.', array_to_string(policies, ', '));
	END IF;
END;
$$;

-- Of the assets that an identifier names, on the day or else on any day: whatever is on a list must be able to leave it. Where there
-- are several, the one that stands on a list or in a bundle from that day on.
CREATE FUNCTION cec._asset_to_leave(portfolio regnamespace, identifier text, on_day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	named bigint[] := (SELECT array_agg(n.asset_id) FROM cec._named(portfolio::oid, ARRAY[identifier], on_day) AS n);
	listed bigint[];
BEGIN
	IF cardinality(named) = 1 THEN
		RETURN named[1];
	END IF;
	named := coalesce(named, (SELECT array_agg(n.asset_id) FROM cec._named(portfolio::oid, ARRAY[identifier], NULL) AS n));
	IF cardinality(named) > 1 THEN
		EXECUTE cec._sql(portfolio, 'SELECT array_agg(n.asset_id) FROM unnest($1) AS n(asset_id)
			WHERE EXISTS (SELECT FROM @P@.inclusion i WHERE i.asset_id = n.asset_id AND NOT i.during << daterange($2, NULL))
				OR EXISTS (SELECT FROM @P@.bundle_member m WHERE m.asset_id = n.asset_id AND NOT m.during << daterange($2, NULL))
				OR EXISTS (SELECT FROM @P@.bundle b WHERE b.primary_asset_id = n.asset_id)')
			INTO listed USING named, on_day;
	END IF;
	IF cardinality(named) = 1 OR cardinality(listed) = 1 THEN
		RETURN coalesce(listed[1], named[1]);
	END IF;
	PERFORM cec._refuse_name(identifier, cardinality(named));
	RETURN NULL;
END;
$$;

-- The asset that an identifier names on the day from which it is to stand on a list.
CREATE FUNCTION cec._asset_to_come(portfolio regnamespace, identifier text, on_day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	named bigint[] := (SELECT array_agg(n.asset_id) FROM cec._named(portfolio::oid, ARRAY[identifier], on_day) AS n);
BEGIN
	IF cardinality(named) = 1 THEN
		RETURN named[1];
	END IF;
	PERFORM cec._refuse_name(identifier, cardinality(named));
	RETURN NULL;
END;
$$;

-- As a list line is refused that names nothing, or several (src/inclusion/inclusion_refuse.c).
CREATE FUNCTION cec._refuse_name(identifier text, assets integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF identifier IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the identifier of an asset must not be NULL',
			HINT = 'Give its tag, serial number or another identifier.';
	ELSIF assets > 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('several assets are known as "%s"', left(identifier, 100)),
			DETAIL = format('It names %s assets.', assets),
			HINT = 'Name it by its asset tag; find_asset shows the assets that the identifier names.',
			CONSTRAINT = 'inclusion_listed_as_unambiguous';
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('no asset is known as "%s"', left(identifier, 100)),
		DETAIL = 'It is neither an asset tag nor a serial number nor another identifier.',
		HINT = 'See find_asset for what an identifier names.', CONSTRAINT = 'inclusion_listed_as_known';
END;
$$;

-- The assets, and all below them in bundles on some day from this one on.
CREATE FUNCTION cec._with_members(portfolio regnamespace, assets bigint[], on_day date) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result bigint[];
BEGIN
	EXECUTE cec._sql(portfolio, 'WITH RECURSIVE below (asset_id) AS (
			SELECT unnest($1)
			UNION
			SELECT m.asset_id FROM below l JOIN @P@.bundle b ON b.primary_asset_id = l.asset_id JOIN @P@.bundle_member m ON m.bundle_id = b.bundle_id
			WHERE NOT m.during << daterange($2, NULL)
		)
		SELECT array_agg(asset_id) FROM below') INTO result USING assets, on_day;
	RETURN result;
END;
$$;

-- Open service requests of the assets that some contract covers on its own day on which they were opened.
CREATE FUNCTION cec._requests_covered(portfolio regnamespace, assets bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result bigint[];
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT coalesce(array_agg(q.request_id), ''{}'') FROM @P@.service_request q
		WHERE q.asset_id = ANY ($1) AND q.closed_at IS NULL AND EXISTS (SELECT FROM @P@.coverage v
			JOIN @P@.coverage_term t ON t.term_id = v.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
			WHERE v.asset_id = q.asset_id AND v.during @> (q.opened_at AT TIME ZONE c.time_zone)::date)') INTO result USING assets;
	RETURN result;
END;
$$;

-- Those of open service requests that were covered, and are no more, as rows of what was dropped.
CREATE FUNCTION cec._requests_dropped(portfolio regnamespace, assets bigint[], were_covered bigint[])
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	are_covered bigint[] := CASE WHEN were_covered <> '{}' THEN cec._requests_covered(portfolio, assets) END;
BEGIN
	IF were_covered = '{}' THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, 'SELECT ''dropped'', a.asset_id, a.asset_tag, NULL::bigint, q.opened_on, NULL::date,
			format(''service request %s of %s is open, and no contract covers it any more'', q.request_id, cec._day(q.opened_on))
		FROM (SELECT request_id, asset_id, (opened_at AT TIME ZONE (SELECT time_zone FROM @P@.setting))::date AS opened_on
				FROM @P@.service_request WHERE request_id = ANY ($1)) AS q
			JOIN @P@.asset a ON a.asset_id = q.asset_id
		WHERE q.request_id <> ALL ($2)
		ORDER BY a.asset_tag, q.request_id') USING were_covered, are_covered;
END;
$$;

COMMENT ON FUNCTION cec._lock_listed(oid, bigint[]) IS 'Private. Locks assets, with all below them in bundles, whose lists are about to be changed; for who may change lists.';
COMMENT ON FUNCTION cec._require_day(text, date) IS 'Private. Raises SQLSTATE 22004 or 22008 unless it is a day.';
COMMENT ON FUNCTION cec._require_policy(text, text[]) IS 'Private. Raises SQLSTATE 22004 or 22023 unless it is one of the policies.';
COMMENT ON FUNCTION cec._asset_to_leave(regnamespace, text, date) IS 'Private. The asset that an identifier names and that is to leave lists, or SQLSTATE 22004, 23503 or 23514.';
COMMENT ON FUNCTION cec._asset_to_come(regnamespace, text, date) IS 'Private. The asset that an identifier names on a day, or SQLSTATE 22004, 23503 or 23514.';
COMMENT ON FUNCTION cec._refuse_name(text, integer) IS 'Private. Raises the error of an identifier that names no asset, or several.';
COMMENT ON FUNCTION cec._with_members(regnamespace, bigint[], date) IS 'Private. Assets, with all below them in bundles from a day on.';
COMMENT ON FUNCTION cec._requests_covered(regnamespace, bigint[]) IS 'Private. Open service requests of these assets that a contract covers.';
COMMENT ON FUNCTION cec._requests_dropped(regnamespace, bigint[], bigint[]) IS 'Private. Those of open service requests that were covered and are not any more.';
