-- Merkle trees and proofs against answers computed from the RFC's definitions by include/known_answers.py, and proofs that
-- are wrong by a little.
SET client_min_messages = warning;
SELECT plan(18);

CREATE TEMP TABLE answer (tree_size bigint, root text, inclusion text, consistency text);
\ir include/known_answers.sql
\ir include/merkle.sql

CREATE TEMP TABLE tree AS
SELECT n AS tree_size, coalesce(array_agg(sha256('\x00' || int4send(i)) ORDER BY i) FILTER (WHERE i IS NOT NULL), '{}') AS leaves
FROM generate_series(0, 300) AS n LEFT JOIN LATERAL generate_series(0, n - 1) AS i ON true GROUP BY n;
ALTER TABLE tree ADD COLUMN root bytea;
UPDATE tree SET root = merkle.root_hash(leaves);

SELECT is((SELECT count(*) FROM answer), 301::bigint, 'there are answers for 0 to 300 leaves');
SELECT is_empty($$SELECT tree_size FROM tree JOIN answer USING (tree_size) WHERE encode(tree.root, 'hex') <> answer.root$$, 'every root');

CREATE FUNCTION pg_temp.written(path bytea[]) RETURNS bytea LANGUAGE sql AS
$$ SELECT set_byte('\x00', 0, cardinality(path)) || coalesce((SELECT string_agg(h, '' ORDER BY n) FROM unnest(path) WITH ORDINALITY AS p(h, n)), '') $$;

CREATE TEMP TABLE inclusion AS
SELECT t.tree_size, m AS leaf_index, t.leaves[m + 1] AS leaf, t.root, merkle.inclusion_proof(t.leaves, m) AS path
FROM tree t, generate_series(0, t.tree_size - 1) AS m;
SELECT is_empty($$SELECT tree_size FROM answer LEFT JOIN (
		SELECT tree_size, encode(sha256(string_agg(pg_temp.written(path), '' ORDER BY leaf_index)), 'hex') AS got FROM inclusion GROUP BY 1) AS i USING (tree_size)
	WHERE coalesce(got, encode(sha256(''), 'hex')) <> answer.inclusion$$, 'every inclusion proof');
SELECT is_empty($$SELECT tree_size, leaf_index FROM inclusion WHERE NOT merkle.verify_inclusion(leaf, leaf_index, tree_size, path, root)$$, 'each of them holds');

CREATE TEMP TABLE consistency AS
SELECT t.tree_size, m AS first_size, f.root AS first_root, t.root, merkle.consistency_proof(t.leaves, m) AS path
FROM tree t, generate_series(0, t.tree_size) AS m JOIN tree f ON f.tree_size = m;
SELECT is_empty($$SELECT tree_size FROM answer LEFT JOIN (
		SELECT tree_size, encode(sha256(string_agg(pg_temp.written(path), '' ORDER BY first_size)), 'hex') AS got FROM consistency GROUP BY 1) AS c USING (tree_size)
	WHERE got IS DISTINCT FROM answer.consistency$$, 'every consistency proof');
SELECT is_empty($$SELECT tree_size, first_size FROM consistency WHERE NOT merkle.verify_consistency(first_size, first_root, tree_size, root, path)$$, 'each of them holds');

-- Wrong by a little; the trees of every size, at a leaf near the beginning, in the middle and at the end.
CREATE FUNCTION pg_temp.flipped(hash bytea, at bigint) RETURNS bytea LANGUAGE sql AS
$$ SELECT set_bit(hash, at % 256, 1 - get_bit(hash, at % 256)) $$;
CREATE TEMP TABLE tried AS SELECT * FROM inclusion WHERE leaf_index IN (0, tree_size / 2, tree_size - 1);
SELECT is_empty($$SELECT tree_size, leaf_index, j FROM tried, generate_series(1, cardinality(path)) AS j
	WHERE merkle.verify_inclusion(leaf, leaf_index, tree_size, path[:j - 1] || pg_temp.flipped(path[j], tree_size * 7 + j) || path[j + 1:], root)$$, 'inclusion: a flipped bit anywhere in the path');
