-- Sealing and verifying a log of 200,000 rows, against hashing as many bytes by the server's sha256: once in one message a
-- row, and once in three, as a leaf and its share of the nodes take them. And what a seal of few rows and a proof take.

SET client_min_messages = warning;
CALL bench.empty_list();
CALL bench.empty('fleet.audit_block', 'fleet.audit_leaf', 'fleet.audit_node');
INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during) SELECT term_id + 20, asset_id, listed_as, during FROM bench.line_source;

-- As many bytes: salt and image; zero byte, header and content; the 65 of a node.
SELECT fleet.seal_audit() \g /dev/null
SELECT octet_length(fleet.audit_proof(max(audit_id)) ->> 'header') / 2 AS header FROM fleet.audit_log \gset
CREATE TABLE bench.message AS
SELECT salt || row_image AS content, '\x00'::bytea || decode(repeat('5a', :header + 32), 'hex') AS leaf, decode(repeat('5a', 65), 'hex') AS node FROM fleet.audit_log;
CREATE TABLE bench.long_message AS SELECT content || leaf || node AS message FROM bench.message;
VACUUM ANALYZE bench.message, bench.long_message, fleet.audit_log;

CREATE PROCEDURE bench.run_seal(nth integer)
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.measure('seal', 'hash as many bytes, one message a row', nth, 200000, 'SELECT count(sha256(message)) FROM bench.long_message');
	CALL bench.measure('seal', 'hash as many bytes, three messages a row', nth, 200000, 'SELECT count(sha256(content)) + count(sha256(leaf)) + count(sha256(node)) FROM bench.message');
	CALL bench.empty('fleet.audit_block', 'fleet.audit_leaf', 'fleet.audit_node');
	CALL bench.measure('seal', 'seal', nth, 200000, 'SELECT fleet.seal_audit()');
	CALL bench.measure('seal', 'verify', nth, 200000, 'SELECT count(*) FROM fleet.verify_audit()');
END;
$$;

CALL bench.run_seal(1);
CALL bench.run_seal(2);
CALL bench.run_seal(3);
CALL bench.run_seal(4);
CALL bench.run_seal(5);

INSERT INTO bench.goal VALUES
	('seal', 'seal', 'hash as many bytes, one message a row', 3), ('seal', 'verify', 'hash as many bytes, one message a row', 3),
	('seal', 'hash as many bytes, three messages a row', 'hash as many bytes, one message a row', NULL);
\echo 'Sealing and verifying 200,000 rows of the log'
SELECT * FROM bench.report('seal');

-- One change and its seal, over and over; then proofs of rows from all over the log.
CREATE PROCEDURE bench.change_and_seal(variant text, seals boolean)
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
BEGIN
	FOR i IN 1 .. 500 LOOP
		UPDATE fleet.asset SET model = variant WHERE asset_id = i;
		COMMIT;
		IF seals THEN
			PERFORM fleet.seal_audit();
			COMMIT;
		END IF;
	END LOOP;
	INSERT INTO bench.sample VALUES ('small seal', variant, 1, 500, extract(epoch FROM clock_timestamp() - begun) * 1e6);
	COMMIT;
END;
$$;
CALL bench.change_and_seal('a change', false);
CALL bench.change_and_seal('a change and its seal', true);
CALL bench.measure('small seal', 'a proof', 1, 500, 'SELECT count(fleet.audit_proof(audit_id)) FROM (SELECT audit_id FROM fleet.audit_log WHERE audit_id % 400 = 0 LIMIT 500) AS l');
INSERT INTO bench.goal VALUES ('small seal', 'a change and its seal', 'a change', NULL);
\echo 'Sealing after each change, and proofs'
SELECT * FROM bench.report('small seal');
\echo 'What a row of the log takes on disk, and what is kept of the tree for it, in bytes'
SELECT round(pg_total_relation_size('fleet.audit_log')::numeric / count(*), 1) AS log,
	round((pg_total_relation_size('fleet.audit_leaf') + pg_total_relation_size('fleet.audit_node'))::numeric / count(*), 1) AS tree FROM fleet.audit_log;
