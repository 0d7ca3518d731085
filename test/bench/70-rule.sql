-- Rules: one asset that changes under 10,000 of them, and one of them over a million assets.

SET client_min_messages = warning;

-- Portfolios of a thousand assets: without rules; with 10,000 include rules, of which one in a hundred can match an asset
-- (its model); with the same conditions as rules that are all judged (exclude rules of a term that lists the asset);
-- and with a thousand that are all judged and all met.
CREATE PROCEDURE bench.make_ruled(name text, effect text, rules integer, condition text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cec.create_portfolio(name);
	EXECUTE format($make$
		INSERT INTO %1$I.customer (name) VALUES ('Customer');
		INSERT INTO %1$I.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2);
		INSERT INTO %1$I.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2024-01-01,2044-01-01)');
		INSERT INTO %1$I.coverage_term (contract_id, number, tier_id, during)
			SELECT 1, i, 1, '[2024-01-01,2044-01-01)' FROM generate_series(1, 100) i;
		INSERT INTO %1$I.coverage_rule (term_id, name, effect, condition, during)
			SELECT CASE %2$L WHEN 'include' THEN i %% 100 + 1 ELSE 1 END, 'rule ' || i, %2$L, format(%3$L, i %% 100, i), '[2024-01-01,)'
			FROM generate_series(1, %4$s) i WHERE %2$L IS NOT NULL;
		INSERT INTO %1$I.asset (asset_tag, usage_type, country, model, commissioned_on, attributes)
			SELECT 'A' || i, 'production', 'DE', 'Model ' || i %% 100, date '2010-01-01' + i, jsonb_build_object('kw', i)
			FROM generate_series(1, 1000) i;
		INSERT INTO %1$I.inclusion (term_id, asset_id, listed_as, during) VALUES (1, 7, 'A7', '[2025-01-01,)');
		$make$, name, effect, condition, rules);
END;
$$;

\set medium 'usage_type = ''production'' AND country IN (''DE'', ''AT'') AND age_years < 60 AND commissioned_on > date ''1980-01-01'' + '
CALL bench.make_ruled('ruled_none', NULL, 0, NULL);
CALL bench.make_ruled('ruled_index', 'include', 10000, :'medium' || '%2$s AND model = ''Model %1$s''');
CALL bench.make_ruled('ruled_all', 'exclude', 10000, :'medium' || '%2$s AND model = ''Model %1$s''');
CALL bench.make_ruled('ruled_met', 'require', 1000, :'medium' || '%2$s');

-- The row of the asset that changes, a hundred thousand times: what the same WHERE costs per row.
CREATE TABLE bench.same_asset (LIKE ruled_none.asset);
INSERT INTO bench.same_asset SELECT a.* FROM ruled_none.asset a, generate_series(1, 100000) WHERE a.asset_id = 7;
VACUUM ANALYZE bench.same_asset;

-- Changes an asset again and again, in a way that rules must look at and that changes nothing for them.
CREATE PROCEDURE bench.change_asset(portfolio text, times integer)
LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		EXECUTE format('UPDATE %I.asset SET country = CASE country WHEN ''DE'' THEN ''AT'' ELSE ''DE'' END WHERE asset_id = 7', portfolio);
	END LOOP;
END;
$$;

-- How one would do it without C: the conditions as text, one EXECUTE each.
CREATE PROCEDURE bench.execute_rules(times integer)
LANGUAGE plpgsql AS $$
DECLARE
	met boolean;
	rule record;
BEGIN
	FOR i IN 1 .. times LOOP
		FOR rule IN SELECT condition FROM ruled_met.coverage_rule LOOP
			EXECUTE 'SELECT ' || replace(rule.condition, 'age_years', 'date_part(''year'', age(current_date, commissioned_on))')
				|| ' FROM ruled_met.asset WHERE asset_id = $1' INTO met USING 7;
		END LOOP;
	END LOOP;
END;
$$;

-- The time of a statement without rules is taken off: us a rule.
CREATE TABLE bench.rule_sample (variant text, run integer, us_a_rule numeric);

CREATE PROCEDURE bench.time_rules(variant text, run integer, statement text, rules numeric, INOUT us numeric)
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
BEGIN
	EXECUTE statement;
	us := extract(epoch FROM clock_timestamp() - begun) * 1e6;
	IF rules IS NOT NULL THEN
		INSERT INTO bench.rule_sample VALUES (variant, run, us / rules);
	END IF;
	COMMIT;
END;
$$;

CREATE PROCEDURE bench.run_rules(run integer)
LANGUAGE plpgsql AS $$
DECLARE
	bare numeric := 0;
	us numeric := 0;
	portfolio text;
