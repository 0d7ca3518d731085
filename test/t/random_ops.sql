-- Random changes of every kind on a small portfolio, where everything touches everything.
--
-- random_world() makes the portfolio "law"; random_ops() runs operations until so many succeeded, each transaction with
-- one to four of them, committed or rolled back, with savepoints. Business errors are part of the game; serialization
-- failures and deadlocks are retried as a whole. Days lie around today, so that rules have a past and a future. All foreign
-- keys of stated tables are deferrable, as an owner may make them.

SET check_function_bodies = off;

CREATE TABLE random_result (batch integer, session integer, operations integer, refused integer, retried integer, deeds text[], refusals text[]);

-- Conditions of every kind. Where one fails for some assets, no part of it is sure to be the same for all assets: the
-- executor would leave out what such a part makes superfluous, and with it the failure.
CREATE TABLE random_condition (condition_id integer GENERATED ALWAYS AS IDENTITY, condition text);
INSERT INTO random_condition (condition) VALUES
	('country = ''DE'''), ('country IN (''DE'', ''AT'')'), ('category = ''pump'' AND country <> ''FR'''),
	('category IS NULL OR country = ''AT'''), ('NOT (usage_type = ''production'')'), ('asset_id IN (1, 3, 5, 7)'),
	('asset_id % 2 = 0'), ('serial_number = ''S-3'''), ('asset_tag LIKE ''T-1%'''), ('true'), ('false'), ('NULL::boolean'),
	('as_number(attributes ->> ''kw'') > 50'), ('attributes @> ''{"fuel": "gas"}'''), ('successor_id IS NOT NULL'),
	('(attributes ->> ''kw'')::int > 50'), ('country IS NOT NULL AND country = ''DE'' AND (attributes ->> ''kw'')::int > 50'),
	('CASE WHEN country = ''DE'' THEN (attributes ->> ''kw'')::int > 10 END'), ('10 / (asset_id - 4) > 0'),
	('inside_boundary'), ('NOT inside_boundary'), ('inside_boundary IS NULL'), ('inside_boundary AND category = ''pump'''),
	('distance_to_boundary_m < 100000'), ('last_maintenance(''inspection'') > as_of - 30'),
	('last_maintenance(''inspection'') IS NULL'), ('maintenance_count(''repair'', interval ''40 days'') > 1'),
	('request_count(interval ''20 days'') = 0'), ('request_count(''60 days'') > 0 AND country = ''DE'''), ('age_years < 1'),
	('age_years >= 1 OR inside_boundary'), ('commissioned_on < as_of - 100'), ('out_of_service @> as_of'),
	('NOT out_of_service @> as_of AND status = ''in_service'''), ('status IN (''planned'', ''retired'')'),
	('decommissioned_on - as_of < 60'), ('tier_code = ''gold'' AND category = ''pump'''), ('tier_rank > 1'),
	('contract_kind = ''service'' AND country = governing_country'), ('contract_number LIKE ''%-X'''),
	('st_x(location) > 11 AND last_maintenance(''repair'') IS NOT NULL'), ('extract(day FROM as_of) < 15'),
	('last_maintenance(attributes ->> ''fuel'') > as_of - 20 AND (attributes ->> ''kw'')::int > 50');

CREATE FUNCTION random_pick(choices text[]) RETURNS text LANGUAGE sql
AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

CREATE FUNCTION random_id(most integer) RETURNS bigint LANGUAGE sql
AS $$ SELECT 1 + floor(random() * most)::bigint $$;

-- The day that refresh has come to: not the tomorrow that it was in another time zone.
CREATE FUNCTION random_reached() RETURNS date LANGUAGE sql
AS $$ SELECT max(least(r.on_day, (r.recorded_at AT TIME ZONE s.time_zone)::date)) FROM law.refresh_run r, law.setting s $$;

-- The earliest today of any time zone that setting.time_zone is given.
CREATE FUNCTION random_today() RETURNS date STABLE LANGUAGE sql
AS $$ SELECT (now() AT TIME ZONE 'Pacific/Pago_Pago')::date $$;

CREATE FUNCTION random_year() RETURNS daterange LANGUAGE sql
AS $$ SELECT daterange(random_today() - 210, random_today() + 220) $$;

CREATE FUNCTION random_condition() RETURNS text LANGUAGE sql
AS $$ SELECT condition FROM random_condition ORDER BY random() LIMIT 1 $$;

CREATE FUNCTION random_point() RETURNS geometry LANGUAGE sql
AS $$ SELECT CASE WHEN random() < 0.8 THEN ST_SetSRID(ST_MakePoint(9 + floor(random() * 6), 47 + floor(random() * 4)), 4326) END $$;

CREATE FUNCTION random_boundary() RETURNS geometry LANGUAGE sql
AS $$
	-- Some are cut into parts; that assets stand on their edges, and on cuts, is no matter of chance.
	SELECT CASE WHEN random() < 0.8 THEN ST_Multi(ST_Segmentize(ST_MakeEnvelope(west, south, west + 1 + floor(random() * 3), south + 1 + floor(random() * 2), 4326),
		CASE WHEN random() < 0.3 THEN 0.02 ELSE 10 END)) END
	FROM (SELECT 9 + floor(random() * 4) AS west, 47 + floor(random() * 3) AS south) AS corner
$$;

CREATE FUNCTION random_day() RETURNS date LANGUAGE sql
AS $$ SELECT random_today() + (floor(random() * 61)::int - 30) * 7 $$;

-- What people type and read: of an asset, of several, of none.
CREATE FUNCTION random_name() RETURNS text LANGUAGE sql
AS $$ SELECT CASE WHEN random() < 0.8 THEN random_pick('{T-,t-,S-,Q-}') || random_id(17) ELSE random_serial() END $$;

-- Serial numbers that differ, and of which some are alike to people.
CREATE FUNCTION random_serial() RETURNS text LANGUAGE sql
AS $$ SELECT random_pick('{SN-1000O,SN-10000,sn10000,SN 1OOO0,SN-20000,UNKNOWN,S-3}') $$;

CREATE FUNCTION random_instant() RETURNS timestamptz LANGUAGE sql
AS $$ SELECT date_trunc('day', now()) + random_id(50) * interval '1 hour' - random() ^ 3 * interval '200 days' $$;

-- Bounds are written in all four ways, some of them open.
CREATE FUNCTION random_days() RETURNS daterange LANGUAGE plpgsql
AS $$
DECLARE
	a date := random_day();
	b date := random_day();
BEGIN
	IF random() < 0.1 THEN RETURN daterange(a, NULL); END IF;
	IF random() < 0.1 THEN RETURN daterange(NULL, b); END IF;
	RETURN daterange(least(a, b), greatest(a, b) + 2, random_pick('{[],[),(],()}'));
END;
$$;

-- Mostly in force; some are over, some are still to come.
CREATE FUNCTION random_rule_days() RETURNS daterange LANGUAGE sql
AS $$
	SELECT CASE WHEN random() < 0.6 THEN daterange(random_today() - random_id(200)::int, CASE WHEN random() < 0.7 THEN random_today() + 1 + random_id(100)::int END)
		ELSE random_days() END
$$;

CREATE FUNCTION random_world() RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM cec.create_portfolio('law');
	EXECUTE (SELECT string_agg(format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE', conrelid::regclass, conname), '; ')
		FROM pg_constraint WHERE connamespace = 'law'::regnamespace AND contype = 'f'
			AND conrelid IN (SELECT format('law.%I', table_name)::regclass FROM cec._trigger_shape WHERE is_recorded));
	UPDATE law.setting SET duplicates_allowed = true;
	INSERT INTO law.customer (name, parent_id, external_ref)
		VALUES ('Acme', NULL, 'CU-1'), ('Acme North', 1, 'CU-2'), ('Acme Far North', 2, 'CU-3'), ('Bolt', NULL, 'CU-4'), ('Bolt South', 4, 'CU-5');
	INSERT INTO law.asset_source (source, owned_columns, null_means, makes_customers) VALUES ('erp', NULL, 'keep', true),
		('cmms', '{status,commissioned_on,decommissioned_on,country,category,location,customer_id}', 'clear', false), ('scan', '{serial_number,manufacturer,model}', 'keep', false);
	INSERT INTO law.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1);
	INSERT INTO law.contract (number, customer_id, status, during, kind, governing_country, boundary)
		SELECT 'C-' || g, 1, 'active', random_year(), random_pick('{service,warranty,lease}'), random_pick('{DE,AT}'), random_boundary()
		FROM generate_series(1, 6) g;
	INSERT INTO law.coverage_term (contract_id, number, during, covers_bundles, tier_id)
		SELECT 1 + g, g::text, random_year(), g % 4 <> 3, nullif(random_id(3), 3) FROM generate_series(0, 5) g;
	INSERT INTO law.asset (asset_tag, serial_number, country, category, usage_type, location, attributes)
		SELECT 'T-' || g, 'S-' || g, random_pick('{DE,AT,FR,NULL}'), random_pick('{pump,motor,NULL}'), random_pick('{production,spare,NULL}'),
			random_point(), jsonb_build_object('kw', g * 7)
		FROM generate_series(1, 16) g;
	INSERT INTO law.bundle (name, primary_asset_id) SELECT 'B-' || g, g FROM generate_series(1, 8) g;
	PERFORM law.refresh();
