/*
 * sync_run.c
 *		Has the plan of a sync computed (sync.sql), and shows it, counts it, or carries it out.
 *
 * The plan is read into a tuplestore, which goes to disk where it is large, and which the statements that carry it out read under
 * the name sync_plan; rows that change nothing are only counted.  So memory does not grow with what is staged.
 *
 * What is stated is written by plain statements as the caller, who needs the rights; the runs, their rejects and findings as the
 * owner, for whoever may run the portfolio's own function.
 *
 * Locks: the gate alone, before anything is read.  A sync waits for those who write, and then they for it: whatever it locks
 * afterwards, nobody holds who would wait for something else of it.
 *
 * A statement that a row fails is done again for each half of its rows, each time in a subtransaction, until the row stands alone;
 * what constraints refuse by themselves the plan knows before, so that is for what only writing shows: unique indexes, triggers and
 * policies of the user's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_today.h"
#include "support/attempt.h"
#include "support/id_list.h"
#include "sync/sync.h"

PG_FUNCTION_INFO_V1(cec_sync_preview);
PG_FUNCTION_INFO_V1(cec_sync_assets);
PG_FUNCTION_INFO_V1(cec_run_sync_batch);

/* So many changes are written by one statement. */
#define CHUNK 50000

static const char *const outcomes[] = {"inserted", "updated",	 "unchanged",  "adopted",  "retagged", "merged",
									   "retired",  "reappeared", "superseded", "outdated", "rejected"};
#define OUTCOMES ((int) lengthof(outcomes))
#define MERGED 5
#define RETIRED 6
#define REJECTED 10

/* Columns of cec._sync_row, from 1. */
enum
{
	PLAN_SEQ = 1,
	PLAN_STAGED_NO,
	PLAN_ASSET_ID,
	PLAN_ASSET_TAG,
	PLAN_OUTCOME,
	PLAN_COLUMNS,
	PLAN_MESSAGE,
	PLAN_SQLSTATE,
	PLAN_CONSTRAINT,
	PLAN_STEP,
	PLAN_IS_LIVING,
	PLAN_WIDTH = 32
};

/* What a row was refused with when it was written. */
typedef struct Refusal
{
	int64 seq;
	char sqlstate[6];
	char *constraint;
	char *message;
} Refusal;

typedef struct Sync
{
	CecPortfolio *portfolio;
	text *source;
	text *mode;
	Datum fraction;
	bool has_expected;
	int64 expected;
	Snapshot snapshot; /* what is staged, and what is deleted of it in the end */
	MemoryContext cxt;
	Tuplestorestate *store; /* what is to be done, or shown */
	TupleDesc desc;			/* of the plan; NULL: it has no row */
	ReturnSetInfo *shown;	/* where the plan goes row by row; NULL: it is counted, and carried out */
	int64 rows;				/* in store */
	int64 staged;
	int64 leaving; /* living assets that are merged or retired */
	int64 counts[OUTCOMES];
	TimestampTz started_at;
	int batch_no;	/* 0: it is no batch */
	char *last_tag; /* of the rows taken so far */
	DateADT today;
	CecIds refused; /* rows of the plan that are not carried out */
	List *refusals;
} Sync;

static const CecQuery count_staged = {
	"SELECT count(*) FROM @P@.asset_staging s WHERE s.source = $1", 1, {TEXTOID}, .results = {INT8OID}};

#define PLAN_TYPES \
	INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, \
		INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, \
		INT8OID, TEXTOID, TEXTOID, CEC_GEOMETRY_RESULT, DATEOID, DATEOID, DATEMULTIRANGEOID, INT8OID, JSONBOID, \
		TIMESTAMPTZOID

static const CecQuery plan_rows = {"SELECT * FROM cec._sync_plan($1, $2, $3, $4)",
								   4,
								   {REGNAMESPACEOID, TEXTOID, TEXTOID, DATEOID},
								   .results = {PLAN_TYPES}};

