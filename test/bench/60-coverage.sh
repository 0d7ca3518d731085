#!/usr/bin/env bash
# Effective coverage and its upkeep: runs test/bench/coverage/*.sql in a database of its own, then a mixed load.
#   test/bench/60-coverage.sh     by itself it starts a server; test/bin/bench gives it one
#   CEC_BENCH_PARTS="ask retire …"     only these parts besides the data (default: all)
#   CEC_BENCH_VAST=5000000        assets of the largest portfolio
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts=${CEC_BENCH_PARTS:-ask retire locks load}
if [ -z "${PGDATABASE:-}" ]; then
	. "$here/../bin/lib.sh"
	install_packages
	temporary_work
	prepare "$work"
	start_cluster "shared_buffers = '3GB'" "max_wal_size = '8GB'" "checkpoint_timeout = '1h'" "full_page_writes = off" \
		"autovacuum = off" "jit = off" "max_parallel_workers_per_gather = 0"
	as_server env PGDATABASE=postgres CEC_BENCH_PARTS="$parts" bash "$source/test/bench/60-coverage.sh"
	exit
fi

createdb bench_coverage
export PGDATABASE=bench_coverage
run() { psql -X -q -v ON_ERROR_STOP=1 -v vast="${CEC_BENCH_VAST:-5000000}" -f "$here/coverage/$1.sql"; }
has() { case " $parts " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# Eight sessions for half a minute; a ninth takes the gate as any writer would and notes how long it waited.
mixed_load() {
	local log tps sampler
	log=$(mktemp)
	run load
	psql -X -q -c 'CALL bench.sample_gate(31)' &
	sampler=$!
	pgbench -n -c 8 -j 2 -T 30 -M prepared -f "$here/coverage/load_list.pgbench@45" -f "$here/coverage/load_retire.pgbench@45" \
		-f "$here/coverage/load_member.pgbench@10" >"$log"
	wait "$sampler"
	tps=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$log")
	psql -X -q -v tps="$tps" <<<"INSERT INTO bench.other_figure (figure, reached, goal)
		VALUES ('8 sessions, 45 % lists, 45 % retirements, 10 % memberships: transactions a second', :tps, '')"
	rm -f "$log"
	run load_report
}

run data
for part in ask retire locks; do
	if has $part; then run $part; fi
done
if has load; then mixed_load; fi
psql -X -q -P footer=off -c 'SELECT * FROM bench.report' -c 'SELECT figure, reached, goal FROM bench.other_figure ORDER BY place'
dropdb --force --maintenance-db=postgres bench_coverage
