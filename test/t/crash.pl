# Servers and sessions are killed, cancelled and timed out under load: no acknowledged change is lost, none is without
# its entry in the log, no entry is without its change, and heap and indexes agree.
#
# CEC_SEED repeats a run's choices; CEC_ROUNDS says how often the server is crashed (default 4).
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{CEC_SEED} // int(rand(1_000_000));
my $rounds = $ENV{CEC_ROUNDS} // 4;
my $workers = 4;
srand($seed);
diag("seed $seed");

my $node = new_cluster('crash', 'fsync = on', 'restart_after_crash = on', 'max_connections = 30',
	'checkpoint_timeout = 30s', 'log_min_messages = log');
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', q{
	SET client_min_messages = warning;
	CREATE EXTENSION cec CASCADE;
	CREATE EXTENSION amcheck;
	SELECT cec.create_portfolio('fleet');
	INSERT INTO fleet.customer (name) VALUES ('Acme');
	INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO fleet.asset (asset_tag) SELECT 'PUMP-' || n FROM generate_series(1, 1200) AS n;
	INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
		(1, 'qualifies', 'include', 'model LIKE ''m%'' AND asset_id % 3 = 0', '(,)'),
		(1, 'by key', 'include', 'model IN (''m'', ''m7'', ''s7'')', '(,)'), (1, 'fails', 'require', '10 / (asset_id - 7) < 100', '(,)'),
		(1, 'takes away', 'exclude', 'last_maintenance(''repair'') IS NOT NULL', '(,)');
	DO $$ BEGIN PERFORM fleet.refresh(); END $$;
});

# A statement that prints the id of its transaction; psql shows it only after the server has acknowledged the commit.
my $serial = 0;

sub statement
{
	my $n = ++$serial;
	my $day = "DATE '1900-01-01' + $n";
	my $hot = 1 + int rand 20;
	my $other = 1 + int rand $n;
	my $kind = rand;

	return "INSERT INTO fleet.asset (asset_tag, model) VALUES ('T-$n', 'm') RETURNING pg_current_xact_id();" if $kind < 0.25;
	return "INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-' || $hot, daterange($day, $day + 1)) RETURNING pg_current_xact_id();"
	  if $kind < 0.5;
	return "INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'T-$other', daterange($day, NULL)) RETURNING pg_current_xact_id();"
	  if $kind < 0.6;
	return "UPDATE fleet.asset SET model = 'm$n' WHERE asset_id BETWEEN $hot AND $hot + 2 RETURNING pg_current_xact_id();" if $kind < 0.75;
	return "DELETE FROM fleet.inclusion WHERE inclusion_id = (SELECT min(inclusion_id) FROM fleet.inclusion WHERE asset_id = $hot) RETURNING pg_current_xact_id();"
	  if $kind < 0.82;
	return "WITH made AS (INSERT INTO fleet.asset (asset_tag, model) SELECT 'T-$n-' || i, 'm' FROM generate_series(1, 60) AS i RETURNING 1)"
	  . " SELECT pg_current_xact_id() FROM made LIMIT 1;"
	  if $kind < 0.88;
	return "WITH made AS (INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1, i, daterange($day, $day + 1) FROM generate_series(1, 1200) AS i RETURNING 1)"
	  . " SELECT pg_current_xact_id() FROM made LIMIT 1;"
	  if $kind < 0.895;
	return "UPDATE fleet.contract SET priority = $n RETURNING pg_current_xact_id();" if $kind < 0.905;
	return "WITH moved AS (UPDATE fleet.asset SET location = ST_SetSRID(ST_MakePoint($n % 360 - 180, $n % 170 - 85), 4326) WHERE asset_id BETWEEN $hot AND $hot + $n % 40 RETURNING 1) SELECT pg_current_xact_id() FROM moved LIMIT 1;"
	  if $kind < 0.92;
	return "UPDATE fleet.coverage_rule SET condition = 'model LIKE ''m%'' AND asset_id % 5 = ' || $n % 5 || ' AND asset_id < 1000000 + $n' WHERE rule_id = 1 RETURNING pg_current_xact_id();" if $kind < 0.93;
	return "INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES ($hot, 'repair', $day) RETURNING pg_current_xact_id();" if $kind < 0.95;
	return "DO \$\$ BEGIN UPDATE fleet.asset SET model = 's$n' WHERE asset_id = $hot;"
	  . " BEGIN INSERT INTO fleet.asset (asset_tag) VALUES ('S-$n'), ('PUMP-1'); EXCEPTION WHEN unique_violation THEN NULL; END;"
	  . " INSERT INTO fleet.asset (asset_tag) VALUES ('D-$n'); END \$\$;";
}

