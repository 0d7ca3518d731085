-- Kinds of findings about what assets are called.

-- Those that people typed, in amendments that are not applied, and those that were seen and not recognised. By subject: an observation's
-- is looked for by ('seen:' || seen_tag).
CREATE VIEW @P@._typed_identifier WITH (security_invoker = true) AS
SELECT l.identifier, m.contract_id, l.term_id, 'line:' || l.line_id || ':' || l.identifier AS subject, m.title, NULL::timestamptz AS seen_at
FROM @P@.amendment m
	JOIN @P@.amendment_line l ON l.amendment_id = m.amendment_id
WHERE m.status IN ('draft', 'submitted', 'approved')
UNION ALL
SELECT l.successor_identifier, m.contract_id, l.term_id, 'line:' || l.line_id || ':' || l.successor_identifier, m.title, NULL
FROM @P@.amendment m
	JOIN @P@.amendment_line l ON l.amendment_id = m.amendment_id
WHERE m.status IN ('draft', 'submitted', 'approved') AND l.successor_identifier <> l.identifier
UNION ALL
SELECT min(o.seen_tag), NULL, NULL, 'seen:' || o.seen_tag, NULL, min(o.observed_at)
FROM @P@.field_observation o
WHERE o.asset_id IS NULL
GROUP BY 'seen:' || o.seen_tag;

CREATE VIEW @P@._finding_not_in_register WITH (security_invoker = true) AS
SELECT 'error'::text AS severity, NULL::bigint AS asset_id, NULL::bigint AS other_asset_id, y.contract_id, y.term_id,
	NULL::bigint AS rule_id, y.subject, (y.seen_at AT TIME ZONE d.time_zone)::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('identifier', y.identifier, 'amendment', y.title) AS detail,
	CASE WHEN y.contract_id IS NULL THEN format('Somebody saw the tag %s, and no asset of the register is called so.', y.identifier)
		ELSE format('Amendment %s of contract %s names %s, and no asset of the register is called so.', y.title, c.number, y.identifier) END AS message
FROM @P@._typed_identifier y
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, time_zone FROM @P@.setting OFFSET 0) AS d
	LEFT JOIN @P@.contract c ON c.contract_id = y.contract_id
WHERE NOT EXISTS (SELECT FROM cec._named(@L@::regnamespace::oid, ARRAY[y.identifier], d.today) OFFSET 0);

CREATE VIEW @P@._finding_identifier_ambiguous WITH (security_invoker = true) AS
SELECT 'error'::text AS severity, NULL::bigint AS asset_id, NULL::bigint AS other_asset_id, y.contract_id, y.term_id,
	NULL::bigint AS rule_id, y.subject, (y.seen_at AT TIME ZONE d.time_zone)::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('identifier', y.identifier, 'amendment', y.title, 'assets', n.assets, 'asset_ids', to_jsonb(n.asset_ids[1:10])) AS detail,
	CASE WHEN y.contract_id IS NULL THEN format('Somebody saw the tag %s, and %s assets of the register are called so.', y.identifier, n.assets)
		ELSE format('Amendment %s of contract %s names %s, and %s assets of the register are called so.', y.title, c.number, y.identifier, n.assets)
		END AS message
FROM @P@._typed_identifier y
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, time_zone FROM @P@.setting OFFSET 0) AS d
	LEFT JOIN @P@.contract c ON c.contract_id = y.contract_id
	CROSS JOIN LATERAL (
		SELECT count(*) AS assets, array_agg(n.asset_id ORDER BY n.asset_id) AS asset_ids
		FROM cec._named(@L@::regnamespace::oid, ARRAY[y.identifier], d.today) AS n
		OFFSET 0
	) AS n
WHERE n.assets > 1;

CREATE VIEW @P@._finding_tag_not_scannable WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, a.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('asset_tag', a.asset_tag, 'tag_symbology', a.tag_symbology, 'place', k.place, 'normal_form', k.normal_form) AS detail,
	format('The tag of asset %s cannot be scanned: %s.', a.asset_tag, k.message) AS message
FROM @P@.asset a
	CROSS JOIN LATERAL cec.check_tag(a.asset_tag, a.tag_symbology) AS k
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
WHERE NOT k.is_scannable AND (
	EXISTS (SELECT FROM @P@._counting_line l WHERE l.asset_id = a.asset_id OFFSET 0)
	OR EXISTS (
		SELECT
		FROM (
				SELECT a.asset_tag
				UNION ALL SELECT a.serial_number
				UNION ALL SELECT i.value FROM @P@.asset_identifier i WHERE i.asset_id = a.asset_id AND i.during @> d.today
			) AS n(name)
			CROSS JOIN LATERAL (
				SELECT l.amendment_id FROM @P@.amendment_line l WHERE l.identifier = n.name
				UNION ALL SELECT l.amendment_id FROM @P@.amendment_line l WHERE l.successor_identifier = n.name
			) AS l
			CROSS JOIN LATERAL (SELECT m.status FROM @P@.amendment m WHERE m.amendment_id = l.amendment_id OFFSET 0) AS m
		WHERE m.status IN ('draft', 'submitted', 'approved')
		OFFSET 0));