/* Of what is to be done but retiring, so many rows in the order of tags. */
static const CecQuery batch_rows = {
	"SELECT * FROM cec._sync_plan($1, $2, $3, $4) AS p WHERE p.step IS NOT NULL AND p.outcome NOT IN ('merged', 'retired')"
	" AND p.asset_tag COLLATE \"C\" > $5 ORDER BY p.asset_tag COLLATE \"C\" LIMIT $6",
	6,
	{REGNAMESPACEOID, TEXTOID, TEXTOID, DATEOID, TEXTOID, INT8OID},
	.results = {PLAN_TYPES}};

static const CecQuery compare_leaving = {
	"SELECT $2 > $3 * count(*), count(*) FROM @P@.asset a WHERE a.source = $1 AND a.status <> 'retired'",
	3,
	{TEXTOID, INT8OID, NUMERICOID},
	.results = {BOOLOID, INT8OID}};

static const CecQuery delete_staged = {"DELETE FROM @P@.asset_staging WHERE source = $1", 1, {TEXTOID}};

static const CecQuery add_run = {
	"INSERT INTO @P@.sync_run (source, mode, started_at, staged, inserted, updated, unchanged, adopted, retagged, merged, retired,"
	" reappeared, superseded, outdated, rejected, batch_no, error)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING sync_run_id",
	17,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID,
	 INT8OID, INT8OID, INT8OID, INT4OID, TEXTOID},
	.results = {INT8OID}};

/*
 * Statements over the plan.  Their parameters: the first and the last row, the source, today, and rows that were refused.  They are
 * planned each time, since how many rows the plan has decides how they are done.
 */
#define OF_PLAN "p.seq BETWEEN $1 AND $2 AND p.seq <> ALL ($5)"

static const char *const make_customers =
	"INSERT INTO @P@.customer (name, external_ref) SELECT DISTINCT p.made_ref, p.made_ref FROM sync_plan p"
	" WHERE " OF_PLAN " AND p.step IN ('insert', 'update') AND p.made_ref IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM @P@.customer c WHERE c.external_ref = p.made_ref)"
	" AND $3 IS NOT NULL AND $4 IS NOT NULL";

static const char *const update_assets =
	"UPDATE @P@.asset a SET asset_tag = p.asset_tag, tag_symbology = p.tag_symbology, serial_number = p.serial_number,"
	" manufacturer = p.manufacturer, model = p.model, category = p.category, usage_type = p.usage_type, status = p.status,"
	" customer_id = coalesce(p.customer_id, c.customer_id), country = p.country, region = p.region, location = p.location,"
	" commissioned_on = p.commissioned_on, decommissioned_on = p.decommissioned_on, out_of_service = p.out_of_service,"
	" successor_id = p.successor_id, attributes = p.attributes, source = $3, source_updated_at = p.source_updated_at"
	" FROM sync_plan p LEFT JOIN @P@.customer c ON c.external_ref = p.made_ref"
	" WHERE " OF_PLAN " AND p.step = 'update' AND a.asset_id = p.asset_id AND $4 IS NOT NULL";

static const char *const insert_assets =
	"INSERT INTO @P@.asset (asset_tag, tag_symbology, serial_number, manufacturer, model, category, usage_type, status,"
	" customer_id, country, region, location, commissioned_on, decommissioned_on, out_of_service, successor_id, attributes, source,"
	" source_updated_at)"
	" SELECT p.asset_tag, p.tag_symbology, p.serial_number, p.manufacturer, p.model, p.category, p.usage_type, p.status,"
	" coalesce(p.customer_id, c.customer_id), p.country, p.region, p.location, p.commissioned_on, p.decommissioned_on,"
	" p.out_of_service, p.successor_id, p.attributes, $3, p.source_updated_at"
	" FROM sync_plan p LEFT JOIN @P@.customer c ON c.external_ref = p.made_ref"
	" WHERE " OF_PLAN " AND p.step = 'insert' AND $4 IS NOT NULL ORDER BY p.asset_tag";

static const char *const delete_identifiers =
	"DELETE FROM @P@.asset_identifier i USING sync_plan p CROSS JOIN LATERAL unnest(p.ended_ids) AS e(id)"
	" WHERE " OF_PLAN " AND i.asset_identifier_id = e.id AND lower(i.during) >= $4 AND $3 IS NOT NULL";