END;
$$;

-- Definitions go through the gate alone: were they as frequent as data, hardly two sessions would ever meet.
CREATE FUNCTION random_kinds(are_data boolean) RETURNS text[] LANGUAGE sql
AS $$
	SELECT CASE WHEN are_data THEN '{list,list,list,list_many,list_tag,list_tag,relist,relist,move_line,unlist,unlist_many,retire,revive,pause,plan,
		retire_many,bundle,include,exclude,remove,asset,asset_gone,merge,upsert,savepoint,fact,fact,fact,fact_many,kw,kw_many,
		move,move,maintain,maintain,maintain_many,unmaintain,remaintain,request,request,unrequest,rerequest,rename_line,
		replace_line,replace_asset,upsert_asset,merge_assets,early_asset,at_once,observe,observe,observe_many,unobserve,
		reobserve,customer,customer,customer_many,customer_name,parent,parent,commission,uncommission,symbology,rename,
		rename_many,serial,serial_many,identify,identify,unidentify,reidentify,amend,amend,amend_line,amend_line,amend_step,
		amend_step,amend_step,amend_step,amend_through,amend_through,amend_through,draft,import,import,import,import,
		swap_asset,swap_asset,swap_asset,transfer,transfer,unamend,readdress,seen_at_once}'::text[]
	ELSE '{status,contract_days,suspend,term_days,bundles,member,member,member,member_many,member_many,member_days,member_gone,
		bundle_gone,primary,price,rule,rule,rule,rule,rule,rule_many,rule_gone,rule_end,rule_days,rule_text,rule_text,
		rule_unknown,rule_suspend,rule_resume,rule_resume,rule_move,boundary,boundary,facts_of_contract,tier,term_tier,zone,
		refresh,refresh,replace_tier,replace_term,replace_contract,replace_rule,replace_rule,replace_bundle,replace_member,
		swap,swap,swap,early_term,early_term,merge_rules,merge_members,merge_terms,upsert_contract,all_at_once,all_at_once,
		rule_at_once,contract_zone,predecessor,predecessor,contract_customer,contract_customer,number,term_number,bundle_name,
		notice,jurisdiction,regulation,replace_customer,merge_customers,findings_at_once,renew,renew,renew,terminate,
		terminate,amend_strict,sync}' END
$$;

CREATE FUNCTION random_kind() RETURNS text LANGUAGE sql
AS $$ SELECT random_pick(random_kinds(random() < 0.9)) $$;

-- One operation of a kind, at random. Returns what it has done: for most their kind, nothing for one that found nothing to do.
CREATE FUNCTION random_op(kind text) RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	a bigint := random_id(16);
	b bigint := random_id(16);
	swapped text;
