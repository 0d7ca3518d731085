-- Each row of the log has a salt of its own, whatever became of the statements in between (src/audit/audit_salt.c).
SET client_min_messages = error;
SELECT cec.create_portfolio('fleet') \g /dev/null
SET search_path = fleet, public, pg_temp;
INSERT INTO customer (name) SELECT 'all at once ' || g FROM generate_series(1, 700) g;
DO $$
BEGIN
	FOR i IN 1 .. 700 LOOP
		BEGIN
			INSERT INTO customer (name) VALUES ('one by one ' || i);
			IF i % 3 = 0 THEN
				RAISE SQLSTATE 'ZZ001';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
		END;
	END LOOP;
END;
$$;
BEGIN;
INSERT INTO customer (name) SELECT 'taken back ' || g FROM generate_series(1, 100) g;
ROLLBACK;
\c
SET search_path = fleet, public, pg_temp;
INSERT INTO customer (name) SELECT 'of another session ' || g FROM generate_series(1, 300) g;
SELECT plan(4);
SELECT is((SELECT count(*) FROM audit_log WHERE table_name = 'customer'), 700 + 467 + 300::bigint, 'the rows');
SELECT is((SELECT count(DISTINCT salt) FROM audit_log), (SELECT count(*) FROM audit_log), 'no two have the same salt');
SELECT is((SELECT count(*) FROM audit_log WHERE length(salt) <> 16), 0::bigint, 'of 16 bytes');
-- Four bytes that are zero come by chance once in four thousand million: nothing that was wiped is handed out.
SELECT is((SELECT count(*) FROM audit_log WHERE encode(salt, 'hex') ~ '^0{8}|0{8}$'), 0::bigint, 'all of them drawn');
