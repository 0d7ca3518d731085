/*
 * change.c
 *		The engine's triggers: gate before a statement, and after it, in fixed order, whoever registered for it.
 *
 * One trigger a table and event, so that no trigger's name decides the order.  The engine acts as the owner of the
 * portfolio, never as the owner of the extension: a trigger function attached to somebody's own table does nothing, unless
 * that is the table of a portfolio of his.
 *
 * What the engine changes of itself, when the day turns or when damage is mended, goes through the same stages.
 *
 * Transition rows are read from their tuplestores, each through a read pointer of its own; SQL never sees them.  Rows that
 * an UPDATE left as they were are none of the change.
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "portfolio/change.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/probe.h"
#include "support/slot.h"

typedef struct Handler
{
	const char *table_name; /* NULL: every table, and what is the engine's own */
	bool awaits_cover;		/* only when rows of coverage have changed */
	CecChangeHandler run;
} Handler;

/* Who has registered for a stage, in order; kept as long as the session. */
typedef struct StageHandlers
{
	int count;
	int space;
	Handler *handlers;
} StageHandlers;

static StageHandlers stages[CEC_STAGE_COUNT];

/* What somebody keeps of a change from stage to stage. */
typedef struct CecStoredTree
{
	const void *key;
	void *state;
	struct CecStoredTree *next;
} CecStoredTree;

PG_FUNCTION_INFO_V1(cec_enter_gate);
PG_FUNCTION_INFO_V1(cec_record_change);
PG_FUNCTION_INFO_V1(cec_refuse_truncate);

static void
add_handler(CecStage stage, Handler handler)
{
	StageHandlers *at = &stages[stage];

	CEC_MAKE_ROOM_IN(TopMemoryContext, at->handlers, at->count, at->space, 8);
	at->handlers[at->count++] = handler;
}

/*
 * Registers a handler for a table at a stage; NULL: for all, and for changes of the engine's own, which have no table and no
 * rows.  Within a stage handlers run in order of registration.
 */
void
cec_change_register(CecStage stage, const char *table_name, CecChangeHandler handler)
{
	add_handler(stage, (Handler){table_name, false, handler});
}

/*
 * Registers a coverage handler: at a stage behind AUDIT it hears of each change in cover, by a statement on whatever table, by
 * refresh or by recompute_coverage.  change->delta.cover has the rows of coverage that went and came; cec_delta_next reads
 * them by asset and term.  A change that leaves cover as it was does not call it.
 */
void
cec_cover_register(CecStage stage, CecChangeHandler handler)
{
	Assert(stage > CEC_STAGE_AUDIT);
	add_handler(stage, (Handler){NULL, true, handler});
}

/*
 * Starts a change, in a memory context of its own, which is the current one until its end.  The caller has pinned the
 * portfolio and acts as its owner when the stages run.
 */
void
cec_change_begin(CecChange *change, CecPortfolio *portfolio, const char *table_name, CecOperation operation, Oid caller)
{
	memset(change, 0, sizeof(CecChange));
	change->cxt = AllocSetContextCreate(CurrentMemoryContext, "cec change", ALLOCSET_DEFAULT_SIZES);
	change->outer_cxt = MemoryContextSwitchTo(change->cxt);
	change->portfolio = portfolio;
	change->table_name = table_name;
	change->operation = operation;
	change->caller = caller;
	cec_delta_begin(&change->delta);
}

static void
end_reading(CecChange *change)
{
	if (change->reading != NULL)
		cec_reading_end(change->reading);
	change->reading = NULL;
}

/* Runs all stages.  What is the engine's own has named its assets by then. */
void
cec_change_run(CecChange *change)
{
	for (CecStage stage = 0; stage < CEC_STAGE_COUNT; stage++)
	{
		/* From there on triggers of others may run, and are to find no table open. */
		if (stage == CEC_STAGE_FIND)
			end_reading(change);
		for (int i = 0; i < stages[stage].count; i++)
		{
			const Handler *handler = &stages[stage].handlers[i];

			if ((handler->table_name == NULL ||
				 (change->rel != NULL && strcmp(handler->table_name, change->table_name) == 0)) &&
				(!handler->awaits_cover || change->delta.cover.count > 0))
				handler->run(change);
		}
	}
}

/* Lets go of all that belongs to the change. */
void
cec_change_end(CecChange *change)
{
	end_reading(change);
	MemoryContextSwitchTo(change->outer_cxt);
	MemoryContextDelete(change->cxt);
}

