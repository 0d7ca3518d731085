-- The log's tree: the examples of src/seal/README.md, seals, proofs, erasure, and what verify_audit says of each kind of
-- tampering, made by a superuser past all triggers.
SET client_min_messages = warning;
SELECT no_plan();
\ir include/merkle.sql
\ir include/rows_eq.sql
SELECT cec.create_portfolio('fleet') \g /dev/null

-- A row as src/seal/README.md has it, of another cluster: the first block closes what a dump carried along.
INSERT INTO fleet.audit_log (audit_id, xid, system_id, at, actor, session_user_name, client_addr, reason, table_name, operation, row_id, salt, row_image)
VALUES (42, '1000', 7000000000000000001, '2026-01-31 12:00:00+00', 'maria@example.org', 'maria', '192.0.2.7', 'order 3310', 'service_tier', 'INSERT', 7,
	'\x000102030405060708090a0b0c0d0e0f', '\x015d3bfcc5a446f007a4870951f4bb04b609000000000000000705676f6c64094772c3b6c39f7465050000000200');
SELECT setval(pg_get_serial_sequence('fleet.audit_log', 'audit_id'), 42) \g /dev/null
SELECT is(fleet.audit_digest(), NULL, 'no digest before the first seal');
SELECT throws_ok('SELECT fleet.audit_proof(42)', '55000', NULL, 'and no proof');
SELECT is(fleet.seal_audit(), 1::bigint, 'the first block');
SELECT is(fleet.seal_audit(), NULL, 'nothing more to seal');
SELECT results_eq($$SELECT p ->> 'header', p ->> 'content', p ->> 'leaf' FROM fleet.audit_proof(42) AS p$$, $$VALUES (
	'01000000000000002a00000000000003e86124fee993bc00010002ecac99115000126d61726961406578616d706c652e6f7267066d61726961000a3139322e302e322e370b6f7264657220333331300d736572766963655f7469657207494e5345525409000000000000000700000000',
	'1302915e5af3c4a6800dd0884ee35afcf514de4218e9a85738f4c8cb60387fe2', '09847d131f7e102e62afd57bd4a793c86ec3e598effaf9e934a3adca03952723')$$, 'header, content and leaf of the example');
SELECT is(encode(merkle.root_hash(ARRAY['\x09847d131f7e102e62afd57bd4a793c86ec3e598effaf9e934a3adca03952723'::bytea, sha256('\x0000000000')]), 'hex'),
	'a791de825600ab757840920a3b90ef5b943ae37cf698aa6f468a48aefaa298e4', 'node of the example');
SELECT is((SELECT audit_ids FROM fleet.audit_leaf WHERE first_leaf = 0), (SELECT array_agg(audit_id ORDER BY system_id, xid, audit_id) FROM fleet.audit_log), 'the closing block goes by cluster, transaction and number');
SELECT fleet.audit_digest() AS first \gset

-- Three more blocks, the second of them of 600 rows.
INSERT INTO fleet.customer (name, external_ref) SELECT 'Customer ' || i, 'C' || i FROM generate_series(1, 50) AS i;
INSERT INTO fleet.customer (name) VALUES ('Blank');
SELECT is(fleet.seal_audit(), 2::bigint, 'a second block');
INSERT INTO fleet.asset (asset_tag) SELECT 'EQ-' || i FROM generate_series(1, 600) AS i;
SELECT is(fleet.seal_audit(), 3::bigint, 'a third');
SELECT fleet.audit_digest() AS third \gset
UPDATE fleet.customer SET name = upper(name) WHERE customer_id <= 20;
DELETE FROM fleet.customer WHERE customer_id = 51;
SELECT is(fleet.seal_audit(), 4::bigint, 'a fourth');
SELECT fleet.audit_digest() AS last \gset

SELECT is_empty('SELECT * FROM fleet.verify_audit()', 'nothing to tell');
SELECT is_empty(format('SELECT * FROM fleet.verify_audit(ARRAY[%L, %L, %L])', :'last', :'first', :'third'), 'nor with digests, in any order');
CREATE FUNCTION pg_temp.leaves(block bigint) RETURNS bytea[] LANGUAGE sql AS
$$ SELECT array_agg(substring(l.leaf_hashes FROM 1 + 32 * (n - 1)::integer FOR 32) ORDER BY l.first_leaf, n) FROM fleet.audit_leaf l, generate_series(1, cardinality(l.audit_ids)) AS n WHERE l.block_no <= block $$;
SELECT is_empty($$SELECT block_no FROM fleet.audit_block WHERE root <> merkle.root_hash(pg_temp.leaves(block_no)) OR tree_size <> cardinality(pg_temp.leaves(block_no))
	OR octet_length(frontier) <> 32 * length(replace(tree_size::bit(64)::text, '0', ''))$$, 'blocks have root, size and frontier of the leaves up to theirs');
SELECT is_empty($$SELECT level, position FROM fleet.audit_node WHERE level <> 8 OR hash <> merkle.root_hash((pg_temp.leaves(4))[position * 256 + 1:position * 256 + 256])$$, 'subtrees that are kept');
SELECT is((SELECT count(*) FROM fleet.audit_node), (SELECT max(tree_size) / 256 FROM fleet.audit_block), 'all of them');
SELECT is((SELECT sum(row_count) FROM fleet.audit_block), (SELECT count(*)::numeric FROM fleet.audit_log), 'all rows are sealed');