BEGIN
	CASE kind
	WHEN 'list' THEN
		INSERT INTO law.inclusion (term_id, asset_id, effect, during)
			VALUES (random_id(6), random_id(16), random_pick('{include,include,include,exclude}'), random_days());
	WHEN 'list_tag' THEN
		INSERT INTO law.inclusion (term_id, listed_as, during)
			VALUES (random_id(6), random_pick('{T-,S-}') || random_id(17), random_days());
	WHEN 'list_many' THEN
		INSERT INTO law.inclusion (term_id, asset_id, effect, during)
			SELECT DISTINCT ON (asset_id) random_id(6), asset_id, 'include', random_days()
			FROM (SELECT random_id(16) AS asset_id FROM generate_series(1, 6)) AS a;
	WHEN 'relist' THEN
		UPDATE law.inclusion SET during = random_days(), effect = random_pick('{include,exclude}')
			WHERE inclusion_id = (SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 1);
	WHEN 'move_line' THEN
		UPDATE law.inclusion SET asset_id = random_id(16), term_id = random_id(6)
			WHERE inclusion_id = (SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 1);
	WHEN 'unlist' THEN
		DELETE FROM law.inclusion WHERE inclusion_id = (SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 1);
	WHEN 'unlist_many' THEN
		DELETE FROM law.inclusion WHERE inclusion_id % 17 = random_id(17) - 1;
	WHEN 'retire' THEN
		UPDATE law.asset SET status = 'retired', decommissioned_on = random_day() + 100 WHERE asset_id = random_id(16);
	WHEN 'revive' THEN
		UPDATE law.asset SET status = 'in_service', decommissioned_on = NULL, commissioned_on = NULL
			WHERE asset_id % 3 = random_id(3) - 1;
	WHEN 'pause' THEN
		UPDATE law.asset SET out_of_service = datemultirange(random_days()) + CASE WHEN random() < 0.5 THEN datemultirange(random_days()) ELSE '{}' END
			WHERE asset_id = random_id(16);
	WHEN 'plan' THEN
		UPDATE law.asset SET status = 'planned', decommissioned_on = NULL,
			commissioned_on = CASE WHEN random() < 0.5 THEN random_day() END WHERE asset_id = random_id(16);
	WHEN 'retire_many' THEN
		UPDATE law.asset SET status = 'retired', decommissioned_on = random_today() + 120, commissioned_on = NULL
			WHERE asset_id % 7 = random_id(7) - 1;
	WHEN 'status' THEN
		UPDATE law.contract SET status = random_pick('{active,active,active,draft,void,terminated}') WHERE contract_id = random_id(6);
	WHEN 'contract_days' THEN
		UPDATE law.contract SET during = CASE WHEN random() < 0.5 THEN random_days() ELSE random_year() END
			WHERE contract_id = random_id(6);
	WHEN 'suspend' THEN
		UPDATE law.contract SET suspensions = CASE WHEN random() < 0.5 THEN '{}' ELSE datemultirange(random_days()) END
			WHERE contract_id = random_id(6);
	WHEN 'term_days' THEN
		UPDATE law.coverage_term SET during = CASE WHEN random() < 0.5 THEN random_days() ELSE random_year() END
			WHERE term_id = random_id(6);
	WHEN 'bundles' THEN
		UPDATE law.coverage_term SET covers_bundles = random() < 0.8 WHERE term_id = random_id(6);
	WHEN 'member' THEN
		INSERT INTO law.bundle_member (bundle_id, asset_id, during)
			SELECT bundle_id, random_id(16), random_days() FROM law.bundle ORDER BY random() LIMIT 1;
	WHEN 'member_many' THEN
		INSERT INTO law.bundle_member (bundle_id, asset_id, during)
			SELECT bundle_id, random_id(16), random_days() FROM law.bundle ORDER BY random() LIMIT 4;
	WHEN 'member_days' THEN
		UPDATE law.bundle_member SET during = random_days(), asset_id = CASE WHEN random() < 0.3 THEN random_id(16) ELSE asset_id END
			WHERE member_id = (SELECT member_id FROM law.bundle_member ORDER BY random() LIMIT 1);
	WHEN 'member_gone' THEN
		DELETE FROM law.bundle_member WHERE member_id IN (SELECT member_id FROM law.bundle_member ORDER BY random() LIMIT 2);
	WHEN 'bundle' THEN
		INSERT INTO law.bundle (name, primary_asset_id) VALUES ('new', random_id(16));
	WHEN 'bundle_gone' THEN
		DELETE FROM law.bundle b WHERE NOT EXISTS (SELECT FROM law.bundle_member m WHERE m.bundle_id = b.bundle_id)
			AND bundle_id % 5 = random_id(5) - 1;
	WHEN 'primary' THEN
		UPDATE law.bundle SET primary_asset_id = random_id(16)
			WHERE bundle_id = (SELECT bundle_id FROM law.bundle ORDER BY random() LIMIT 1);
	WHEN 'include' THEN
		PERFORM law.include_asset(random_id(6), 'T-' || random_id(16), random_day(), random_day() + 60);
	WHEN 'exclude' THEN
		PERFORM law.exclude_asset(random_id(6), 'S-' || random_id(16), random_day(), random_day() + 60);
	WHEN 'remove' THEN
		PERFORM law.remove_asset(random_id(6), 'T-' || random_id(16), random_day());
	WHEN 'asset' THEN
		INSERT INTO law.asset (asset_tag, commissioned_on) VALUES ('N-' || random_id(1000), random_day());
	WHEN 'asset_gone' THEN
		-- One of the newest, as a rule one that no identifier holds.
		DELETE FROM law.asset WHERE asset_id = (SELECT a.asset_id FROM law.asset a WHERE a.asset_id > 16
			AND (random() < 0.1 OR NOT EXISTS (SELECT FROM law.asset_identifier i WHERE i.asset_id = a.asset_id)) ORDER BY 1 DESC OFFSET floor(random() * 4) LIMIT 1);
	WHEN 'merge' THEN
		MERGE INTO law.inclusion i USING (SELECT random_id(16) AS asset_id FROM generate_series(1, 4) GROUP BY 1) AS s
			ON i.asset_id = s.asset_id AND i.term_id = 3
			WHEN MATCHED AND random() < 0.3 THEN DELETE
			WHEN MATCHED THEN UPDATE SET note = 'seen'
			WHEN NOT MATCHED THEN INSERT (term_id, asset_id, during) VALUES (3, s.asset_id, random_days());
	WHEN 'upsert' THEN
		INSERT INTO law.inclusion (inclusion_id, term_id, asset_id, during)
			SELECT coalesce((SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 1), 1000000), random_id(6), random_id(16), random_days()
			ON CONFLICT (inclusion_id) DO UPDATE SET during = excluded.during;
	WHEN 'price' THEN
		UPDATE law.coverage_term SET price = random_id(100), price_basis = 'per_unit_month' WHERE term_id = random_id(6);
	WHEN 'fact' THEN
		UPDATE law.asset SET country = random_pick('{DE,AT,FR,NULL}'), category = random_pick('{pump,motor,NULL}'),
			usage_type = random_pick('{production,spare,NULL}') WHERE asset_id = random_id(16);
	WHEN 'fact_many' THEN
		UPDATE law.asset SET category = random_pick('{pump,motor,NULL}'), successor_id = CASE WHEN random() < 0.3 THEN nullif(1, asset_id) END
			WHERE asset_id % 5 = random_id(5) - 1;
	WHEN 'kw' THEN
		UPDATE law.asset SET attributes = jsonb_build_object('kw', random_pick('{7,60,99,much,""}'), 'fuel', random_pick('{gas,oil,repair}'))
			WHERE asset_id = random_id(16);
	WHEN 'kw_many' THEN
		UPDATE law.asset SET attributes = jsonb_build_object('kw', random_id(100)) WHERE asset_id % 3 = random_id(3) - 1;
	WHEN 'move' THEN
		UPDATE law.asset SET location = random_point() WHERE asset_id = random_id(16);
	WHEN 'maintain' THEN
		INSERT INTO law.maintenance_event (asset_id, kind, performed_on)
			VALUES (random_id(16), random_pick('{inspection,repair}'), random_today() + 10 - random_id(60)::int);
	WHEN 'maintain_many' THEN
		INSERT INTO law.maintenance_event (asset_id, kind, performed_on)
			SELECT random_id(16), random_pick('{inspection,repair}'), random_today() - random_id(40)::int FROM generate_series(1, 5);
	WHEN 'unmaintain' THEN
		DELETE FROM law.maintenance_event WHERE event_id % 4 = random_id(4) - 1;
	WHEN 'remaintain' THEN
		UPDATE law.maintenance_event SET asset_id = random_id(16), performed_on = random_today() - random_id(60)::int
			WHERE event_id = (SELECT event_id FROM law.maintenance_event ORDER BY random() LIMIT 1);
	WHEN 'request' THEN
		INSERT INTO law.service_request (asset_id, opened_at) VALUES (random_id(16), now() - random() * interval '70 days');
	WHEN 'unrequest' THEN
		DELETE FROM law.service_request WHERE request_id % 3 = random_id(3) - 1;
	WHEN 'rule' THEN
		INSERT INTO law.coverage_rule (term_id, name, effect, condition, during, on_unknown, state)
			SELECT random_id(6), 'rule', random_pick('{include,require,exclude}'), random_condition(), random_rule_days(),
				random_pick('{deny,allow,flag}'), random_pick('{active,active,active,active,suspended}')
			WHERE (SELECT count(*) FROM law.coverage_rule) < 60;
	WHEN 'rule_many' THEN
		INSERT INTO law.coverage_rule (term_id, name, effect, condition, during, on_unknown)
			SELECT random_id(6), 'one of many', random_pick('{include,require,exclude}'), random_condition(), random_rule_days(),
				random_pick('{deny,allow,flag}') FROM generate_series(1, 4)
			WHERE (SELECT count(*) FROM law.coverage_rule) < 50;
	WHEN 'rule_gone' THEN
		DELETE FROM law.coverage_rule WHERE rule_id IN (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT random_id(2));
	WHEN 'rule_end' THEN
		UPDATE law.coverage_rule SET during = daterange(lower(during), cec.today('law') + random_id(5)::int - 4)
			WHERE rule_id % 5 = random_id(5) - 1 AND coalesce(lower(during) < cec.today('law') - 3, true);
	WHEN 'rule_days' THEN
		UPDATE law.coverage_rule SET during = random_rule_days() WHERE rule_id % 7 = random_id(7) - 1;
	WHEN 'rule_text' THEN
		UPDATE law.coverage_rule SET condition = random_condition()
			WHERE rule_id = (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT 1);
	WHEN 'rule_unknown' THEN
		UPDATE law.coverage_rule SET on_unknown = random_pick('{deny,allow,flag}') WHERE rule_id % 4 = random_id(4) - 1;
	WHEN 'rule_suspend' THEN
		UPDATE law.coverage_rule SET state = 'suspended'
			WHERE rule_id = (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT 1);
	WHEN 'rule_resume' THEN
		UPDATE law.coverage_rule SET state = 'active' WHERE state = 'suspended' AND random() < 0.7;
	WHEN 'rule_move' THEN
		UPDATE law.coverage_rule SET term_id = random_id(6), effect = random_pick('{include,require,exclude}')
			WHERE rule_id = (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT 1);
	WHEN 'boundary' THEN
		UPDATE law.contract SET boundary = random_boundary() WHERE contract_id = random_id(6);
	WHEN 'facts_of_contract' THEN
		UPDATE law.contract SET number = 'C-' || contract_id || random_pick('{"",-X}'), kind = random_pick('{service,warranty,lease}'),
			governing_country = random_pick('{DE,AT,NULL}') WHERE contract_id % 3 = random_id(3) - 1;
	WHEN 'tier' THEN
		UPDATE law.service_tier SET code = random_pick('{gold,brass}') || CASE tier_id WHEN 1 THEN '' ELSE '-2' END, rank = random_id(3)
			WHERE tier_id = random_id(2);
	WHEN 'term_tier' THEN
		UPDATE law.coverage_term SET tier_id = nullif(random_id(3), 3), contract_id = CASE WHEN random() < 0.8 THEN contract_id ELSE random_id(6) END
			WHERE term_id = random_id(6);
	WHEN 'zone' THEN
		UPDATE law.setting SET time_zone = random_pick('{UTC,Asia/Shanghai,Pacific/Kiritimati,Pacific/Pago_Pago}');
	WHEN 'refresh' THEN
		IF current_setting('transaction_isolation') = 'read committed' THEN
			PERFORM law.refresh(CASE WHEN random() < 0.1 THEN cec.today('law') + 1 END);
		END IF;
	-- One row in the place of another one.
	WHEN 'replace_line' THEN
		WITH gone AS (DELETE FROM law.inclusion WHERE inclusion_id IN (SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 2) RETURNING *)
		INSERT INTO law.inclusion (inclusion_id, term_id, asset_id, during)
			SELECT inclusion_id, CASE WHEN random() < 0.5 THEN term_id ELSE random_id(6) END, CASE WHEN random() < 0.5 THEN asset_id ELSE a END, random_days() FROM gone;
	WHEN 'replace_asset' THEN
		DELETE FROM law.inclusion WHERE asset_id = a;
		WITH gone AS (DELETE FROM law.asset WHERE asset_id = a RETURNING *)
		INSERT INTO law.asset (asset_id, asset_tag, serial_number, country, category, decommissioned_on, attributes)
			SELECT asset_id, asset_tag, serial_number, random_pick('{DE,AT,FR,NULL}'), random_pick('{pump,motor,NULL}'), random_day() + 100, attributes FROM gone;
	WHEN 'replace_tier' THEN
		WITH gone AS (DELETE FROM law.service_tier WHERE tier_id = random_id(2) RETURNING tier_id)
		INSERT INTO law.service_tier (tier_id, code, name, rank) SELECT tier_id, random_pick('{gold,brass}') || CASE tier_id WHEN 1 THEN '' ELSE '-2' END, 'new', random_id(3) FROM gone;
	WHEN 'replace_term' THEN
		WITH gone AS (DELETE FROM law.coverage_term WHERE term_id = random_id(6) RETURNING *)
		INSERT INTO law.coverage_term (term_id, contract_id, number, tier_id, during, covers_bundles)
			SELECT term_id, CASE WHEN random() < 0.5 THEN contract_id ELSE random_id(6) END, number, nullif(random_id(3), 3), random_year(), random() < 0.8 FROM gone;
	WHEN 'replace_contract' THEN
		WITH gone AS (DELETE FROM law.contract WHERE contract_id = random_id(6) RETURNING *)
		INSERT INTO law.contract (contract_id, number, customer_id, status, during, kind, governing_country, boundary)
			SELECT contract_id, number, 1, random_pick('{active,active,void}'), random_year(), random_pick('{service,warranty,lease}'), random_pick('{DE,AT}'), random_boundary() FROM gone;
	WHEN 'replace_rule' THEN
		WITH gone AS (DELETE FROM law.coverage_rule WHERE rule_id IN (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT 1) RETURNING *)
		INSERT INTO law.coverage_rule (rule_id, term_id, name, effect, condition, during, on_unknown)
			SELECT rule_id, random_id(6), 'replaced', random_pick('{include,require,exclude}'), random_condition(), random_rule_days(), random_pick('{deny,allow,flag}') FROM gone;
	WHEN 'replace_bundle' THEN
		WITH gone AS (DELETE FROM law.bundle WHERE bundle_id IN (SELECT bundle_id FROM law.bundle ORDER BY random() LIMIT 2) RETURNING *)
		INSERT INTO law.bundle (bundle_id, name, primary_asset_id) SELECT bundle_id, name, random_id(16) FROM gone;
	WHEN 'replace_member' THEN
		WITH gone AS (DELETE FROM law.bundle_member WHERE member_id IN (SELECT member_id FROM law.bundle_member ORDER BY random() LIMIT 2) RETURNING *)
		INSERT INTO law.bundle_member (member_id, bundle_id, asset_id, during) SELECT member_id, bundle_id, random_id(16), during FROM gone;
	-- Two rows exchange their keys; what refers to them stays behind, and while they do refers to nothing.
	WHEN 'swap' THEN
		SET CONSTRAINTS ALL DEFERRED;
		swapped := random_pick('{asset asset_id 16,coverage_term term_id 6,contract contract_id 6,service_tier tier_id 2,bundle bundle_id 8,coverage_rule rule_id 40}');
		a := random_id(split_part(swapped, ' ', 3)::int);
		b := random_id(split_part(swapped, ' ', 3)::int);
		EXECUTE format('UPDATE law.%1$I SET %2$I = CASE %2$I WHEN $1 THEN -1 ELSE %2$I END WHERE %2$I = $1', split_part(swapped, ' ', 1), split_part(swapped, ' ', 2)) USING a;
		EXECUTE format('UPDATE law.%1$I SET %2$I = $1 WHERE %2$I = $2', split_part(swapped, ' ', 1), split_part(swapped, ' ', 2)) USING a, b;
		EXECUTE format('UPDATE law.%1$I SET %2$I = $1 WHERE %2$I = -1', split_part(swapped, ' ', 1), split_part(swapped, ' ', 2)) USING b;
		SET CONSTRAINTS ALL IMMEDIATE;
	-- What is referred to comes last.
	WHEN 'early_asset' THEN
		SET CONSTRAINTS ALL DEFERRED;
		a := nextval(pg_get_serial_sequence('law.asset', 'asset_id'));
		INSERT INTO law.inclusion (term_id, asset_id, during) VALUES (random_id(6), a, random_days());
		INSERT INTO law.maintenance_event (asset_id, kind, performed_on) VALUES (a, 'inspection', random_today() - random_id(40)::int);
		INSERT INTO law.asset (asset_id, asset_tag, country, category) VALUES (a, 'E-' || a, random_pick('{DE,AT,FR,NULL}'), random_pick('{pump,motor,NULL}'));
		SET CONSTRAINTS ALL IMMEDIATE;
		DELETE FROM law.maintenance_event WHERE asset_id = a;
		IF random() < 0.7 THEN
			DELETE FROM law.inclusion WHERE asset_id = a;
			DELETE FROM law.asset WHERE asset_id = a;
		END IF;
	WHEN 'early_term' THEN
		SET CONSTRAINTS ALL DEFERRED;
		a := nextval(pg_get_serial_sequence('law.coverage_term', 'term_id'));
		b := nextval(pg_get_serial_sequence('law.contract', 'contract_id'));
		INSERT INTO law.inclusion (term_id, asset_id, during) SELECT a, random_id(16), random_days();
		INSERT INTO law.coverage_rule (term_id, name, effect, condition, during, on_unknown)
			SELECT a, 'early', random_pick('{include,include,require,exclude}'), random_condition(), random_rule_days(), random_pick('{deny,flag}') WHERE random() < 0.7;
		IF random() < 0.5 THEN
			INSERT INTO law.coverage_term (term_id, contract_id, number, during, tier_id) VALUES (a, b, 'early', random_year(), 1);
			INSERT INTO law.contract (contract_id, number, customer_id, status, during) VALUES (b, 'E-' || b, 1, 'active', random_year());
		ELSE
			INSERT INTO law.contract (contract_id, number, customer_id, status, during) VALUES (b, 'E-' || b, 1, 'active', random_year());
			INSERT INTO law.coverage_term (term_id, contract_id, number, during, tier_id) VALUES (a, b, 'early', random_year(), 1);
		END IF;
		SET CONSTRAINTS ALL IMMEDIATE;
		IF random() < 0.9 THEN
			SET CONSTRAINTS ALL DEFERRED;
			DELETE FROM law.contract WHERE contract_id = b;
			DELETE FROM law.coverage_term WHERE term_id = a;
			DELETE FROM law.inclusion WHERE term_id = a;
			DELETE FROM law.coverage_rule WHERE term_id = a;
			SET CONSTRAINTS ALL IMMEDIATE;
		END IF;
	-- Statements that insert, update and delete at once, in one table and in several.
	WHEN 'rename_line' THEN
		UPDATE law.inclusion SET listed_as = random_pick('{T-,S-}') || random_id(17)
			WHERE inclusion_id = (SELECT inclusion_id FROM law.inclusion ORDER BY random() LIMIT 1);
	WHEN 'upsert_asset' THEN
		INSERT INTO law.asset (asset_tag, country, category) SELECT 'T-' || g, random_pick('{DE,AT,FR,NULL}'), random_pick('{pump,motor,NULL}')
			FROM generate_series(a, a + 2) g ON CONFLICT (asset_tag) DO UPDATE SET country = excluded.country, category = excluded.category;
	WHEN 'merge_assets' THEN
		MERGE INTO law.asset t USING (SELECT 'T-' || g AS asset_tag FROM generate_series(a, a + 3) g) AS s ON t.asset_tag = s.asset_tag
			WHEN MATCHED AND t.asset_id > 16 THEN DELETE
			WHEN MATCHED THEN UPDATE SET country = random_pick('{DE,AT}'), out_of_service = datemultirange(random_days())
			WHEN NOT MATCHED THEN INSERT (asset_tag, country) VALUES (s.asset_tag, 'DE');
	WHEN 'merge_rules' THEN
		MERGE INTO law.coverage_rule r USING (SELECT random_id(60) AS rule_id FROM generate_series(1, 3) GROUP BY 1) AS s ON r.rule_id = s.rule_id
			WHEN MATCHED AND random() < 0.3 THEN DELETE
			WHEN MATCHED THEN UPDATE SET condition = random_condition(), on_unknown = random_pick('{deny,allow,flag}')
			WHEN NOT MATCHED THEN INSERT (rule_id, term_id, name, effect, condition, during) VALUES (s.rule_id, random_id(6), 'merged', random_pick('{include,require,exclude}'), random_condition(), random_rule_days());
	WHEN 'merge_members' THEN
		MERGE INTO law.bundle_member m USING (SELECT random_id(40) AS member_id FROM generate_series(1, 4) GROUP BY 1) AS s ON m.member_id = s.member_id
			WHEN MATCHED AND random() < 0.4 THEN DELETE
			WHEN MATCHED THEN UPDATE SET during = random_days(), asset_id = random_id(16)
			WHEN NOT MATCHED THEN INSERT (member_id, bundle_id, asset_id, during) VALUES (s.member_id, random_id(8), random_id(16), random_days());
	WHEN 'merge_terms' THEN
		MERGE INTO law.coverage_term t USING (SELECT random_id(6) AS term_id FROM generate_series(1, 3) GROUP BY 1) AS s ON t.term_id = s.term_id
			WHEN MATCHED THEN UPDATE SET during = random_year(), contract_id = random_id(6), covers_bundles = random() < 0.8
			WHEN NOT MATCHED THEN INSERT (term_id, contract_id, number, during) VALUES (s.term_id, s.term_id, s.term_id::text, random_year());
	WHEN 'upsert_contract' THEN
		INSERT INTO law.contract (contract_id, number, customer_id, status, during, kind) SELECT g, 'C-' || g, 1, 'active', random_year(), 'service' FROM generate_series(a % 6 + 1, 6) g
			ON CONFLICT (contract_id) DO UPDATE SET status = random_pick('{active,draft}'), governing_country = random_pick('{DE,AT}'), kind = excluded.kind;
	WHEN 'at_once' THEN
		WITH fact AS (UPDATE law.asset SET category = random_pick('{pump,motor,NULL}'), decommissioned_on = NULL, status = 'in_service' WHERE asset_id = a RETURNING asset_id),
			event AS (INSERT INTO law.maintenance_event (asset_id, kind, performed_on) VALUES (b, 'inspection', random_today() - 3)),
			gone AS (DELETE FROM law.inclusion WHERE asset_id = b AND random() < 0.5)
		INSERT INTO law.inclusion (term_id, asset_id, during) SELECT random_id(6), asset_id, random_days() FROM fact;
	WHEN 'rule_at_once' THEN
		WITH moved AS (UPDATE law.coverage_rule SET condition = random_condition(), term_id = random_id(6)
				WHERE rule_id = (SELECT rule_id FROM law.coverage_rule ORDER BY random() LIMIT 1) RETURNING term_id),
			tier AS (UPDATE law.service_tier SET rank = random_id(3) WHERE tier_id = random_id(2))
		INSERT INTO law.inclusion (term_id, asset_id, during) SELECT term_id, a, random_days() FROM moved;
	WHEN 'all_at_once' THEN
		WITH rule AS (INSERT INTO law.coverage_rule (term_id, name, effect, condition, during) SELECT random_id(6), 'at once', random_pick('{include,require,exclude}'), random_condition(), random_rule_days()
				WHERE (SELECT count(*) FROM law.coverage_rule) < 60),
			gone AS (DELETE FROM law.bundle_member WHERE member_id % 5 = random_id(5) - 1 RETURNING *),
			member AS (INSERT INTO law.bundle_member (bundle_id, asset_id, during) SELECT bundle_id, random_id(16), random_days() FROM gone),
			bundle AS (UPDATE law.bundle SET primary_asset_id = random_id(16) WHERE bundle_id = random_id(8)),
			term AS (UPDATE law.coverage_term SET during = random_year(), tier_id = nullif(random_id(3), 3) WHERE term_id = random_id(6)),
			contract AS (UPDATE law.contract SET status = random_pick('{active,draft}') WHERE contract_id = random_id(6)),
			asset AS (UPDATE law.asset SET commissioned_on = random_day() WHERE asset_id = b)
		INSERT INTO law.inclusion (term_id, asset_id, during) VALUES (random_id(6), a, random_days());
	-- What findings are about besides.
	WHEN 'rerequest' THEN
		UPDATE law.service_request SET asset_id = random_id(16), opened_at = random_instant()
			WHERE request_id = (SELECT request_id FROM law.service_request ORDER BY random() LIMIT 1);
	WHEN 'observe' THEN
		INSERT INTO law.field_observation (asset_id, seen_tag, observed_at)
			SELECT CASE WHEN is_known THEN a END, CASE WHEN NOT is_known OR random() < 0.3 THEN random_name() END, random_instant()
			FROM (SELECT random() < 0.7 AS is_known) AS o;
	WHEN 'observe_many' THEN
		INSERT INTO law.field_observation (asset_id, seen_tag, observed_at)
			SELECT nullif(random_id(17), 17), random_name(), random_instant() FROM generate_series(1, 5);
	WHEN 'unobserve' THEN
		DELETE FROM law.field_observation WHERE observation_id % 4 = random_id(4) - 1;
	WHEN 'reobserve' THEN
		UPDATE law.field_observation SET asset_id = nullif(random_id(17), 17), seen_tag = random_name(), observed_at = random_instant()
			WHERE observation_id % 5 = random_id(5) - 1;
	WHEN 'customer' THEN
		UPDATE law.asset SET customer_id = nullif(random_id(6), 6) WHERE asset_id = a;
	WHEN 'customer_many' THEN
		UPDATE law.asset SET customer_id = nullif(random_id(6), 6) WHERE asset_id % 4 = random_id(4) - 1;
	WHEN 'customer_name' THEN
		UPDATE law.customer SET name = 'Customer ' || random_id(100) WHERE customer_id = random_id(5);
	WHEN 'parent' THEN
		UPDATE law.customer SET parent_id = nullif(random_id(6), 6) WHERE customer_id = random_id(5);
	WHEN 'commission' THEN
		UPDATE law.asset SET commissioned_on = random_day() WHERE asset_id = a;
	WHEN 'uncommission' THEN
		UPDATE law.asset SET commissioned_on = NULL WHERE asset_id % 4 = random_id(4) - 1;
	WHEN 'symbology' THEN
		UPDATE law.asset SET tag_symbology = random_pick('{code39,code128,qr}') WHERE asset_id = a;
	WHEN 'rename' THEN
		UPDATE law.asset SET asset_tag = random_pick('{T-,t-,T_}') || asset_id, tag_symbology = random_pick('{code39,code128}') WHERE asset_id = a;
	WHEN 'rename_many' THEN
		UPDATE law.asset SET asset_tag = random_pick('{T-,T-,T-,t-}') || asset_id WHERE asset_id % 5 = random_id(5) - 1;
	WHEN 'serial' THEN
		UPDATE law.asset SET serial_number = random_serial(), manufacturer = random_pick('{Acme,Bolt,NULL}') WHERE asset_id = a;
	WHEN 'serial_many' THEN
		UPDATE law.asset SET serial_number = CASE WHEN random() < 0.5 THEN random_serial() ELSE 'S-' || asset_id END, manufacturer = random_pick('{Acme,NULL}')
			WHERE asset_id % 3 = random_id(3) - 1;
	WHEN 'identify' THEN
		INSERT INTO law.asset_identifier (asset_id, scheme, value, during)
			VALUES (a, random_pick('{eic,former}'), random_name(), CASE WHEN random() < 0.5 THEN random_year() ELSE random_days() END);
	WHEN 'unidentify' THEN
		DELETE FROM law.asset_identifier WHERE asset_identifier_id % 3 = random_id(3) - 1;
	WHEN 'reidentify' THEN
		UPDATE law.asset_identifier SET asset_id = a, value = random_name(), during = random_days()
			WHERE asset_identifier_id = (SELECT asset_identifier_id FROM law.asset_identifier ORDER BY random() LIMIT 1);
	WHEN 'amend' THEN
		INSERT INTO law.amendment (contract_id, title) VALUES (random_id(6), 'amendment ' || random_id(100));
	WHEN 'amend_line' THEN
		INSERT INTO law.amendment_line (amendment_id, action, identifier, term_id, during)
			SELECT amendment_id, random_pick('{include,exclude,remove,change}'), random_name(), nullif(random_id(7), 7), random_days() FROM law.amendment WHERE status = 'draft' ORDER BY random() LIMIT 2;
	WHEN 'amend_step' THEN
		RETURN random_amend_step();
	WHEN 'amend_through' THEN
		RETURN random_amend_through(false);
	WHEN 'amend_strict' THEN
		RETURN random_amend_through(true);
	WHEN 'draft' THEN
		PERFORM random_draft();
	WHEN 'import' THEN
		RETURN random_import();
	WHEN 'swap_asset' THEN
		RETURN random_swap_asset();
	WHEN 'transfer' THEN
		RETURN random_transfer();
	WHEN 'renew' THEN
		RETURN random_renew();
	WHEN 'terminate' THEN
		RETURN random_terminate();
	WHEN 'sync' THEN
		RETURN random_sync();
	WHEN 'unamend' THEN
		DELETE FROM law.amendment_line l USING law.amendment m
			WHERE l.line_id % 4 = random_id(4) - 1 AND m.amendment_id = l.amendment_id AND m.status = 'draft';
	WHEN 'readdress' THEN
		UPDATE law.amendment SET contract_id = random_id(6), title = 'another ' || random_id(100)
			WHERE amendment_id = (SELECT amendment_id FROM law.amendment WHERE status = 'draft' ORDER BY random() LIMIT 1);
	WHEN 'seen_at_once' THEN
		WITH seen AS (INSERT INTO law.field_observation (asset_id, observed_at) VALUES (a, random_instant())),
			asked AS (INSERT INTO law.service_request (asset_id, opened_at) VALUES (b, random_instant())),
			named AS (UPDATE law.asset SET serial_number = random_serial(), customer_id = nullif(random_id(6), 6), location = random_point() WHERE asset_id = b),
			moved AS (UPDATE law.customer SET parent_id = nullif(random_id(6), 6) WHERE customer_id = random_id(5))
		INSERT INTO law.inclusion (term_id, asset_id, during) VALUES (random_id(6), a, random_days());
	WHEN 'contract_zone' THEN
		UPDATE law.contract SET time_zone = random_pick('{UTC,Asia/Shanghai,Pacific/Kiritimati,Pacific/Pago_Pago}') WHERE contract_id % 3 = random_id(3) - 1;
	WHEN 'predecessor' THEN
		UPDATE law.contract SET predecessor_id = nullif(random_id(7), 7), notice_days = random_id(90) WHERE contract_id = random_id(6);
	WHEN 'contract_customer' THEN
		UPDATE law.contract SET customer_id = random_id(5) WHERE contract_id % 3 = random_id(3) - 1;
	WHEN 'number' THEN
		UPDATE law.contract SET number = 'C-' || contract_id || random_pick('{"",-X,-Y}') WHERE contract_id = random_id(6);
	WHEN 'term_number' THEN
		UPDATE law.coverage_term SET number = random_id(9) WHERE term_id = random_id(6);
	WHEN 'bundle_name' THEN
		UPDATE law.bundle SET name = 'B-' || random_id(100) WHERE bundle_id = random_id(8);
	WHEN 'notice' THEN
		UPDATE law.setting SET expiry_notice_days = random_pick('{0,30,90,400}')::int, observation_days = random_pick('{1,30,365}')::int,
			decommission_window_days = random_pick('{30,365}')::int, value_attribute = random_pick('{value,kw}');
	WHEN 'jurisdiction' THEN
		INSERT INTO law.jurisdiction (country, name, boundary) SELECT random_pick('{DE,AT,FR}'), 'area', boundary
			FROM random_boundary() AS boundary WHERE boundary IS NOT NULL AND random() < 0.7;
		DELETE FROM law.jurisdiction WHERE jurisdiction_id % 3 = random_id(3) - 1;
	WHEN 'regulation' THEN
		INSERT INTO law.regulation (country, title, requirement, during, met_by)
			VALUES (random_pick('{DE,AT}'), 'regulation', random_pick('{tier_code = ''gold'',category = ''pump'',last_maintenance(''inspection'') > as_of - 30,contract_kind <> ''lease'',cover_days > 100}'),
				random_year(), random_pick('{any_term,every_term}'));
		DELETE FROM law.regulation WHERE regulation_id % 3 = random_id(3) - 1;
	WHEN 'replace_customer' THEN
		SET CONSTRAINTS ALL DEFERRED;
		WITH gone AS (DELETE FROM law.customer WHERE customer_id = random_id(5) RETURNING *)
		INSERT INTO law.customer (customer_id, name, parent_id, external_ref) SELECT customer_id, name || '.', nullif(random_id(6), 6), external_ref FROM gone;
		SET CONSTRAINTS ALL IMMEDIATE;
	WHEN 'merge_customers' THEN
		MERGE INTO law.customer c USING (SELECT random_id(8) AS customer_id FROM generate_series(1, 3) GROUP BY 1) AS s ON c.customer_id = s.customer_id
			WHEN MATCHED AND c.customer_id > 5 THEN DELETE
			WHEN MATCHED THEN UPDATE SET parent_id = nullif(random_id(6), 6)
			WHEN NOT MATCHED THEN INSERT (customer_id, name, parent_id) VALUES (s.customer_id, 'merged', random_id(5));
	WHEN 'findings_at_once' THEN
		WITH contract AS (UPDATE law.contract SET boundary = random_boundary(), customer_id = random_id(5), number = 'C-' || contract_id WHERE contract_id = random_id(6)),
			term AS (UPDATE law.coverage_term SET number = term_id::text, contract_id = random_id(6) WHERE term_id = random_id(6)),
			seen AS (UPDATE law.field_observation SET observed_at = random_instant() WHERE asset_id = a),
			gone AS (DELETE FROM law.service_request WHERE asset_id = b),
			moved AS (UPDATE law.asset SET location = random_point(), commissioned_on = NULL WHERE asset_id = b)
		UPDATE law.bundle SET primary_asset_id = a, name = 'at once' WHERE bundle_id = random_id(8);
	WHEN 'savepoint' THEN
		BEGIN
			PERFORM random_op(random_kind());
			PERFORM random_op(random_kind());
			RAISE EXCEPTION 'back to the savepoint';
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END CASE;
	RETURN ARRAY[kind];