static const char *const end_identifiers =
	"UPDATE @P@.asset_identifier i SET during = daterange(lower(i.during), $4)"
	" FROM sync_plan p CROSS JOIN LATERAL unnest(p.ended_ids) AS e(id)"
	" WHERE " OF_PLAN
	" AND i.asset_identifier_id = e.id AND (lower_inf(i.during) OR lower(i.during) < $4) AND $3 IS NOT NULL";

static const char *const add_identifiers =
	"INSERT INTO @P@.asset_identifier (asset_id, scheme, value, during)"
	" SELECT a.asset_id, n.scheme, n.value, CASE WHEN n.scheme = 'former_tag' THEN daterange(NULL, NULL) ELSE daterange($4, NULL) END"
	" FROM sync_plan p JOIN @P@.asset a ON a.asset_tag = p.asset_tag"
	" CROSS JOIN LATERAL unnest(p.new_schemes, p.new_values) AS n(scheme, value)"
	" WHERE " OF_PLAN " AND p.new_schemes IS NOT NULL AND $3 IS NOT NULL ORDER BY a.asset_id, n.scheme, n.value";

/* As the owner.  Findings of earlier runs that do not hold any more are closed, whoever has seen to that. */
static const char *const close_findings =
	"UPDATE @P@.finding f SET closed_at = greatest(clock_timestamp(), f.opened_at)"
	" WHERE f.closed_at IS NULL AND f.kind IN ('merged_in_register', 'reappeared') AND NOT EXISTS ("
	"SELECT FROM @P@.asset a WHERE a.asset_id = f.asset_id"
	" AND CASE f.kind WHEN 'reappeared' THEN a.status <> 'retired' ELSE a.status = 'retired' AND a.successor_id IS NOT NULL END)"
	" AND $1 <= $2 AND $3 IS NOT NULL AND $4 IS NOT NULL AND $5 IS NOT NULL";

static const char *const open_findings =
	"INSERT INTO @P@.finding (kind, severity, asset_id, first_day, detail, message)"
	" SELECT k.kind, 'warning', p.asset_id, $4, jsonb_strip_nulls(jsonb_build_object('source', $3, 'asset_tag', p.asset_tag,"
	" 'successor_id', CASE WHEN k.kind = 'merged_in_register' THEN p.successor_id END, 'successor_tag', s.asset_tag)),"
	" CASE k.kind WHEN 'reappeared' THEN format('Asset %s was retired, and source %s has it again.', p.asset_tag, $3)"
	" ELSE format('Source %s has asset %s as %s now, so it was retired.', $3, p.asset_tag, s.asset_tag) END"
	" FROM sync_plan p CROSS JOIN LATERAL (SELECT CASE WHEN p.outcome = 'merged' THEN 'merged_in_register'"
	" WHEN NOT p.is_living AND p.status <> 'retired' THEN 'reappeared' END) AS k(kind)"
	" LEFT JOIN @P@.asset s ON k.kind = 'merged_in_register' AND s.asset_id = p.successor_id"
	" WHERE " OF_PLAN " AND p.step = 'update' AND k.kind IS NOT NULL ORDER BY p.asset_id ON CONFLICT DO NOTHING";

static void
put_shown(Sync *sync, TupleTableSlot *row)
{
	static const int columns[] = {PLAN_ASSET_TAG, PLAN_ASSET_ID, PLAN_OUTCOME, PLAN_COLUMNS, PLAN_MESSAGE};
	Datum values[lengthof(columns)];
	bool isnull[lengthof(columns)];

	for (int i = 0; i < lengthof(columns); i++)
	{
		values[i] = row->tts_values[columns[i] - 1];
		isnull[i] = row->tts_isnull[columns[i] - 1];
	}
	tuplestore_putvalues(sync->shown->setResult, sync->shown->setDesc, values, isnull);
}

static void
note_tag(Sync *sync, Datum tag, bool isnull)
{
	MemoryContext old = MemoryContextSwitchTo(sync->cxt);

	if (sync->last_tag != NULL)
		pfree(sync->last_tag);
	sync->last_tag = isnull ? NULL : TextDatumGetCString(tag);
	MemoryContextSwitchTo(old);
}

