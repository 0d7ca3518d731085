/*
 * regulation_unmet.c
 *		cec._regulation_unmet: the finding kind of that name, as what compares findings with what is so asks for it.
 *
 * Conditions typed by people cannot be part of a view; this stands in the place of one, and has its columns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "regulation/regulation_judge.h"

PG_FUNCTION_INFO_V1(cec_regulation_unmet);

#define COLUMNS 11
#define FLUSH 1000

static const CecQuery find_today = {"SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM @P@.setting",
									.results = {DATEOID}};

/* Days are those of the cover that does not meet it, as far as it is in force. */
static const CecQuery describe = {
	"SELECT CASE WHEN u.is_unknown THEN 'warning' ELSE 'error' END, u.asset_id, NULL::bigint, NULL::bigint, NULL::bigint,"
	" NULL::bigint, 'regulation:' || r.regulation_id, greatest(lower(r.during), d.first_day),"
	" least(upper(r.during) - 1, d.last_day),"
	" jsonb_strip_nulls(jsonb_build_object('title', r.title, 'citation', r.citation, 'country', r.country,"
	"  'region', r.region, 'requirement', r.requirement, 'met_by', r.met_by, 'contracts', d.contracts, 'sqlstate', u.sqlstate)),"
	" cec._regulation_message(a.asset_tag, d.contracts, r.title, r.citation, coalesce(r.region, r.country), u.is_unknown)"
	" FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS u(asset_id, regulation_id, is_unknown, sqlstate, term_ids, place)"
	" JOIN @P@.regulation r ON r.regulation_id = u.regulation_id"
	" JOIN @P@.asset a ON a.asset_id = u.asset_id"
	" CROSS JOIN LATERAL (SELECT CASE WHEN NOT bool_or(lower_inf(v.during)) THEN min(lower(v.during)) END AS first_day,"
	"   CASE WHEN NOT bool_or(upper_inf(v.during)) THEN max(upper(v.during)) - 1 END AS last_day,"
	"   array_agg(DISTINCT c.number) AS contracts"
	"  FROM unnest(u.term_ids::bigint[]) AS i(term_id)"
	"   CROSS JOIN LATERAL (SELECT w.during FROM @P@.coverage w WHERE w.asset_id = u.asset_id AND w.term_id = i.term_id"
	"    AND w.during @> $6 OFFSET 0) AS v"
	"   CROSS JOIN LATERAL (SELECT t.contract_id FROM @P@.coverage_term t WHERE t.term_id = i.term_id OFFSET 0) AS t"
	"   CROSS JOIN LATERAL (SELECT c.number FROM @P@.contract c WHERE c.contract_id = t.contract_id OFFSET 0) AS c) AS d"
	" ORDER BY u.place",
	6,
	{INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, TEXTARRAYOID, TEXTARRAYOID, DATEOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, DATEOID, DATEOID, JSONBOID, TEXTOID}};

/* What was found and is not told yet. */
typedef struct Unmet
{
	CecPortfolio *portfolio;
	ReturnSetInfo *result;
	DateADT today;
	MemoryContext cxt; /* of the values, reset when they were told */
	int count;
	Datum assets[FLUSH];
	Datum regulations[FLUSH];
	Datum unknown[FLUSH];
	Datum sqlstates[FLUSH];
	bool no_sqlstate[FLUSH];
	Datum terms[FLUSH];
} Unmet;