END;
$$;

-- Transactions of a session, at its default isolation level, until so many operations of the batch are committed. A
-- failure at COMMIT ends the call; it is called again, and goes on. Syncs run at READ COMMITTED alone, and so does a
-- transaction that begins with one, now and then.
CREATE PROCEDURE random_ops(batch integer, session integer, wanted integer) LANGUAGE plpgsql
AS $$
DECLARE
	done integer := 0;
	kind text;
	in_transaction integer;
	deeds text[];
	refusals text[];
	is_lost boolean;
	syncs boolean;
	level text := current_setting('default_transaction_isolation');
	state text;
	rule text;
BEGIN
	LOOP
		-- Counted apart: else all sessions would depend on each other by this table, and SERIALIZABLE let them run only one by one.
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		SELECT coalesce(sum(operations), 0) INTO done FROM random_result r
			WHERE r.batch = random_ops.batch AND r.session = random_ops.session;
		EXIT WHEN done >= wanted;
		syncs := random() < 0.06;
		PERFORM set_config('default_transaction_isolation', CASE WHEN syncs THEN 'read committed' ELSE level END, false);
		COMMIT;
		IF syncs AND random() < 0.2 THEN
			CALL random_sync_batched(batch, session);
			CONTINUE;
		END IF;
		in_transaction := 0;
		deeds := '{}';
		refusals := '{}';
		is_lost := false;
		BEGIN
			FOR i IN 1 .. random_id(4) LOOP
				kind := CASE WHEN syncs THEN 'sync' ELSE random_kind() END;
				syncs := false;
				BEGIN
					deeds := deeds || random_op(kind);
					in_transaction := in_transaction + 1;
					PERFORM pg_sleep(random() * 0.004);
				EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
					GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME;
					refusals := refusals || concat_ws(' ', kind, state, nullif(rule, ''));
				END;
			END LOOP;
		EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
			is_lost := true;
		END;
		IF is_lost OR random() < 0.1 THEN
			ROLLBACK;
			INSERT INTO random_result VALUES (batch, session, 0, 0, is_lost::int);
		ELSE
			INSERT INTO random_result VALUES (batch, session, in_transaction, cardinality(refusals), 0, deeds, refusals);
		END IF;
		COMMIT;
	END LOOP;