/* Takes a row of the plan. */
static void
take_row(void *arg, TupleTableSlot *row)
{
	Sync *sync = arg;
	char *outcome = TextDatumGetCString(row->tts_values[PLAN_OUTCOME - 1]);
	int at = 0;

	while (at < OUTCOMES && strcmp(outcomes[at], outcome) != 0)
		at++;
	if (at == OUTCOMES)
		elog(ERROR, "a sync has no outcome %s", outcome);
	sync->counts[at]++;
	if ((at == MERGED || at == RETIRED) && !row->tts_isnull[PLAN_IS_LIVING - 1] &&
		DatumGetBool(row->tts_values[PLAN_IS_LIVING - 1]))
		sync->leaving++;
	if (sync->desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(sync->cxt);

		sync->desc = CreateTupleDescCopy(row->tts_tupleDescriptor);
		MemoryContextSwitchTo(old);
	}
	if (sync->shown != NULL)
		put_shown(sync, row);
	else if (sync->store != NULL && (!row->tts_isnull[PLAN_STEP - 1] || !row->tts_isnull[PLAN_SQLSTATE - 1]))
	{
		Datum values[PLAN_WIDTH];

		memcpy(values, row->tts_values, sizeof(values));
		values[PLAN_SEQ - 1] = Int64GetDatum(++sync->rows);
		tuplestore_putvalues(sync->store, sync->desc, values, row->tts_isnull);
		if (sync->batch_no > 0)
			note_tag(sync, row->tts_values[PLAN_ASSET_TAG - 1], row->tts_isnull[PLAN_ASSET_TAG - 1]);
	}
}

static Datum
only_value(int column)
{
	bool isnull;

	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
}

/* For ereport. */
static int
name_constraint(const char *constraint)
{
	err_generic_string(PG_DIAG_TABLE_NAME, "asset_source");
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint);
}

/* Error: 23514 where not what was expected is staged. */
static void
check_expected(Sync *sync)
{
	Datum arg = PointerGetDatum(sync->source);

	if (cec_query_run_at(sync->portfolio->plans, &count_staged, &arg, NULL, sync->snapshot) != 1)
		elog(ERROR, "staged rows were not counted");
	sync->staged = DatumGetInt64(only_value(1));
	if (sync->has_expected && sync->staged != sync->expected)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg(INT64_FORMAT " rows of source \"%s\" are staged, not " INT64_FORMAT, sync->staged,
							   text_to_cstring(sync->source), sync->expected),
						errhint("Stage all of them before they are taken; delete from asset_staging what is left of a "
								"transfer that failed."),
						name_constraint("asset_source_expected_rows")));
}

/* Error: 23514 where more would go than may. */
static void
check_leaving(Sync *sync)
{
	Datum args[] = {PointerGetDatum(sync->source), Int64GetDatum(sync->leaving), sync->fraction};
	char *source = text_to_cstring(sync->source);
	int64 living;

	if (sync->leaving == 0 || strcmp(text_to_cstring(sync->mode), "snapshot") != 0)
		return;
	if (cec_query_run_at(sync->portfolio->plans, &compare_leaving, args, NULL, sync->snapshot) != 1)
		elog(ERROR, "assets were not counted");
	living = DatumGetInt64(only_value(2));
	if (DatumGetBool(only_value(1)))
		ereport(
			ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg(INT64_FORMAT " of " INT64_FORMAT " living assets of source \"%s\" would be retired or merged",
					sync->leaving, living, source),
			 errdetail("No more than a fraction of %s may be.", OidOutputFunctionCall(F_NUMERIC_OUT, sync->fraction)),
			 errhint(
				 "With a larger max_retire_fraction, sync_preview says which they are. If they are gone, sync with it; "
				 "if the transfer was cut short, stage it again."),
			 name_constraint("asset_source_retire_fraction")));
}

/* Has the plan computed, and held against what guards it. */
static void
make_plan(Sync *sync)
{
	Datum args[] = {ObjectIdGetDatum(sync->portfolio->nspid), PointerGetDatum(sync->source),
					PointerGetDatum(sync->mode), DateADTGetDatum(sync->today)};

	check_expected(sync);
	PushActiveSnapshot(sync->snapshot);
	cec_query_stream(sync->portfolio->plans, &plan_rows, args, take_row, sync);
	PopActiveSnapshot();
	check_leaving(sync);
}

