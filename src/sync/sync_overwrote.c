/*
 * sync_overwrote.c
 *		Findings about assets in which a sync has replaced what somebody had changed by hand, and about sources that fall silent.
 *
 * Who has changed a column last is in the log; entries of a sync bear the transaction that its run has noted.  What was changed by
 * hand before the last snapshot of the source was replaced by that already, or the source agreed.  Read and written as the owner.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "sync/sync_run.h"

/* Columns that belong to the sync itself, not to the source. */
#define OWN_COLUMNS "'{source,source_updated_at,successor_id}'"

#define BY_HAND "NOT EXISTS (SELECT FROM @P@.sync_run r WHERE r.xid = l.xid AND r.started_at <= l.at)"

/* Parameters: rows of the plan that were refused, source, the run and when it was started. */
static const char *const find_overwritten =
	"WITH taken AS MATERIALIZED ("
	"  SELECT p.asset_id, p.asset_tag, p.columns FROM sync_plan p"
	"  WHERE p.seq <> ALL ($1) AND p.step = 'update' AND p.outcome IN ('updated', 'retagged', 'reappeared') AND p.staged_no IS NOT NULL"
	"    AND NOT p.columns <@ " OWN_COLUMNS "), since AS MATERIALIZED ("
	"  SELECT coalesce((SELECT r.started_at FROM @P@.sync_run r WHERE r.source = $2 AND r.mode = 'snapshot' AND r.error IS NULL"
	"    AND r.sync_run_id < $3 AND r.started_at < $4 ORDER BY r.sync_run_id DESC LIMIT 1), '-infinity') AS at"
	"), edited AS MATERIALIZED ("
	"  SELECT t.* FROM taken t CROSS JOIN since s WHERE EXISTS (SELECT FROM @P@.audit_log l WHERE l.row_id = t.asset_id"
	"    AND l.table_name = 'asset' AND l.operation = 'UPDATE' AND l.at >= s.at AND " BY_HAND ")"
	"), last AS ("
	"  SELECT DISTINCT ON (e.asset_id, c.column_name) e.asset_id, e.asset_tag, c.column_name, l.by_hand"
	"  FROM edited e"
	"    CROSS JOIN LATERAL (SELECT l.audit_id, l.at, l.row_image, " BY_HAND
	" AS by_hand FROM @P@.audit_log l WHERE l.row_id = e.asset_id"
	"      AND l.table_name = 'asset' AND l.operation = 'UPDATE' AND l.xid <> pg_current_xact_id() OFFSET 0) AS l"
	"    CROSS JOIN since s"
	"    CROSS JOIN LATERAL (SELECT cec.decode_row_image(l.row_image, 'UPDATE', 'old', h.column_names, h.column_codes) AS old_row,"
	"      cec.decode_row_image(l.row_image, 'UPDATE', 'new', h.column_names, h.column_codes) AS new_row"
	"      FROM @P@.audit_schema h WHERE h.schema_hash = substring(l.row_image FROM 2 FOR 16) OFFSET 0) AS r"
	"    CROSS JOIN LATERAL jsonb_each(r.new_row) AS c(column_name, value)"
	"  WHERE l.at >= s.at AND c.value IS DISTINCT FROM r.old_row -> c.column_name AND c.column_name = ANY (e.columns) AND c.column_name <> ALL (" OWN_COLUMNS
	")"
	"  ORDER BY e.asset_id, c.column_name, l.audit_id DESC"
	") SELECT jsonb_agg(o) FROM (SELECT l.asset_id, l.asset_tag, array_agg(l.column_name ORDER BY l.column_name) AS columns"
	" FROM last l WHERE l.by_hand GROUP BY l.asset_id, l.asset_tag ORDER BY l.asset_id) AS o";

static const CecQuery close_overwritten = {
	"UPDATE @P@.finding f SET closed_at = greatest(clock_timestamp(), f.opened_at)"
	" FROM jsonb_to_recordset($1) AS o(asset_id bigint)"
	" WHERE f.closed_at IS NULL AND f.kind = 'registry_overwrote' AND f.asset_id = o.asset_id",
	1,
	{JSONBOID}};

static const CecQuery open_overwritten = {
	"INSERT INTO @P@.finding (kind, severity, asset_id, first_day, detail, message)"
	" SELECT 'registry_overwrote', 'info', o.asset_id, $3, jsonb_build_object('source', $2, 'asset_tag', o.asset_tag, 'columns', o.columns),"
	" format('Source %s has replaced what somebody had changed of asset %s by hand: %s.', $2, o.asset_tag,"
	"  (SELECT string_agg(c, ', ' ORDER BY c) FROM jsonb_array_elements_text(o.columns) AS c))"
	" FROM jsonb_to_recordset($1) AS o(asset_id bigint, asset_tag text, columns jsonb) ORDER BY o.asset_id",
	3,
	{JSONBOID, TEXTOID, DATEOID}};

static const CecQuery close_stale = {
	"UPDATE @P@.finding SET closed_at = greatest(clock_timestamp(), opened_at)"
	" WHERE closed_at IS NULL AND kind = 'registry_stale' AND subject = 'source:' || $1",
	1,
	{TEXTOID}};

/* Of a run that is noted: assets of which it has replaced what was changed by hand. */
void
cec_sync_tell_overwritten(CecSync *sync, int64 run_id)
{
	Oid types[] = {INT8ARRAYOID, TEXTOID, INT8OID, TIMESTAMPTZOID};
	Datum values[] = {cec_ids_as_array(&sync->refused), PointerGetDatum(sync->source), Int64GetDatum(run_id),
					  TimestampTzGetDatum(sync->started_at)};
	Datum args[3] = {0};
	bool isnull;

	if (cec_query_once(sync->portfolio->plans, find_overwritten, lengthof(types), types, values, NULL) != 1)
		elog(ERROR, "what a sync has overwritten was not found");
	args[0] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		return;
	args[1] = PointerGetDatum(sync->source);
	args[2] = DateADTGetDatum(sync->today);
	(void) cec_query_run(sync->portfolio->plans, &close_overwritten, args, NULL, 0);
	(void) cec_query_run(sync->portfolio->plans, &open_overwritten, args, NULL, 0);
}

/* The source has been fed. */
void
cec_sync_close_stale(CecSync *sync)
{
	Datum arg = PointerGetDatum(sync->source);

	if (sync->staged > 0)
		(void) cec_query_run(sync->portfolio->plans, &close_stale, &arg, NULL, 0);
}
