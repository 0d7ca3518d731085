-- The asset lists: resolving identifiers, listing, removing.

CREATE FUNCTION cec.resolve_listed_as() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_resolve_listed_as';
CREATE FUNCTION cec.keep_listed_asset() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_keep_listed_asset';

-- The days of a term, or SQLSTATE 23503.
CREATE FUNCTION cec._term_days(portfolio regnamespace, term_id bigint) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result daterange;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT during FROM @P@.coverage_term WHERE term_id = $1') INTO result USING term_id;
	IF result IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no coverage term %s', coalesce(term_id::text, 'NULL')),
			DETAIL = format('Key (term_id)=(%s) is not present in table "coverage_term".', term_id),
			HINT = format('The table %s.coverage_term lists the terms.', portfolio),
			CONSTRAINT = 'inclusion_term_id_fkey';
	END IF;
	RETURN result;
END;
$$;

-- A change of a list that takes effect at once, and says since when it was asked for: an amendment of its own. NULL: it does not say.
CREATE FUNCTION cec.__note_direct_change(portfolio regnamespace, action text, term_id bigint, identifier text, during daterange, requested_at timestamptz)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result bigint;
BEGIN
	IF requested_at IS NULL THEN
		RETURN NULL;
	END IF;
	IF NOT isfinite(requested_at) THEN
		RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow', MESSAGE = 'infinity is no time to ask for a change at',
			HINT = 'Give the instant at which it was asked for in requested_at, or leave it out.';
	END IF;
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.amendment (contract_id, title, status, requested_at, requested_by, applied_at, is_direct)
		SELECT t.contract_id, $1, ''applied'', $2, $4, clock_timestamp(), true FROM @P@.coverage_term t WHERE t.term_id = $3 RETURNING amendment_id')
		INTO result USING format('%s %s', action, left(identifier, 100)), requested_at, term_id, cec._actor();
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.amendment_line (amendment_id, action, identifier, term_id, during) VALUES ($1, $2, $3, $4, $5)')
		USING result, action, identifier, term_id, during;
	RETURN result;
END;
$$;

-- Whoever writes amendments that are no drafts does so from such a function; see src/portfolio/own_work.c.
CREATE FUNCTION cec._note_direct_change(portfolio regnamespace, action text, term_id bigint, identifier text, during daterange, requested_at timestamptz)
RETURNS bigint
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_amendment_work';

CREATE FUNCTION cec.list_asset(portfolio regnamespace, effect text, term_id bigint, identifier text, first_day date, last_day date, note text,
	requested_at timestamptz)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	term_days daterange;
	listed_days daterange;
	result bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	term_days := cec._term_days(portfolio, term_id);
	IF first_day > last_day THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the first day comes after the last day',
			DETAIL = format('first_day is %s, last_day is %s.', first_day, last_day),
			HINT = 'Both days are included; for one day give it twice.';
	END IF;
	PERFORM cec._inclusion_days_finite(daterange(first_day, last_day, '[]'));
	IF coalesce(first_day, lower(term_days)) >= coalesce(last_day + 1, upper(term_days)) THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'these days are outside the term',
			DETAIL = format('The term runs %s; %s was asked for.', cec._days_in_words(term_days),
				CASE WHEN first_day IS NULL THEN format('its first day to %s', last_day) ELSE format('%s to its last day', first_day) END),
			HINT = 'Choose days within the term, or extend the term first.', CONSTRAINT = 'inclusion_days_meet_term';
	END IF;
	listed_days := daterange(coalesce(first_day, lower(term_days)), coalesce(last_day + 1, upper(term_days)));
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.inclusion (term_id, listed_as, effect, during, amendment_id, note) VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING inclusion_id')
		INTO result
		USING term_id, identifier, effect, listed_days,
			cec._note_direct_change(portfolio, effect, term_id, identifier, listed_days, requested_at), note;
	RETURN result;
END;
$$;