/* Shows in pg_stat_activity how far it is. */
static void
tell_progress(int64 done, int64 all)
{
	char *text = psprintf("cec sync: " INT64_FORMAT " of " INT64_FORMAT, done, all);

	pgstat_report_activity(STATE_RUNNING, text);
	pfree(text);
}

/* A statement over some rows of the plan. */
typedef struct Step
{
	Sync *sync;
	const char *text;
	int64 first;
	int64 last;
} Step;

static void
run_step(void *arg)
{
	Step *step = arg;
	Sync *sync = step->sync;
	Oid types[] = {INT8OID, INT8OID, TEXTOID, DATEOID, INT8ARRAYOID};
	Datum values[] = {Int64GetDatum(step->first), Int64GetDatum(step->last), PointerGetDatum(sync->source),
					  DateADTGetDatum(sync->today), cec_ids_as_array(&sync->refused)};

	cec_query_once(sync->portfolio->plans, step->text, lengthof(types), types, values, NULL);
}

static void
note_refusal(Sync *sync, int64 seq, const ErrorData *error)
{
	MemoryContext old = MemoryContextSwitchTo(sync->cxt);
	Refusal *refusal = palloc0(sizeof(Refusal));

	refusal->seq = seq;
	strlcpy(refusal->sqlstate, unpack_sql_state(error->sqlerrcode), sizeof(refusal->sqlstate));
	refusal->constraint = error->constraint_name == NULL ? NULL : pstrdup(error->constraint_name);
	refusal->message = pstrdup(error->message == NULL ? "" : error->message);
	sync->refusals = lappend(sync->refusals, refusal);
	MemoryContextSwitchTo(old);
}

/* Carries a step out for a range of rows; those that cannot be are noted. */
static void
carry_out(Sync *sync, const char *text, int64 first, int64 last, CecIds *refused)
{
	Step step = {sync, text, first, last};
	ErrorData *error;

	CHECK_FOR_INTERRUPTS();
	error = cec_attempt_told(run_step, &step, cec_sync_is_refusal);
	if (error == NULL)
		return;
	if (first == last)
	{
		note_refusal(sync, first, error);
		cec_ids_add(refused, first);
	}
	else
	{
		int64 middle = first + (last - first) / 2;

		carry_out(sync, text, first, middle, refused);
		carry_out(sync, text, middle + 1, last, refused);
	}
	FreeErrorData(error);
}

static void
carry_out_all(Sync *sync, const char *text, bool is_row, int64 done, int64 all)
{
	CecIds refused = {0};

	for (int64 first = 1; first <= sync->rows; first += CHUNK)
	{
		tell_progress(done + first - 1, all);
		carry_out(sync, text, first, Min(first + CHUNK - 1, sync->rows), &refused);
	}
	if (is_row)
		for (int64 i = 0; i < refused.count; i++)
			cec_ids_add(&sync->refused, refused.ids[i]);
	sync->counts[REJECTED] += refused.count;
}

/* Rows that were refused are no outcome but rejected. */
static void
take_back_outcomes(Sync *sync)
{
	Oid type = INT8ARRAYOID;
	Datum arg = cec_ids_as_array(&sync->refused);
	uint64 rows = cec_query_once(sync->portfolio->plans, "SELECT p.outcome FROM sync_plan p WHERE p.seq = ANY ($1)", 1,
								 &type, &arg, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;
		char *outcome = TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		for (int at = 0; at < OUTCOMES; at++)
			if (strcmp(outcomes[at], outcome) == 0)
				sync->counts[at]--;
	}
}