# Sessions at work: each reads a script of its own.  timeouts: a statement_timeout of 1 to 50 ms before each statement.
my %acknowledged;
my @running;
my $scripts = PostgreSQL::Test::Utils::tempdir;
my $script_no = 0;

sub start_worker
{
	my ($timeouts) = @_;
	my $file = "$scripts/" . ++$script_no . '.sql';
	my $worker = { out => '', err => '' };

	append_to_file($file, join "\n",
		map { ($timeouts ? 'SET statement_timeout = ' . (1 + int rand 50) . ';' : ()), statement() } 1 .. 4000);
	$worker->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('book'), '-f', $file ], '<', \undef,
		'>', \$worker->{out}, '2>', \$worker->{err});
	push @running, $worker;
	return;
}

# Lets the workers run on for some seconds; those that have ended are replaced when asked for.
sub let_run
{
	my ($seconds, $replace, $meanwhile) = @_;
	my $end = time + $seconds;

	while (time < $end)
	{
		$_->{run}->pump_nb foreach @running;
		if ($replace)
		{
			my @ended = grep { !$_->{run}->pumpable } @running;

			collect(@ended);
			@running = grep { $_->{run}->pumpable } @running;
			start_worker(1) foreach @ended;
		}
		$meanwhile->() if $meanwhile;
		sleep 0.02;
	}
	return;
}

# Not by a query: psql may end before it has read one, and writing to it then fails.
sub wait_until_up
{
	foreach my $try (1 .. 600)
	{
		return if IPC::Run::run([ 'pg_isready', '-q', '-h', $node->host, '-p', $node->port ]);
		sleep 0.1;
	}
	die 'the server does not come back';
}

my $errors = '';

sub collect
{
	foreach my $worker (@_)
	{
		eval { $worker->{run}->finish };
		# A last line without its end was cut off by the kill.
		$acknowledged{$_} = 1 foreach $worker->{out} =~ /^(\d+)\n/mg;
		$errors .= $worker->{err};
	}
	return;
}

sub stop_workers
{
	$_->{run}->kill_kill(grace => 1) foreach @running;
	collect(@running);
	@running = ();
	return;
}

# What the log says the rows must be, checked against what they are.
my $differences = q{
	WITH replayed AS (
		SELECT e.table_name, e.row_id, jsonb_object_agg(k.key, k.value ORDER BY e.audit_id) AS image
		FROM fleet.audit_entry e CROSS JOIN LATERAL jsonb_each_text(coalesce(e.new_row, '{}')) AS k
		WHERE e.table_name IN ('asset', 'inclusion', 'contract')
			AND NOT EXISTS (SELECT FROM fleet.audit_log d WHERE d.table_name = e.table_name AND d.row_id = e.row_id AND d.operation = 'DELETE')
		GROUP BY 1, 2
	), expected AS (
		SELECT table_name, row_id, CASE table_name
			WHEN 'asset' THEN concat_ws('|', image ->> 'asset_tag', image ->> 'model')
			WHEN 'inclusion' THEN concat_ws('|', image ->> 'asset_id', image ->> 'listed_as', image ->> 'during')
			ELSE image ->> 'priority' END AS facts
		FROM replayed
	), found AS (
		SELECT 'asset' AS table_name, asset_id AS row_id, concat_ws('|', asset_tag, model) AS facts FROM fleet.asset
		UNION ALL SELECT 'inclusion', inclusion_id, concat_ws('|', asset_id, listed_as, during) FROM fleet.inclusion
		UNION ALL SELECT 'contract', contract_id, priority::text FROM fleet.contract
	)
	SELECT count(*) FILTER (WHERE e.facts IS NULL) AS changes_without_entry,
		count(*) FILTER (WHERE f.facts IS NULL) AS entries_without_change,
		count(*) FILTER (WHERE e.facts <> f.facts) AS differing
	FROM expected e FULL JOIN found f USING (table_name, row_id)
	WHERE e.facts IS DISTINCT FROM f.facts};