-- When it may not be sealed.
SELECT throws_ok($$DO 'BEGIN INSERT INTO fleet.customer (name) VALUES (''x''); PERFORM fleet.seal_audit(); END'$$, '25001', NULL, 'not by a transaction that has written');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT throws_ok('SELECT fleet.seal_audit()', '25001', NULL, 'not above READ COMMITTED');
SELECT throws_ok('SELECT * FROM fleet.verify_audit()', '25001', NULL, 'nor verified');
ROLLBACK;
INSERT INTO fleet.customer (name) VALUES ('Once');
BEGIN;
SELECT is(fleet.seal_audit(), 5::bigint, 'sealed');
SELECT throws_ok('SELECT fleet.seal_audit()', '25001', NULL, 'not twice in a transaction');
INSERT INTO fleet.customer (name) VALUES ('After');
COMMIT;
SELECT is((SELECT row_count FROM fleet.audit_block WHERE block_no = 5), 1::bigint, 'what the transaction wrote afterwards is not in its block');
SELECT is(fleet.seal_audit(), 6::bigint, 'but in the next');
ALTER TABLE fleet.audit_log ALTER COLUMN audit_id SET CACHE 10;
SELECT throws_ok('SELECT fleet.seal_audit()', '55000', NULL, 'not when numbers are handed out in advance');
ALTER TABLE fleet.audit_log ALTER COLUMN audit_id SET CACHE 1;
SELECT is(fleet.seal_audit(), NULL, 'but again when they are not');

