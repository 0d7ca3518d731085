-- Questions: who covers this one, who is on this contract's list, how many are covered today.

SET client_min_messages = warning;
CREATE TABLE bench.key AS
SELECT asset_id, serial_number, row_number() OVER (ORDER BY random()) AS place
FROM fleet.asset WHERE asset_id IN (SELECT 1 + floor(random() * 1000000)::bigint FROM generate_series(1, 12000)) LIMIT 10000;

-- The report as a table of its own: as many rows by index, without any join.
CREATE TABLE bench.plain_list AS SELECT * FROM fleet.coverage_by_contract ORDER BY coverage_id;
CREATE INDEX ON bench.plain_list (contract_id);
VACUUM ANALYZE bench.plain_list;

CREATE PROCEDURE bench.run_questions(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT asset_id FROM bench.key ORDER BY place);
	serials text[] := ARRAY(SELECT serial_number FROM bench.key ORDER BY place);
	repetitions integer := cardinality(ids);
	begun timestamptz;
	listed bigint[] := ARRAY(SELECT asset_id FROM fleet.inclusion WHERE term_id = 1);
	id bigint;
	serial text;
	found_id bigint;
	n bigint;
BEGIN
	begun := clock_timestamp();
	FOREACH id IN ARRAY ids LOOP
		SELECT customer_id INTO found_id FROM fleet.asset WHERE asset_id = id;
	END LOOP;
	CALL bench.note('covered(serial)', 'primary-key read', nth, repetitions, begun);
	begun := clock_timestamp();
	FOREACH serial IN ARRAY serials LOOP
		SELECT term_id INTO found_id FROM fleet.covered(serial);
	END LOOP;
	CALL bench.note('covered(serial)', 'covered', nth, repetitions, begun);
	begun := clock_timestamp();
	FOREACH id IN ARRAY ids LOOP
		EXECUTE 'SELECT customer_id FROM fleet.asset WHERE asset_id = $1' INTO found_id USING id;
	END LOOP;
	CALL bench.note('covered(serial), EXECUTE', 'primary-key read', nth, repetitions, begun);
	begun := clock_timestamp();
	FOREACH serial IN ARRAY serials LOOP
		EXECUTE 'SELECT term_id FROM fleet.covered($1)' INTO found_id USING serial;
	END LOOP;
	CALL bench.note('covered(serial), EXECUTE', 'covered', nth, repetitions, begun);

	FOR i IN 1 .. 3 LOOP
		begun := clock_timestamp();
		PERFORM * FROM bench.plain_list WHERE contract_id = 1;
		CALL bench.note('list of 10,000', 'the report as a table', nth * 10 + i, 1, begun);
		begun := clock_timestamp();
		PERFORM * FROM fleet.asset WHERE asset_id = ANY (listed);
		CALL bench.note('list of 10,000', 'the same assets by primary key', nth * 10 + i, 1, begun);
		begun := clock_timestamp();
		PERFORM * FROM fleet.asset WHERE customer_id = 1;
		CALL bench.note('list of 10,000', 'assets of a customer of 10,000', nth * 10 + i, 1, begun);
		begun := clock_timestamp();
		PERFORM * FROM fleet.coverage_by_contract WHERE contract_id = 1;
		CALL bench.note('list of 10,000', 'coverage_by_contract', nth * 10 + i, 1, begun);
	END LOOP;

	begun := clock_timestamp();
	SELECT count(*) INTO n FROM fleet.coverage;
	CALL bench.note('count of all', 'coverage', nth, 1, begun);
	begun := clock_timestamp();
	SELECT count(*) INTO n FROM fleet.coverage_now;
	CALL bench.note('count of all', 'coverage_now', nth, 1, begun);
END;
$$;

-- The first run only warms up.
CALL bench.run_questions(0);
DELETE FROM bench.sample;
CALL bench.run_questions(1);
CALL bench.run_questions(2);
CALL bench.run_questions(3);
CALL bench.run_questions(4);
CALL bench.run_questions(5);
CALL bench.run_questions(6);
CALL bench.run_questions(7);

INSERT INTO bench.goal (subject, variant, reference, at_most) VALUES
	('covered(serial)', 'covered', 'primary-key read', 3),
	('covered(serial), EXECUTE', 'covered', 'primary-key read', NULL),
	('list of 10,000', 'coverage_by_contract', 'assets of a customer of 10,000', 2),
	('list of 10,000', 'coverage_by_contract', 'the same assets by primary key', NULL),
	('list of 10,000', 'coverage_by_contract', 'the report as a table', NULL),
	('count of all', 'coverage_now', 'coverage', 5);
DROP TABLE bench.plain_list;
