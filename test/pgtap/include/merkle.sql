-- Merkle trees and proofs over arrays of leaves, by the code that the engine uses (test/merkle/merkle_test.c).
CREATE SCHEMA merkle;
CREATE FUNCTION merkle.root_hash(leaves bytea[]) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/cec_merkle_test', 'root_hash';
CREATE FUNCTION merkle.inclusion_proof(leaves bytea[], leaf_index bigint) RETURNS bytea[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/cec_merkle_test', 'inclusion_proof';
CREATE FUNCTION merkle.consistency_proof(leaves bytea[], first bigint) RETURNS bytea[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/cec_merkle_test', 'consistency_proof';
CREATE FUNCTION merkle.verify_inclusion(hash bytea, leaf_index bigint, tree_size bigint, inclusion_path bytea[], root_hash bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/cec_merkle_test', 'verify_inclusion';
CREATE FUNCTION merkle.verify_consistency(first bigint, first_hash bytea, second bigint, second_hash bytea, consistency_path bytea[]) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS '$libdir/cec_merkle_test', 'verify_consistency';