SELECT is_empty($$SELECT tree_size, leaf_index FROM tried
	WHERE merkle.verify_inclusion(pg_temp.flipped(leaf, tree_size), leaf_index, tree_size, path, root) OR merkle.verify_inclusion(leaf, leaf_index, tree_size, path, pg_temp.flipped(root, tree_size))$$, 'inclusion: a flipped bit in leaf or root');
SELECT is_empty($$SELECT tree_size, leaf_index FROM tried WHERE cardinality(path) > 0
	AND (merkle.verify_inclusion(leaf, leaf_index, tree_size, path[2:], root) OR merkle.verify_inclusion(leaf, leaf_index, tree_size, trim_array(path, 1), root))$$, 'inclusion: a path cut at either end');
SELECT is_empty($$SELECT tree_size, leaf_index FROM tried WHERE merkle.verify_inclusion(leaf, leaf_index, tree_size, path || root, root)
	OR merkle.verify_inclusion(leaf, leaf_index, tree_size, root || path, root)$$, 'inclusion: a hash too many');
SELECT is_empty($$SELECT t.tree_size, t.leaf_index FROM tried t JOIN tree o ON o.tree_size = t.tree_size + 1
	WHERE merkle.verify_inclusion(leaf, leaf_index, t.tree_size, path, o.root)$$, 'inclusion: the root of another tree');
SELECT is_empty($$SELECT tree_size, leaf_index, i FROM tried, generate_series(-1, tree_size) AS i WHERE i <> leaf_index AND merkle.verify_inclusion(leaf, i, tree_size, path, root)$$, 'inclusion: any other index');
-- The path alone does not bind the size where the way up is the same; the digest does (audit_tree.sql). A tree of another height is another way.
SELECT is_empty($$SELECT tree_size, leaf_index FROM tried WHERE merkle.verify_inclusion(leaf, leaf_index, tree_size * 2, path, root) OR merkle.verify_inclusion(leaf, leaf_index, leaf_index, path, root)$$, 'inclusion: a size that cannot be');

CREATE TEMP TABLE grown AS SELECT * FROM consistency WHERE first_size > 0 AND first_size IN (1, tree_size / 3, tree_size / 2, tree_size - 1, 64, 128) AND first_size < tree_size;
SELECT is_empty($$SELECT tree_size, first_size, j FROM grown, generate_series(1, cardinality(path)) AS j
	WHERE merkle.verify_consistency(first_size, first_root, tree_size, root, path[:j - 1] || pg_temp.flipped(path[j], tree_size * 7 + j) || path[j + 1:])$$, 'consistency: a flipped bit anywhere in the path');
SELECT is_empty($$SELECT tree_size, first_size FROM grown
	WHERE merkle.verify_consistency(first_size, first_root, tree_size, root, path[2:]) OR merkle.verify_consistency(first_size, first_root, tree_size, root, trim_array(path, 1))
		OR merkle.verify_consistency(first_size, first_root, tree_size, root, path || root) OR merkle.verify_consistency(first_size, first_root, tree_size, root, root || path)$$, 'consistency: a path cut at either end, or with a hash too many');
SELECT is_empty($$SELECT tree_size, first_size FROM grown
	WHERE merkle.verify_consistency(first_size, root, tree_size, first_root, path) OR merkle.verify_consistency(tree_size, root, first_size, first_root, path)
		OR merkle.verify_consistency(first_size, pg_temp.flipped(first_root, tree_size), tree_size, root, path) OR merkle.verify_consistency(first_size, first_root, tree_size, pg_temp.flipped(root, first_size), path)
		OR merkle.verify_consistency(tree_size, first_root, tree_size, root, path) OR merkle.verify_consistency(0, first_root, tree_size, root, path) OR merkle.verify_consistency(first_size, first_root, tree_size * 2, root, path)$$, 'consistency: roots swapped or changed, sizes that cannot be');
SELECT throws_ok($$SELECT merkle.root_hash('{x}')$$, '22023', 'a hash must have 32 bytes', 'a hash is 32 bytes');
SELECT throws_ok($$SELECT merkle.inclusion_proof('{}', 0)$$, '22023', 'there are no leaves', 'no leaf is in an empty tree');
SELECT * FROM finish();