END;
$$;

-- What an operation must have done once in a run at least, and the kind that does it.
CREATE FUNCTION random_deeds() RETURNS TABLE (deed text, kind text) LANGUAGE sql
AS $$
	SELECT k, k FROM unnest(random_kinds(true) || random_kinds(false)) AS k
	WHERE k NOT IN ('amend_step', 'amend_through', 'amend_strict', 'import', 'swap_asset', 'transfer', 'renew', 'sync')
	UNION
	SELECT d, 'amend_step' FROM unnest('{submit,approve,reopen,preview,cancel}'::text[]) AS d
	UNION
	SELECT 'apply ' || d, 'amend_through' FROM unnest('{include,exclude,remove,change,swap}'::text[]) AS d
	UNION
	SELECT 'strict', 'amend_strict'
	UNION
	SELECT 'import ' || d, 'import' FROM unnest('{check,valid_only,all_or_nothing,insert,update,end,draft}'::text[]) AS d
	UNION
	SELECT 'swap_asset ' || d, 'swap_asset' FROM unnest('{carry_remaining,restart,overlap}'::text[]) AS d
	UNION
	SELECT 'transfer ' || d, 'transfer' FROM unnest('{no_change,transfer,terminate}'::text[]) AS d
	UNION
	SELECT 'renew ' || d, 'renew' FROM unnest('{copied,carried,dropped}'::text[]) AS d
	UNION
	SELECT 'sync ' || d, 'sync'
	FROM unnest('{delta,snapshot,inserted,updated,unchanged,adopted,retagged,merged,retired,reappeared,superseded,outdated,rejected}'::text[]) AS d
	UNION
	SELECT 'sync batched', 'sync batched'
