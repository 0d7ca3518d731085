-- Replay: tables checked against the log (verify_replay), against decoding the log's images to jsonb, which is what replaying
-- them in SQL begins with. 200,000 assets, each inserted and changed, a quarter deleted: 450,000 entries, 150,000 rows.

SET client_min_messages = warning;
SELECT cec.create_portfolio('ledger') \g /dev/null
INSERT INTO ledger.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
INSERT INTO ledger.asset (asset_id, asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region,
	location, commissioned_on, attributes)
SELECT place, asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region, location, commissioned_on, attributes
FROM bench.asset_source;
UPDATE ledger.asset SET usage_type = 'standby';
DELETE FROM ledger.asset WHERE asset_id % 4 = 0;
VACUUM ANALYZE ledger.asset, ledger.audit_log;

CREATE PROCEDURE bench.run_replay(run integer)
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.measure('replay', 'decoded', run, 600000, 'SELECT count(coalesce(old_row, new_row)) FROM ledger.audit_entry');
	CALL bench.measure('replay', 'verify_replay', run, 600000, 'SELECT * FROM ledger.verify_replay()');
END;
$$;

CALL bench.run_replay(1);
CALL bench.run_replay(2);
CALL bench.run_replay(3);
CALL bench.run_replay(4);
CALL bench.run_replay(5);

INSERT INTO bench.goal VALUES ('replay', 'verify_replay', 'decoded', 0.5);
\echo 'Replay of 450,000 entries against 150,000 rows'
SELECT * FROM bench.report('replay');