-- Proofs.
SELECT is((SELECT count(*) FROM fleet.audit_log WHERE cec.verify_audit_proof(fleet.audit_proof(audit_id))), (SELECT count(*) FROM fleet.audit_log), 'every row has a proof that holds');
CREATE TEMP TABLE proof AS SELECT p, fleet.audit_consistency(:'third') AS c FROM fleet.audit_proof(300) AS p;
SELECT ok(bool_and(cec.verify_audit_consistency(fleet.audit_consistency(d))), 'the log goes on from each digest') FROM unnest(ARRAY[:'first', :'third', :'last']) AS d;
CREATE FUNCTION pg_temp.bent(proof jsonb, key text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(proof, ARRAY[key], CASE jsonb_typeof(proof -> key) WHEN 'number' THEN to_jsonb((proof ->> key)::bigint + 1) WHEN 'array' THEN (proof -> key) - 0
		ELSE to_jsonb(CASE key WHEN 'digest' THEN regexp_replace(proof ->> key, ' (\d)(\d+) (\w{64}) ', ' \2 \3 ') ELSE overlay(proof ->> key PLACING translate(substr(proof ->> key, 40, 1), '0123456789abcdef', '1032547698badcfe') FROM 40) END) END) $$;
SELECT is_empty($$SELECT key FROM proof, jsonb_object_keys(p) AS key WHERE cec.verify_audit_proof(pg_temp.bent(p, key)) OR cec.verify_audit_proof(p - key) OR cec.verify_audit_proof(jsonb_set(p, ARRAY[key], 'null')) OR NOT cec.verify_audit_proof(p)$$, 'a proof of which anything is changed or gone is none');
SELECT is_empty($$SELECT key FROM proof, jsonb_object_keys(c) AS key WHERE cec.verify_audit_consistency(pg_temp.bent(c, key)) OR cec.verify_audit_consistency(c - key) OR cec.verify_audit_consistency(jsonb_set(c, ARRAY[key], '[]')) OR NOT cec.verify_audit_consistency(c)$$, 'of consistency neither');
SELECT is_empty($$SELECT j FROM proof, (VALUES ('{}'), ('[]'), ('1'), ('null'), ('"x"'), ('{"path": {}}')) AS v(j) WHERE cec.verify_audit_proof(j::jsonb) OR cec.verify_audit_consistency(j::jsonb)$$, 'nor what is no proof at all');
SELECT ok(NOT cec.verify_audit_proof(jsonb_set(p, '{tree_size}', '400')) AND NOT cec.verify_audit_proof(jsonb_set(p, '{audit_id}', '301')), 'the digest binds the size, the header the row') FROM proof;
SELECT ok(NOT cec.verify_audit_consistency(fleet.audit_consistency(regexp_replace(:'third', '\w{64}', repeat('5', 64)))), 'from a digest with another root the log does not go on');
SELECT throws_ok('SELECT fleet.audit_proof(999999)', '23503', NULL, 'no proof of a row that is not there');
SELECT throws_ok(format('SELECT fleet.audit_consistency(%L)', regexp_replace(:'last', ' (\d+) (\w{64})', ' 9\1 \2')), '22023', NULL, 'nor from a longer log');
CREATE FUNCTION pg_temp.code_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE TEMP TABLE line AS SELECT :'last' AS d;
SELECT results_eq($$SELECT pg_temp.code_of(format('SELECT * FROM fleet.verify_audit(ARRAY[%L])', d)) FROM line$$, ARRAY['accepted'], 'a digest is read');
SELECT is_empty($$SELECT wrong FROM line, LATERAL (VALUES (''), ('x'), (d || ' '), (' ' || d), (replace(d, ' ', '  ')), (replace(d, 'digest-1', 'digest-2')), (upper(d)), (replace(d, 'Z', '')), (replace(d, 'Z', '+00')),
		(regexp_replace(d, ' (\w{64})', ' \1' || '0')), (regexp_replace(d, ' \w(\w{63}) ', ' \1 ')), (regexp_replace(d, '-\d\dT', '-32T')), (E'\n' || d), (d || E'\n'), (replace(d, ' 4 ', ' +4 ')), (replace(d, ' 4 ', ' -4 ')),
		(replace(d, ' 4 ', ' 99999999999999999999 ')), (replace(d, ' 4 ', ' 4x ')), (replace(d, ' fleet', ' ')), (replace(d, ' fleet', ''))) AS v(wrong)
	WHERE wrong = d OR pg_temp.code_of(format('SELECT * FROM fleet.verify_audit(ARRAY[%L])', wrong)) <> '22P02'$$, 'but nothing that is not exactly one');
SELECT throws_ok('SELECT * FROM fleet.verify_audit(ARRAY[NULL])', '22004', NULL, 'nor NULL');

-- Tampering. Each is made, looked at and undone; what verify_audit says of triggers is left to the end.
CREATE FUNCTION pg_temp.told(tampering text, VARIADIC digests text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		ALTER TABLE fleet.audit_log DISABLE TRIGGER ALL;
		ALTER TABLE fleet.audit_block DISABLE TRIGGER ALL;
		ALTER TABLE fleet.audit_leaf DISABLE TRIGGER ALL;
		ALTER TABLE fleet.audit_node DISABLE TRIGGER ALL;
		ALTER TABLE fleet.audit_schema DISABLE TRIGGER ALL;
		ALTER TABLE fleet.audit_erasure DISABLE TRIGGER ALL;
		EXECUTE tampering;
		SELECT coalesce(string_agg(concat_ws(' ', v.kind, v.table_name, 'row ' || v.audit_id, 'block ' || v.block_no), ', ' ORDER BY v.audit_id, v.block_no, v.kind), 'nothing') INTO result
		FROM fleet.verify_audit(digests) AS v WHERE v.kind <> 'TRIGGER_DISABLED';
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		RETURN result;
	END;
END $$;
SELECT is(pg_temp.told('SELECT 1', :'first', :'third', :'last'), 'nothing', 'nothing was done');

SELECT is(pg_temp.told(format('UPDATE fleet.audit_log SET %I = %s WHERE audit_id = 200', c, v)), 'EDITED audit_log row 200 block 3', 'a row: ' || c)
FROM (VALUES ('xid', '''5'''), ('xid', '''18446744073709551615'''), ('system_id', 'system_id + 1'), ('at', 'at + interval ''1 microsecond'''), ('actor', '''nobody'''), ('session_user_name', 'upper(session_user_name)'),
	('application_name', 'NULL'), ('client_addr', '''10.0.0.1'''), ('reason', ''''''), ('table_name', '''contract'''), ('operation', '''DELETE'''), ('row_id', 'row_id + 1'), ('asset_id', 'NULL'), ('term_id', '1'), ('contract_id', '1'),
	('salt', 'set_byte(salt, 3, 255 - get_byte(salt, 3))'), ('salt', 'substr(salt, 2)'), ('salt', 'NULL'), ('row_image', 'NULL'), ('row_image', 'row_image || ''\x00''')) AS v(c, v);
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET salt = salt || substr(row_image, 1, 1), row_image = substr(row_image, 2) WHERE audit_id = 200$$), 'EDITED audit_log row 200 block 3', 'a byte moved from image to salt');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = 200$$), 'EDITED audit_log row 200 block 3', 'erased past the engine');
SELECT is(pg_temp.told($$INSERT INTO fleet.audit_erasure SELECT audit_id, sha256(salt || row_image), now(), 'x', 'x', 'x' FROM fleet.audit_log WHERE audit_id = 200; UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = 200$$),
	'EDITED audit_log row 200 block 3', 'also with an erasure that was never recorded');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET actor = 'x' WHERE audit_id IN (60, 300, 640)$$), 'EDITED audit_log row 60 block 2, EDITED audit_log row 300 block 3, EDITED audit_log row 640 block 3', 'several rows are told one by one');