$$;

-- What functions that change lists and the register were refused for, and never say they are.
CREATE FUNCTION random_unsaid() RETURNS SETOF text LANGUAGE sql
AS $$
	SELECT DISTINCT f FROM random_result CROSS JOIN LATERAL unnest(refusals) AS f
	WHERE f ~ '^(amend_step|amend_through|amend_strict|draft|import|swap_asset|transfer|renew|terminate|sync) '
		AND f !~ ' (22023|23503|23505|23514|23P01)( |$)'
$$;

CREATE FUNCTION random_done() RETURNS TABLE (deed text, times bigint) LANGUAGE sql
AS $$ SELECT d, count(*) FROM random_result r CROSS JOIN LATERAL unnest(r.deeds) AS d GROUP BY d $$;

-- What no batch has happened to do is done now, by one session.
CREATE PROCEDURE random_rest(batch integer, tries integer) LANGUAGE plpgsql
AS $$
DECLARE
	missing record;
	deeds text[];
	state text;
	rule text;
BEGIN
	FOR missing IN SELECT d.deed, d.kind FROM random_deeds() d WHERE d.deed NOT IN (SELECT o.deed FROM random_done() o) ORDER BY 1 LOOP
		FOR i IN 1 .. tries LOOP
			EXIT WHEN EXISTS (SELECT FROM random_done() o WHERE o.deed = missing.deed);
			IF missing.kind = 'sync batched' THEN
				CALL random_sync_batched(batch, 0);
				CONTINUE;
			END IF;
			BEGIN
				deeds := random_op(missing.kind);
				INSERT INTO random_result VALUES (batch, 0, 1, 0, 0, deeds);
			EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
				GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME;
				INSERT INTO random_result VALUES (batch, 0, 0, 1, 0, '{}', ARRAY[concat_ws(' ', missing.kind, state, nullif(rule, ''))]);
			END;
			IF i % 40 = 0 THEN
				PERFORM random_revive();
			END IF;
			COMMIT;
		END LOOP;
	END LOOP;
