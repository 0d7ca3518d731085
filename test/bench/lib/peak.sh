# peak.sh: the most memory of its own, shared buffers aside, that a session had while it ran a script.
#   . lib/peak.sh; peak_of script.sql [psql option …]     prints what the script prints, and a line "memory: … MB"
peak_of() {
	local script=$1 fifo most=0 now pid
	shift
	fifo=$(mktemp -u)
	mkfifo "$fifo"
	{ echo '\o '"$fifo"; echo 'SELECT pg_backend_pid();'; echo '\o'; cat "$script"; } | psql -X -q -v ON_ERROR_STOP=1 "$@" &
	local client=$!
	pid=$(grep -om1 '[0-9][0-9]*' "$fifo")
	rm -f "$fifo"
	while kill -0 "$client" 2>/dev/null; do
		now=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null || true)
		[ "${now:-0}" -le "$most" ] || most=$now
		sleep 0.2
	done
	wait "$client"
	echo "memory: $((most / 1024)) MB at most, shared buffers aside"
}
