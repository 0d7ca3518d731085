-- Evidence that nobody rewrote the log: blocks of one Merkle tree over its rows, and what is kept of the tree.

CREATE TABLE @P@.audit_block (
	block_no bigint NOT NULL,
	system_id bigint NOT NULL,
	snapshot pg_snapshot NOT NULL,
	row_count bigint NOT NULL,
	tree_size bigint NOT NULL,
	root bytea NOT NULL,
	frontier bytea NOT NULL,
	last_audit_id bigint NOT NULL,
	next_xid xid8 NOT NULL,
	sealed_at timestamptz NOT NULL,
	carried bytea,
	CONSTRAINT audit_block_pkey PRIMARY KEY (block_no)
);

-- Which block takes a row, and where the log is to be read from, is found by transaction.
CREATE INDEX audit_block_next_xid_idx ON @P@.audit_block (system_id, next_xid, block_no);

-- The few that closed what a dump carried along.
CREATE INDEX audit_block_carried_idx ON @P@.audit_block (block_no) WHERE carried IS NOT NULL;

-- Leaves are kept as they come, never compressed nor moved elsewhere: hashes do not shrink, and three rows fill a page.
CREATE TABLE @P@.audit_leaf (
	first_leaf bigint NOT NULL,
	block_no bigint NOT NULL,
	audit_ids bigint[] NOT NULL,
	leaf_hashes bytea NOT NULL,
	CONSTRAINT audit_leaf_pkey PRIMARY KEY (first_leaf),
	CONSTRAINT audit_leaf_as_many CHECK (cec._audit_leaf_as_many(leaf_hashes, audit_ids))
);
ALTER TABLE @P@.audit_leaf ALTER COLUMN audit_ids SET STORAGE PLAIN, ALTER COLUMN leaf_hashes SET STORAGE PLAIN;

CREATE TABLE @P@.audit_node (
	level integer NOT NULL,
	position bigint NOT NULL,
	hash bytea NOT NULL,
	CONSTRAINT audit_node_pkey PRIMARY KEY (level, position)
);

CREATE TABLE @P@.audit_erasure (
	audit_id bigint NOT NULL,
	content bytea NOT NULL,
	erased_at timestamptz NOT NULL,
	erased_by text NOT NULL,
	session_user_name text NOT NULL,
	ground text NOT NULL,
	CONSTRAINT audit_erasure_pkey PRIMARY KEY (audit_id),
	CONSTRAINT audit_erasure_content_length CHECK (cec._audit_erasure_content_length(content)),
	CONSTRAINT audit_erasure_ground_given CHECK (cec._audit_erasure_ground_given(ground))
);

CREATE FUNCTION @P@.seal_audit() RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
	SELECT cec.seal_audit(@L@::regnamespace);
END;

CREATE FUNCTION @P@.audit_digest() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.audit_digest(@L@::regnamespace);
END;

