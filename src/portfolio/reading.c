/*
 * reading.c
 *		What a changed statement reads of the tables of a portfolio, each of them opened once.
 *
 * The stages of a statement ask the same tables, and mostly for the same rows: what holds for a list line holds for its
 * cover and for the log.  Opening a table and its index costs what reading three rows does, so they share the probes, and
 * with cec_probe_row the row.
 *
 * All of them read with one snapshot.  That is right once the locks are held (LOCK is done): what is decided from (lines,
 * events and cover of the assets, the assets themselves, memberships, terms, contracts, rules) is changed by nobody else from
 * then on until the transaction ends, since whoever does needs one of these locks.  What the transaction writes itself is seen
 * after cec_reading_keep_up.  Before that nothing may be kept of what was read: cec_reading_renew starts afresh.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "portfolio/reading.h"
#include "support/query.h"

/* The statement locks rows of it, and so do foreign keys. */
const CecSource cec_source_asset = {"asset",
									"asset_id",
									INT8OID,
									RowShareLock,
									{{"asset_id", INT8OID},
									 {"status", TEXTOID},
									 {"commissioned_on", DATEOID, true},
									 {"decommissioned_on", DATEOID, true},
									 {"out_of_service", DATEMULTIRANGEOID},
									 {"asset_tag", TEXTOID},
									 {"tag_symbology", TEXTOID},
									 {"customer_id", INT8OID, true},
									 {"location", CEC_GEOMETRY_RESULT, true},
									 {"attributes", JSONBOID}}};

const CecSource cec_source_line = {
	"inclusion",
	"asset_id",
	INT8OID,
	AccessShareLock,
	{{"inclusion_id", INT8OID}, {"term_id", INT8OID}, {"effect", TEXTOID}, {"during", DATERANGEOID}}};

const CecSource cec_source_term = {
	"coverage_term",
	"term_id",
	INT8OID,
	RowShareLock,
	{{"contract_id", INT8OID}, {"during", DATERANGEOID}, {"covers_bundles", BOOLOID}, {"number", TEXTOID}}};

const CecSource cec_source_contract = {"contract",
									   "contract_id",
									   INT8OID,
									   AccessShareLock,
									   {{"status", TEXTOID},
										{"during", DATERANGEOID},
										{"suspensions", DATEMULTIRANGEOID},
										{"kind", TEXTOID},
										{"number", TEXTOID},
										{"account_manager", TEXTOID, true},
										{"customer_id", INT8OID},
										{"boundary", CEC_GEOMETRY_RESULT, true}}};

static CecReading *
begin_reading(CecPortfolio *portfolio, Oid locked, Snapshot snapshot)
{
	CecReading *reading = palloc(sizeof(CecReading));

	reading->portfolio = portfolio;
	reading->locked = locked;
	reading->snapshot = snapshot;
	reading->cxt = CurrentMemoryContext;
	reading->count = 0;
	return reading;
}

/*
 * Starts reading, in the current memory context, with the latest snapshot.  locked: a table that the caller has locked
 * himself, or 0.
 */
CecReading *
cec_reading_begin(CecPortfolio *portfolio, Oid locked)
{
	return begin_reading(portfolio, locked, cec_latest_snapshot());
}

/* The same for a question, which sees what the caller's statement sees. */
CecReading *
cec_reading_begin_at(CecPortfolio *portfolio, Snapshot snapshot)
{
	return begin_reading(portfolio, InvalidOid, RegisterSnapshot(snapshot));
}

/* Goes on with the latest snapshot, and forgets what was read. */
void
cec_reading_renew(CecReading *reading)
{
	Snapshot before = reading->snapshot;

	reading->snapshot = cec_latest_snapshot();
	for (int i = 0; i < reading->count; i++)
		cec_probe_use_snapshot(reading->looks[i].probe, reading->snapshot);
	UnregisterSnapshot(before);
}

/* Renews it where this transaction has written since. */
void
cec_reading_keep_up(CecReading *reading)
{
	CommandCounterIncrement();
	if (GetCurrentCommandId(false) != reading->snapshot->curcid)
		cec_reading_renew(reading);
}

/* Looks into a source, which is opened when it is asked for first; it stays open until the end. */
CecLook *
cec_reading_look(CecReading *reading, const CecSource *source)
{
	CecLook *look;
	MemoryContext old;

	for (int i = 0; i < reading->count; i++)
		if (reading->looks[i].source == source)
			return &reading->looks[i];
	if (reading->count == CEC_READING_SOURCES)
		elog(ERROR, "too many sources");
	look = &reading->looks[reading->count];
	look->source = source;
	old = MemoryContextSwitchTo(reading->cxt);
	look->probe = cec_portfolio_look(reading->portfolio, source, source->lock, reading->locked, reading->snapshot,
									 &look->columns);
	MemoryContextSwitchTo(old);
	reading->count++;
	return look;
}

/* Lets go of all tables. */
void
cec_reading_end(CecReading *reading)
{
	for (int i = reading->count; i-- > 0;)
		cec_probe_end(reading->looks[i].probe);
	UnregisterSnapshot(reading->snapshot);
	pfree(reading);
}