-- What assets are called, by its key.
CREATE VIEW @P@._name_key WITH (security_invoker = true) AS
SELECT a.asset_id, cec.identifier_key(a.asset_tag) AS key, a.manufacturer, a.asset_tag FROM @P@.asset a
UNION ALL
SELECT a.asset_id, cec.identifier_key(a.serial_number), a.manufacturer, a.asset_tag FROM @P@.asset a;

-- Asked for by either asset of a pair. How many assets have a key is counted first on both sides, and never past what is asked: thousands may
-- have the serial number UNKNOWN, each of which has then a row of its own.
CREATE VIEW @P@._finding_duplicate_in_register WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, n.asset_id, o.asset_id AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('key', min(n.key), 'asset_tags', jsonb_build_array(n.asset_tag, o.asset_tag)) AS detail,
	format('Assets %s and %s may be one: tag or serial number of both are like %s.', n.asset_tag, o.asset_tag, min(n.key)) AS message
FROM @P@._name_key n, @P@._name_key o
WHERE o.key = n.key AND n.asset_id < o.asset_id AND length(n.key) >= 5 AND length(o.key) >= 5
	AND (n.manufacturer = o.manufacturer OR n.manufacturer IS NULL OR o.manufacturer IS NULL)
	AND (SELECT count(DISTINCT m.asset_id) FROM (SELECT m.asset_id FROM @P@._name_key m WHERE m.key = n.key LIMIT 41) AS m) <= 20
	AND (SELECT count(DISTINCT m.asset_id) FROM (SELECT m.asset_id FROM @P@._name_key m WHERE m.key = o.key LIMIT 41) AS m) <= 20
GROUP BY n.asset_id, o.asset_id, n.asset_tag, o.asset_tag
UNION ALL
SELECT 'warning', m.asset_id, NULL, NULL, NULL, NULL, '', NULL::date, NULL::date,
	jsonb_build_object('key', m.key, 'assets', m.assets),
	format('Asset %s is one of %s assets of which tag or serial number are like %s.', m.asset_tag,
		CASE WHEN m.assets < 100 THEN m.assets::text ELSE '100 or more' END, m.key)
FROM (
	SELECT DISTINCT ON (n.asset_id) n.asset_id, n.asset_tag, n.key, least(g.assets, 100) AS assets
	FROM @P@._name_key n
		CROSS JOIN LATERAL (
			SELECT count(DISTINCT m.asset_id) AS assets FROM (SELECT m.asset_id FROM @P@._name_key m WHERE m.key = n.key LIMIT 200) AS m OFFSET 0
		) AS g
	WHERE length(n.key) >= 5 AND g.assets > 20
	ORDER BY n.asset_id, least(g.assets, 100) DESC, n.key
) AS m;

SELECT cec._describe_kind(@L@::regnamespace, k.kind)
FROM unnest(ARRAY['not_in_register', 'identifier_ambiguous', 'tag_not_scannable', 'duplicate_in_register']) AS k(kind);

COMMENT ON VIEW @P@._typed_identifier IS 'Private. Identifiers in amendments that are not applied, and tags that were seen and not recognised.';
COMMENT ON COLUMN @P@._typed_identifier.identifier IS 'As it was typed, or read.';
COMMENT ON COLUMN @P@._typed_identifier.contract_id IS 'Contract of the amendment; NULL: it was seen.';
COMMENT ON COLUMN @P@._typed_identifier.term_id IS 'Term of the line, if any.';
COMMENT ON COLUMN @P@._typed_identifier.subject IS 'Subject of findings about it.';
COMMENT ON COLUMN @P@._typed_identifier.title IS 'Title of the amendment.';
COMMENT ON COLUMN @P@._typed_identifier.seen_at IS 'When it was seen first; NULL: it is in an amendment.';
COMMENT ON VIEW @P@._name_key IS 'Private. Tags and serial numbers as people confuse them.';
COMMENT ON COLUMN @P@._name_key.asset_id IS 'Asset.';
COMMENT ON COLUMN @P@._name_key.key IS 'cec.identifier_key of its tag, or of its serial number.';
COMMENT ON COLUMN @P@._name_key.manufacturer IS 'Its manufacturer.';
COMMENT ON COLUMN @P@._name_key.asset_tag IS 'Its tag.';
