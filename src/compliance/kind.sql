-- Kinds of findings: what they are called, what can change them, and what an asset must have for them.
--
-- A kind is a view of a portfolio, _finding_KIND, that lists its subjects as of now: those that are asked for by asset_id or contract_id,
-- or all. README.md says how they are asked, and finding_trait.c what the words mean of which an asset needs all.
--
-- What it hears are tables and columns of them, coverage, and rule_effect: that rules were decided for an asset. A message names tags and
-- numbers, so it hears of these as well.
--
-- Kinds that hear nothing have no view: whoever finds out opens and closes them.

-- The days on which an asset can be covered.
CREATE FUNCTION cec._life(status text, commissioned_on date, decommissioned_on date, out_of_service datemultirange) RETURNS datemultirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN status = 'planned' AND commissioned_on IS NULL THEN '{}'::datemultirange
	ELSE datemultirange(daterange(commissioned_on, nullif(decommissioned_on, '5874897-12-31'), '[]')) - out_of_service END;

-- A day as findings say it, whatever the session's DateStyle.
CREATE FUNCTION cec._day(day date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_jsonb(day) #>> '{}';

-- Says of the view of a kind, and of its columns, what they are.
CREATE FUNCTION cec._describe_kind(portfolio regnamespace, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	view_name text := format('%s.%I', portfolio, '_finding_' || kind);
	part record;
BEGIN
	EXECUTE format('COMMENT ON VIEW %s IS %L', view_name,
		(SELECT format('Private. Findings of kind %s as of now: %s', k.kind, k.meaning) FROM cec.finding_kind k WHERE k.kind = _describe_kind.kind));
	FOR part IN SELECT * FROM (VALUES
		('severity', 'info, warning or error.'),
		('asset_id', 'Asset concerned, if any.'),
		('other_asset_id', 'Second asset of a pair, if any.'),
		('contract_id', 'Contract concerned, if any.'),
		('term_id', 'Coverage term concerned, if any.'),
		('rule_id', 'Coverage rule concerned, if any.'),
		('subject', 'What else tells two findings of the kind apart.'),
		('first_day', 'First day concerned; NULL: unbounded or not about days.'),
		('last_day', 'Last day concerned, included; NULL: unbounded or not about days.'),
		('detail', 'Facts of the finding.'),
		('message', 'What is wrong, in one sentence.')) AS p(name, comment)
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', view_name, part.name, part.comment);
	END LOOP;
END;
$$;

INSERT INTO cec.finding_kind (kind, severity, is_gap, depends_on_day, hears, needs, meaning) VALUES
	('decommissioned_before_activation', 'error', true, true,
		'{inclusion,coverage_term.contract_id,coverage_term.number,coverage_term.during,contract.number,contract.status,contract.during,asset.asset_tag,asset.status,asset.commissioned_on,asset.decommissioned_on,asset.out_of_service}',
		'{dead_line}', 'The life of an asset ends before its line on a list begins, so the line covers nothing.'),
	('outlives_decommissioning', 'warning', false, true,
		'{inclusion,coverage_term.contract_id,coverage_term.number,coverage_term.during,contract.number,contract.status,contract.during,asset.asset_tag,asset.status,asset.commissioned_on,asset.decommissioned_on,asset.out_of_service}',
		'{late_line}', 'The line of an asset on a list runs past the day on which the asset is decommissioned.'),
	('starts_before_commissioning', 'info', false, true,
		'{inclusion,coverage_term.contract_id,coverage_term.number,coverage_term.during,contract.number,contract.status,contract.during,asset.asset_tag,asset.commissioned_on}',
		'{early_line}', 'The line of an asset on a list begins before the asset is commissioned.'),
	('duplicate_cover', 'error', true, true,
		'{coverage,contract.number,contract.kind,contract.status,coverage_term.contract_id,asset.asset_tag}',
		'{covered_twice}', 'Two active contracts of one kind cover an asset on the same days.'),
	('cover_gap', 'warning', true, true,
		'{coverage,inclusion,coverage_rule,rule_effect,coverage_term.contract_id,contract.number,contract.suspensions,asset.asset_tag,asset.status,asset.commissioned_on,asset.decommissioned_on,asset.out_of_service}',
		'{covered_twice}', 'An asset is not covered for a while between two stretches of cover.'),
	('orphaned_member', 'warning', true, true,
		'{coverage,inclusion,coverage_rule,coverage_term.contract_id,coverage_term.during,contract.status,contract.during,contract.suspensions,bundle,bundle_member,asset.asset_tag,asset.status,asset.commissioned_on,asset.decommissioned_on,asset.out_of_service}',
		'{member}', 'The primary asset of a bundle has come to its end, and a member that goes on is covered by nothing.'),
	('served_while_uncovered', 'warning', true, false,
		'{coverage,service_request,contract.time_zone,coverage_term.contract_id,asset.asset_tag}',
		'{request,covered}', 'An asset was served on a day on which no contract covered it.'),
	('no_commissioning_date', 'info', false, true,
		'{coverage,asset.asset_tag,asset.commissioned_on}',
		'{covered,no_commissioned_on}', 'An asset is covered, and nobody has said when it was commissioned.'),
	('ends_before_decommissioning', 'info', false, true,
		'{coverage,asset.asset_tag,asset.decommissioned_on}',
		'{early_end}', 'The last cover of an asset ends a while before it is decommissioned.'),
	('no_location', 'warning', false, true,
		'{coverage,inclusion,coverage_term.contract_id,coverage_term.during,contract.number,contract.status,contract.during,contract.boundary,asset.asset_tag,asset.location}',
		'{no_location,boundary}', 'A contract that holds within a boundary lists or covers an asset of which nobody knows where it is.'),
	('covered_outside_boundary', 'warning', true, true,
		'{coverage,coverage_term.contract_id,contract.number,contract.boundary,asset.asset_tag,asset.location}',
		'{covered,location,boundary}', 'A contract covers an asset that stands outside its boundary.'),
	('customer_mismatch', 'warning', true, true,
		'{coverage,inclusion,coverage_term.contract_id,coverage_term.during,contract.number,contract.status,contract.during,contract.customer_id,customer.name,customer.parent_id,asset.asset_tag,asset.customer_id}',
		'{other_customer}', 'A contract lists or covers an asset that stands at another customer.'),
	('covered_not_deployed', 'warning', true, true,
		'{coverage,field_observation,contract.number,coverage_term.contract_id,asset.asset_tag}',
		'{covered,observed,unseen}', 'A contract covers an asset that nobody has seen for long, though others of it were seen.'),
	('uncovered_in_boundary', 'warning', true, true,
		'{coverage,inclusion,coverage_rule,rule_effect,maintenance_event,service_request,coverage_term.contract_id,contract.number,contract.status,contract.during,contract.suspensions,contract.boundary,contract.customer_id,customer.name,customer.parent_id,asset}',
		'{location,customer,not_just_gained,bound_customer}', 'An asset in service stands inside the boundary of a contract of its customer, which does not cover it.'),
	('country_mismatch', 'info', false, false,
		'{asset.asset_tag,asset.location,asset.country}',
		'{location,mapped}', 'An asset stands in another country than the register says.'),
	('not_in_register', 'error', true, false,
		'{amendment.contract_id,amendment.title,amendment.status,amendment_line,field_observation,asset.asset_tag,asset.serial_number,asset_identifier,contract.number}',
		'{}', 'Somebody has typed or seen an identifier that names no asset.'),
	('identifier_ambiguous', 'error', true, false,
		'{amendment.contract_id,amendment.title,amendment.status,amendment_line,field_observation,asset.asset_tag,asset.serial_number,asset_identifier,contract.number}',
		'{}', 'Somebody has typed or seen an identifier that names several assets.'),
	('tag_not_scannable', 'warning', true, true,
		'{inclusion,coverage_term.contract_id,coverage_term.during,contract.status,contract.during,amendment.status,amendment_line,asset.asset_tag,asset.tag_symbology,asset.serial_number,asset_identifier}',
		'{unscannable}', 'The tag of an asset cannot be printed so that it reads back.'),
	('duplicate_in_register', 'warning', false, false,
		'{asset.asset_tag,asset.serial_number,asset.manufacturer}',
		'{}', 'Two assets of the register are called so much alike that they may be one.'),
	('expiring', 'info', false, true,
		'{contract.number,contract.status,contract.during,contract.predecessor_id}',
		'{}', 'A contract ends soon, and no active contract renews it.'),
	('rule_failed', 'error', false, false, '{}', '{}', 'The condition of a rule fails for an asset, which is treated as if it were not known.'),
	('rule_unknown', 'warning', false, false, '{}', '{}', 'The condition of a rule cannot be decided for an asset, since something that it asks for is not known.');

UPDATE cec.finding_kind SET scope = 'identifier' WHERE kind IN ('not_in_register', 'identifier_ambiguous');
UPDATE cec.finding_kind SET scope = 'pair' WHERE kind = 'duplicate_in_register';
UPDATE cec.finding_kind SET scope = 'contract' WHERE kind IN ('expiring', 'no_location', 'covered_outside_boundary', 'customer_mismatch', 'uncovered_in_boundary', 'covered_not_deployed');

-- What kinds there are is for everybody to read, as findings are for who may read these.
GRANT SELECT ON cec.finding_kind TO PUBLIC;

COMMENT ON FUNCTION cec._life(text, date, date, datemultirange) IS 'Private. The days on which an asset of this status, and with these days, can be covered.';
COMMENT ON FUNCTION cec._day(date) IS 'Private. A day as YYYY-MM-DD.';
COMMENT ON FUNCTION cec._describe_kind(regnamespace, text) IS 'Private. Comments on the view of a kind of findings and on its columns.';