static void
tell(Unmet *unmet)
{
	int dims[] = {unmet->count};
	int lbs[] = {1};
	MemoryContext old;
	Datum args[6];
	uint64 count;

	if (unmet->count == 0)
		return;
	old = MemoryContextSwitchTo(unmet->cxt);
	args[0] = PointerGetDatum(
		construct_array(unmet->assets, unmet->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[1] = PointerGetDatum(
		construct_array(unmet->regulations, unmet->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[2] = PointerGetDatum(construct_array(unmet->unknown, unmet->count, BOOLOID, 1, true, TYPALIGN_CHAR));
	args[3] = PointerGetDatum(
		construct_md_array(unmet->sqlstates, unmet->no_sqlstate, 1, dims, lbs, TEXTOID, -1, false, TYPALIGN_INT));
	args[4] = PointerGetDatum(construct_array(unmet->terms, unmet->count, TEXTOID, -1, false, TYPALIGN_INT));
	args[5] = DateADTGetDatum(unmet->today);
	SPI_connect();
	count = cec_query_read(unmet->portfolio->plans, &describe, args, NULL);
	for (uint64 i = 0; i < count; i++)
	{
		Datum values[COLUMNS];
		bool nulls[COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
		tuplestore_putvalues(unmet->result->setResult, unmet->result->setDesc, values, nulls);
	}
	SPI_finish();
	MemoryContextSwitchTo(old);
	MemoryContextReset(unmet->cxt);
	unmet->count = 0;
}

/* Terms as the text of an array. */
static Datum
terms_text(const CecIds *terms)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int64 i = 0; i < terms->count; i++)
		appendStringInfo(&text, "%c" INT64_FORMAT, i == 0 ? '{' : ',', terms->ids[i]);
	appendStringInfoString(&text, terms->count == 0 ? "{}" : "}");
	return CStringGetTextDatum(text.data);
}

static void
take_unmet(void *arg, const CecRegulationVerdict *verdict)
{
	Unmet *unmet = arg;
	int i = unmet->count;
	MemoryContext old;

	if (verdict->is_met)
		return;
	old = MemoryContextSwitchTo(unmet->cxt);
	unmet->assets[i] = Int64GetDatum(verdict->asset_id);
	unmet->regulations[i] = Int64GetDatum(verdict->regulation->regulation_id);
	unmet->unknown[i] = BoolGetDatum(verdict->is_unknown);
	unmet->no_sqlstate[i] = verdict->regulation->sqlstate == 0;
	unmet->sqlstates[i] =
		unmet->no_sqlstate[i] ? 0 : CStringGetTextDatum(unpack_sql_state(verdict->regulation->sqlstate));
	unmet->terms[i] = terms_text(&verdict->regulation->not_met);
	unmet->count++;
	MemoryContextSwitchTo(old);
	if (unmet->count == FLUSH)
		tell(unmet);
}

static bool
read_today(Unmet *unmet)
{
	bool isnull = true;
	Datum value = 0;

	SPI_connect();
	if (cec_query_read(unmet->portfolio->plans, &find_today, NULL, NULL) > 0)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_finish();
	unmet->today = isnull ? 0 : DatumGetDateADT(value);
	return !isnull;
}

/* cec._regulation_unmet(portfolio, assets): findings of today about the assets (NULL: all), as far as the caller may read. */
Datum
cec_regulation_unmet(PG_FUNCTION_ARGS)
{
	Unmet *unmet = palloc0(sizeof(Unmet));
	CecRegulationFacts facts;
	CecRegulation *regulations;
	CecIds assets;
	int count;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	cec_portfolio_pin();
	unmet->portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	unmet->result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (read_today(unmet))
	{
		regulations = cec_regulations_in_force(unmet->portfolio, unmet->today, &count);
		if (count > 0)
		{
			unmet->cxt = AllocSetContextCreate(CurrentMemoryContext, "cec regulations unmet", ALLOCSET_DEFAULT_SIZES);
			cec_regulation_facts_begin(&facts, unmet->portfolio, unmet->today);
			if (PG_ARGISNULL(1))
				assets = cec_regulation_covered(&facts);
			else
			{
				assets = cec_regulation_ids(PG_GETARG_DATUM(1));
				cec_ids_sort_unique(&assets);
			}
			cec_regulation_judge(&facts, regulations, count, &assets, take_unmet, unmet);
			tell(unmet);
		}
	}
	cec_portfolio_unpin();
	return (Datum) 0;
}
