/*
 * sync_consequence.c
 *		What follows from assets that a sync has retired: a draft of an amendment for each contract whose lists run past that.
 *
 * A line of the draft puts the asset that the source has in its place, or removes it.  Written as the caller, as all that is
 * stated.  Batches of one run share a draft: they begin at one instant, which it bears as the time at which it was asked for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "sync/sync_run.h"

/*
 * Parameters: rows of the plan that were refused, today, source, the run and when it was started.  A line counts as it does for the
 * finding outlives_decommissioning.  Of several assets that have become one, it takes the place of the first.
 */
static const char *const draft_consequences =
	"WITH gone AS MATERIALIZED ("
	"  SELECT p.asset_id, p.asset_tag, p.decommissioned_on AS last_day, p.outcome, CASE WHEN p.outcome = 'merged' THEN p.successor_id END AS successor_id"
	"  FROM sync_plan p WHERE p.seq <> ALL ($1) AND p.step = 'update' AND p.status = 'retired' AND p.decommissioned_on < '5874897-12-31'"
	"  AND p.outcome <> 'retagged' AND (p.is_living OR p.outcome = 'merged')"
	"), listed AS MATERIALIZED ("
	"  SELECT DISTINCT g.*, t.contract_id, t.term_id"
	"  FROM gone g JOIN @P@.inclusion i ON i.asset_id = g.asset_id AND i.effect = 'include'"
	"    JOIN @P@.coverage_term t ON t.term_id = i.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id"
	"    CROSS JOIN LATERAL (SELECT i.during * t.during * c.during AS days) AS d"
	"  WHERE c.status <> 'void' AND NOT isempty(d.days) AND coalesce(upper(d.days) > greatest(g.last_day + 1, $2), true)"
	"), line AS MATERIALIZED ("
	"  SELECT l.contract_id, l.term_id, l.asset_tag, l.outcome, daterange(l.last_day + 1, NULL) AS during, s.asset_tag AS known_as,"
	"    CASE WHEN NOT s.stands AND row_number() OVER (PARTITION BY l.term_id, l.successor_id, s.stands ORDER BY l.asset_tag) = 1 THEN s.asset_tag END AS successor"
	"  FROM listed l LEFT JOIN LATERAL ("
	"    SELECT s.asset_tag, s.status = 'retired' OR EXISTS (SELECT FROM @P@.inclusion o WHERE o.asset_id = s.asset_id AND o.term_id = l.term_id"
	"      AND o.effect = 'include' AND o.during && daterange(l.last_day + 1, NULL)) AS stands"
	"    FROM @P@.asset s WHERE s.asset_id = l.successor_id) AS s ON true"
	"), fresh AS MATERIALIZED ("
	"  SELECT l.* FROM line l WHERE NOT EXISTS ("
	"    SELECT FROM @P@.amendment_line x JOIN @P@.amendment m ON m.amendment_id = x.amendment_id"
	"    WHERE x.identifier = l.asset_tag AND x.term_id = l.term_id AND x.during = l.during AND m.status IN ('draft', 'submitted', 'approved')"
	"      AND x.action = CASE WHEN l.successor IS NULL THEN 'remove' ELSE 'swap' END AND x.successor_identifier IS NOT DISTINCT FROM l.successor)"
	"), begun AS MATERIALIZED ("
	"  SELECT DISTINCT ON (m.contract_id) m.amendment_id, m.contract_id FROM @P@.amendment m"
	"  WHERE m.contract_id IN (SELECT f.contract_id FROM fresh f) AND m.status = 'draft' AND m.requested_at = $5 AND m.title = format('assets gone from %s', $3)"
	"  ORDER BY m.contract_id, m.amendment_id"
	"), made AS ("
	"  INSERT INTO @P@.amendment (contract_id, title, requested_at, requested_by, reason)"
	"  SELECT f.contract_id, format('assets gone from %s', $3), $5, cec._actor(), format('retired by run %s of source %s', $4, $3)"
	"  FROM (SELECT DISTINCT f.contract_id FROM fresh f WHERE NOT EXISTS (SELECT FROM begun b WHERE b.contract_id = f.contract_id)) AS f"
	"  ORDER BY f.contract_id RETURNING amendment_id, contract_id"
	")"
	" INSERT INTO @P@.amendment_line (amendment_id, action, identifier, term_id, during, successor_identifier, note)"
	" SELECT m.amendment_id, CASE WHEN f.successor IS NULL THEN 'remove' ELSE 'swap' END, f.asset_tag, f.term_id, f.during, f.successor,"
	"   CASE WHEN f.known_as IS NOT NULL THEN format('%s has %s as %s', $3, f.asset_tag, f.known_as)"
	"     WHEN f.outcome = 'retired' THEN format('%s has %s no more', $3, f.asset_tag)"
	"     ELSE format('%s says that %s is retired', $3, f.asset_tag) END"
	" FROM fresh f JOIN (TABLE begun UNION ALL SELECT * FROM made) AS m ON m.contract_id = f.contract_id"
	" ORDER BY m.amendment_id, f.asset_tag, f.term_id";

/* Drafts what follows from what was retired; for a run that is noted. */
void
cec_sync_draft_consequences(CecSync *sync, int64 run_id)
{
	Oid types[] = {INT8ARRAYOID, DATEOID, TEXTOID, INT8OID, TIMESTAMPTZOID};
	Datum values[] = {cec_ids_as_array(&sync->refused), DateADTGetDatum(sync->today), PointerGetDatum(sync->source),
					  Int64GetDatum(run_id), TimestampTzGetDatum(sync->started_at)};

	if (sync->retired > 0)
		cec_query_once(sync->portfolio->plans, draft_consequences, lengthof(types), types, values, NULL);
}
