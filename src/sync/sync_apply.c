/*
 * sync_apply.c
 *		Carries out the plan of a sync, and writes down the run.
 *
 * The statements read the plan under the name sync_plan.  What is stated is written by plain statements as the caller, who needs the
 * rights; the runs, their rejects and findings as the owner, for whoever may run the portfolio's own function.
 *
 * A statement that a row fails is done again for each half of its rows, each time in a subtransaction, until the row stands alone;
 * what constraints refuse by themselves the plan knows before, so that is for what only writing shows: unique indexes, triggers and
 * policies of the user's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/queryenvironment.h"
#include "utils/timestamp.h"

#include "support/attempt.h"
#include "support/progress.h"
#include "sync/sync.h"
#include "sync/sync_run.h"

/* So many changes are written by one statement. */
#define CHUNK 50000

/* What a row was refused with when it was written. */
typedef struct Refusal
{
	int64 seq;
	char sqlstate[6];
	char *constraint;
	char *message;
} Refusal;

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

/* Former tags are there already, by src/registry/former_tag.c. */
static const char *const add_identifiers =
	"INSERT INTO @P@.asset_identifier (asset_id, scheme, value, during)"
	" SELECT a.asset_id, n.scheme, n.value, daterange($4, NULL)"
	" FROM sync_plan p JOIN @P@.asset a ON a.asset_tag = p.asset_tag"
	" CROSS JOIN LATERAL unnest(p.new_schemes, p.new_values) AS n(scheme, value)"
	" WHERE " OF_PLAN
	" AND p.new_schemes IS NOT NULL AND n.scheme <> 'former_tag' AND $3 IS NOT NULL ORDER BY a.asset_id, n.scheme, n.value";

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
	" WHEN NOT p.is_living AND p.status <> 'retired' AND coalesce(p.decommissioned_on >= $4, true) THEN 'reappeared' END) AS k(kind)"
	" LEFT JOIN @P@.asset s ON k.kind = 'merged_in_register' AND s.asset_id = p.successor_id"
	" WHERE " OF_PLAN " AND p.step = 'update' AND k.kind IS NOT NULL ORDER BY p.asset_id ON CONFLICT DO NOTHING";

/* A statement over some rows of the plan. */
typedef struct Step
{
	CecSync *sync;
	const char *text;
	int64 first;
	int64 last;
} Step;

static void
run_step(void *arg)
{
	Step *step = arg;
	CecSync *sync = step->sync;
	Oid types[] = {INT8OID, INT8OID, TEXTOID, DATEOID, INT8ARRAYOID};
	Datum values[] = {Int64GetDatum(step->first), Int64GetDatum(step->last), PointerGetDatum(sync->source),
					  DateADTGetDatum(sync->today), cec_ids_as_array(&sync->refused)};

	cec_query_once(sync->portfolio->plans, step->text, lengthof(types), types, values, NULL);
}

static void
note_refusal(CecSync *sync, int64 seq, const ErrorData *error)
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
carry_out(CecSync *sync, const char *text, int64 first, int64 last, CecIds *refused)
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
carry_out_all(CecSync *sync, const char *text, bool is_row, int64 done, int64 all)
{
	CecIds refused = {0};

	for (int64 first = 1; first <= sync->rows; first += CHUNK)
	{
		cec_progress_tell("sync", done + first - 1, all);
		carry_out(sync, text, first, Min(first + CHUNK - 1, sync->rows), &refused);
	}
	if (is_row)
		for (int64 i = 0; i < refused.count; i++)
			cec_ids_add(&sync->refused, refused.ids[i]);
	sync->counts[CEC_SYNC_REJECTED] += refused.count;
}

