/*
 * seal_find_block.c
 *		cec._blocks_of: which blocks rows of the log were sealed in, for reports.
 *
 * Blocks are read with the caller's rights, all of them once; each row is then a binary search.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "audit/audit_scan.h"
#include "seal/seal_block.h"

PG_FUNCTION_INFO_V1(cec_blocks_of);

static int
read_array(Datum array, Oid type, Datum **values)
{
	ArrayType *elements = DatumGetArrayTypeP(array);
	bool *nulls;
	int count;

	deconstruct_array(elements, type, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, values, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("arrays must not contain NULL")));
	return count;
}

/*
 * cec._blocks_of(portfolio, audit_ids, system_ids, xids): the number of the block of each row, NULL for one that is not
 * sealed yet.
 */
Datum
cec_blocks_of(PG_FUNCTION_ARGS)
{
	Datum *audit_ids;
	Datum *system_ids;
	Datum *xids;
	int count = read_array(PG_GETARG_DATUM(1), INT8OID, &audit_ids);
	CecBlocks blocks = {0};
	Datum *found;
	bool *nulls;
	int dims[] = {count};
	int lower_bounds[] = {1};

	if (read_array(PG_GETARG_DATUM(2), INT8OID, &system_ids) != count ||
		read_array(PG_GETARG_DATUM(3), XID8OID, &xids) != count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("arrays must have the same number of elements")));
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT8OID));

	cec_portfolio_pin();
	cec_blocks_scan(cec_portfolio_get(PG_GETARG_OID(0)), &blocks);
	cec_portfolio_unpin();
	found = palloc(count * sizeof(Datum));
	nulls = palloc(count * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		CecBlock *block =
			cec_blocks_find(&blocks, DatumGetInt64(system_ids[i]),
							U64FromFullTransactionId(DatumGetFullTransactionId(xids[i])), DatumGetInt64(audit_ids[i]));

		nulls[i] = block == NULL;
		found[i] = block == NULL ? (Datum) 0 : Int64GetDatum(block->block_no);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(found, nulls, 1, dims, lower_bounds, INT8OID, sizeof(int64),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
