/*
 * portfolio_today.c
 *		What day it is in a portfolio: by the time zone of its setting, never by the session's.
 *
 * The zone, and with it what else each statement asks of the setting, is read once and kept in the entry of the portfolio
 * cache.  Plain DML sends no relcache message, so the handler here sends one for table setting when a row of it has changed; whoever changes it holds the gate alone, and taking the
 * gate processes the messages.  Where something is taken back all zones are read anew: what was read may be what is gone, and
 * its message may be gone with it.
 *
 * Whoever asks has pinned the portfolio and, but for the version, acts as its owner.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/datetime.h"
#include "utils/inval.h"

#include "init.h"
#include "portfolio/portfolio_today.h"

static const CecQuery read_zone = {
	"SELECT time_zone, direct_changes = 'draft_only', observation_days, value_attribute, version = cec.version() FROM @P@.setting",
	.results = {TEXTOID, BOOLOID, INT4OID, TEXTOID, BOOLOID}};

/* As the caller, who is told the versions where he may read the setting. */
static const CecQuery require_version = {
	"SELECT cec._require_version($1::regnamespace)", 1, {OIDOID}, CURSOR_OPT_GENERIC_PLAN, .results = {VOIDOID}};

static uint64 taken_back = 0; /* how often something was, in this session */

static void
note_subabort(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		taken_back++;
}

/* A prepared transaction may be taken back without a message to anybody. */
static void
note_abort(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		taken_back++;
}

/* Handler of the stage DEFINE for settings: says to all sessions, this one included, that they have changed. */
static void
forget_zone(CecChange *change)
{
	CacheInvalidateRelcacheByRelid(cec_portfolio_table(change->portfolio, "setting"));
	cec_cache_forget(&change->portfolio->zone_as_of); /* the message comes back only with the next command */
}

/* Registers with the engine and the transaction machinery. */
void
cec_portfolio_today_init(void)
{
	RegisterSubXactCallback(note_subabort, NULL);
	RegisterXactCallback(note_abort, NULL);
	cec_change_register(CEC_STAGE_DEFINE, "setting", forget_zone);
}

static bool
holds_setting(CecPortfolio *portfolio)
{
	return cec_cache_holds(&portfolio->zone_as_of) && portfolio->zone_taken_back == taken_back;
}

static void
read_setting(CecPortfolio *portfolio)
{
	CecAsOf as_of;

	if (holds_setting(portfolio))
		return;
	as_of = cec_cache_as_of(cec_portfolio_table(portfolio, "setting"));
	portfolio->zone = NULL;
	portfolio->takes_drafts_only = false;
	portfolio->observation_days = 0;
	portfolio->value_attribute[0] = '\0';
	portfolio->is_current = false;
	SPI_connect();
	if (cec_query_run(portfolio->plans, &read_zone, NULL, NULL, 1) > 0)
	{
		HeapTuple row = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;
		char *name = SPI_getvalue(row, desc, 1);
		bool isnull;

		portfolio->zone = name == NULL ? NULL : pg_tzset(name);
		portfolio->takes_drafts_only = DatumGetBool(SPI_getbinval(row, desc, 2, &isnull)) && !isnull;
		portfolio->observation_days = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
		name = SPI_getvalue(row, desc, 4);
		if (name != NULL)
			strlcpy(portfolio->value_attribute, name, sizeof(portfolio->value_attribute));
		portfolio->is_current = DatumGetBool(SPI_getbinval(row, desc, 5, &isnull)) && !isnull;
	}
	SPI_finish();
	portfolio->zone_as_of = as_of;
	portfolio->zone_taken_back = taken_back;
}

/* The time zone of the portfolio; NULL while it has no setting. */
pg_tz *
cec_portfolio_zone(CecPortfolio *portfolio)
{
	read_setting(portfolio);
	return portfolio->zone;
}

/* Whether lists of active contracts are changed by amendments alone. */
bool
cec_portfolio_takes_drafts_only(CecPortfolio *portfolio)
{
	read_setting(portfolio);
	return portfolio->takes_drafts_only;
}

/* For how many days an observation counts. */
int
cec_portfolio_observation_days(CecPortfolio *portfolio)
{
	read_setting(portfolio);
	return portfolio->observation_days;
}

/* The key of the attribute that says what an asset is worth. */
const char *
cec_portfolio_value_attribute(CecPortfolio *portfolio)
{
	read_setting(portfolio);
	return portfolio->value_attribute;
}

/*
 * Refuses a portfolio that is not of the extension's version (55000), as cec._require_version does, at next to no cost.  Whoever asks
 * has pinned the portfolio, and acts as the caller.
 */
void
cec_portfolio_require_version(CecPortfolio *portfolio)
{
	Datum schema = ObjectIdGetDatum(portfolio->nspid);

	if (!holds_setting(portfolio))
	{
		CecActAs act;

		cec_portfolio_act(&act, portfolio);
		read_setting(portfolio);
		cec_act_as_self(&act);
	}
	if (portfolio->is_current)
		return;
	SPI_connect();
	(void) cec_query_read(portfolio->plans, &require_version, &schema, NULL);
	SPI_finish();
}

/* The day of an instant in the portfolio's time zone. */
DateADT
cec_portfolio_local_day(CecPortfolio *portfolio, TimestampTz at)
{
	pg_tz *zone = cec_portfolio_zone(portfolio);
	struct pg_tm tm;
	fsec_t fsec;
	int tz;

	if (timestamp2tm(at, &tz, &tm, &fsec, NULL, zone == NULL ? session_timezone : zone) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* Today, by the clock. */
DateADT
cec_portfolio_today(CecPortfolio *portfolio)
{
	return cec_portfolio_local_day(portfolio, GetCurrentTimestamp());
}

/* The day as of which a change decides: the one that refresh has come to, else that of the statement's instant. */
DateADT
cec_change_today(CecChange *change)
{
	if (change->operation == CEC_REFRESH)
		return change->day;
	return cec_portfolio_local_day(change->portfolio, cec_delta_clock(&change->delta));
}