/* Rows that were refused are no outcome but rejected. */
static void
take_back_outcomes(CecSync *sync)
{
	Oid type = INT8ARRAYOID;
	Datum arg = cec_ids_as_array(&sync->refused);
	uint64 rows = cec_query_once(sync->portfolio->plans, "SELECT p.outcome FROM sync_plan p WHERE p.seq = ANY ($1)", 1,
								 &type, &arg, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;
		Datum outcome = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		sync->counts[cec_sync_outcome(outcome)]--;
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
add_rejects(CecSync *sync, int64 run_id)
{
	Oid types[] = {INT8OID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	CecIds seqs = {0};
	Datum values[lengthof(types)];
	ListCell *cell;

	if (sync->counts[CEC_SYNC_REJECTED] == 0)
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
int64
cec_sync_add_run(CecSync *sync, const char *error)
{
	Datum values[17] = {PointerGetDatum(sync->source), PointerGetDatum(sync->mode),
						TimestampTzGetDatum(sync->started_at), Int64GetDatum(sync->staged)};
	char nulls[18] = "                 ";
	bool isnull;

	for (int i = 0; i < CEC_SYNC_OUTCOMES; i++)
		values[4 + i] = Int64GetDatum(sync->counts[i]);
	values[15] = Int32GetDatum(sync->batch_no);
	nulls[15] = sync->batch_no == 0 ? 'n' : ' ';
	values[16] = error == NULL ? (Datum) 0 : CStringGetTextDatum(error);
	nulls[16] = error == NULL ? 'n' : ' ';
	if (cec_query_run(sync->portfolio->plans, &add_run, values, nulls, 0) != 1)
		elog(ERROR, "a run was not noted");
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Carries out the plan. */
void
cec_sync_apply(CecSync *sync)
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

/*
 * What batches of the run have carried out is unchanged by now, and counted by them, but for rows that get something more in the
 * end, or are refused: these the plan has again.  Which they are is in the log, by the transactions that the batches have noted.
 */
static void
take_back_applied(CecSync *sync)
{
	Oid types[] = {INT8ARRAYOID, TEXTOID, TIMESTAMPTZOID, INT4OID};
	Datum values[] = {cec_ids_as_array(&sync->refused), PointerGetDatum(sync->source),
					  TimestampTzGetDatum(sync->started_at), Int32GetDatum(sync->batch_no)};
	int64 unchanged = sync->counts[CEC_SYNC_UNCHANGED] - sync->applied;
	uint64 rows;

	if (sync->applied == 0)
		return;
	rows =
		sync->rows == 0
			? 0
			: cec_query_once(
				  sync->portfolio->plans,
				  "SELECT CASE WHEN p.step IS NULL OR p.seq = ANY ($1) THEN 'rejected' ELSE p.outcome END FROM sync_plan p"
				  " WHERE p.staged_no IS NOT NULL AND (p.step IS NOT NULL OR p.columns IS NULL) AND EXISTS ("
				  "  SELECT FROM @P@.audit_log l WHERE l.asset_id = p.asset_id AND l.table_name IN ('asset', 'asset_identifier')"
				  "  AND l.xid IN (SELECT r.xid FROM @P@.sync_run r WHERE r.source = $2 AND r.started_at = $3 AND r.batch_no < $4)"
				  "  OFFSET 0)",
				  lengthof(types), types, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;
		int outcome = cec_sync_outcome(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		unchanged++;
		if (outcome != CEC_SYNC_REJECTED)
			sync->counts[outcome]--;
	}
	/* Fewer where staged rows were deleted meanwhile. */
	sync->counts[CEC_SYNC_UNCHANGED] = Max(unchanged, 0);
}

/* What is recorded of it; the plan ends with it. */
void
cec_sync_record(CecSync *sync)
{
	CecActAs act;
	int64 run_id;

	cec_portfolio_act(&act, sync->portfolio);
	take_back_applied(sync);
	run_id = cec_sync_add_run(sync, NULL);
	cec_sync_close_stale(sync);
	if (sync->rows > 0)
	{
		Step close = {sync, close_findings, 1, sync->rows};
		Step open = {sync, open_findings, 1, sync->rows};

		add_rejects(sync, run_id);
		run_step(&close);
		run_step(&open);
		cec_sync_tell_overwritten(sync, run_id);
	}
	cec_act_as_self(&act);
	cec_sync_draft_consequences(sync, run_id);
	tuplestore_end(sync->store);
}
