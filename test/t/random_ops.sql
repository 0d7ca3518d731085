-- Random changes of every kind on a small portfolio, where everything touches everything.
--
-- random_world() makes the portfolio "law"; random_ops() runs operations until so many succeeded, each transaction with
-- one to four of them, committed or rolled back, with savepoints. Business errors are part of the game; serialization
-- failures and deadlocks are retried as a whole.

SET check_function_bodies = off;

CREATE TABLE random_result (batch integer, session integer, operations integer, refused integer, retried integer);

CREATE FUNCTION random_pick(choices text[]) RETURNS text LANGUAGE sql
AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

CREATE FUNCTION random_id(most integer) RETURNS bigint LANGUAGE sql
AS $$ SELECT 1 + floor(random() * most)::bigint $$;

CREATE FUNCTION random_day() RETURNS date LANGUAGE sql
AS $$ SELECT date '2026-01-01' + floor(random() * 60)::int * 7 $$;

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

CREATE FUNCTION random_world() RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM cec.create_portfolio('law');
	UPDATE law.setting SET duplicates_allowed = true;
	INSERT INTO law.customer (name) VALUES ('Acme');
	INSERT INTO law.contract (number, customer_id, status, during, kind)
		SELECT 'C-' || g, 1, 'active', daterange('2026-01-01', '2027-01-01'), random_pick('{service,warranty,lease}')
		FROM generate_series(1, 6) g;
	INSERT INTO law.coverage_term (contract_id, number, during, covers_bundles)
		SELECT 1 + g, g::text, daterange('2026-01-01', '2027-01-01'), g % 4 <> 3 FROM generate_series(0, 5) g;
	INSERT INTO law.asset (asset_tag, serial_number) SELECT 'T-' || g, 'S-' || g FROM generate_series(1, 16) g;
	INSERT INTO law.bundle (name, primary_asset_id) SELECT 'B-' || g, g FROM generate_series(1, 8) g;
END;
$$;

-- One random operation. Returns its kind.
CREATE FUNCTION random_op() RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
	-- Definitions go through the gate alone: were they as frequent as data, hardly two sessions would ever meet.
	kind text := CASE WHEN random() < 0.9 THEN
		random_pick('{list,list,list,list_many,list_tag,list_tag,relist,relist,move_line,unlist,unlist_many,retire,revive,
			pause,plan,retire_many,bundle,include,exclude,remove,asset,asset_gone,merge,upsert,savepoint}')
	ELSE
		random_pick('{status,contract_days,suspend,term_days,bundles,member,member,member,member_many,member_many,
			member_days,member_gone,bundle_gone,primary,price}')
	END;
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
		UPDATE law.asset SET status = 'retired', decommissioned_on = date '2026-12-01', commissioned_on = NULL
			WHERE asset_id % 7 = random_id(7) - 1;
	WHEN 'status' THEN
		UPDATE law.contract SET status = random_pick('{active,active,active,draft,void,terminated}') WHERE contract_id = random_id(6);
	WHEN 'contract_days' THEN
		UPDATE law.contract SET during = CASE WHEN random() < 0.5 THEN random_days() ELSE daterange('2026-01-01', '2027-01-01') END
			WHERE contract_id = random_id(6);
	WHEN 'suspend' THEN
		UPDATE law.contract SET suspensions = CASE WHEN random() < 0.5 THEN '{}' ELSE datemultirange(random_days()) END
			WHERE contract_id = random_id(6);
	WHEN 'term_days' THEN
		UPDATE law.coverage_term SET during = CASE WHEN random() < 0.5 THEN random_days() ELSE daterange('2026-01-01', '2027-01-01') END
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
		DELETE FROM law.asset WHERE asset_id = (SELECT max(asset_id) FROM law.asset);
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
	WHEN 'savepoint' THEN
		BEGIN
			PERFORM random_op();
			PERFORM random_op();
			RAISE EXCEPTION 'back to the savepoint';
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END CASE;
	RETURN kind;
END;
$$;

-- Transactions of a session, at its default isolation level, until so many operations of the batch are committed. A
-- failure at COMMIT ends the call; it is called again, and goes on.
CREATE PROCEDURE random_ops(batch integer, session integer, wanted integer) LANGUAGE plpgsql
AS $$
DECLARE
	done integer := 0;
	in_transaction integer;
	in_refused integer;
	is_lost boolean;
BEGIN
	LOOP
		SELECT coalesce(sum(operations), 0) INTO done FROM random_result r
			WHERE r.batch = random_ops.batch AND r.session = random_ops.session;
		EXIT WHEN done >= wanted;
		in_transaction := 0;
		in_refused := 0;
		is_lost := false;
		BEGIN
			FOR i IN 1 .. random_id(4) LOOP
				BEGIN
					PERFORM random_op();
					in_transaction := in_transaction + 1;
					PERFORM pg_sleep(random() * 0.004);
				EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
					in_refused := in_refused + 1;
				END;
			END LOOP;
		EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
			is_lost := true;
		END;
		IF is_lost OR random() < 0.1 THEN
			ROLLBACK;
			INSERT INTO random_result VALUES (batch, session, 0, 0, is_lost::int);
		ELSE
			INSERT INTO random_result VALUES (batch, session, in_transaction, in_refused, 0);
		END IF;
		COMMIT;
	END LOOP;
END;
$$;

-- Laws that hold between transactions: one row for each breach.
CREATE FUNCTION random_breaches() RETURNS TABLE (law text, detail text) LANGUAGE sql
AS $$
	SELECT 'stored = defined', v::text FROM law.verify_coverage() v
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
	UNION ALL
	SELECT 'no belief before the one it replaced', format('asset %s term %s', a.asset_id, a.term_id)
	FROM law.coverage a JOIN law.coverage_history b ON a.asset_id = b.asset_id AND a.term_id = b.term_id
		AND a.during && b.during AND upper(b.recorded) > a.recorded_at
$$;
