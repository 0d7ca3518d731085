#!/usr/bin/env bash
# What tiles of the map cost, with a million assets and a thousand contracts; and what it costs to keep the grid.
#   test/bin/bench map
#   CEC_BENCH_MAP_ASSETS=100000 CEC_BENCH_ROUNDS=1     to try it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/map
export PGOPTIONS='-c client_min_messages=warning -c synchronize_seqscans=off'
psql -X -q -v ON_ERROR_STOP=1 -f "$here/set-up.sql"
psql -X -q -v ON_ERROR_STOP=1 -f "$here/measure.sql"
psql -X -q -v ON_ERROR_STOP=1 -v rounds="${CEC_BENCH_ROUNDS:-5}" -f "$here/moves.sql"
