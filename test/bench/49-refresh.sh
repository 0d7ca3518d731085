#!/usr/bin/env bash
# refresh() of a large portfolio: a million assets, half of them on lists. The first run brings what a setting has changed, the next one nothing.
#   test/bin/bench refresh
#   CEC_BENCH_ASSETS=20000     to try it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/peak.sh"
psql -X -q -v ON_ERROR_STOP=1 -f "$here/refresh/set-up.sql"
for run in first second; do
	echo "refresh, $run run"
	peak_of "$here/refresh/run.sql"
done
