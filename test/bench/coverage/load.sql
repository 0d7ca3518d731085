-- Mixed load: what its sessions draw from, and who notes how long the gate kept them waiting.

SET client_min_messages = warning;
CREATE SEQUENCE bench.next_asset START 700001;
CREATE TABLE bench.gate_wait (us numeric);

-- For so many seconds, every 10 ms or so, takes the gate as a data statement does.
CREATE PROCEDURE bench.sample_gate(seconds numeric)
LANGUAGE plpgsql AS $$
DECLARE
	until timestamptz := clock_timestamp() + make_interval(secs => seconds);
	begun timestamptz;
	waited numeric;
BEGIN
	WHILE clock_timestamp() < until LOOP
		begun := clock_timestamp();
		LOCK TABLE fleet.gate IN ROW EXCLUSIVE MODE;
		waited := extract(epoch FROM clock_timestamp() - begun) * 1e6;
		COMMIT;
		INSERT INTO bench.gate_wait VALUES (waited);
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
END;
$$;