/* What is kept under a key from stage to stage, or NULL; the key is an address of the asker's own. */
void *
cec_change_kept(CecChange *change, const void *key)
{
	for (CecStoredTree *kept = change->kept; kept != NULL; kept = kept->next)
		if (kept->key == key)
			return kept->state;
	return NULL;
}

/* The same; when there is nothing yet, so many bytes are, zeroed, and stay until the end of the change. */
void *
cec_change_keep(CecChange *change, const void *key, Size size)
{
	void *state = cec_change_kept(change, key);
	CecStoredTree *kept;

	if (state != NULL)
		return state;
	kept = MemoryContextAlloc(change->cxt, sizeof(CecStoredTree));
	*kept = (CecStoredTree){key, MemoryContextAllocZero(change->cxt, size), change->kept};
	change->kept = kept;
	return kept->state;
}

static TriggerData *
trigger_data(FunctionCallInfo fcinfo, const char *name, bool statement_level)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) == statement_level)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("%s is a statement trigger of portfolio tables", name),
						errhint("cec.create_portfolio and cec.upgrade_portfolio attach it.")));
	return trigdata;
}

static const char *
trigger_argument(TriggerData *trigdata, const char *name)
{
	if (trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("%s takes one argument", name),
						errhint("cec.create_portfolio and cec.upgrade_portfolio attach it.")));
	return trigdata->tg_trigger->tgargs[0];
}

/*
 * cec.enter_gate(mode): BEFORE a statement touches a row, takes the portfolio's gate.  Mode "data" goes beside other
 * writers, "definition" alone.
 */
Datum
cec_enter_gate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "cec.enter_gate", true);
	const char *mode = trigger_argument(trigdata, "cec.enter_gate");

	cec_portfolio_lock_gate(RelationGetNamespace(trigdata->tg_relation),
							strcmp(mode, "data") == 0 ? RowExclusiveLock : ShareRowExclusiveLock);
	PG_RETURN_POINTER(NULL);
}

/* TRIGGER on a table is enough to attach another one, which would forge rows of the log, as of any table. */
static void
check_recorded_once(TriggerData *trigdata)
{
	const int events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE;
	const TriggerDesc *triggers = trigdata->tg_relation->trigdesc;
	const Trigger *own = trigdata->tg_trigger;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *other = &triggers->triggers[i];

		if (other->tgfoid == own->tgfoid && other->tgoid != own->tgoid && (other->tgtype & own->tgtype & events) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("triggers \"%s\" and \"%s\" both record the changes of table \"%s\"", own->tgname,
							other->tgname, RelationGetRelationName(trigdata->tg_relation)),
					 errhint("Drop the one that cec.create_portfolio did not make."), errtable(trigdata->tg_relation)));
	}
}

/* Whether two rows are the same to the byte, as those of an UPDATE that sets what is there already mostly are. */
static bool
same_bytes(TupleTableSlot *one, TupleTableSlot *other)
{
	MinimalTuple a = ((MinimalTupleTableSlot *) one)->mintuple;
	MinimalTuple b = ((MinimalTupleTableSlot *) other)->mintuple;

	return a->t_len == b->t_len && a->t_hoff == b->t_hoff &&
		   (a->t_infomask2 & HEAP_NATTS_MASK) == (b->t_infomask2 & HEAP_NATTS_MASK) &&
		   (a->t_infomask & HEAP_HASNULL) == (b->t_infomask & HEAP_HASNULL) &&
		   memcmp(a->t_bits, b->t_bits, a->t_len - offsetof(MinimalTupleData, t_bits)) == 0;
}

static bool
same_row(TupleTableSlot *one, TupleTableSlot *other)
{
	TupleDesc desc = one->tts_tupleDescriptor;

	if (same_bytes(one, other))
		return true;
	slot_getallattrs(one);
	slot_getallattrs(other);
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && !cec_rows_same_value(one, other, i + 1))
			return false;
	return true;
}

/*
 * Takes out of an UPDATE the rows that it left as they were: nothing is recorded of them, nor follows from them.  What is
 * left, if that is less, is in tuplestores of the change's own, for the caller to let go of.
 */