static Datum
text_values(List *refusals, int which)
{
	int count = list_length(refusals);
	Datum *values = palloc(Max(count, 1) * sizeof(Datum));
	bool *nulls = palloc0(Max(count, 1) * sizeof(bool));
	int dims[1] = {count};
	int bounds[1] = {1};

	for (int i = 0; i < count; i++)
	{
		const Refusal *refusal = list_nth(refusals, i);
		const char *text = which == 0 ? refusal->sqlstate : which == 1 ? refusal->constraint : refusal->message;

		nulls[i] = text == NULL;
		values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	}
	if (count == 0)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Writes down what was rejected, by the run. */
static void
add_rejects(Sync *sync, int64 run_id)
{
	Oid types[] = {INT8OID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	CecIds seqs = {0};
	Datum values[lengthof(types)];
	ListCell *cell;

	if (sync->counts[REJECTED] == 0)
		return;
	foreach (cell, sync->refusals)
	{
		cec_ids_add(&seqs, ((Refusal *) lfirst(cell))->seq);
	}
	values[0] = Int64GetDatum(run_id);
	values[1] = cec_ids_as_array(&seqs);
	for (int i = 0; i < 3; i++)
		values[2 + i] = text_values(sync->refusals, i);
	cec_query_once(
		sync->portfolio->plans,
		"INSERT INTO @P@.sync_reject (sync_run_id, asset_tag, sqlstate, constraint_name, message, staged)"
		" SELECT $1, p.asset_tag, r.sqlstate, r.constraint_name, r.message, to_jsonb(s)"
		" FROM (SELECT p.seq, p.sqlstate, p.constraint_name, p.message FROM sync_plan p WHERE p.sqlstate IS NOT NULL"
		" UNION ALL SELECT * FROM unnest($2, $3, $4, $5)) AS r(seq, sqlstate, constraint_name, message)"
		" JOIN sync_plan p ON p.seq = r.seq LEFT JOIN @P@.asset_staging s ON s.staged_no = p.staged_no"
		" ORDER BY p.asset_tag, r.seq",
		lengthof(types), types, values, NULL);
}

/* Writes down a run, as the owner.  Returns its key. */
static int64
add_sync_run(Sync *sync, const char *error)
{
	Datum values[17] = {PointerGetDatum(sync->source), PointerGetDatum(sync->mode),
						TimestampTzGetDatum(sync->started_at), Int64GetDatum(sync->staged)};
	char nulls[18] = "                 ";

	for (int i = 0; i < OUTCOMES; i++)
		values[4 + i] = Int64GetDatum(sync->counts[i]);
	values[15] = Int32GetDatum(sync->batch_no);
	nulls[15] = sync->batch_no == 0 ? 'n' : ' ';
	values[16] = error == NULL ? (Datum) 0 : CStringGetTextDatum(error);
	nulls[16] = error == NULL ? 'n' : ' ';
	if (cec_query_run(sync->portfolio->plans, &add_run, values, nulls, 0) != 1)
		elog(ERROR, "a run was not noted");
	return DatumGetInt64(only_value(1));
}

/* Carries out the plan. */
static void
apply_plan(Sync *sync)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	int64 all = 2 * sync->rows;

	if (sync->desc == NULL)
		return;
	relation->md.name = "sync_plan";
	relation->md.tupdesc = sync->desc;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = sync->rows;
	relation->reldata = sync->store;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "the plan of a sync was not registered");
	if (sync->rows == 0)
		return;
	carry_out_all(sync, make_customers, true, 0, all);
	carry_out_all(sync, update_assets, true, 0, all);
	carry_out_all(sync, insert_assets, true, sync->rows, all);
	carry_out_all(sync, delete_identifiers, false, all, all);
	carry_out_all(sync, end_identifiers, false, all, all);
	carry_out_all(sync, add_identifiers, false, all, all);
	if (sync->refused.count > 0)
		take_back_outcomes(sync);
}

/* What is recorded of it. */
static void
record(Sync *sync)
{
	CecActAs act;
	int64 run_id;

	cec_portfolio_act(&act, sync->portfolio);
	run_id = add_sync_run(sync, NULL);
	if (sync->rows > 0)
	{
		Step close = {sync, close_findings, 1, sync->rows};
		Step open = {sync, open_findings, 1, sync->rows};

		add_rejects(sync, run_id);
		run_step(&close);
		run_step(&open);
	}
	cec_act_as_self(&act);
}

/* Error: 42501 for who may not run the portfolio's own function. */
static void
check_right(CecPortfolio *portfolio, const char *function_name, int count, const Oid *types)
{
	if (!cec_portfolio_may_run(portfolio, function_name, count, types))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s.%s",
							   quote_identifier(get_namespace_name(portfolio->nspid)), function_name),
						errhint("The view cec.access_privilege says which levels of access have it.")));
}

