#!/usr/bin/env bash
# What a sync costs: a snapshot of a million assets of which one in twenty has changed, and the same rows by INSERT … ON CONFLICT into a table
# with the keys, indexes and foreign keys of the register, where they differ; and what memory a snapshot of five million takes in which
# nothing has changed.
#   test/bin/bench sync
#   CEC_BENCH_ASSETS=20000 CEC_BENCH_ROUNDS=1     to try it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peak.sh"
export PGOPTIONS='-c client_min_messages=warning'
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

psql -X -q -v ON_ERROR_STOP=1 -f "$here/sync/set-up.sql"
rows=$(ask -c 'SELECT count(*) FROM bench.snapshot')
for round in $(seq 1 "${CEC_BENCH_ROUNDS:-3}"); do
	ask <<-SQL
		CALL bench.stage($round);
		VACUUM ANALYZE synced.asset_staging;
		CALL bench.measure('sync', 'INSERT … ON CONFLICT', $round, $rows,
			'INSERT INTO bench.bare AS b (asset_tag, serial_number, manufacturer, model, category, customer_id, country, commissioned_on, source)
			SELECT s.asset_tag, s.serial_number, s.manufacturer, s.model, s.category, c.customer_id, s.country, s.commissioned_on, s.source
			FROM synced.asset_staging s LEFT JOIN synced.customer c ON c.external_ref = s.customer_ref
			ON CONFLICT (asset_tag) DO UPDATE SET serial_number = excluded.serial_number, manufacturer = excluded.manufacturer, model = excluded.model,
				category = excluded.category, customer_id = excluded.customer_id, country = excluded.country, commissioned_on = excluded.commissioned_on
			WHERE (b.serial_number, b.manufacturer, b.model, b.category, b.customer_id, b.country, b.commissioned_on)
				IS DISTINCT FROM (excluded.serial_number, excluded.manufacturer, excluded.model, excluded.category, excluded.customer_id, excluded.country, excluded.commissioned_on)');
		CALL bench.measure('sync', 'sync_assets', $round, $rows,
			'SELECT count(*) FROM synced.sync_assets(''erp'', ''snapshot'')');
		VACUUM synced.asset_staging, synced.asset, bench.bare;
	SQL
done
psql -X -q -c "SELECT * FROM bench.report('sync')" -c "SELECT mode, staged, updated, unchanged, rejected, finished_at - started_at AS took FROM synced.sync_run ORDER BY sync_run_id"

echo "unchanged"
psql -X -q -v ON_ERROR_STOP=1 -f "$here/sync/more.sql"
for part in fifth all; do
	ask -f "$here/sync/stage-$part.sql"
	peak_of "$here/sync/run.sql"
done