static void
leave_out_unchanged(CecChange *change)
{
	Tuplestorestate *old_rows;
	Tuplestorestate *new_rows;
	int64 same = 0;
	CecRows rows;

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
		same += same_row(rows.old_row, rows.new_row);
	cec_rows_end(&rows);
	if (same == 0)
		return;
	old_rows = tuplestore_begin_heap(true, false, work_mem);
	new_rows = tuplestore_begin_heap(true, false, work_mem);
	if (same < tuplestore_tuple_count(change->new_rows))
	{
		cec_rows_begin(&rows, change);
		while (cec_rows_next(&rows))
			if (!same_row(rows.old_row, rows.new_row))
			{
				tuplestore_puttupleslot(old_rows, rows.old_row);
				tuplestore_puttupleslot(new_rows, rows.new_row);
			}
		cec_rows_end(&rows);
	}
	change->old_rows = old_rows;
	change->new_rows = new_rows;
}

/*
 * cec.record_change(table_name): AFTER a statement, runs all stages over its transition rows.
 */
Datum
cec_record_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "cec.record_change", true);
	CecChange change;
	CecOperation operation = CEC_DELETE;
	const char *table_name;
	CecActAs act;

	check_recorded_once(trigdata);
	table_name = trigger_argument(trigdata, "cec.record_change");
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		operation = CEC_INSERT;
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		operation = CEC_UPDATE;
	if ((operation != CEC_INSERT && trigdata->tg_oldtable == NULL) ||
		(operation != CEC_DELETE && trigdata->tg_newtable == NULL))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.record_change needs its transition tables"),
						errhint("cec.create_portfolio and cec.upgrade_portfolio attach it.")));

	cec_portfolio_pin();
	cec_change_begin(&change, cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation)), table_name, operation,
					 GetUserId());
	change.rel = trigdata->tg_relation;
	change.old_rows = trigdata->tg_oldtable;
	change.new_rows = trigdata->tg_newtable;
	cec_portfolio_adopt(change.portfolio, change.rel, change.table_name);
	cec_portfolio_act(&act, change.portfolio);
	if (operation == CEC_UPDATE)
		leave_out_unchanged(&change);
	cec_change_run(&change);
	if (change.new_rows != trigdata->tg_newtable)
	{
		tuplestore_end(change.old_rows);
		tuplestore_end(change.new_rows);
	}
	cec_act_as_self(&act);
	cec_change_end(&change);
	cec_portfolio_unpin();
	PG_RETURN_POINTER(NULL);
}

/* cec.refuse_truncate(): TRUNCATE takes its lock before any trigger runs and leaves no rows to record. */
Datum
cec_refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "cec.refuse_truncate", true);

	ereport(ERROR, (errcode(ERRCODE_RESTRICT_VIOLATION),
					errmsg("table \"%s\" cannot be truncated", RelationGetRelationName(trigdata->tg_relation)),
					errdetail("Every row that leaves a portfolio is recorded, and TRUNCATE does not name them."),
					errhint("Use DELETE, or cec.drop_portfolio to remove the whole portfolio."),
					errtable(trigdata->tg_relation)));
}

/* Starts reading the rows of a change; several readers of one change do not disturb each other. */
void
cec_rows_begin(CecRows *rows, CecChange *change)
{
	TupleDesc desc = RelationGetDescr(change->rel);

	memset(rows, 0, sizeof(CecRows));
	rows->change = change;
	if (change->old_rows != NULL)
	{
		rows->old_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
		rows->old_pointer = tuplestore_alloc_read_pointer(change->old_rows, EXEC_FLAG_REWIND);
		tuplestore_select_read_pointer(change->old_rows, rows->old_pointer);
		tuplestore_rescan(change->old_rows);
	}
	if (change->new_rows != NULL)
	{
		rows->new_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
		rows->new_pointer = tuplestore_alloc_read_pointer(change->new_rows, EXEC_FLAG_REWIND);
		tuplestore_select_read_pointer(change->new_rows, rows->new_pointer);
		tuplestore_rescan(change->new_rows);
	}
}

/* Moves to the next row; false after the last.  The slots hold it until the next call. */
bool
cec_rows_next(CecRows *rows)
{
	if (rows->old_slot != NULL)
	{
		tuplestore_select_read_pointer(rows->change->old_rows, rows->old_pointer);
		rows->old_row =
			tuplestore_gettupleslot(rows->change->old_rows, true, false, rows->old_slot) ? rows->old_slot : NULL;
	}
	if (rows->new_slot != NULL)
	{
		tuplestore_select_read_pointer(rows->change->new_rows, rows->new_pointer);
		rows->new_row =
			tuplestore_gettupleslot(rows->change->new_rows, true, false, rows->new_slot) ? rows->new_slot : NULL;
	}
	if (rows->old_slot != NULL && rows->new_slot != NULL && (rows->old_row == NULL) != (rows->new_row == NULL))
		elog(ERROR, "transition tables differ in length");
	return rows->old_row != NULL || rows->new_row != NULL;
}