SELECT is(pg_temp.told($$DELETE FROM fleet.audit_log WHERE audit_id IN (60, 300, 301)$$), 'MISSING audit_log row 60 block 2, MISSING audit_log row 300 block 3, MISSING audit_log row 301 block 3', 'rows deleted');
SELECT max(audit_id) AS latest FROM fleet.audit_log \gset
SELECT is(pg_temp.told('DELETE FROM fleet.audit_log WHERE audit_id = ' || :latest), 'MISSING audit_log row ' || :latest || ' block 6', 'the last one deleted');
\set copy 'INSERT INTO fleet.audit_log SELECT 5000, xid, system_id, at, actor, session_user_name, application_name, client_addr, reason, table_name, operation, row_id, asset_id, term_id, contract_id, salt, row_image FROM fleet.audit_log WHERE audit_id = 200'
SELECT is(pg_temp.told(:'copy'), 'EXTRA audit_log row 5000 block 3', 'a row forged into a sealed transaction');
SELECT is(pg_temp.told(:'copy' || $$; UPDATE fleet.audit_log SET actor = 'x' WHERE audit_id = 60; DELETE FROM fleet.audit_log WHERE audit_id = 300$$), 'EDITED audit_log row 60 block 2, MISSING audit_log row 300 block 3, EXTRA audit_log row 5000 block 3', 'all of it together');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET audit_id = 5000 WHERE audit_id = 60; UPDATE fleet.audit_log SET audit_id = 60 WHERE audit_id = 300; UPDATE fleet.audit_log SET audit_id = 300 WHERE audit_id = 5000$$),
	'REORDERED audit_log row 60 block 2, REORDERED audit_log row 300 block 3', 'two rows exchanged');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET audit_id = 5000 WHERE audit_id = 60$$), 'REORDERED audit_log row 60 block 2', 'a row put at the end');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log l SET xid = o.xid FROM fleet.audit_log o WHERE l.audit_id IN (60, 300) AND o.audit_id = 360 - l.audit_id$$), 'REORDERED audit_log row 60 block 2, REORDERED audit_log row 300 block 3', 'two rows with each other''s transaction');
SELECT is(pg_temp.told($$DELETE FROM fleet.audit_log WHERE audit_id = 60; UPDATE fleet.audit_log SET audit_id = 60 WHERE audit_id = 300$$), 'MISSING audit_log row 60 block 2, REORDERED audit_log row 300 block 3', 'a row in the place of a deleted one');

SELECT is(pg_temp.told(format('UPDATE fleet.audit_block SET %I = %s WHERE block_no = 3', c, v)), 'EDITED audit_block block 3', 'a block: ' || c || ' = ' || v)
FROM (VALUES ('root', 'sha256(root)'), ('root', '''\x00'''), ('frontier', 'substr(frontier, 33)'), ('frontier', 'set_byte(frontier, 0, 255 - get_byte(frontier, 0))'), ('row_count', 'row_count - 1')) AS v(c, v);
SELECT is(pg_temp.told('UPDATE fleet.audit_block SET tree_size = tree_size - 1 WHERE block_no = 3'), 'EDITED audit_block block 3', 'a block: tree_size');
SELECT is(pg_temp.told('UPDATE fleet.audit_block b SET snapshot = o.snapshot FROM fleet.audit_block o WHERE b.block_no = 3 AND o.block_no = 2'), 'EDITED audit_block block 3', 'a block: an older snapshot');
SELECT is(pg_temp.told('UPDATE fleet.audit_block b SET snapshot = o.snapshot FROM fleet.audit_block o WHERE b.block_no = 3 AND o.block_no = 4'), 'EDITED audit_block block 3', 'a block: a later snapshot');
SELECT is(pg_temp.told('UPDATE fleet.audit_block SET sealed_at = sealed_at - interval ''1 day'' WHERE block_no = 3', :'third'), 'EDITED audit_block block 3', 'a block: the time, by its digest');
SELECT is(pg_temp.told('UPDATE fleet.audit_block SET system_id = system_id + 1 WHERE block_no = 3', :'third'), 'EDITED audit_block block 3', 'and the cluster');
SELECT is(pg_temp.told('UPDATE fleet.audit_block SET sealed_at = sealed_at - interval ''1 day'' WHERE block_no = 3'), 'nothing', 'which without a digest nobody can tell');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_block WHERE block_no = 3'), 'MISSING audit_block block 3', 'a block deleted');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_block WHERE block_no = 6'), 'MISSING audit_block block 6', 'the last one deleted');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_block WHERE block_no = 3; DELETE FROM fleet.audit_log WHERE audit_id = 300'), 'MISSING audit_log row 300 block 3, MISSING audit_block block 3', 'a block and a row of it deleted');