static void
check_may_sync(CecPortfolio *portfolio)
{
	static const Oid types[] = {TEXTOID, TEXTOID, BOOLOID, NUMERICOID, INT8OID};

	check_right(portfolio, "sync_assets", lengthof(types), types);
}

/* The arguments that all have; those that must not be NULL were looked at (cec._require_sync), or somebody calls this himself. */
static void
begin_sync(Sync *sync, FunctionCallInfo fcinfo, int fraction)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(fraction))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a sync needs a portfolio, a source and a mode")));
	sync->cxt = CurrentMemoryContext;
	sync->source = PG_GETARG_TEXT_PP(1);
	sync->mode = PG_GETARG_TEXT_PP(2);
	sync->fraction = PG_GETARG_DATUM(fraction);
	sync->has_expected = !PG_ARGISNULL(fraction + 1);
	sync->expected = sync->has_expected ? PG_GETARG_INT64(fraction + 1) : 0;
	sync->started_at = GetCurrentTimestamp();
	sync->portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	sync->today = cec_portfolio_today(sync->portfolio);
}

/* cec._sync_preview(portfolio, source, mode, max_retire_fraction, expected_rows) */
Datum
cec_sync_preview(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TEXTOID, TEXTOID, NUMERICOID, INT8OID};
	Sync sync = {0};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 3);
	check_right(sync.portfolio, "sync_preview", lengthof(types), types);
	sync.shown = (ReturnSetInfo *) fcinfo->resultinfo;
	sync.snapshot = RegisterSnapshot(GetActiveSnapshot());
	SPI_connect();
	make_plan(&sync);
	SPI_finish();
	UnregisterSnapshot(sync.snapshot);
	cec_portfolio_unpin();
	return (Datum) 0;
}

static void
return_counts(FunctionCallInfo fcinfo, const Sync *sync)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	for (int i = 0; i < OUTCOMES; i++)
	{
		Datum values[] = {CStringGetTextDatum(outcomes[i]), Int64GetDatum(sync->counts[i])};
		bool isnull[lengthof(values)] = {0};

		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/* Alone in the portfolio, all that is staged by now. */
static void
sync_all(Sync *sync, int64 applied)
{
	Datum arg = PointerGetDatum(sync->source);

	sync->store = tuplestore_begin_heap(true, false, work_mem);
	make_plan(sync);
	sync->counts[2] -= applied;
	apply_plan(sync);
	record(sync);
	cec_query_run_at(sync->portfolio->plans, &delete_staged, &arg, NULL, sync->snapshot);
}

/* cec._sync_assets(portfolio, source, mode, dry_run, max_retire_fraction, expected_rows) */
Datum
cec_sync_assets(PG_FUNCTION_ARGS)
{
	Sync sync = {0};
	bool dry_run = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 4);
	check_may_sync(sync.portfolio);
	if (!dry_run)
		cec_portfolio_lock_gate(sync.portfolio->nspid, ShareRowExclusiveLock);
	sync.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	sync.today = cec_portfolio_today(sync.portfolio);
	sync.snapshot = RegisterSnapshot(dry_run ? GetActiveSnapshot() : GetLatestSnapshot());
	SPI_connect();
	if (dry_run)
		make_plan(&sync);
	else
	{
		sync_all(&sync, 0);
		pgstat_report_activity(STATE_RUNNING, debug_query_string);
	}
	SPI_finish();
	UnregisterSnapshot(sync.snapshot);
	cec_portfolio_unpin();
	return_counts(fcinfo, &sync);
	return (Datum) 0;
}

/* A batch of a run, in a subtransaction, since what it fails with is noted. */
typedef struct Batch
{
	Sync *sync;
	Oid nspid;
	text *after;
	int64 limit;
	int64 applied; /* rows that earlier batches have done, and this one */
	bool is_done;
} Batch;

static bool
is_any(int sqlstate)
{
	return true;
}

/* The plan whole, for its guards alone. */
static void
check_plan(Sync *sync)
{
	make_plan(sync);
	memset(sync->counts, 0, sizeof(sync->counts));
	sync->leaving = 0;
	sync->staged = 0;
}

