#!/usr/bin/env bash
# What an import costs: 200,000 rows by import_inclusions, valid_only, and the same rows by INSERT into the armed table, in turns.
#   test/bin/bench import
#   CEC_BENCH_ROWS=20000 CEC_BENCH_ROUNDS=1     to try it
set -euo pipefail
export PGOPTIONS='-c client_min_messages=warning'
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

ask -c "CREATE TABLE bench.list AS SELECT jsonb_agg(jsonb_build_object('identifier', listed_as, 'first_day', '2025-01-01', 'last_day', '2029-12-31') ORDER BY place) AS list FROM bench.line_source"
ask -c "INSERT INTO bench.goal VALUES ('import', 'import_inclusions', 'INSERT', 1.4)"
rows=$(ask -c 'SELECT count(*) FROM bench.line_source')
for round in $(seq 0 "${CEC_BENCH_ROUNDS:-5}"); do
	ask <<-SQL
		CALL bench.empty_list();
		CALL bench.measure('import', 'INSERT', $round, $rows,
			'INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 1, listed_as, during FROM bench.line_source ORDER BY place');
		CALL bench.empty_list();
		CALL bench.measure('import', 'import_inclusions', $round, $rows,
			'SELECT count(*) FROM bench.list, fleet.import_inclusions(1, list, ''valid_only'')');
	SQL
done
ask -c "DELETE FROM bench.sample WHERE run = 0 AND subject = 'import'"
psql -X -q -c "SELECT * FROM bench.report('import')"