CREATE FUNCTION @P@.verify_audit(digests text[] DEFAULT '{}')
RETURNS TABLE (kind text, audit_id bigint, block_no bigint, table_name text, detail text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.verify_audit(@L@::regnamespace, digests);
END;

CREATE FUNCTION @P@.audit_proof(audit_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.audit_proof(@L@::regnamespace, audit_id);
END;

CREATE FUNCTION @P@.audit_consistency(digest text) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.audit_consistency(@L@::regnamespace, digest);
END;

CREATE FUNCTION @P@.erase_audit(audit_id bigint, ground text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	SELECT cec.erase_audit(@L@::regnamespace, audit_id, ground);
END;

SELECT cec._arm_table(@L@::regnamespace, 'audit_erasure', 'data', 'data');

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON @P@.audit_block
	FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_rewrite();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON @P@.audit_leaf
	FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_rewrite();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON @P@.audit_node
	FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_rewrite();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON @P@.audit_erasure
	FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_rewrite();

COMMENT ON TABLE @P@.audit_block IS 'One row for each seal of the log: which rows became leaves of the tree, and what the tree was then. Append-only.';
COMMENT ON COLUMN @P@.audit_block.block_no IS 'Key: 1, 2, 3 … without gaps.';
COMMENT ON COLUMN @P@.audit_block.system_id IS 'System identifier of the cluster that sealed.';
COMMENT ON COLUMN @P@.audit_block.snapshot IS 'The block holds the rows whose transactions this snapshot shows and no block before does.';
COMMENT ON COLUMN @P@.audit_block.row_count IS 'Rows of the block; at least 1.';
COMMENT ON COLUMN @P@.audit_block.tree_size IS 'Leaves of the tree, this block''s included.';
COMMENT ON COLUMN @P@.audit_block.root IS 'Root of the tree (RFC 9162) over all rows sealed so far.';
COMMENT ON COLUMN @P@.audit_block.frontier IS 'Roots of the perfect subtrees that the tree consists of, the largest first, 32 bytes each; the next block goes on from them.';
COMMENT ON COLUMN @P@.audit_block.last_audit_id IS 'Number that the log had handed out last before the snapshot was taken.';
COMMENT ON COLUMN @P@.audit_block.next_xid IS 'Transaction number that was the next after the snapshot: from it on transactions have rows above last_audit_id only.';
COMMENT ON COLUMN @P@.audit_block.sealed_at IS 'Clock when the block was sealed.';
COMMENT ON COLUMN @P@.audit_block.carried IS 'Of the first block that a cluster sealed after another one, or of all: which rows of other clusters it took over. 24 bytes for each of these clusters: its system_id, the last xid and the last audit_id among them.';
COMMENT ON TABLE @P@.audit_leaf IS 'Leaves of the tree in order, up to 64 a row: they tell which row of the log was tampered with. Append-only.';
COMMENT ON COLUMN @P@.audit_leaf.first_leaf IS 'Key: place of the first of these leaves in the tree, from 0.';
COMMENT ON COLUMN @P@.audit_leaf.block_no IS 'Block that sealed them.';
COMMENT ON COLUMN @P@.audit_leaf.audit_ids IS 'Rows of audit_log that they are of.';
COMMENT ON COLUMN @P@.audit_leaf.leaf_hashes IS 'Their hashes, 32 bytes each; see src/seal/README.md.';
COMMENT ON TABLE @P@.audit_node IS 'Roots of perfect subtrees of 2^8, 2^16, 2^24 … leaves, so that a proof need not read the whole log. Append-only.';
COMMENT ON COLUMN @P@.audit_node.level IS 'The subtree has 2^level leaves: 8, 16, 24 …';
COMMENT ON COLUMN @P@.audit_node.position IS 'Which subtree of its level, from 0: its first leaf is position * 2^level.';
COMMENT ON COLUMN @P@.audit_node.hash IS 'Root of the subtree.';
COMMENT ON TABLE @P@.audit_erasure IS 'Rows of the log whose salt and image were erased, by whom and on what ground. Written by erase_audit; audited, append-only.';
COMMENT ON COLUMN @P@.audit_erasure.audit_id IS 'Key: the row of audit_log.';
COMMENT ON COLUMN @P@.audit_erasure.content IS 'SHA-256 of salt and image that were erased: what the row''s leaf is made of.';
COMMENT ON COLUMN @P@.audit_erasure.erased_at IS 'When.';
COMMENT ON COLUMN @P@.audit_erasure.erased_by IS 'Who acted, as stated by the application.';
COMMENT ON COLUMN @P@.audit_erasure.session_user_name IS 'Role that the session logged in as.';
COMMENT ON COLUMN @P@.audit_erasure.ground IS 'On what ground, as given to erase_audit.';
COMMENT ON FUNCTION @P@.seal_audit() IS 'Seals the rows of the log that are settled since the last seal and returns the number of the new block; NULL when there are none. Makes no writer wait. To be called every minute or so, in a transaction of its own (25001 when it has written, or above READ COMMITTED). Needs SELECT on audit_block (levels auditor and admin).';
COMMENT ON FUNCTION @P@.audit_digest() IS 'The line to keep outside: portfolio, cluster, block, size and root of the tree, and when it was sealed. NULL when nothing was sealed yet. Whoever has it can tell later whether the log was rewritten; see verify_audit.';
COMMENT ON FUNCTION @P@.verify_audit(text[]) IS 'Computes the whole tree afresh and returns every difference to what was sealed, and to the digests that were kept outside: none when nobody tampered. Kinds: EDITED, MISSING, EXTRA, REORDERED, TRUNCATED_TAIL, FORK, SCHEMA_CHANGED, TRIGGER_DISABLED, UNSEALED_TOO_OLD; and ERASED, which is lawful. Needs SELECT on audit_log and READ COMMITTED (25001); 22P02 for a line that is not a digest.';
COMMENT ON FUNCTION @P@.audit_proof(bigint) IS 'Proof that a row of the log is in the tree, for people outside: audit_id, leaf_index, tree_size, header, content, leaf, root, path and the digest of the last block; hashes in hex. cec.verify_audit_proof checks it. Errors: 23503 no such row, 55000 not sealed yet, XX001 tampered with. Needs SELECT on audit_log.';
COMMENT ON FUNCTION @P@.audit_consistency(text) IS 'Proof that the tree as it is goes on from a digest that was kept: first_size, first_root, second_size, second_root, path and the digest of the last block. cec.verify_audit_consistency checks it: false when the log was rewritten. Errors: 22P02 not a digest, 22023 of a longer log. Needs SELECT on audit_log.';
COMMENT ON FUNCTION @P@.erase_audit(bigint, text) IS 'Erases salt and image of one row of the log, which then tells no more than that there was a change, when and by whom. Who erased it and on what ground stands in audit_erasure; every proof still holds, and verify_audit says ERASED. Other rows of the log may hold the same value and are erased one by one; the bytes leave the disk with the next VACUUM. Errors: 22023 no ground, 23503 no such row, 55000 not sealed yet or erased already, XX001 tampered with. Needs EXECUTE on this function (level auditor).';
