# Shared by the commands of this folder: packages, a private copy of the server, a throw-away cluster.
#
# The server is started from a copy of PostgreSQL's own files into which cec is installed: nothing that is installed on
# the machine changes, and a server that runs already is left alone. Everything lives in one folder below TMPDIR, owned
# by the user who runs the server (postgres when started by root, since a server refuses to run as root).

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
say() { printf '%s\n' "$*" >&2; }

# Debian's packages of the server, by its major version.
major=${CEC_SERVER:-15}
server_packages=("postgresql-$major" "postgresql-$major-postgis-3" "postgresql-server-dev-$major")
packages=(gcc make libipc-run-perl clang-format clang-tidy cppcheck python3 zint zxing-cpp-tools gdal-bin)
# Another server, already there with PostGIS and pgTAP, is chosen by PG_CONFIG.
if [ -z "${PG_CONFIG:-}" ]; then
	packages+=("${server_packages[@]}" "postgresql-$major-pgtap" "postgresql-$major-cron")
	PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
fi

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs the packages that are missing, if any.
install_packages() {
	local missing=() package log
	for package in "${packages[@]}"; do
		dpkg-query -W -f '${Status}' "$package" 2>&1 | grep -q 'install ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing: ${missing[*]}"
	log=$(mktemp)
	if ! { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
	rm "$log"
}

# Runs a command as the user who runs the server, by the clock that set_clock has set.
as_server() {
	local settings=("PATH=$bin:$PATH")
	[ -z "${CEC_CLOCK:-}" ] || settings+=("LD_PRELOAD=$work/clock.so")
	if [ "$(id -u)" -eq 0 ]; then
		(cd "$work" && runuser -u postgres -- env "${settings[@]}" "$@")
	else
		(cd "$work" && env "${settings[@]}" "$@")
	fi
}

# Sets the clock of what as_server starts from now on: "today", or what date(1) takes, in UTC. Goes on from there
# (test/clock/clock.c). A server that runs keeps the clock that it was started with.
set_clock() {
	local then
	unset CEC_CLOCK
	[ "$1" != today ] || return 0
	then=$(date -u -d "$1" +%s)
	export CEC_CLOCK=$((then - $(date +%s)))
}

# Builds the modules that tests load into a folder: each has its own copy of the code under test, whatever another module of the same
# names is loaded.
build_test_modules() {
	local flags=(-std=gnu11 -O2 -Wall -Werror -shared -fPIC -D_GNU_SOURCE -Isrc -isystem "$("$PG_CONFIG" --includedir-server)")
	gcc -O -Wall -Werror -shared -fPIC -o "$1/clock.so" test/clock/clock.c &&
		gcc "${flags[@]}" -Wl,-Bsymbolic -o "$1/root$("$PG_CONFIG" --pkglibdir)/cec_merkle_test.so" \
			test/merkle/merkle_test.c src/support/merkle.c src/support/merkle_proof.c
}

# Where things are in a folder that is prepared: sets work, bin, share, source, pgxs_tests.
enter() {
	work=$1
	bin=$work/root$("$PG_CONFIG" --bindir)
	share=$work/root$("$PG_CONFIG" --sharedir)
	source=$work/source
	pgxs_tests=$("$PG_CONFIG" --pkglibdir)/pgxs/src/test
}

# What was built, or found to be in order, is kept under the hash of what it was made from, in a folder that may be emptied at any
# time (CEC_CACHE, ~/.cache/cec; where there can be none, in work). Commands that run at once share it: an entry appears by rename,
# whole. What was not used for a month goes.
open_cache() {
	cache=${CEC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/cec}
	if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
		cache=$work/kept
		mkdir -p "$cache"
	fi
	find "$cache" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} + 2>/dev/null || true
}

# A hash of files, by name and content, and of the lines on standard input.
hash_of() { { cat && sha256sum -- "$@"; } | sha256sum | cut -c1-32; }

