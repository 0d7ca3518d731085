/*
 * change.c
 *		The engine's triggers: gate before a statement, and after it, in fixed order, whoever registered for it.
 *
 * One trigger a table and event, so that no trigger's name decides the order.  The engine acts as the owner of the
 * portfolio, never as the owner of the extension: a trigger function attached to somebody's own table does nothing, unless
 * that is the table of a portfolio of his.
 *
 * What the engine changes of itself, when the day turns or when damage is mended, goes through the same stages.
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "portfolio/change.h"
#include "portfolio/statement_open.h"
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
	cec_statement_begins(RelationGetRelid(trigdata->tg_relation));
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
	cec_statement_ends(RelationGetRelid(trigdata->tg_relation));
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
		cec_rows_leave_out_unchanged(&change);
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
