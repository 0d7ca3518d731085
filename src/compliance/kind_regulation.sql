-- The kind of findings about regulations. Conditions that people type cannot be part of a view: a function stands behind it.
-- A change of a tier, as of regulations, jurisdictions and settings, is followed by refresh.

INSERT INTO cec.finding_kind (kind, severity, is_gap, depends_on_day, hears, needs, meaning) VALUES
	('regulation_unmet', 'error', true, true,
		'{coverage,asset,maintenance_event,service_request,coverage_term.contract_id,coverage_term.tier_id,contract.number,contract.kind,contract.governing_country,contract.boundary,service_tier}',
		'{regulated,covered}', 'The cover of an asset does not meet what a regulation demands where it stands; a warning where that cannot be told.');

UPDATE cec.finding_kind SET is_function = true WHERE kind = 'regulation_unmet';
