/*
 * require_days.c
 *		Says what is missing where a row has no days, before the server says less.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(cec_require_days);

/* cec.require_days(): a row trigger WHEN its days are missing. */
Datum
cec_require_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.require_days is a row trigger of tables with days")));
	ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
					errmsg("the days of a row of \"%s\" are missing", RelationGetRelationName(trigdata->tg_relation)),
					errdetail("Its column during is NULL, or was left out."),
					errhint("Write both ends, as in [2026-01-01,2026-12-31], or leave one open, as in [2026-01-01,)."),
					errtablecolname(trigdata->tg_relation, "during")));
	PG_RETURN_NULL();
}
