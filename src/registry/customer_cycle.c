/*
 * customer_cycle.c
 *		Refuses a customer that would belong to itself, however many others are between.
 *
 * A new cycle goes through a row that the statement changed, so it is walked up from these, each customer once.  Sessions that
 * build a cycle together come one after the other, and the last one sees the others' rows: whoever changes a parent keeps
 * others from that until he commits, by the portfolio's gate (what findings say hangs on to whom customers belong), and a new one
 * with a parent by a lock on the table that all other work goes beside.  New customers need no lock else: nobody can refer to them
 * yet, unless foreign keys are deferrable.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "init.h"
#include "portfolio/change.h"
#include "support/column.h"

static const CecSource customer_by_id = {
	"customer", "customer_id", INT8OID, AccessShareLock, {{"parent_id", INT8OID, true}, {"name", TEXTOID}}};

enum
{
	CUSTOMER_PARENT_ID,
	CUSTOMER_NAME
};

/* What a message holds: customers of a cycle, bytes of a name. */
#define CUSTOMERS_SHOWN 10
#define NAME_SHOWN 100

/* A customer that was walked through, and in which of the walks. */
typedef struct Walked
{
	int64 customer_id; /* key */
	int64 walk;
} Walked;

/* Moves on to the customer that one belongs to; false when there is none, or its foreign key is about to say so. */
static bool
move_up(const CecLook *customers, int64 *customer_id)
{
	TupleTableSlot *row = cec_probe_row(customers->probe, *customer_id);

	if (row == NULL || cec_look_isnull(customers, row, CUSTOMER_PARENT_ID))
		return false;
	*customer_id = DatumGetInt64(cec_look_value(customers, row, CUSTOMER_PARENT_ID));
	return true;
}

static char *
name_of(const CecLook *customers, int64 customer_id)
{
	TupleTableSlot *row = cec_probe_row(customers->probe, customer_id);
	text *name;

	if (row == NULL)
		return psprintf(INT64_FORMAT, customer_id);
	name = DatumGetTextPP(cec_look_value(customers, row, CUSTOMER_NAME));
	return pnstrdup(VARDATA_ANY(name), pg_mbcliplen(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), NAME_SHOWN));
}

static void
refuse_cycle(CecChange *change, const CecLook *customers, int64 customer_id)
{
	StringInfoData path;
	int64 between = 0;

	if (!cec_change_may_tell(change, "customer"))
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a customer would belong to itself"),
						errhint("Ask somebody who may read all customers to look at it."),
						errtableconstraint(change->rel, "customer_no_cycle")));
	initStringInfo(&path);
	for (int64 at = customer_id; move_up(customers, &at) && at != customer_id;)
	{
		CHECK_FOR_INTERRUPTS();
		if (between++ < CUSTOMERS_SHOWN)
			appendStringInfo(&path, "\"%s\" -> ", name_of(customers, at));
	}
	if (between > CUSTOMERS_SHOWN)
		appendStringInfo(&path, INT64_FORMAT " more -> ", between - CUSTOMERS_SHOWN);
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					errmsg("customer \"%s\" would belong to itself", name_of(customers, customer_id)),
					errdetail("From customer to parent: \"%s\" -> %s\"%s\".", name_of(customers, customer_id),
							  path.data, name_of(customers, customer_id)),
					errhint("Set parent_id to NULL for the one at the top."),
					errtableconstraint(change->rel, "customer_no_cycle")));
}

/* Walks up from a customer to one that belongs to none, or that another walk has come by. */
static void
walk_up(CecChange *change, const CecLook *customers, HTAB *walked, int64 customer_id, int64 walk)
{
	do
	{
		bool is_known;
		Walked *at = hash_search(walked, &customer_id, HASH_ENTER, &is_known);

		CHECK_FOR_INTERRUPTS();
		if (is_known && at->walk == walk)
			refuse_cycle(change, customers, customer_id);
		if (is_known)
			return;
		at->walk = walk;
	} while (move_up(customers, &customer_id));
}

/* Keeps others from changing parents until this transaction ends, and sees what they have done before. */
static const CecLook *
begin_walks(CecChange *change)
{
	if (change->operation == CEC_UPDATE || cec_change_may_dangle(change))
	{
		LockRelation(change->rel, ShareUpdateExclusiveLock);
		cec_reading_renew(cec_change_reading(change));
	}
	return cec_reading_look(cec_change_reading(change), &customer_by_id);
}

/* Handler of the validate stage, for customer. */
static void
validate_parents(CecChange *change)
{
	AttrNumber customer_id = cec_column_require(change->rel, "customer_id", INT8OID);
	AttrNumber parent_id = cec_column_require_nullable(change->rel, "parent_id", INT8OID);
	const CecLook *customers = NULL;
	HTAB *walked = NULL;
	int64 walks = 0;
	CecRows rows;

	if (change->new_rows == NULL || cec_change_is_empty(change))
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.new_row->tts_isnull[parent_id - 1] ||
			(rows.old_row != NULL && cec_rows_same_value(rows.old_row, rows.new_row, parent_id) &&
			 cec_rows_same_value(rows.old_row, rows.new_row, customer_id)))
			continue;
		if (walked == NULL)
		{
			HASHCTL ctl = {0};

			ctl.keysize = sizeof(int64);
			ctl.entrysize = sizeof(Walked);
			ctl.hcxt = CurrentMemoryContext;
			walked = hash_create("cec walked customers", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
			customers = begin_walks(change);
		}
		walk_up(change, customers, walked, DatumGetInt64(rows.new_row->tts_values[customer_id - 1]), ++walks);
	}
	cec_rows_end(&rows);
	if (walked != NULL)
		hash_destroy(walked);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_customer_cycle_init(void)
{
	cec_change_register(CEC_STAGE_VALIDATE, "customer", validate_parents);
}
