-- Conditions of rules: how they are understood, and each way in which they are refused, as a person sees it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_writer;
SET ROLE regress_writer;
-- As it is understood.
\x on
SELECT * FROM cec.check_condition($$usage_type = 'production' AND country IN ('DE','AT') AND age_years < 12
    AND last_maintenance('inspection') > as_of - interval '12 months' AND inside_boundary$$);
SELECT * FROM cec.check_condition($$NOT (country = 'DE' OR attributes ->> 'fuel' LIKE 'gas%') AND (tier_rank >= 2 AND customer_id = 7)$$);
\x off
SELECT cec.as_date(d) FROM unnest('{2024-02-29,2023-02-29,2024-2-9,29.02.2024,0000-01-01,2024-02-29 10:00,today,"",2024-13-01,x024-01-01}'::text[]) AS d;
SELECT cec.as_number(n) FROM unnest('{12,-1.50,+.5,5.,1e3,1E-2,1e100,.,"",NaN,"1,5"," 1",0x1f,1_000,٣}'::text[]) AS n;
-- Completed years; 0 before the first day.
SELECT from_day, to_day, cec._age_years(from_day, to_day) FROM (VALUES (date '2020-02-29', date '2021-02-28'), ('2020-02-29', '2021-03-01'), ('2020-06-01', '2030-05-31'),
	('2020-06-01', '2030-06-01'), ('2030-01-01', '2026-01-01'), ('-infinity', '2026-01-01'), (NULL, '2026-01-01')) AS d(from_day, to_day);

-- Grammar.
SELECT canonical FROM cec.check_condition($c$country = $c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = 'DE', status = 'planned'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$usage_type = 'production' FROM fleet.asset$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = 'DE' AS here$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$'DE$c$);
\echo :SQLSTATE

-- Names, with what may have been meant. The place is counted in characters, also behind others and on other lines.
SELECT canonical FROM cec.check_condition($c$usage_typ = 'production'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$status = 'in_service' AND 'Köln – Süd' = regoin$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = 'DE'
	AND
  colour = 'red'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$boundary IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$usage_type = production$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$asset.country = 'DE'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$last_maintenence('inspection') IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$now() > commissioned_on$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$pg_read_file('/etc/passwd') = ''$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$public.lower(country) = 'de'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$last_maintenance('inspection', '1 year') > as_of$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$count(DISTINCT country) = 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$lower(DISTINCT country) = 'de'$c$);
\echo :SQLSTATE

-- Types.
SELECT canonical FROM cec.check_condition($c$age_years$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$5 + 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = 5$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$lower(age_years) = '5'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country AND true$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$customer_id = 'many'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$commissioned_on > '2020-02-30'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$maintenance_count('inspection', 'a year') > 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$(attributes ->> 'installed')::date < as_of$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$commissioned_on::text LIKE '2020%'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$'{7}'::theirs.days[] IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country::xml IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country::text[] IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country::varchar(2) = 'DE'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$NULL IS NULL$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$numeric(5.5) '1' = 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$'1'::timestamp(3) IS NULL$c$);
\echo :SQLSTATE

-- Operators.
SELECT canonical FROM cec.check_condition($c$usage_type ~ '(a*)*b'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$usage_type SIMILAR TO 'a'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$age_years ^ 2 > 5$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country OPERATOR(theirs.=) 'DE'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$usage_type LIKE country$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$attributes @> attributes$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$'{}' <@ attributes AND attributes <@ attributes$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$attributes || attributes = '{}'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$source_updated_at > as_of$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$source_updated_at > as_of - interval '1 day'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$source_updated_at::date = as_of$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$- country = 'DE'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$~ age_years = 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$location = location$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country LIKE ANY ('{D%,A%}')$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$ARRAY[country] = ARRAY['DE']$c$);
\echo :SQLSTATE

-- What would change with the session or the hour.
SELECT canonical FROM cec.check_condition($c$as_of > 'today'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$commissioned_on > current_date - 365$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$as_of < timestamp 'now'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$source_updated_at AT TIME ZONE 'Europe/Berlin' > as_of$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$extract(year FROM source_updated_at) = 2026$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$extract(timezone FROM as_of) = 1$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country COLLATE "de_DE" = 'DE'$c$);
\echo :SQLSTATE

-- Other forms.
SELECT canonical FROM cec.check_condition($c$asset_id IN (SELECT asset_id FROM fleet.asset)$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$greatest(attributes, '{}') = '{}'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$$1 = country$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$attributes['fuel'] = '"gas"'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$(country, region) = ('DE', 'DE-BY')$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$st_x(location.x) > 5$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$st_x('POINT(5 50)') > 5$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = DEFAULT$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$country = B'1'$c$);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition($c$xmlelement(name a) IS NULL$c$);
\echo :SQLSTATE

-- Too much, or nothing.
SELECT canonical FROM cec.check_condition(NULL);
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition('asset_id IN (' || repeat('1, ', 1400) || '1)');
\echo :SQLSTATE
\set VERBOSITY terse
SELECT canonical FROM cec.check_condition('asset_id IN (' || repeat('1, ', 300) || '1)');
\echo :SQLSTATE
SELECT canonical FROM cec.check_condition('age_years < 1' || repeat('0', 100));
\echo :SQLSTATE
\set VERBOSITY default
SELECT canonical FROM cec.check_condition('inside_boundary' || repeat(' AND inside_boundary', 8));
\echo :SQLSTATE

-- While a condition runs: what is too long to be searched or multiplied.
SELECT cec._bounded_text(repeat('a', 10001));
\echo :SQLSTATE
SELECT cec._bounded_number(repeat('9', 1001)::numeric);
\echo :SQLSTATE
SELECT cec._bounded_jsonb(to_jsonb(repeat('a', 1000001)));
\echo :SQLSTATE
SELECT length(cec._bounded_text(repeat('a', 10000))), length(cec._bounded_number(repeat('9', 1000)::numeric)::text);

-- What only a condition can answer.
SELECT cec.last_maintenance('inspection');
\echo :SQLSTATE

RESET ROLE;
DROP ROLE regress_writer;
