#!/usr/bin/env bash
# The cost of a row: what cec adds to a statement on one row, and on many, against the same rows written by hand. One table of all
# goals; what is compared is measured in turns, round by round.
#   test/bin/bench row
#   CEC_BENCH_ROWS=2000 CEC_BENCH_ROUNDS=1     to try it
#   CEC_BENCH_FINDINGS=off     without kinds of findings: what a row costs before anybody asks what is wrong with it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/row
rounds=${CEC_BENCH_ROUNDS:-7}
clients=16
scripts=$(mktemp -d)
trap 'rm -rf "$scripts"' EXIT
# Assets are inserted in the order of their source.
export PGOPTIONS='-c client_min_messages=warning -c synchronize_seqscans=off'
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

ask -f "$here/set-up.sql"
[ "${CEC_BENCH_FINDINGS:-on}" = on ] || ask -c "UPDATE cec.finding_kind SET hears = '{}'"
rows=$(ask -c 'SELECT count(*) FROM bench.asset_source')
each=$(ask -c 'SELECT bench.each_count()')
# Each client lists as many assets, of which none is on a list yet.
lines=$((rows / clients < 2000 ? rows / clients : 2000))

for variant in keyed:bench.keyed_asset cec:yard.asset; do
	cat >"$scripts/insert.${variant%%:*}" <<-EOF
		INSERT INTO ${variant#*:} (asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region, location, commissioned_on, attributes)
		SELECT 'P-' || n, 'P-' || n, 'Maker 7', 'Model 7', 'pump', 'production', 1 + n % 100, 'DE', 'DE-BY', st_setsrid(st_makepoint(9, 48), 4326), '2012-01-01', '{"line": 3, "hall": "H1"}'
		FROM nextval('bench.next_tag') AS n;
	EOF
	cat >"$scripts/update.${variant%%:*}" <<-EOF
		\\set id random(1, $rows)
		\\set n random(1, 1000000000)
		UPDATE ${variant#*:} SET usage_type = 'use ' || :n WHERE asset_id = :id;
	EOF
done

# transactions SUBJECT VARIANT ROUND SCRIPT CLIENTS COUNT: notes how long one took, all clients together.
transactions() {
	local tps
	tps=$(pgbench -n -M prepared -c "$5" -j $(($5 < 2 ? 1 : 2)) -t "$6" -f "$4" | sed -n 's/^tps = \([0-9.]*\).*/\1/p')
	ask -c "INSERT INTO bench.sample VALUES ('$1', '$2', $3, 1, 1e6 / $tps, NULL)"
}

for round in $(seq 0 "$rounds"); do
	ask -c "CALL bench.run_assets($round)"
	for statement in insert:INSERT\ of\ one\ asset update:UPDATE\ of\ one\ column; do
		transactions "${statement#*:}, a transaction" 'keys, indexes, foreign keys' "$round" "$scripts/${statement%%:*}.keyed" 1 "$each"
		transactions "${statement#*:}, a transaction" cec "$round" "$scripts/${statement%%:*}.cec" 1 "$each"
	done
	if [ "$round" = 0 ]; then
		ask -c 'CALL bench.take_lists()'
		ask -c 'SELECT bench.line_script(false)' >"$scripts/line.hand"
		ask -c 'SELECT bench.line_script(true)' >"$scripts/line.cec"
	fi
	ask -c "CALL bench.run_lists($round)"
	ask -c "UPDATE yard.asset SET status = 'in_service', decommissioned_on = NULL WHERE status = 'retired'" -c 'CALL bench.empty_yard_list()'
	for variant in 'hand:three inserts' cec:cec; do
		ask -o /dev/null -c "SELECT setval('bench.next_line', 1, false)"
		transactions "list lines of $clients clients" "${variant#*:}" "$round" "$scripts/line.${variant%%:*}" "$clients" "$lines"
	done
	# The first round only warms up.
	[ "$round" != 0 ] || ask -c 'DELETE FROM bench.sample WHERE subject IN (SELECT subject FROM bench.row_goal)'
done
ask -o /dev/null -f "$here/locks.sql"
psql -X -q -v ON_ERROR_STOP=1 -f "$here/report.sql"