# What cec is built with, one line a tool.
toolchain() {
	gcc --version | head -n 1
	uname -m
	"$PG_CONFIG"
	env | grep -E '^(CC|CFLAGS|CPPFLAGS|LDFLAGS|COPT|PROFILE)=' | LC_ALL=C sort || true
}

# Builds the tree in source, or takes what was built of the same before: sets built, a folder with root/ and clock.so.
build() {
	local files log new
	cd "$source"
	mapfile -t files < <(find src Makefile cec.control test/bin/lib.sh test/clock test/merkle -type f ! -name '*.o' ! -name '*.bc' | LC_ALL=C sort)
	built=$cache/build-$(toolchain | hash_of "${files[@]}")
	if [ -d "$built" ]; then
		touch "$built"
	else
		say "building cec with $("$PG_CONFIG" --version)"
		log=$work/build.log
		new=$(mktemp -d "$cache/new.XXXXXX")
		chmod 755 "$new"
		# By the clock of the files, also when the caller's is set.
		if ! env -u LD_PRELOAD make -s -j"$(nproc)" with_llvm=no PG_CONFIG="$PG_CONFIG" all install DESTDIR="$new/root" >"$log" 2>&1 ||
			! build_test_modules "$new" >>"$log" 2>&1; then
			cat "$log" >&2
			rm -rf "$new"
			return 1
		fi
		# Another command may have been quicker: its folder is as good.
		mv -T "$new" "$built" 2>/dev/null || rm -rf "$new"
	fi
	cd "$top"
}

# A copy of the server with cec of a copy of the tree installed into it. PG_CONFIG chooses the server. Sets what enter and build set.
prepare() {
	local bindir libdir sharedir
	bindir=$("$PG_CONFIG" --bindir)
	libdir=$("$PG_CONFIG" --pkglibdir)
	sharedir=$("$PG_CONFIG" --sharedir)
	enter "$1"
	[ -n "${cache:-}" ] || open_cache
	mkdir -p "$bin" "$work/root$libdir" "$share" "$source"
	cp -a "$bindir/." "$bin/"
	cp -as "$libdir/." "$work/root$libdir/"
	cp -as "$sharedir/." "$share/"
	(cd "$top" && tar --exclude=.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude='./sql/cec--*' -cf - .) | tar -xf - -C "$source"
	build
	cp -a --remove-destination "$built/." "$work/"
	[ "$(id -u)" -ne 0 ] || chown -R postgres "$work"
}

# Makes a throw-away cluster in the folder; further arguments are lines for postgresql.conf.
make_cluster() {
	local line
	as_server initdb -D "$work/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$work/initdb.log"
	{
		echo "listen_addresses = ''"
		echo "max_prepared_transactions = 10"
		echo "fsync = off"
		for line in "$@"; do echo "$line"; done
	} >>"$work/data/postgresql.conf"
	reach_cluster
}

# Clients reach the server by a socket in its folder.
reach_cluster() {
	echo "unix_socket_directories = '$work'" >>"$work/data/postgresql.conf"
	export PGHOST=$work PGUSER=postgres
	unset PGPORT PGDATABASE PGPASSWORD PGSERVICE
}

start_cluster() {
	make_cluster "$@"
	start_server
}

# Starts the server of the cluster, by the clock as it is set.
start_server() { as_server pg_ctl -D "$work/data" -l "$work/server.log" -t 300 -w start >/dev/null; }

# By another mode than "fast" the next start recovers what was written, which takes more than a minute on a busy machine.
stop_cluster() {
	[ -f "$work/data/postmaster.pid" ] && as_server pg_ctl -D "$work/data" -m "${1:-immediate}" -t 300 stop >/dev/null
	return 0
}

# A new folder that the server's user may enter, removed at exit together with its cluster.
temporary_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/cec.XXXXXX")
	chmod 755 "$work"
	trap 'stop_cluster; rm -rf "$work"' EXIT
}
