/*
 * report_event.c
 *		Tells other systems, once a contract and month, what its report of the month comes to.
 *
 * The report is read and the events are written as the owner of the portfolio, by whoever may run the portfolio's own function.
 * Writers go on meanwhile; one such run waits for another.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "outbox/outbox_write.h"
#include "portfolio/portfolio_cache.h"

PG_FUNCTION_INFO_V1(cec_report_audit);

#define TYPE "audit.report"

/* Contracts that the month concerns and of which it is not told yet; the name of the event is made of what it is about. */
static const CecQuery pending = {
	"SELECT c.contract_id, i.id::text, c.number::text, c.account_manager::text"
	" FROM @P@.contract c CROSS JOIN @P@.setting s"
	"  CROSS JOIN LATERAL (SELECT md5(concat_ws(' ', '" TYPE "', $1, c.contract_id, $2))::uuid AS id OFFSET 0) AS i"
	" WHERE NOT EXISTS (SELECT FROM @P@.outbox o WHERE o.id = i.id)"
	"  AND (c.during && daterange($2, $3) OR EXISTS (SELECT FROM @P@.audit_log l WHERE l.contract_id = c.contract_id"
	"   AND l.at >= $2::timestamp AT TIME ZONE s.time_zone AND l.at < $3::timestamp AT TIME ZONE s.time_zone))"
	" ORDER BY c.contract_id",
	3,
	{TEXTOID, DATEOID, DATEOID},
	.results = {INT8OID, TEXTOID, TEXTOID, TEXTOID}};

static const CecQuery report = {"SELECT cec._audit_report($1::regnamespace, $2, $3, $4, $5, $6 - 1)::text",
								6,
								{OIDOID, INT8OID, TEXTOID, TEXTOID, DATEOID, DATEOID},
								.results = {TEXTOID}};

typedef struct Pending
{
	int64 contract_id;
	char *id;
	Datum number;
	Datum account_manager;
	bool has_no_manager;
} Pending;

static char *
copied_text(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;

	return TextDatumGetCString(SPI_getbinval(tuple, desc, column, &isnull));
}

/* The contracts, in the current memory context. */
static List *
find_pending(CecPortfolio *portfolio, DateADT first_day, DateADT end)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum args[] = {CStringGetTextDatum(get_namespace_name(portfolio->nspid)), DateADTGetDatum(first_day),
					DateADTGetDatum(end)};
	List *found = NIL;
	MemoryContext old;
	uint64 count;

	SPI_connect();
	count = cec_query_run(portfolio->plans, &pending, args, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		Pending *contract = palloc0(sizeof(Pending));
		bool isnull;

		contract->contract_id = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
		contract->id = copied_text(tuple, desc, 2);
		contract->number = CStringGetTextDatum(copied_text(tuple, desc, 3));
		(void) SPI_getbinval(tuple, desc, 4, &contract->has_no_manager);
		if (!contract->has_no_manager)
			contract->account_manager = CStringGetTextDatum(copied_text(tuple, desc, 4));
		found = lappend(found, contract);
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return found;
}

/* What the event of a contract says, in the current memory context. */
static char *
read_report(CecPortfolio *portfolio, const Pending *contract, DateADT first_day, DateADT end)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum args[] = {ObjectIdGetDatum(portfolio->nspid), Int64GetDatum(contract->contract_id), contract->number,
					contract->account_manager,			DateADTGetDatum(first_day),			  DateADTGetDatum(end)};
	MemoryContext old;
	char *payload;

	SPI_connect();
	cec_query_run(portfolio->plans, &report, args, contract->has_no_manager ? "   n  " : NULL, 1);
	old = MemoryContextSwitchTo(cxt);
	payload = copied_text(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return payload;
}

/* The first day of the month after. */
static DateADT
next_month(DateADT first_day)
{
	int year;
	int month;
	int day;

	j2date(first_day + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return date2j(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - POSTGRES_EPOCH_JDATE;
}

/* cec._report_audit(portfolio, first_day): returns how many events were written. */
Datum
cec_report_audit(PG_FUNCTION_ARGS)
{
	const Oid argtype = DATEOID;
	DateADT first_day = PG_GETARG_DATEADT(1);
	DateADT end = next_month(first_day);
	CecOutbox outbox = {0};
	CecPortfolio *portfolio;
	List *contracts;
	ListCell *cell;
	CecActAs act;

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	if (!cec_portfolio_may_run(portfolio, "report_audit", 1, &argtype))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to report")));
	cec_portfolio_act(&act, portfolio);
	/* It stands in nobody's way but another run's. */
	table_close(cec_portfolio_open(portfolio, "outbox", ShareUpdateExclusiveLock), NoLock);
	contracts = find_pending(portfolio, first_day, end);
	foreach (cell, contracts)
	{
		const Pending *contract = lfirst(cell);
		CecEvent event = {"contract", psprintf(INT64_FORMAT, contract->contract_id), TYPE};

		CHECK_FOR_INTERRUPTS();
		event.id = contract->id;
		event.payload = read_report(portfolio, contract, first_day, end);
		cec_outbox_add(&outbox, &event);
	}
	cec_outbox_write(portfolio, &outbox);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	PG_RETURN_INT64(list_length(contracts));
}