/* Reads the next rows that are to be done; false where there are not enough of them for a batch: the run may as well be ended. */
static bool
take_batch(Batch *batch)
{
	Sync *sync = batch->sync;
	Datum args[] = {ObjectIdGetDatum(batch->nspid), PointerGetDatum(sync->source), PointerGetDatum(sync->mode),
					DateADTGetDatum(sync->today),	PointerGetDatum(batch->after), Int64GetDatum(batch->limit)};

	sync->store = tuplestore_begin_heap(true, false, work_mem);
	PushActiveSnapshot(sync->snapshot);
	cec_query_stream(sync->portfolio->plans, &batch_rows, args, take_row, sync);
	PopActiveSnapshot();
	if (sync->rows == batch->limit)
		return true;
	tuplestore_end(sync->store);
	memset(sync->counts, 0, sizeof(sync->counts));
	sync->rows = 0;
	return false;
}

static void
run_batch(void *arg)
{
	Batch *batch = arg;
	Sync *sync = batch->sync;

	cec_portfolio_lock_gate(batch->nspid, ShareRowExclusiveLock);
	sync->portfolio = cec_portfolio_get(batch->nspid);
	sync->today = cec_portfolio_today(sync->portfolio);
	sync->snapshot = RegisterSnapshot(GetLatestSnapshot());
	SPI_connect();
	if (sync->batch_no == 1)
		check_plan(sync);
	if (take_batch(batch))
	{
		apply_plan(sync);
		/* What was refused stays staged, and is again by the last batch, which keeps it. */
		sync->counts[REJECTED] = 0;
		for (int i = 0; i < OUTCOMES; i++)
			batch->applied += sync->counts[i];
		record(sync);
	}
	else
	{
		sync_all(sync, batch->applied);
		batch->is_done = true;
	}
	SPI_finish();
	UnregisterSnapshot(sync->snapshot);
}

/* Notes that a batch has failed, in the transaction that is left of it. */
static void
note_failure(Sync *sync, Oid nspid, const ErrorData *error)
{
	CecActAs act;

	memset(sync->counts, 0, sizeof(sync->counts));
	sync->staged = 0;
	sync->portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, sync->portfolio);
	SPI_connect();
	(void) add_sync_run(
		sync, psprintf("%s: %s", unpack_sql_state(error->sqlerrcode), error->message == NULL ? "" : error->message));
	SPI_finish();
	cec_act_as_self(&act);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * cec._run_sync_batch(portfolio, source, mode, max_retire_fraction, expected_rows, batch_no, after_tag, batch_rows, started_at,
 * applied): the last tag of the batch, whether the run is done, how many rows have been applied by now; and where the batch failed,
 * with what.
 */
Datum
cec_run_sync_batch(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Sync sync = {0};
	Batch batch = {&sync};
	ErrorData *error;
	Datum values[8];
	bool isnull[8] = {false};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 5; i < 10; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a batch needs its number and size")));
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 3);
	check_may_sync(sync.portfolio);
	sync.batch_no = Max(PG_GETARG_INT32(5), 1);
	sync.started_at = PG_GETARG_TIMESTAMPTZ(8);
	batch.nspid = PG_GETARG_OID(0);
	batch.after = PG_GETARG_TEXT_PP(6);
	batch.limit = Max(PG_GETARG_INT64(7), 1);
	batch.applied = PG_GETARG_INT64(9);
	error = cec_attempt_told(run_batch, &batch, is_any);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	if (error != NULL)
		note_failure(&sync, batch.nspid, error);
	cec_portfolio_unpin();
	values[0] = text_or_null(sync.last_tag, &isnull[0]);
	values[1] = BoolGetDatum(batch.is_done || error != NULL);
	values[2] = Int64GetDatum(batch.applied);
	values[3] = text_or_null(error == NULL ? NULL : unpack_sql_state(error->sqlerrcode), &isnull[3]);
	values[4] = text_or_null(error == NULL ? NULL : error->message, &isnull[4]);
	values[5] = text_or_null(error == NULL ? NULL : error->detail, &isnull[5]);
	values[6] = text_or_null(error == NULL ? NULL : error->hint, &isnull[6]);
	values[7] = text_or_null(error == NULL ? NULL : error->constraint_name, &isnull[7]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	return (Datum) 0;
}
