/*
 * finding_write.c
 *		Opens and closes findings.
 *
 * finding is a table on which users may have triggers, and what they do may change what other findings are about.  So whoever
 * settles findings reads all that they follow from first, and writes them together, when all of the change is recorded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "finding/finding_event.h"
#include "finding/finding_write.h"

/*
 * The parameters of which findings are made, as arrays; what there is none of is 0, and of days -infinity.  One finding, as most statements
 * have it, is made of its parameters by themselves: a function for each array is half of what it costs to write it.
 */
#define ARRAYS \
	"$1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[]," \
	" $9::text[], $10::text[], $11::date[], $12::date[]"
#define FINDINGS "unnest(" ARRAYS ")"
#define ONE_FINDING \
	"(VALUES ($1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::text," \
	" $9::text, $10::text, $11::date, $12::date))"
#define FINDING_COLUMNS \
	"kind, severity, asset_id, other_asset_id, contract_id, term_id, rule_id, subject, message, detail, first_day, last_day"
#define FINDING_PARAMETERS 12
/* Behind them, the keys of findings that are updated, and when those are opened that are. */
#define OPENING_PARAMETERS (FINDING_PARAMETERS + 1)
#define FINDING_TYPES \
	TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, \
		TEXTARRAYOID, TEXTARRAYOID, DATEARRAYOID, DATEARRAYOID
#define ONE_FINDING_TYPES \
	TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, DATEOID, DATEOID
#define NO_DAY "'-infinity'::date"

/* Of what was written, as w, the errors: those that nobody waives are told of. */
#define TOLD \
	"SELECT w.finding_id, w.kind::text, w.asset_id, w.contract_id, c.number::text, w.subject::text, w.message, NOT EXISTS (" \
	"SELECT FROM @P@.finding_waiver v CROSS JOIN @P@.setting s WHERE v.kind = w.kind" \
	" AND (v.asset_id IS NULL OR v.asset_id = w.asset_id) AND (v.contract_id IS NULL OR v.contract_id = w.contract_id)" \
	" AND (v.subject IS NULL OR v.subject = w.subject)" \
	" AND (v.until IS NULL OR v.until >= (clock_timestamp() AT TIME ZONE s.time_zone)::date)" \
	" AND (NOT s.four_eyes OR v.approved_by <> v.waived_by))" \
	" FROM written w LEFT JOIN @P@.contract c ON c.contract_id = w.contract_id WHERE w.severity = 'error' ORDER BY w.finding_id"
#define TOLD_TYPES INT8OID, TEXTOID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, BOOLOID

#define OPEN(findings) \
	"INSERT INTO @P@.finding (" FINDING_COLUMNS ", opened_at)" \
	" SELECT kind, severity, nullif(asset_id, 0), nullif(other_asset_id, 0), nullif(contract_id, 0), nullif(term_id, 0)," \
	" nullif(rule_id, 0), subject, message, detail::jsonb, nullif(first_day, " NO_DAY "), nullif(last_day, " NO_DAY \
	"), $13" \
	" FROM " findings " AS n(" FINDING_COLUMNS ") ON CONFLICT DO NOTHING"
#define BEGIN_ERRORS "WITH written AS ("
#define END_ERRORS " RETURNING finding_id, kind, severity, asset_id, contract_id, subject, message) " TOLD

static const CecQuery open_findings = {
	OPEN(FINDINGS), OPENING_PARAMETERS, {FINDING_TYPES, TIMESTAMPTZOID}, CURSOR_OPT_GENERIC_PLAN};
static const CecQuery open_finding = {
	OPEN(ONE_FINDING), OPENING_PARAMETERS, {ONE_FINDING_TYPES, TIMESTAMPTZOID}, CURSOR_OPT_GENERIC_PLAN};

static const CecQuery open_errors = {BEGIN_ERRORS OPEN(FINDINGS) END_ERRORS,
									 OPENING_PARAMETERS,
									 {FINDING_TYPES, TIMESTAMPTZOID},
									 CURSOR_OPT_GENERIC_PLAN,
									 .results = {TOLD_TYPES}};
static const CecQuery open_error = {BEGIN_ERRORS OPEN(ONE_FINDING) END_ERRORS,
									OPENING_PARAMETERS,
									{ONE_FINDING_TYPES, TIMESTAMPTZOID},
									CURSOR_OPT_GENERIC_PLAN,
									.results = {TOLD_TYPES}};