SELECT is(pg_temp.told('UPDATE fleet.audit_leaf SET leaf_hashes = set_byte(leaf_hashes, 40, 255 - get_byte(leaf_hashes, 40)) WHERE first_leaf = 256'), 'EDITED audit_leaf block 3', 'a leaf that is kept');
SELECT is(pg_temp.told('UPDATE fleet.audit_leaf SET audit_ids[1] = 7777 WHERE first_leaf = 256'), 'EDITED audit_leaf block 3', 'the number of a leaf that is kept');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_leaf WHERE first_leaf = 256'), 'EDITED audit_leaf block 3', 'leaves deleted');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_leaf WHERE block_no = 4'), 'MISSING audit_leaf block 4', 'all leaves of a block deleted');
SELECT is(pg_temp.told('UPDATE fleet.audit_leaf SET block_no = 4 WHERE first_leaf = 256'), 'EDITED audit_leaf block 3', 'leaves put into another block');
SELECT is(pg_temp.told('UPDATE fleet.audit_leaf SET first_leaf = first_leaf + 1 WHERE first_leaf = 256'), 'EDITED audit_leaf block 3', 'or in another place');
SELECT is(pg_temp.told($$INSERT INTO fleet.audit_leaf VALUES (100000, 3, '{1}', sha256(''))$$), 'EXTRA audit_leaf row 1 block 3', 'leaves added');
SELECT is(pg_temp.told('UPDATE fleet.audit_node SET hash = sha256(hash) WHERE position = 1'), 'EDITED audit_node block 3', 'a subtree that is kept');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_node WHERE position = 1'), 'MISSING audit_node block 3', 'deleted');
SELECT is(pg_temp.told('INSERT INTO fleet.audit_node VALUES (8, 2000, sha256(''''))'), 'EXTRA audit_node', 'added');

-- A row and its leaf both gone: the root gives it away, and what comes after is not taken for damaged.
SELECT matches(pg_temp.told($$DELETE FROM fleet.audit_log WHERE audit_id = 300;
	UPDATE fleet.audit_leaf SET leaf_hashes = overlay(leaf_hashes PLACING '' FROM 32 * (array_position(audit_ids, 300) - 1) + 1 FOR 32), audit_ids = array_remove(audit_ids, 300) WHERE 300 = ANY (audit_ids)$$),
	'^EDITED audit_\w+ block 3$', 'a row and its leaf deleted');

-- What was written with what is gone.
SELECT alike(pg_temp.told($$UPDATE fleet.audit_schema SET column_names[1] = 'x' WHERE table_name = 'asset'$$), 'SCHEMA_CHANGED audit_schema row%', 'a column list changed');
SELECT alike(pg_temp.told($$DELETE FROM fleet.audit_schema WHERE table_name = 'asset'$$), 'SCHEMA_CHANGED audit_schema row%', 'or deleted');
SELECT is(pg_temp.told($$DELETE FROM fleet.audit_schema WHERE table_name = 'bundle'$$), 'nothing', 'one that no row needs is not missed');

-- The end cut off, everywhere.
\set cut 'DELETE FROM fleet.audit_log WHERE audit_id IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf WHERE block_no >= 4); DELETE FROM fleet.audit_leaf WHERE block_no >= 4; DELETE FROM fleet.audit_block WHERE block_no >= 4'
SELECT is(pg_temp.told(:'cut', :'first', :'third', :'last'), 'TRUNCATED_TAIL block 3', 'the end cut off: the digest tells');
SELECT is(pg_temp.told(:'cut', :'first', :'third'), 'nothing', 'without a digest of it nobody can tell');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_log; DELETE FROM fleet.audit_leaf; DELETE FROM fleet.audit_block; DELETE FROM fleet.audit_node', :'first'), 'TRUNCATED_TAIL', 'all of it cut off');

-- A seal builds on nothing that is damaged; nor does it take more than a little right to seal.
CREATE ROLE regress_tree_sealer NOLOGIN;
GRANT USAGE ON SCHEMA fleet TO regress_tree_sealer;
GRANT SELECT ON fleet.setting, fleet.audit_block TO regress_tree_sealer;
GRANT EXECUTE ON FUNCTION fleet.seal_audit() TO regress_tree_sealer;
CREATE TEMP TABLE good AS SELECT * FROM fleet.audit_block WHERE block_no = 6;
ALTER TABLE fleet.audit_block DISABLE TRIGGER append_only;
UPDATE fleet.audit_block SET root = sha256(root) WHERE block_no = 6;
SELECT throws_ok('SELECT fleet.seal_audit()', 'XX001', NULL, 'not on a root that was changed');
UPDATE fleet.audit_block SET root = (SELECT root FROM good), frontier = substr(frontier, 33) WHERE block_no = 6;
SELECT throws_ok('SELECT fleet.seal_audit()', 'XX001', NULL, 'nor on a frontier that was');
DELETE FROM fleet.audit_block WHERE block_no = 6;
SELECT throws_ok('SELECT fleet.seal_audit()', 'XX001', NULL, 'nor when the last block is gone');
INSERT INTO fleet.audit_block SELECT * FROM good;
ALTER TABLE fleet.audit_block ENABLE ALWAYS TRIGGER append_only;
SET ROLE regress_tree_sealer;
SELECT is(pg_temp.code_of('SELECT fleet.seal_audit()'), 'accepted', 'with rights to this alone');
SELECT is(pg_temp.code_of('SELECT * FROM cec.verify_audit(''fleet'', ''{}'')'), '42501', 'which are no more');
RESET ROLE;

-- Not sealed for too long.
INSERT INTO fleet.customer (name) VALUES ('Late');
SELECT is_empty('SELECT * FROM fleet.verify_audit()', 'a row may wait for its seal');
SET cec.audit_seal_lag = 0;
SELECT results_eq('SELECT kind, audit_id FROM fleet.verify_audit()', $$SELECT 'UNSEALED_TOO_OLD', max(audit_id) FROM fleet.audit_log$$, 'but not for ever');
RESET cec.audit_seal_lag;
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET actor = 'x' WHERE audit_id = (SELECT max(audit_id) FROM fleet.audit_log)$$), 'nothing', 'what is not sealed can be changed without a trace');
SELECT is(fleet.seal_audit(), 7::bigint, 'sealed');

-- Erasure.
CREATE ROLE regress_tree_reader NOLOGIN;
CREATE ROLE regress_tree_auditor NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_tree_auditor', 'auditor') \g /dev/null
SELECT cec.grant_access('fleet', 'regress_tree_reader', 'analyst') \g /dev/null
GRANT SELECT ON fleet.audit_log TO regress_tree_reader;
SELECT fleet.audit_proof(300) AS before \gset
SET ROLE regress_tree_reader;
SELECT is(pg_temp.code_of($$SELECT cec.erase_audit('fleet', 300, 'x')$$), '42501', 'who may merely read the log erases nothing');
SET ROLE regress_tree_auditor;
SET cec.actor = 'data protection officer';
SELECT lives_ok($$SELECT fleet.erase_audit(300, 'request 17')$$, 'an auditor erases');
SELECT throws_ok($$SELECT fleet.erase_audit(300, 'request 17')$$, '55000', NULL, 'once');
SELECT throws_ok($$SELECT fleet.erase_audit(301, '')$$, '22023', NULL, 'with a ground');
SELECT throws_ok($$SELECT fleet.erase_audit(301, NULL)$$, '22023', NULL, 'always');
SELECT throws_ok($$SELECT fleet.erase_audit(999999, 'x')$$, '23503', NULL, 'a row that is there');
SELECT throws_ok($$INSERT INTO fleet.audit_erasure SELECT 301, content, now(), 'x', 'x', 'x' FROM fleet.audit_erasure$$, '42501', NULL, 'and by no other way');
RESET ROLE;
RESET cec.actor;
INSERT INTO fleet.customer (name) VALUES ('Unsealed');
SELECT throws_ok($$SELECT fleet.erase_audit((SELECT max(audit_id) FROM fleet.audit_log), 'x')$$, '55000', NULL, 'not before it is sealed');
SELECT throws_ok('UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = 301', '42501', NULL, 'the log refuses its owner as ever');
SELECT results_eq('SELECT salt, row_image, row_id FROM fleet.audit_log WHERE audit_id = 300', format('SELECT NULL::bytea, NULL::bytea, %s::bigint', asset_id), 'salt and image are gone') FROM fleet.audit_log WHERE audit_id = 300;
SELECT results_eq('SELECT audit_id, erased_by, session_user_name, ground FROM fleet.audit_erasure', $$VALUES (300::bigint, 'data protection officer', session_user::text COLLATE "default", 'request 17')$$, 'who, when and why is kept');
SELECT results_eq($$SELECT actor, operation FROM fleet.audit_log WHERE table_name = 'audit_erasure' AND row_id = 300$$, $$VALUES ('data protection officer', 'INSERT' COLLATE "C")$$, 'and recorded');
SELECT pg_temp.rows_eq(format('SELECT operation, old_row, new_row FROM fleet.asset_history((SELECT asset_tag FROM fleet.asset WHERE asset_id = %s)) WHERE audit_id = 300', asset_id), $$VALUES ('INSERT', NULL::jsonb, NULL::jsonb)$$, 'its history says that something was there') FROM fleet.audit_log WHERE audit_id = 300;
SELECT is_empty('SELECT * FROM fleet.audit_change WHERE audit_id = 300', 'and no more');
SELECT is(pg_temp.told('SELECT 1', :'first', :'third', :'last'), 'ERASED audit_log row 300 block 3', 'verify_audit calls it lawful');
SELECT is(fleet.audit_proof(300) ->> 'leaf', :'before'::jsonb ->> 'leaf', 'its leaf is what it was');
SELECT ok(cec.verify_audit_proof(:'before') AND cec.verify_audit_proof(fleet.audit_proof(300)), 'and its proofs hold, old and new');
SELECT is(fleet.seal_audit(), 8::bigint, 'the erasure is sealed too');
SELECT throws_ok(format('SELECT fleet.erase_audit(%s, ''x'')', audit_id), '55000', NULL, 'and is not erased in turn') FROM fleet.audit_log WHERE table_name = 'audit_erasure';
SELECT is(pg_temp.told($$UPDATE fleet.audit_erasure SET content = sha256('')$$), 'EDITED audit_log row 300 block 3', 'an erasure changed');
SELECT is(pg_temp.told('DELETE FROM fleet.audit_erasure'), 'EDITED audit_log row 300 block 3', 'or deleted');
SELECT audit_id AS record FROM fleet.audit_log WHERE table_name = 'audit_erasure' \gset
SELECT is(pg_temp.told($$DELETE FROM fleet.audit_log WHERE table_name = 'audit_erasure'$$), format('EDITED audit_log row 300 block 3, MISSING audit_log row %s block 8', :record), 'or its record deleted');
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
UPDATE fleet.audit_log SET actor = 'x' WHERE audit_id = 310;
SELECT throws_ok($$SELECT fleet.erase_audit(310, 'x')$$, 'XX001', NULL, 'a row that was tampered with is not erased');
SELECT throws_ok($$SELECT fleet.audit_proof(310)$$, 'XX001', NULL, 'nor proved');
UPDATE fleet.audit_log SET actor = session_user WHERE audit_id = 310;
ALTER TABLE fleet.audit_log ENABLE ALWAYS TRIGGER append_only;
SELECT is(pg_temp.told('SELECT 1'), 'ERASED audit_log row 300 block 3', 'put back as it was, nothing is left of it');

-- Erasures that are not what the log has recorded; that somebody wrote past erase_audit, of rows that are not erased.
SELECT is(pg_temp.told(format('UPDATE fleet.audit_erasure SET %I = %s', c, v)), 'EDITED audit_log row 300 block 3', 'an erasure changed: ' || c)
FROM (VALUES ('ground', '''order of the court'''), ('erased_by', '''nobody'''), ('session_user_name', '''nobody'''), ('erased_at', 'erased_at - interval ''1 second'''), ('content', 'sha256(content)')) AS v(c, v);
SELECT is(pg_temp.told('UPDATE fleet.audit_erasure SET audit_id = 301'), 'EDITED audit_log row 300 block 3, EXTRA audit_erasure row 301', 'or put to another row');
SELECT is(pg_temp.told($$INSERT INTO fleet.audit_erasure SELECT 301, content, now(), 'x', session_user, 'x' FROM fleet.audit_erasure$$), 'ERASED audit_log row 300 block 3, EXTRA audit_erasure row 301', 'an erasure of a living row');
SELECT is(pg_temp.told($$INSERT INTO fleet.audit_erasure SELECT 999999, content, now(), 'x', session_user, 'x' FROM fleet.audit_erasure$$), 'ERASED audit_log row 300 block 3, EXTRA audit_erasure row 999999', 'of one that never was');
\set erased '; UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = 301'
SELECT is(pg_temp.told(format('ALTER TABLE fleet.audit_erasure ENABLE ALWAYS TRIGGER cec_insert; INSERT INTO fleet.audit_erasure SELECT audit_id, sha256(salt || row_image), %s, %s, %s, ''x'' FROM fleet.audit_log WHERE audit_id = 301', t, a, s) || :'erased'), 'ERASED audit_log row 300 block 3, EDITED audit_log row 301 block 3', 'one that its own record does not bear out: ' || w)
FROM (VALUES ('now()', '''somebody else''', 'session_user', 'actor'), ('now()', 'session_user', '''somebody else''', 'session user'), ('now() - interval ''1 year''', 'session_user', 'session_user', 'time')) AS v(t, a, s, w);
SELECT is(pg_temp.told($$ALTER TABLE fleet.audit_erasure ENABLE ALWAYS TRIGGER cec_insert, ENABLE ALWAYS TRIGGER cec_update;
	INSERT INTO fleet.audit_erasure SELECT audit_id, sha256(salt || row_image), now(), session_user, session_user, 'x' FROM fleet.audit_log WHERE audit_id = 301; UPDATE fleet.audit_erasure SET ground = 'y' WHERE audit_id = 301$$ || :'erased'),
	'ERASED audit_log row 300 block 3, EDITED audit_log row 301 block 3', 'one that was changed with a record of it');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET row_image = overlay(row_image PLACING '\xff' FROM 60) WHERE table_name = 'audit_erasure'$$),
	format('EDITED audit_log row 300 block 3, EDITED audit_log row %s block 8', :record), 'one whose record was changed');

