/*
 * audit_constraint.c
 *		The CHECK constraints of the log and its seal.
 */
#include "postgres.h"

#include "utils/array.h"
#include "access/detoast.h"

#include "portfolio/row_check.h"

#define HASH_BYTES 32

static bool
as_many_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	ArrayType *ids = PG_GETARG_ARRAYTYPE_P(1);

	return toast_raw_datum_size(PG_GETARG_DATUM(0)) - VARHDRSZ ==
		   (Size) HASH_BYTES * ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));
}

static const CecCheckKind as_many = {true, as_many_holds, NULL, NULL};

#define CHECKS(CHECK) \
	CHECK(audit_schema_hash_length, "audit_schema", "schema_hash bytea", &cec_bytes, .most = 16) \
	CHECK(audit_log_operation_known, "audit_log", "operation text", &cec_word, \
		  .words = "INSERT, UPDATE, DELETE, COVER, REFRESH, RECOMPUTE") \
	CHECK(audit_leaf_as_many, "audit_leaf", "leaf_hashes bytea, audit_ids bigint[]", &as_many, \
		  .rule = "each row of the log needs a hash of 32 bytes") \
	CHECK(audit_erasure_content_length, "audit_erasure", "content bytea", &cec_bytes, .most = HASH_BYTES) \
	CHECK(audit_erasure_ground_given, "audit_erasure", "ground text", &cec_not_empty)

CEC_ROW_CHECKS(audit, CHECKS)