/* Lets go of the reader's slots. */
void
cec_rows_end(CecRows *rows)
{
	if (rows->old_slot != NULL)
		ExecDropSingleTupleTableSlot(rows->old_slot);
	if (rows->new_slot != NULL)
		ExecDropSingleTupleTableSlot(rows->new_slot);
}

/* Whether a column has the same value in two rows of the changed table, bit by bit; both are deformed. */
bool
cec_rows_same_value(TupleTableSlot *one, TupleTableSlot *other, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(one->tts_tupleDescriptor, attnum - 1);
	bool null = cec_slot_isnull(one, attnum);

	return null == cec_slot_isnull(other, attnum) &&
		   (null ||
			datum_image_eq(cec_slot_value(one, attnum), cec_slot_value(other, attnum), att->attbyval, att->attlen));
}

/* Makes the values of both rows readable. */
void
cec_rows_deform(CecRows *rows)
{
	if (rows->old_row != NULL)
		slot_getallattrs(rows->old_row);
	if (rows->new_row != NULL)
		slot_getallattrs(rows->new_row);
}

/* Whether a row came or went, or says something else in a column; what there is of both is deformed. */
bool
cec_rows_differ(CecChange *change, CecRows *rows, const char *column)
{
	return rows->old_row == NULL || rows->new_row == NULL ||
		   !cec_rows_same_value(rows->old_row, rows->new_row, cec_column_find(change->rel, column));
}

/* Whether the statement touched no row at all. */
bool
cec_change_is_empty(CecChange *change)
{
	return (change->old_rows == NULL || tuplestore_tuple_count(change->old_rows) == 0) &&
		   (change->new_rows == NULL || tuplestore_tuple_count(change->new_rows) == 0);
}

/*
 * Whether whoever made the change may read all of a table of the portfolio.  Messages are made of rows that the engine
 * reads as the owner: they hold values of a table, of the changed one too, only where this says so.
 */
bool
cec_change_may_tell(CecChange *change, const char *table_name)
{
	return cec_may_read_all(change->caller, cec_portfolio_table(change->portfolio, table_name));
}

/*
 * What the statement reads, from the stage LOCK on; begun when somebody asks first, in the context of the change.  It is
 * renewed when the locks are held.
 */
CecReading *
cec_change_reading(CecChange *change)
{
	if (change->reading == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(change->cxt);

		change->reading =
			cec_reading_begin(change->portfolio, change->rel == NULL ? InvalidOid : RelationGetRelid(change->rel));
		MemoryContextSwitchTo(old);
	}
	return change->reading;
}

/*
 * Whether a foreign key from or to the table may be checked later, so that a row may come before the one that it refers to.
 * The engine declares none deferrable; whoever owns the tables may.
 */
bool
cec_change_may_dangle(CecChange *change)
{
	const TriggerDesc *triggers = change->rel == NULL ? NULL : change->rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgisinternal && triggers->triggers[i].tgdeferrable)
			return true;
	return false;
}

/* From keys to the values of another column of the rows of a table that have them, as of now; in order. */
CecIds
cec_change_follow(CecChange *change, const CecIds *keys, const char *table, const char *key_column, const char *column)
{
	CecIds found = {0};
	Snapshot snapshot;
	CecProbe *probe;
	AttrNumber attnum;

	if (keys->count == 0)
		return found;
	snapshot = cec_latest_snapshot();
	probe = cec_probe_begin(cec_portfolio_open(change->portfolio, table, AccessShareLock), key_column, snapshot);
	attnum = cec_probe_column(probe, column, INT8OID);
	for (int64 i = 0; i < keys->count; i++)
	{
		TupleTableSlot *row;

		cec_probe_seek(probe, keys->ids[i]);
		while ((row = cec_probe_next(probe)) != NULL)
			cec_ids_add(&found, cec_slot_int8(row, attnum));
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
	cec_ids_sort_unique(&found);
	return found;
}
