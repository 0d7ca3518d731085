/*
 * table_guard.c
 *		Triggers that refuse statements on tables that only the engine writes.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(cec_refuse_rewrite);
PG_FUNCTION_INFO_V1(cec_refuse_typing);

/* cec.refuse_rewrite(): the log only grows, whoever asks. */
Datum
cec_refuse_rewrite(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.refuse_rewrite is a trigger of the audit log")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is append-only", RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("What is recorded is neither changed nor removed, not even by its owner."),
			 errhint("Correct a mistake by a new change, which is recorded too."), errtable(trigdata->tg_relation)));
}

/* cec.refuse_typing(): what is derived follows from what is stated. */
Datum
cec_refuse_typing(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.refuse_typing is a trigger of derived tables")));
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("table \"%s\" is kept by the engine", RelationGetRelationName(trigdata->tg_relation)),
					errdetail("It follows from lists, bundles, contracts, terms and the register."),
					errhint("Change those; recompute_coverage repairs what was damaged from outside."),
					errtable(trigdata->tg_relation)));
}
