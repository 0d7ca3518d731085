/*
 * observation_resolve.c
 *		Recognises the asset whose tag somebody has seen in the field.
 *
 * A BEFORE ROW trigger of INSERT, so that a scanner's file needs no keys.  An observation says what was recognised as it came in:
 * a tag that names none or several assets then stays unrecognised, and a finding tells of it; nothing is refused, and nothing waits
 * for the asset.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/datetime.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_today.h"
#include "registry/identifier_named.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/probe.h"

PG_FUNCTION_INFO_V1(cec_resolve_seen_tag);

/* The day of an observation in the portfolio's calendar, if there is such a day. */
static bool
get_day(CecPortfolio *portfolio, Datum observed_at, CecDays *day)
{
	TimestampTz at = DatumGetTimestampTz(observed_at);
	CecActAs act;

	if (TIMESTAMP_NOT_FINITE(at))
		return false;
	cec_portfolio_act(&act, portfolio);
	day->from = cec_portfolio_local_day(portfolio, at);
	cec_act_as_self(&act);
	day->to = day->from + 1;
	return true;
}

/* cec.resolve_seen_tag(): fills asset_id of an observation where it is NULL and seen_tag names one asset on the day it was seen. */
Datum
cec_resolve_seen_tag(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple row;
	TupleDesc desc;
	int asset_id;
	Datum seen_tag;
	Datum observed_at;
	bool no_tag;
	bool no_time;
	CecPortfolio *portfolio;
	CecDays day;
	int64 found = 0;
	bool is_found = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.resolve_seen_tag is a BEFORE INSERT row trigger of field observations")));
	row = trigdata->tg_trigtuple;
	desc = RelationGetDescr(trigdata->tg_relation);
	asset_id = cec_column_require_nullable(trigdata->tg_relation, "asset_id", INT8OID);
	seen_tag =
		SPI_getbinval(row, desc, cec_column_require_nullable(trigdata->tg_relation, "seen_tag", TEXTOID), &no_tag);
	observed_at =
		SPI_getbinval(row, desc, cec_column_require(trigdata->tg_relation, "observed_at", TIMESTAMPTZOID), &no_time);
	if (no_tag || no_time || !heap_attisnull(row, asset_id, desc))
		return PointerGetDatum(row);

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation));
	cec_portfolio_adopt(portfolio, trigdata->tg_relation, "field_observation");
	if (get_day(portfolio, observed_at, &day))
	{
		Snapshot snapshot = cec_latest_snapshot();
		CecNamed search;

		cec_named_begin(&search, portfolio, snapshot);
		is_found = cec_named_find(&search, seen_tag, &day, &found) == 1;
		cec_named_end(&search);
		UnregisterSnapshot(snapshot);
	}
	cec_portfolio_unpin();

	if (is_found)
	{
		Datum value = Int64GetDatum(found);
		bool isnull = false;

		row = heap_modify_tuple_by_cols(row, desc, 1, &asset_id, &value, &isnull);
	}
	return PointerGetDatum(row);
}