CREATE FUNCTION cec.remove_asset(portfolio regnamespace, term_id bigint, identifier text, last_day date, requested_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ends_on date;
	asset_ids bigint[];
	deleted bigint;
	shortened bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._term_days(portfolio, term_id);
	ends_on := coalesce(last_day, cec.today(portfolio));
	PERFORM cec._inclusion_days_finite(daterange(ends_on, ends_on, '[]'));
	-- Whatever it was called on any day: what is on the list must be able to leave it.
	asset_ids := (SELECT array_agg(n.asset_id) FROM cec._named(portfolio::oid, ARRAY[identifier], NULL) AS n);
	IF asset_ids IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('no asset is known as "%s"', left(identifier, 100)),
			DETAIL = 'It is neither an asset tag nor a serial number nor another identifier.',
			HINT = 'See find_asset for what an identifier names.', CONSTRAINT = 'inclusion_listed_as_known';
	END IF;
	IF cardinality(asset_ids) > 1 THEN
		EXECUTE cec._sql(portfolio, 'SELECT array_agg(DISTINCT asset_id) FROM @P@.inclusion
			WHERE asset_id = ANY ($1) AND term_id = $2 AND effect = ''include''')
			INTO asset_ids USING asset_ids, term_id;
		IF cardinality(asset_ids) > 1 THEN
			RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('several assets are known as "%s"', left(identifier, 100)),
				DETAIL = format('%s of them stand on this term.', cardinality(asset_ids)),
				HINT = 'Name it by its asset tag; find_asset shows the assets that the identifier names.',
				CONSTRAINT = 'inclusion_listed_as_unambiguous';
		END IF;
	END IF;
	EXECUTE cec._sql(portfolio, 'DELETE FROM @P@.inclusion
		WHERE asset_id = ANY ($1) AND term_id = $2 AND effect = ''include'' AND lower(during) > $3')
		USING asset_ids, term_id, ends_on;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.inclusion SET during = during * daterange(NULL, $3, ''(]'')
		WHERE asset_id = ANY ($1) AND term_id = $2 AND effect = ''include'' AND NOT during <@ daterange(NULL, $3, ''(]'')')
		USING asset_ids, term_id, ends_on;
	GET DIAGNOSTICS shortened = ROW_COUNT;
	IF deleted + shortened = 0 THEN
		RAISE NOTICE USING MESSAGE = format('nothing on term %s had to be changed for "%s"', term_id, left(identifier, 100)),
			DETAIL = format('No line that includes it runs after %s.', ends_on),
			HINT = 'The table inclusion has the lines of a term.';
	ELSE
		PERFORM cec._note_direct_change(portfolio, 'remove', term_id, identifier, daterange(ends_on + 1, NULL), requested_at);
	END IF;
	RETURN deleted + shortened;
END;
$$;

CREATE FUNCTION cec._check_inclusions(portfolio oid, term_id bigint, rows jsonb)
RETURNS TABLE (place bigint, identifier text, outcome text, sqlstate text, constraint_name text, message text, asset_id bigint,
	suggestion text)
LANGUAGE c STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_check_inclusions';

COMMENT ON FUNCTION cec.resolve_listed_as() IS 'Engine trigger: fills asset_id of a list line from listed_as, or makes sure that both name one asset.';
COMMENT ON FUNCTION cec.keep_listed_asset() IS 'Engine trigger: refuses to delete an asset that stands on a list (SQLSTATE 23503).';
COMMENT ON FUNCTION cec._term_days(regnamespace, bigint) IS 'Private. The days of a term, or SQLSTATE 23503.';
COMMENT ON FUNCTION cec.__note_direct_change(regnamespace, text, bigint, text, daterange, timestamptz) IS 'Private. What _note_direct_change does.';
COMMENT ON FUNCTION cec._note_direct_change(regnamespace, text, bigint, text, daterange, timestamptz) IS 'Private. Writes the amendment of a change that takes effect at once; NULL where it does not say since when it was asked for.';
COMMENT ON FUNCTION cec.list_asset(regnamespace, text, bigint, text, date, date, text, timestamptz) IS 'Puts an asset on the list of a term (effect include) or carves it out (exclude); see include_asset and exclude_asset of a portfolio.';
COMMENT ON FUNCTION cec.remove_asset(regnamespace, bigint, text, date, timestamptz) IS 'Ends the listing of an asset on a term; see remove_asset of a portfolio.';
COMMENT ON FUNCTION cec._check_inclusions(oid, bigint, jsonb) IS 'Private. What would become of the rows of a list, but for what regulations say (src/regulation/regulation.sql).';