-- Rows that no seal can take, or that no engine wrote.
\set forged 'INSERT INTO fleet.audit_log SELECT 5000, %s, %s, %s, actor, session_user_name, application_name, client_addr, reason, table_name, operation, row_id, asset_id, term_id, contract_id, %s, %s FROM fleet.audit_log WHERE audit_id = 200'
SELECT is(pg_temp.told(format(:'forged', x, s, t, salt, image)) , 'ERASED audit_log row 300 block 3' || told, what)
FROM (VALUES ('pg_current_xact_id()', 'system_id', 'at', 'salt', 'row_image', '', 'a row as any other: nothing to tell yet'),
	('pg_current_xact_id()', '77', 'at', 'salt', 'row_image', ', EXTRA audit_log row 5000', 'a row of a cluster that never sealed here'),
	('''18446744073709551615''', 'system_id', 'at', 'salt', 'row_image', ', EXTRA audit_log row 5000', 'of the last transaction'),
	('(pg_current_xact_id()::text::bigint + 1000)::text::xid8', 'system_id', 'at', 'salt', 'row_image', ', EXTRA audit_log row 5000', 'of a transaction to come'),
	('pg_current_xact_id()', 'system_id', '''2300-01-01''', 'salt', 'row_image', ', EXTRA audit_log row 5000', 'of a time to come'),
	('pg_current_xact_id()', 'system_id', '''infinity''', 'salt', 'row_image', ', EXTRA audit_log row 5000', 'of no time'),
	('pg_current_xact_id()', 'system_id', 'at', 'NULL', 'NULL', ', EDITED audit_log row 5000', 'erased before it was sealed'),
	('pg_current_xact_id()', 'system_id', 'at', 'substr(salt, 2)', 'row_image', ', EDITED audit_log row 5000', 'with a salt that is too short'),
	('''5''', 'system_id', 'at', 'salt', 'row_image', ', EXTRA audit_log row 5000 block 1', 'of a transaction long sealed')) AS v(x, s, t, salt, image, told, what);