END;
$$;

-- Laws that hold between transactions: one row for each breach.
-- History is only added to (a law of its own): what was checked against all the rest before, up to a row of it, need not be again.
CREATE FUNCTION random_breaches(seen bigint) RETURNS TABLE (law text, detail text) LANGUAGE sql
AS $$
	SELECT 'stored = defined', v::text FROM law.verify_coverage() v
	UNION ALL
	SELECT 'cover was never other than the log says', v::text FROM law.verify_history() v
	UNION ALL
	SELECT 'the grid of the map is what it follows from', difference FROM cec._map_breaches('law')
	UNION ALL
	SELECT 'parts are what boundaries are cut into', format('contract %s', u.contract_id)
	FROM (SELECT contract_id, part::bytea, 1 AS n FROM law.boundary_part UNION ALL SELECT contract_id, cec._cut(boundary)::bytea, -1 FROM law.contract) AS u(contract_id, part, n)
	GROUP BY u.contract_id, u.part HAVING sum(u.n) <> 0
	UNION ALL
	SELECT 'parts cover what boundaries cover', format('contract %s, asset %s', c.contract_id, a.asset_id)
	FROM law.contract c, law.asset a
	WHERE ST_Covers(c.boundary, a.location) <> EXISTS (
		SELECT FROM law.boundary_part p WHERE p.contract_id = c.contract_id AND p.part && a.location AND cec._boundary_covers(p.part, c.boundary, a.location))
	UNION ALL
	SELECT 'lines do not overlap', a.inclusion_id || ' and ' || b.inclusion_id
	FROM law.inclusion a JOIN law.inclusion b ON a.asset_id = b.asset_id AND a.term_id = b.term_id AND a.effect = b.effect
		AND a.inclusion_id < b.inclusion_id AND a.during && b.during
	UNION ALL
	SELECT 'every row has its entries', format('inclusion %s', coalesce(i.inclusion_id, l.row_id))
	FROM law.inclusion i FULL JOIN (
		SELECT row_id FROM law.audit_log WHERE table_name = 'inclusion' GROUP BY row_id
		HAVING sum(CASE operation WHEN 'INSERT' THEN 1 WHEN 'DELETE' THEN -1 ELSE 0 END) = 1) AS l ON l.row_id = i.inclusion_id
	WHERE i.inclusion_id IS NULL OR l.row_id IS NULL
	UNION ALL
	SELECT 'one belief at a time', format('asset %s term %s', a.asset_id, a.term_id)
	FROM law.coverage_history a JOIN law.coverage_history b ON a.asset_id = b.asset_id AND a.term_id = b.term_id
		AND a.coverage_history_id < b.coverage_history_id AND a.during && b.during AND a.recorded && b.recorded
	WHERE b.coverage_history_id > seen
	UNION ALL
	SELECT 'no belief before the one it replaced', format('asset %s term %s', a.asset_id, a.term_id)
	FROM law.coverage a JOIN law.coverage_history b ON a.asset_id = b.asset_id AND a.term_id = b.term_id
		AND a.during && b.during AND upper(b.recorded) > a.recorded_at
	UNION ALL
	SELECT 'decisions of past days stay', format('rule %s asset %s: %s, now %s', coalesce(p.rule_id, e.rule_id), coalesce(p.asset_id, e.asset_id), p.days, e.days)
	FROM random_past p FULL JOIN (
		SELECT rule_id, asset_id, range_agg(during) * datemultirange(daterange(NULL, (SELECT cut FROM random_past_cut))) AS days
		FROM law.rule_effect GROUP BY 1, 2) AS e USING (rule_id, asset_id)
	WHERE coalesce(p.days, '{}') <> coalesce(e.days, '{}')
	UNION ALL
	SELECT 'decisions do not touch', format('rule %s asset %s', a.rule_id, a.asset_id)
	FROM law.rule_effect a JOIN law.rule_effect b USING (rule_id, asset_id)
	WHERE a.rule_effect_id < b.rule_effect_id AND (a.during && b.during OR a.during -|- b.during)
	UNION ALL
	SELECT 'from today on rules act on their own days alone', format('rule %s %s asset %s: %s', e.rule_id, r.during, e.asset_id, e.during)
	FROM law.rule_effect e LEFT JOIN law.coverage_rule r USING (rule_id)
	WHERE NOT coalesce(datemultirange(r.during), '{}') @> datemultirange(e.during * daterange(cec.today('law'), NULL))
	UNION ALL
	SELECT 'rules act as their conditions say', format('rule %s asset %s %s: %s', j.rule_id, j.asset_id, j.says, array_to_string(j.wrong, ', '))
	FROM random_wrong(cec.today('law')) j
	WHERE cardinality(j.wrong) > 0 AND (NOT j.depends_on_day OR random_reached() >= cec.today('law'))
	UNION ALL
	SELECT 'findings end with their rule', format('rule %s asset %s: %s', f.rule_id, f.asset_id, f.kind)
	FROM law.finding f LEFT JOIN law.coverage_rule r USING (rule_id)
	WHERE f.kind IN ('rule_failed', 'rule_unknown') AND f.closed_at IS NULL
		AND (r.rule_id IS NULL OR (upper(r.during) <= cec.today('law') AND random_reached() >= cec.today('law')) OR (f.kind = 'rule_unknown' AND r.on_unknown <> 'flag'))
$$;

-- Open findings are what the views list, if need be behind refresh.
CREATE FUNCTION random_findings() RETURNS SETOF text LANGUAGE plpgsql
AS $$
BEGIN
	IF EXISTS (SELECT FROM law.audit_log WHERE audit_id > (SELECT audit_id FROM random_mark) AND table_name IN ('setting', 'jurisdiction', 'regulation')) THEN
		PERFORM law.refresh();
	END IF;
	RETURN QUERY SELECT difference FROM finding_breaches('law');
