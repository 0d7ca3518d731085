#!/usr/bin/env bash
# What findings cost: the same statements on a portfolio of which kinds are looked at, and on one of which none is, in turns; and refresh
# and the first page of what is wrong.
#   test/bin/bench finding
#   CEC_BENCH_ROWS=20000 CEC_BENCH_ROUNDS=1     to try it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/finding
rounds=${CEC_BENCH_ROUNDS:-5}
export PGOPTIONS='-c client_min_messages=warning -c synchronize_seqscans=off'
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# Kinds are read once a session: each variant has sessions of its own.
kinds() {
	case $1 in
		without) ask -c "UPDATE cec.finding_kind k SET hears = '{}'" ;;
		with) ask -c 'UPDATE cec.finding_kind k SET hears = w.hears FROM bench.heard w WHERE w.kind = k.kind' ;;
	esac
}

ask -f "$here/set-up.sql"
for round in $(seq 0 "$rounds"); do
	for variant in without with; do
		kinds $variant
		ask -c "CALL bench.run_findings($round, '$variant findings')"
	done
done
kinds with
ask -o /dev/null -c "DELETE FROM bench.sample WHERE run = 0 AND subject IN (SELECT subject FROM bench.finding_goal)"
psql -X -q -v ON_ERROR_STOP=1 -f "$here/report.sql"
