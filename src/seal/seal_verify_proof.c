/*
 * seal_verify_proof.c
 *		Checks proofs as audit_proof and audit_consistency give them; reads no table.
 *
 * A proof comes from outside and may be anything: whatever is not exactly a proof that holds is false, never an error.
 */
#include "postgres.h"

#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "seal/seal_digest.h"
#include "seal/seal_leaf.h"
#include "support/compat.h"
#include "support/merkle_proof.h"

PG_FUNCTION_INFO_V1(cec_verify_audit_proof);
PG_FUNCTION_INFO_V1(cec_verify_audit_consistency);

static bool
read_hex(const JsonbValue *value, void *bytes, int length)
{
	char *text;

	if (value == NULL || value->type != jbvString || value->val.string.len != 2 * length)
		return false;
	text = pnstrdup(value->val.string.val, 2 * (Size) length);
	if (strspn(text, "0123456789abcdef") != 2 * (Size) length)
		return false;
	hex_decode(text, 2 * (Size) length, bytes);
	pfree(text);
	return true;
}

static bool
get_hash(Jsonb *proof, const char *key, CecHash *hash)
{
	return read_hex(getKeyJsonValueFromContainer(&proof->root, key, strlen(key), NULL), hash->bytes, CEC_HASH_LEN);
}

static bool
get_number(Jsonb *proof, const char *key, int64 *number)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&proof->root, key, strlen(key), NULL);
	char *text;
	char *digits;

	if (value == NULL || value->type != jbvNumeric)
		return false;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	digits = text + (*text == '-');
	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*number = strtoi64(text, NULL, 10);
	return errno == 0;
}

static bool
get_path(Jsonb *proof, CecProof *path)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&proof->root, "path", 4, NULL);

	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) > CEC_PROOF_SPACE)
	{
		return false;
	}
	path->count = JsonContainerSize(value->val.binary.data);
	for (int i = 0; i < path->count; i++)
		if (!read_hex(getIthJsonbValueFromContainer(value->val.binary.data, i), path->path[i].bytes, CEC_HASH_LEN))
			return false;
	return true;
}

/* The digest that came with the proof says the same size and root. */
static bool
has_digest(Jsonb *proof, int64 size, const CecHash *root)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&proof->root, "digest", 6, NULL);
	CecDigest digest;

	return value != NULL && value->type == jbvString &&
		   cec_digest_try_read(&digest, pnstrdup(value->val.string.val, value->val.string.len)) &&
		   digest.tree_size == size && cec_hash_equal(&digest.root, root);
}

/* The leaf is made of header and content, and the header is of the row that the proof names. */
static bool
has_leaf(Jsonb *proof, CecHasher *hasher, int64 audit_id, const CecHash *content, const CecHash *leaf)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&proof->root, "header", 6, NULL);
	int length = value != NULL && value->type == jbvString ? value->val.string.len / 2 : 0;
	uint8 *header = palloc(length + 1);
	const uint8 zero = 0;
	uint64 number;
	CecHash hash;

	if (length < CEC_HEADER_FIXED_LEN || !read_hex(value, header, length) || header[0] != CEC_HEADER_FORMAT)
		return false;
	memcpy(&number, header + 1, sizeof(number));
	if ((int64) pg_ntoh64(number) != audit_id)
		return false;
	cec_hasher_start(hasher);
	cec_hasher_add(hasher, &zero, 1);
	cec_hasher_add(hasher, header, length);
	cec_hasher_add(hasher, content->bytes, CEC_HASH_LEN);
	cec_hasher_finish(hasher, &hash);
	return cec_hash_equal(&hash, leaf);
}

/* cec.verify_audit_proof(proof) */
Datum
cec_verify_audit_proof(PG_FUNCTION_ARGS)
{
	Jsonb *proof = PG_GETARG_JSONB_P(0);
	CecHasher *hasher;
	CecProof path;
	CecHash content;
	CecHash leaf;
	CecHash root;
	int64 audit_id;
	int64 index;
	int64 size;
	bool holds;

	if (!JB_ROOT_IS_OBJECT(proof) || !get_number(proof, "audit_id", &audit_id) ||
		!get_number(proof, "leaf_index", &index) || !get_number(proof, "tree_size", &size) ||
		!get_hash(proof, "content", &content) || !get_hash(proof, "leaf", &leaf) || !get_hash(proof, "root", &root) ||
		!get_path(proof, &path) || !has_digest(proof, size, &root))
		PG_RETURN_BOOL(false);
	hasher = cec_hasher_begin();
	holds = has_leaf(proof, hasher, audit_id, &content, &leaf) &&
			cec_verify_inclusion_proof(hasher, &leaf, index, size, path.path, path.count, &root);
	cec_hasher_end(hasher);
	PG_RETURN_BOOL(holds);
}

/* cec.verify_audit_consistency(proof) */
Datum
cec_verify_audit_consistency(PG_FUNCTION_ARGS)
{
	Jsonb *proof = PG_GETARG_JSONB_P(0);
	CecHasher *hasher;
	CecProof path;
	CecHash first_root;
	CecHash second_root;
	int64 first;
	int64 second;
	bool holds;

	if (!JB_ROOT_IS_OBJECT(proof) || !get_number(proof, "first_size", &first) ||
		!get_number(proof, "second_size", &second) || !get_hash(proof, "first_root", &first_root) ||
		!get_hash(proof, "second_root", &second_root) || !get_path(proof, &path) ||
		!has_digest(proof, second, &second_root))
		PG_RETURN_BOOL(false);
	hasher = cec_hasher_begin();
	holds = cec_verify_consistency_proof(hasher, first, &first_root, second, &second_root, path.path, path.count);
	cec_hasher_end(hasher);
	PG_RETURN_BOOL(holds);
}