sub check
{
	my ($what) = @_;
	my $ids = join ',', keys %acknowledged;

	is($node->safe_psql('book', "SELECT count(*) FROM unnest('{$ids}'::xid8[]) AS x WHERE x NOT IN (SELECT xid FROM fleet.audit_log)"),
		'0', "$what: none of " . keys(%acknowledged) . ' acknowledged changes is lost');
	is($node->safe_psql('book', "SET DateStyle = ISO; $differences"), '0|0|0', "$what: no change without entry, no entry without change, none that differs");
	is($node->safe_psql('book', q{SELECT * FROM fleet.verify_replay()}), '', "$what: replay finds no difference");
	is($node->safe_psql('book', q{SELECT * FROM fleet.verify_history()}), '', "$what: cover was never other than the log says");
	is($node->safe_psql('book', q{SELECT count(*) FROM fleet.inclusion i JOIN fleet.inclusion o USING (asset_id, term_id)
			WHERE o.inclusion_id < i.inclusion_id AND o.during && i.during}), '0', "$what: nothing is listed twice");
	is($node->safe_psql('book', q{SELECT count(*) FROM fleet.verify_coverage()}), '0', "$what: coverage is what lists and rules say");
	is($node->safe_psql('book', q{SELECT * FROM cec._map_breaches('fleet') LIMIT 5}), '', "$what: the grid of the map is what follows from it");
	is($node->safe_psql('book', q{SELECT count(*) FROM fleet.audit_log l
			WHERE l.table_name <> 'coverage' AND NOT EXISTS (SELECT FROM fleet.audit_schema s WHERE s.schema_hash = substring(l.row_image FROM 2 FOR 16))}),
		'0', "$what: every image has its column list");
	return;
}

sub at_work
{
	return split /\n/, $node->safe_psql('book',
		"SELECT pid FROM pg_stat_activity WHERE datname = 'book' AND state = 'active' AND query ~ 'fleet' AND pid <> pg_backend_pid()");
}

foreach my $round (1 .. $rounds)
{
	my $what = $round % 2 ? "round $round, a backend killed" : "round $round, the server stopped at once";
	my $acknowledged = keys %acknowledged;

	start_worker(0) foreach 1 .. $workers;
	let_run(0.6 + rand 0.6, 0);
	if ($round % 2)
	{
		my @pids = at_work();
		my $pid = $pids[ int rand @pids ];

		kill 'KILL', $pid if $pid;
		ok($pid, "$what: somebody was at work");
		sleep 0.3;
	}
	else
	{
		$node->stop('immediate');
	}
	stop_workers();
	$node->start unless $round % 2;
	wait_until_up();
	cmp_ok(scalar(keys %acknowledged), '>', $acknowledged, "$what: there was work");
	check($what);
}

# The postmaster and all else at once, as when the machine loses its power but not its disks' caches.
start_worker(0) foreach 1 .. $workers;
let_run(1, 0);
my $pid_file = $node->data_dir . '/postmaster.pid';
my ($postmaster) = slurp_file($pid_file) =~ /^(\d+)/;
$node->kill9;
stop_workers();
foreach my $try (1 .. 100)
{
	# Its children end when they notice.  Where nobody collects the dead, a dead postmaster still looks alive.
	unlink $pid_file if -e "/proc/$postmaster/stat" && slurp_file("/proc/$postmaster/stat") =~ /\) Z /;
	last if $node->start(fail_ok => 1);
	$node->{_pid} = undef;
	sleep 0.2;
}
check('the postmaster killed');

# Time-outs, cancellations and terminations at random.
my %sent = (pg_cancel_backend => 0, pg_terminate_backend => 0);
my ($timeouts, $cancelled, $terminated) = (0, 0, 0);
# On a slow machine few arrive in so short a time: until there was one of each.
foreach my $try (1 .. 15)
{
	start_worker(1) foreach 1 .. $workers;
	let_run(4, 1, sub {
		my $function = rand() < 0.6 ? 'pg_cancel_backend' : 'pg_terminate_backend';

		my $out = '';

		IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "SELECT count($function(pid)) FROM (SELECT pid
			FROM pg_stat_activity WHERE datname = 'book' AND state = 'active' ORDER BY random() LIMIT 1) AS one" ], '>', \$out)
		  or die 'the server is gone';
		$sent{$function} += $out;
	});
	stop_workers();
	$timeouts = () = $errors =~ /statement timeout/g;
	$cancelled = () = $errors =~ /due to user request/g;
	$terminated = () = $errors =~ /due to administrator command/g;
	last if $timeouts > 0 && $cancelled > 0 && $terminated > 0;
}
note("$timeouts timed out, $cancelled cancelled, $terminated terminated");
ok($timeouts > 0 && $cancelled > 0 && $terminated > 0, 'statements were timed out, cancelled and terminated');
unlike($errors, qr/PANIC|XX000|cache lookup failed|could not open relation/, 'no error speaks of damage');
check('timed out, cancelled and terminated');

$node->command_ok([ 'pg_amcheck', '--heapallindexed', '-d', 'book' ], 'heap and indexes agree');
$node->stop('immediate');
done_testing();