BEGIN
	CHECKPOINT;
	CALL bench.change_asset('ruled_none', 20);
	COMMIT;
	CALL bench.time_rules('bare', run, 'CALL bench.change_asset(''ruled_none'', 100)', NULL, bare);
	FOREACH portfolio IN ARRAY ARRAY['ruled_index', 'ruled_all', 'ruled_met'] LOOP
		CALL bench.change_asset(portfolio, 5);
		COMMIT;
		CALL bench.time_rules(portfolio, run, format('CALL bench.change_asset(%L, 100)', portfolio), NULL, us);
		INSERT INTO bench.rule_sample VALUES (portfolio, run, (us - bare) / 100 / CASE portfolio WHEN 'ruled_met' THEN 1000 ELSE 10000 END);
	END LOOP;
	CALL bench.time_rules('where', run, 'SELECT count(*) FROM bench.same_asset WHERE usage_type = ''production'' AND country IN (''DE'', ''AT'')
		AND date_part(''year'', age(current_date, commissioned_on)) < 60 AND commissioned_on > date ''1980-01-01'' + 17', 100000, us);
	CALL bench.time_rules('execute', run, 'CALL bench.execute_rules(5)', 5000, us);
END;
$$;

CALL bench.run_rules(0);
DELETE FROM bench.rule_sample;
CALL bench.run_rules(1);
CALL bench.run_rules(2);
CALL bench.run_rules(3);
CALL bench.run_rules(4);
CALL bench.run_rules(5);

\echo 'Rules: one asset changes; us a rule'
WITH pair(figure, variant, reference, at_most) AS (VALUES
	('a condition on one asset, over the same WHERE per row of a sequential scan', 'ruled_met', 'where', 1.7),
	('10,000 rules of which 1 % can match, over judging them all', 'ruled_index', 'ruled_all', 1.0 / 20),
	('one changed asset under 10,000 rules, over EXECUTE of each text', 'ruled_index', 'execute', 1.0 / 100),
	('a condition on one asset, over EXECUTE of its text', 'ruled_met', 'execute', NULL)
), ratio AS (
	SELECT p.figure, p.at_most, a.run, a.us_a_rule AS us, b.us_a_rule AS reference_us, a.us_a_rule / b.us_a_rule AS ratio
	FROM pair p JOIN bench.rule_sample a ON a.variant = p.variant JOIN bench.rule_sample b ON b.variant = p.reference AND b.run = a.run
)
SELECT figure, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric, 4) AS us,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY reference_us)::numeric, 4) AS reference_us,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio)::numeric, 5) AS ratio,
	format('%s–%s', round(min(ratio), 4), round(max(ratio), 4)) AS min_to_max,
	CASE WHEN at_most IS NOT NULL THEN format('<= %s %s', round(at_most, 3), CASE WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio) <= at_most THEN 'reached' ELSE 'MISSED' END) END AS goal
FROM ratio GROUP BY figure, at_most ORDER BY at_most DESC NULLS LAST;

-- One rule over a million assets: what adding it looks for, against the WHERE that one would write.
SELECT cec.create_portfolio('ruled_many') \g /dev/null
INSERT INTO ruled_many.customer (name) VALUES ('Customer');
INSERT INTO ruled_many.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2024-01-01,2044-01-01)');
INSERT INTO ruled_many.coverage_term (contract_id, number, during) VALUES (1, '1', '[2024-01-01,2044-01-01)');
INSERT INTO ruled_many.asset (asset_tag, usage_type, country, model, commissioned_on, attributes)
SELECT 'A' || i, (ARRAY['production', 'standby', 'spare', NULL])[i % 4 + 1], (ARRAY['DE', 'AT', 'FR', 'CH', 'IT'])[i % 5 + 1], 'Model ' || i % 211,
	date '1995-01-01' + i % 11000, jsonb_build_object('kw', i % 500)
FROM generate_series(1, 1000000) i;
VACUUM ANALYZE ruled_many.asset;

CREATE PROCEDURE bench.run_many(run integer)
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.measure('many', 'WHERE', run, 1000000, $q$SELECT count(*) FROM (SELECT asset_id FROM ruled_many.asset
		WHERE usage_type = 'production' AND country IN ('DE', 'AT') AND date_part('year', age(current_date, commissioned_on)) < 12 OFFSET 0) a$q$);
	CALL bench.measure('many', 'rule', run, 1000000, $q$SELECT count(*) FROM cec._scan_rule('ruled_many'::regnamespace, 1, 'include', 'deny',
		'usage_type = ''production'' AND country IN (''DE'', ''AT'') AND age_years < 12', current_date)$q$);
END;
$$;

CALL bench.run_many(0);
DELETE FROM bench.sample WHERE subject = 'many';
CALL bench.run_many(1);
CALL bench.run_many(2);
CALL bench.run_many(3);
CALL bench.run_many(4);
CALL bench.run_many(5);
CALL bench.run_many(6);
CALL bench.run_many(7);
INSERT INTO bench.goal VALUES ('many', 'rule', 'WHERE', 1.1);
\echo 'Rules: one rule over a million assets'
SELECT * FROM bench.report('many');