-- Without its settings a portfolio is verified all the same.
SELECT is(pg_temp.told('ALTER TABLE fleet.setting DISABLE TRIGGER ALL; DELETE FROM fleet.setting'), 'ERASED audit_log row 300 block 3, MISSING setting', 'the row of settings is gone');

-- Triggers.
CREATE FUNCTION pg_temp.disarmed(tampering text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		EXECUTE tampering;
		SELECT coalesce(string_agg(concat_ws(' ', v.kind, v.table_name), ', ' ORDER BY v.table_name), 'nothing') INTO result FROM fleet.verify_audit() AS v WHERE v.kind = 'TRIGGER_DISABLED';
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		RETURN result;
	END;
END $$;
SELECT is(pg_temp.disarmed('SELECT 1'), 'nothing', 'all triggers fire');
SELECT is(pg_temp.disarmed(format('ALTER TABLE fleet.%I DISABLE TRIGGER %I', c.relname, t.tgname)), 'TRIGGER_DISABLED ' || c.relname, format('%s of %s disabled', t.tgname, c.relname))
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'fleet'::regnamespace AND c.relname IN ('asset', 'audit_log', 'audit_block', 'audit_erasure', 'setting', 'coverage') AND NOT t.tgisinternal;
SELECT is(pg_temp.disarmed('ALTER TABLE fleet.asset ENABLE TRIGGER cec_update'), 'TRIGGER_DISABLED asset', 'made ordinary');
SELECT is(pg_temp.disarmed(format('DROP TRIGGER %I ON fleet.%I', t.tgname, c.relname)), 'TRIGGER_DISABLED ' || c.relname, format('%s of %s dropped', t.tgname, c.relname))
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'fleet'::regnamespace AND c.relname IN ('inclusion', 'audit_log', 'audit_schema', 'audit_leaf', 'audit_node') AND NOT t.tgisinternal;

-- Columns renamed, retyped, added, dropped: what was sealed stays what it was.
ALTER TABLE fleet.asset ADD COLUMN cost_centre text DEFAULT '0815';
ALTER TABLE fleet.customer ADD COLUMN note text;
UPDATE fleet.customer SET note = 'x' WHERE customer_id = 3;
ALTER TABLE fleet.customer RENAME COLUMN note TO remark;
ALTER TABLE fleet.customer ALTER COLUMN remark TYPE varchar(300);
UPDATE fleet.asset SET cost_centre = '4711' WHERE asset_id <= 10;
UPDATE fleet.customer SET remark = remark || '!' WHERE customer_id = 3;
ALTER TABLE fleet.asset DROP COLUMN cost_centre;
UPDATE fleet.asset SET model = 'M' WHERE asset_id = 4;
SELECT is(fleet.seal_audit(), 9::bigint, 'sealed, with other columns');
SELECT is(pg_temp.told('SELECT 1', :'first', :'third', :'last'), 'ERASED audit_log row 300 block 3', 'old and new blocks agree');
SELECT ok(bool_and(cec.verify_audit_proof(fleet.audit_proof(audit_id))), 'and prove') FROM fleet.audit_log WHERE audit_id IN (1, 42, 44, 200, 690, 720);
ALTER SCHEMA fleet RENAME TO "other fleet";
SELECT results_eq(format('SELECT kind, block_no, detail FROM "other fleet".verify_audit(ARRAY[%L, %L]) WHERE kind <> ''ERASED'' ORDER BY block_no', :'first', :'last'),
	$$VALUES ('RENAMED', 1::bigint, 'The digest is of a portfolio named fleet, and this is other%20fleet.'), ('RENAMED', 4, 'The digest is of a portfolio named fleet, and this is other%20fleet.')$$, 'a portfolio that was renamed agrees with its old digests but for its name');
SELECT alike("other fleet".audit_digest(), 'cec-digest-1 other%20fleet %', 'and gives digests in its new name');
ALTER SCHEMA "other fleet" RENAME TO fleet;

-- Last, because it cannot be undone: a row edited and everything computed anew by somebody who owns the server.
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
ALTER TABLE fleet.audit_block DISABLE TRIGGER append_only;
ALTER TABLE fleet.audit_leaf DISABLE TRIGGER append_only;
ALTER TABLE fleet.audit_node DISABLE TRIGGER append_only;
UPDATE fleet.audit_log SET actor = 'nobody' WHERE audit_id = 320;
TRUNCATE fleet.audit_block, fleet.audit_leaf, fleet.audit_node;
SELECT cec.upgrade_portfolio('fleet') \g /dev/null
SELECT is(fleet.seal_audit(), 1::bigint, 'everything computed anew');
SELECT is(pg_temp.told('SELECT 1'), 'ERASED audit_log row 300 block 1', 'nobody can tell');
SELECT is(pg_temp.told('SELECT 1', :'third'), 'ERASED audit_log row 300 block 1, FORK block 1', 'but by a digest that was kept');
SELECT ok(NOT cec.verify_audit_consistency(fleet.audit_consistency(:'third')), 'and no proof leads there from it');
DROP OWNED BY regress_tree_auditor, regress_tree_reader, regress_tree_sealer;
DROP ROLE regress_tree_auditor, regress_tree_reader, regress_tree_sealer;
SELECT * FROM finish();