END;
$$;

-- Of rules only the newest go on: else all that is done would be decided by ever more of them.
CREATE FUNCTION random_lasting() RETURNS SETOF bigint LANGUAGE sql
AS $$ SELECT rule_id FROM law.coverage_rule ORDER BY rule_id DESC LIMIT 60 $$;

-- Batches leave ever more behind that is retired, void or over: puts that right, so that there is cover to work on.
CREATE FUNCTION random_revive() RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE law.asset SET status = 'in_service', commissioned_on = NULL, decommissioned_on = NULL, out_of_service = '{}',
		source = CASE WHEN random() < 0.7 THEN source END, source_updated_at = NULL;
	DELETE FROM law.asset_staging;
	PERFORM law.cancel_amendment(m.amendment_id) FROM (
		SELECT amendment_id FROM law.amendment WHERE status NOT IN ('applied', 'cancelled') ORDER BY amendment_id DESC OFFSET 20) AS m;
	UPDATE law.contract SET status = 'active', during = random_year(), suspensions = '{}';
	UPDATE law.coverage_term SET during = random_year();
	UPDATE law.coverage_rule SET during = daterange(random_today() - 100, NULL), state = 'active'
		WHERE (upper(during) <= cec.today('law') OR state = 'suspended') AND rule_id IN (SELECT random_lasting());
	UPDATE law.coverage_rule SET during = daterange(random_today() - 100, random_today())
		WHERE (upper(during) > cec.today('law') OR upper_inf(during)) AND rule_id NOT IN (SELECT random_lasting());
	INSERT INTO law.inclusion (term_id, asset_id, during)
		SELECT t, a, random_year() FROM generate_series(1, 6) t, generate_series(1, 16) a
		WHERE EXISTS (SELECT FROM law.asset k WHERE k.asset_id = a) AND EXISTS (SELECT FROM law.coverage_term k WHERE k.term_id = t) AND (a + t) % 5 = 0 AND NOT EXISTS (SELECT FROM law.inclusion i WHERE i.term_id = t AND i.asset_id = a);
END;
$$;

-- What has been decided of days that are past at every place, and up to where refresh has come.
CREATE TABLE random_past (rule_id bigint, asset_id bigint, days datemultirange);
CREATE TABLE random_past_cut (cut date);
-- What findings follow from besides, and statements leave to refresh: settings, jurisdictions and regulations, up to this entry of the log.
CREATE TABLE random_mark (audit_id bigint);

CREATE FUNCTION random_remember() RETURNS void LANGUAGE sql
AS $$
	DELETE FROM random_past;
	DELETE FROM random_past_cut;
	DELETE FROM random_mark;
	INSERT INTO random_mark SELECT max(audit_id) FROM law.audit_log;
	INSERT INTO random_past_cut SELECT least(random_reached() + 1, random_today());
	INSERT INTO random_past
		SELECT rule_id, asset_id, range_agg(during) * datemultirange(daterange(NULL, (SELECT cut FROM random_past_cut)))
		FROM law.rule_effect GROUP BY 1, 2;
$$;

-- What a condition says of an asset under a term on a day, by a query of its own: true, false, unknown or failed.
CREATE FUNCTION random_says(term_id bigint, condition text, asset_id bigint, on_day date) RETURNS text LANGUAGE plpgsql
SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answer boolean;
BEGIN
	EXECUTE format($query$
		SELECT CASE WHEN %s THEN true WHEN NOT (%1$s) THEN false END FROM (
			SELECT a.*, $3 AS as_of, NULL::integer AS age_years, NULL::boolean AS inside_boundary, NULL::float8 AS distance_to_boundary_m,
				c.number AS contract_number, c.kind AS contract_kind, c.governing_country, s.code AS tier_code, s.rank AS tier_rank,
				c.boundary, public.geography(c.boundary) AS boundary_on_globe,
				(SELECT array_agg(kind ORDER BY event_id) FROM law.maintenance_event m WHERE m.asset_id = a.asset_id) AS maintenance_kinds,
				(SELECT array_agg(performed_on ORDER BY event_id) FROM law.maintenance_event m WHERE m.asset_id = a.asset_id) AS maintenance_days,
				(SELECT array_agg((opened_at AT TIME ZONE (SELECT time_zone FROM law.setting))::date) FROM law.service_request q
					WHERE q.asset_id = a.asset_id) AS request_days
			FROM law.asset a CROSS JOIN law.coverage_term t JOIN law.contract c USING (contract_id) LEFT JOIN law.service_tier s USING (tier_id)
			WHERE a.asset_id = $1 AND t.term_id = $2) AS f
		$query$, cec._condition_sql(condition)) INTO answer USING asset_id, term_id, on_day;
	RETURN coalesce(answer::text, 'unknown');
EXCEPTION WHEN data_exception THEN
	RETURN 'failed';
END;
$$;

-- Pairs of rule and asset that the rule concerns on a day, and what is recorded wrongly of them.
CREATE FUNCTION random_wrong(on_day date) RETURNS TABLE (rule_id bigint, asset_id bigint, depends_on_day boolean, says text, wrong text[])
LANGUAGE sql
AS $$
	WITH rule AS MATERIALIZED (
		SELECT r.*, c.depends_on_day FROM law.coverage_rule r CROSS JOIN LATERAL cec.check_condition(r.condition) c WHERE r.during @> on_day
	), concerned AS MATERIALIZED (
		SELECT r.rule_id, a.asset_id FROM rule r CROSS JOIN law.asset a
		WHERE r.effect = 'include'
			OR EXISTS (SELECT FROM law.inclusion i WHERE i.asset_id = a.asset_id AND i.term_id = r.term_id AND i.effect = 'include')
			OR EXISTS (SELECT FROM law.rule_effect e JOIN law.coverage_rule o USING (rule_id)
				WHERE e.asset_id = a.asset_id AND o.term_id = r.term_id AND o.effect = 'include'
					AND e.during && daterange(NULL, on_day, '[]')) -- a rule that acts from a later day on concerned nobody yet
	), judged AS MATERIALIZED (
		SELECT r.*, c.asset_id, CASE WHEN r.state = 'active' THEN random_says(r.term_id, r.condition, c.asset_id, on_day) ELSE 'unknown' END AS says
		FROM rule r JOIN concerned c USING (rule_id)
	), held AS (
		SELECT j.*, CASE
				WHEN j.says IN ('unknown', 'failed') THEN (j.on_unknown = 'allow') = (j.effect = 'include')
				WHEN j.effect = 'require' THEN j.says = 'false' ELSE j.says = 'true' END AS acts,
			EXISTS (SELECT FROM law.rule_effect e WHERE e.rule_id = j.rule_id AND e.asset_id = j.asset_id AND e.during @> on_day) AS is_recorded,
			ARRAY(SELECT f.kind FROM law.finding f WHERE f.rule_id = j.rule_id AND f.asset_id = j.asset_id AND f.closed_at IS NULL) AS found
		FROM judged j
	)
	SELECT h.rule_id, h.asset_id, h.depends_on_day, h.effect || ' ' || h.condition || ' ' || h.on_unknown || ' ' || h.state || ' says ' || h.says,
		array_remove(ARRAY[CASE WHEN h.acts <> h.is_recorded THEN 'acts: ' || h.is_recorded END,
			CASE WHEN h.state = 'active' AND h.found <> CASE WHEN h.says = 'failed' THEN '{rule_failed}'
				WHEN h.says = 'unknown' AND h.on_unknown = 'flag' THEN '{rule_unknown}' ELSE '{}' END::text[]
				THEN 'findings: ' || h.found::text END], NULL)
	FROM held h
$$;

-- refresh walks the days that passed: each of them is decided as its own day.
CREATE FUNCTION random_walk() RETURNS TABLE (law text, detail text) LANGUAGE plpgsql
AS $$
DECLARE
	first date := random_reached() + 1;
BEGIN
	PERFORM law.refresh();
	RETURN QUERY
		SELECT 'refresh decides every day', format('rule %s asset %s %s on %s: %s', j.rule_id, j.asset_id, j.says, d::date, array_to_string(j.wrong, ', '))
		FROM generate_series(first, cec.today('law') - 1, interval '1 day') AS d CROSS JOIN LATERAL random_wrong(d::date) j
		WHERE j.depends_on_day AND array_to_string(j.wrong, ',') LIKE 'acts%'
			AND j.says NOT LIKE '% suspended %'; -- by this very run: what was decided of the days between stays
END;
$$;
