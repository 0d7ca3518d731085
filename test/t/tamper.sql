-- What tamper.pl tampers with the log by: switching the engine's triggers off and on again, and computing all evidence
-- afresh, as somebody could who owns the server. In SQL, from src/seal/README.md; shares no code with the engine.
CREATE SCHEMA tamper;

CREATE FUNCTION tamper.off() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY '{audit_log,audit_schema,audit_block,audit_leaf,audit_node,audit_erasure}'::text[] LOOP
		EXECUTE format('ALTER TABLE fleet.%I DISABLE TRIGGER USER', name);
	END LOOP;
END $$;

CREATE FUNCTION tamper.on() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	armed record;
BEGIN
	FOR armed IN SELECT tgrelid::regclass AS name, tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
		WHERE c.relnamespace = 'fleet'::regnamespace AND tgenabled = 'D' AND NOT tgisinternal
	LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', armed.name, armed.tgname);
	END LOOP;
END $$;

-- A trigger made again, always firing, with something of it replaced.
CREATE FUNCTION tamper.make_again(on_table text, name text, old text, new text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	definition text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = format('fleet.%I', on_table)::regclass AND tgname = name);
BEGIN
	EXECUTE format('DROP TRIGGER %I ON fleet.%I', name, on_table);
	EXECUTE regexp_replace(definition, old, new);
	EXECUTE format('ALTER TABLE fleet.%I ENABLE ALWAYS TRIGGER %I', on_table, name);
END $$;
CREATE FUNCTION tamper.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;

-- A bit of it turned over; of nothing, a byte added.
CREATE FUNCTION tamper.flip(bytes bytea, place integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN bytes = '' THEN '\x00' ELSE set_byte(bytes, place % octet_length(bytes), get_byte(bytes, place % octet_length(bytes)) # (1 << place % 8)) END
$$;

CREATE FUNCTION tamper.part(bytes bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	length integer := octet_length(bytes) + 1;
	head bytea := '';
BEGIN
	IF bytes IS NULL THEN
		RETURN '\x00';
	END IF;
	WHILE length >= 128 LOOP
		head := head || set_byte('\x00', 0, 128 + length % 128);
		length := length / 128;
	END LOOP;
	RETURN head || set_byte('\x00', 0, length) || bytes;
END $$;

CREATE FUNCTION tamper.leaf(l fleet.audit_log, content bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT sha256('\x0001'::bytea || int8send(l.audit_id) || xid8send(l.xid) || int8send(l.system_id) || timestamptz_send(l.at)
		|| tamper.part(convert_to(l.actor, 'UTF8')) || tamper.part(convert_to(l.session_user_name, 'UTF8'))
		|| tamper.part(convert_to(l.application_name, 'UTF8')) || tamper.part(convert_to(host(l.client_addr), 'UTF8'))
		|| tamper.part(convert_to(l.reason, 'UTF8')) || tamper.part(convert_to(l.table_name, 'UTF8'))
		|| tamper.part(convert_to(l.operation, 'UTF8')) || tamper.part(int8send(l.row_id)) || tamper.part(int8send(l.asset_id))
		|| tamper.part(int8send(l.term_id)) || tamper.part(int8send(l.contract_id)) || tamper.part(sha256(l.delta))
		|| coalesce(content, sha256(l.salt || l.row_image)))
$$;

-- Leaves, subtrees and blocks as they would be if the log had always been what it is now.
CREATE FUNCTION tamper.recompute() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	block fleet.audit_block;
	row_of_log record;
	peaks bytea[] := '{}';
	size bigint := 0;
	ids bigint[];
	leaves bytea;
	rest bigint;
	level integer;
	count bigint;
	new_root bytea;
BEGIN
	DELETE FROM fleet.audit_leaf;
	DELETE FROM fleet.audit_node;
	FOR block IN SELECT * FROM fleet.audit_block ORDER BY block_no LOOP
		ids := '{}';
		leaves := '';
		count := 0;
		FOR row_of_log IN SELECT l.audit_id, tamper.leaf(l, (SELECT e.content FROM fleet.audit_erasure e WHERE e.audit_id = l.audit_id AND l.salt IS NULL)) AS leaf
			FROM fleet.audit_log l
			WHERE (SELECT min(b.block_no) FROM fleet.audit_block b WHERE pg_visible_in_snapshot(l.xid, b.snapshot)) = block.block_no
			ORDER BY l.xid, l.audit_id
		LOOP
			ids := ids || row_of_log.audit_id;
			leaves := leaves || row_of_log.leaf;
			count := count + 1;
			peaks := peaks || row_of_log.leaf;
			size := size + 1;
			rest := size;
			level := 0;
			WHILE rest % 2 = 0 LOOP
				peaks := peaks[:cardinality(peaks) - 2] || sha256('\x01' || peaks[cardinality(peaks) - 1] || peaks[cardinality(peaks)]);
				rest := rest / 2;
				level := level + 1;
				IF level % 8 = 0 THEN
					INSERT INTO fleet.audit_node (level, position, hash) VALUES (level, rest - 1, peaks[cardinality(peaks)]);
				END IF;
			END LOOP;
			IF size % 64 = 0 THEN
				INSERT INTO fleet.audit_leaf VALUES (size - cardinality(ids), block.block_no, ids, leaves);
				ids := '{}';
				leaves := '';
			END IF;
		END LOOP;
		IF ids <> '{}' THEN
			INSERT INTO fleet.audit_leaf VALUES (size - cardinality(ids), block.block_no, ids, leaves);
		END IF;
		new_root := CASE WHEN size = 0 THEN sha256('') ELSE peaks[cardinality(peaks)] END;
		FOR i IN REVERSE cardinality(peaks) - 1 .. 1 LOOP
			new_root := sha256('\x01' || peaks[i] || new_root);
		END LOOP;
		IF count = 0 THEN
			DELETE FROM fleet.audit_block b WHERE b.block_no = block.block_no;
		ELSE
			UPDATE fleet.audit_block b SET row_count = count, tree_size = size, root = new_root,
				frontier = (SELECT string_agg(p, '' ORDER BY n) FROM unnest(peaks) WITH ORDINALITY AS u(p, n))
			WHERE b.block_no = block.block_no;
		END IF;
	END LOOP;
END $$;