static const CecQuery update_findings = {
	"UPDATE @P@.finding f SET message = n.message, detail = n.detail::jsonb, first_day = nullif(n.first_day, " NO_DAY
	"),"
	" last_day = nullif(n.last_day, " NO_DAY ")"
	" FROM unnest(" ARRAYS ", $13::bigint[]) AS n(" FINDING_COLUMNS ", finding_id)"
	" WHERE f.finding_id = n.finding_id AND f.closed_at IS NULL",
	FINDING_PARAMETERS + 1,
	{FINDING_TYPES, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

static const CecQuery close_findings = {
	"UPDATE @P@.finding f SET closed_at = greatest($2, f.opened_at)"
	" FROM unnest($1) AS n(finding_id) WHERE f.finding_id = n.finding_id AND f.closed_at IS NULL",
	2,
	{INT8ARRAYOID, TIMESTAMPTZOID},
	CURSOR_OPT_GENERIC_PLAN};

static const CecQuery close_errors = {
	"WITH written AS (UPDATE @P@.finding f SET closed_at = greatest($2, f.opened_at)"
	" FROM (SELECT i.finding_id FROM unnest($1) AS n(finding_id) CROSS JOIN LATERAL (SELECT b.finding_id"
	" FROM @P@.finding b WHERE b.finding_id = n.finding_id AND b.closed_at IS NULL OFFSET 0) AS i OFFSET 0) AS o"
	" WHERE f.finding_id = o.finding_id AND f.closed_at IS NULL"
	" RETURNING f.finding_id, f.kind, f.severity, f.asset_id, f.contract_id, f.subject, f.message) " TOLD,
	2,
	{INT8ARRAYOID, TIMESTAMPTZOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TOLD_TYPES}};

/* Has a finding opened, unless one of its kind and subject is open by then.  The finding is copied, its texts are not. */
void
cec_finding_open(CecFindingChange *change, const CecFinding *finding)
{
	CecFinding *copy = palloc(sizeof(CecFinding));

	*copy = *finding;
	change->opened = lappend(change->opened, copy);
	change->opens_errors |= strcmp(finding->severity, CEC_ERROR) == 0;
}

/* Has a finding that is open say something else: days, detail and message. */
void
cec_finding_update(CecFindingChange *change, int64 finding_id, const CecFinding *finding)
{
	CecFinding *copy = palloc(sizeof(CecFinding));

	*copy = *finding;
	cec_ids_add(&change->changed_ids, finding_id);
	change->changed = lappend(change->changed, copy);
}

/* Has a finding closed, unless it is closed by then. */
void
cec_finding_close(CecFindingChange *change, int64 finding_id, bool may_be_error)
{
	cec_ids_add(&change->closed, finding_id);
	change->closes_errors |= may_be_error;
}

/* A finding as parameters. */
static void
fill_one(const CecFinding *finding, Datum *args)
{
	const int64 keys[] = {finding->asset_id, finding->other_asset_id, finding->contract_id, finding->term_id,
						  finding->rule_id};

	*args++ = CStringGetTextDatum(finding->kind);
	*args++ = CStringGetTextDatum(finding->severity);
	for (int i = 0; i < lengthof(keys); i++)
		*args++ = Int64GetDatum(keys[i]);
	*args++ = CStringGetTextDatum(finding->subject == NULL ? "" : finding->subject);
	*args++ = CStringGetTextDatum(finding->message);
	*args++ = CStringGetTextDatum(finding->detail);
	*args++ = DateADTGetDatum(finding->has_first_day ? finding->first_day : DATEVAL_NOBEGIN);
	*args++ = DateADTGetDatum(finding->has_last_day ? finding->last_day : DATEVAL_NOBEGIN);
}

/* Findings as parameters. */
static void
fill_arrays(const List *findings, Datum *args)
{
	static const Oid types[FINDING_PARAMETERS] = {ONE_FINDING_TYPES};
	int count = list_length(findings);
	Datum *columns[FINDING_PARAMETERS];

	for (int i = 0; i < FINDING_PARAMETERS; i++)
		columns[i] = palloc_extended(count * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int at = 0; at < count; at++)
	{
		Datum one[FINDING_PARAMETERS];

		CHECK_FOR_INTERRUPTS();
		fill_one(list_nth(findings, at), one);
		for (int i = 0; i < FINDING_PARAMETERS; i++)
			columns[i][at] = one[i];
	}
	for (int i = 0; i < FINDING_PARAMETERS; i++)
	{
		int16 length;
		bool by_value;
		char align;

		get_typlenbyvalalign(types[i], &length, &by_value, &align);
		args[i] = PointerGetDatum(construct_array(columns[i], count, types[i], length, by_value, align));
	}
}

static void
write_closed(CecPortfolio *portfolio, const CecFindingChange *change, CecOutbox *outbox)
{
	Datum args[] = {cec_ids_as_array(&change->closed), TimestampTzGetDatum(change->at)};

	cec_query_run(portfolio->plans, change->closes_errors ? &close_errors : &close_findings, args, NULL, 0);
	if (change->closes_errors)
		cec_finding_tell_closed(portfolio, outbox);
}

static void
write_opened(CecPortfolio *portfolio, const CecFindingChange *change, CecOutbox *outbox)
{
	Datum args[OPENING_PARAMETERS];

	args[FINDING_PARAMETERS] = TimestampTzGetDatum(change->at);
	if (list_length(change->opened) == 1)
	{
		fill_one(linitial(change->opened), args);
		cec_query_run(portfolio->plans, change->opens_errors ? &open_error : &open_finding, args, NULL, 0);
	}
	else
	{
		fill_arrays(change->opened, args);
		cec_query_run(portfolio->plans, change->opens_errors ? &open_errors : &open_findings, args, NULL, 0);
	}
	if (change->opens_errors)
		cec_finding_tell_opened(portfolio, outbox);
}

static void
write_changed(CecPortfolio *portfolio, const CecFindingChange *change)
{
	Datum args[FINDING_PARAMETERS + 1];

	fill_arrays(change->changed, args);
	args[FINDING_PARAMETERS] = cec_ids_as_array(&change->changed_ids);
	cec_query_run(portfolio->plans, &update_findings, args, NULL, 0);
}

/* Closes, brings up to date and opens what is to be; acting as the owner of the portfolio is the caller's
 * business.  Errors are told of: events are added to the outbox. */
void
cec_finding_write(CecPortfolio *portfolio, CecFindingChange *change, CecOutbox *outbox)
{
	if (change->closed.count == 0 && change->opened == NIL && change->changed == NIL)
		return;
	if (change->at == 0)
		change->at = GetCurrentTimestamp();
	SPI_connect();
	if (change->closed.count > 0)
		write_closed(portfolio, change, outbox);
	if (change->changed != NIL)
		write_changed(portfolio, change);
	if (change->opened != NIL)
		write_opened(portfolio, change, outbox);
	SPI_finish();
}
