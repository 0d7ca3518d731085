# The registry connector on whole servers: each way in by which rows reach the staging table, what is left of a sync, an import and an
# amendment that are ended in their middle, and syncs beside each other and beside many who write lists.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('register', 'fsync = off', 'wal_level = logical', 'deadlock_timeout = 100ms', 'client_min_messages = warning');
my $there = new_cluster('erp', 'fsync = off', 'wal_level = logical', 'max_wal_senders = 5', 'max_replication_slots = 5', 'client_min_messages = warning');
my $host = $node->host;

sub run { my ($sql, %as) = @_; return $node->safe_psql($as{db} // 'book', ($as{role} ? "SET SESSION AUTHORIZATION $as{role};" : '') . $sql) }

run('CREATE DATABASE book', db => 'postgres');
run('CREATE EXTENSION cec CASCADE; CREATE ROLE owner NOLOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE mona LOGIN');
run("SELECT cec.create_portfolio('fleet', 'owner'); SELECT cec.grant_access('fleet', 'clerk', 'registry'), cec.grant_access('fleet', 'mona', 'manager')");
run("INSERT INTO fleet.asset_source (source) VALUES ('erp'), ('cmms')", role => 'clerk');

# What is synced, as a connector does: outcomes of which there are any.
sub synced
{
	my ($source, $mode, %more) = @_;

	return run("SELECT string_agg(outcome || ' ' || assets, ', ') FROM fleet.sync_assets('$source', '$mode'" . ($more{fraction} ? ", max_retire_fraction => $more{fraction}" : '') . ") WHERE assets > 0",
		role => 'clerk');
}

# Everything of the register and of what is staged.
sub sum { return run('SELECT md5(string_agg(a::text, \',\' ORDER BY asset_id)), (SELECT md5(string_agg(i::text, \',\' ORDER BY asset_identifier_id)) FROM fleet.asset_identifier i), '
	. '(SELECT count(*) FROM fleet.asset_staging), (SELECT count(*) FROM fleet.sync_run), (SELECT count(*) FROM fleet.audit_log), (SELECT count(*) FROM fleet.finding), '
	. '(SELECT count(*) FROM fleet.inclusion), (SELECT count(*) FROM fleet.coverage), (SELECT count(*) FROM fleet.import_run), (SELECT string_agg(status, \',\') FROM fleet.amendment) FROM fleet.asset a') }
sub laws { return run('SELECT (SELECT count(*) FROM fleet.verify_coverage()), (SELECT count(*) FROM fleet.verify_replay()), (SELECT count(*) FROM fleet.verify_history())') }

# COPY.
is($node->psql('book', "SET SESSION AUTHORIZATION clerk;\nCOPY fleet.asset_staging (source, asset_tag, model, longitude, latitude, identifiers) FROM STDIN (FORMAT csv);\n"
	. "erp,P-1,M1,11.5,48.1,\"{\"\"eic\"\": [\"\"E1\"\"]}\"\nerp,P-2,M2,,,\nerp,P-2,M3,,,\n\\.\n"), 0, 'COPY stages');
is(synced('erp', 'delta'), 'inserted 2, superseded 1', '  and what it staged is synced');
is(run("SELECT string_agg(asset_tag || ' ' || model || coalesce(' ' || st_astext(location), ''), ', ' ORDER BY 1) FROM fleet.asset"), 'P-1 M1 POINT(11.5 48.1), P-2 M3', '  as it was said');

# A table of another database, by postgres_fdw.
$there->safe_psql('postgres', q{CREATE TABLE equipment (tag text PRIMARY KEY, kind text, x float8, y float8, changed timestamptz); INSERT INTO equipment VALUES ('P-1', 'M1', 11.5, 48.1, '2026-01-01'), ('P-3', 'M4', NULL, NULL, '2026-01-01')});
run("CREATE EXTENSION postgres_fdw; CREATE SERVER erp FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '" . $there->host . "', port '" . $there->port . "', dbname 'postgres');"
	. "CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (user '" . ($ENV{PGUSER} // getpwuid($<)) . "'); CREATE SCHEMA erp; IMPORT FOREIGN SCHEMA public LIMIT TO (equipment) FROM SERVER erp INTO erp");
run("INSERT INTO fleet.asset_staging (source, asset_tag, model, longitude, latitude, source_updated_at) SELECT 'erp', tag, kind, x, y, changed FROM erp.equipment");
is(synced('erp', 'delta'), 'inserted 1, updated 1', 'rows of a foreign table');
$there->safe_psql('postgres', "UPDATE equipment SET kind = 'M5', changed = '2026-01-02' WHERE tag = 'P-3'");
run("INSERT INTO fleet.asset_staging (source, asset_tag, model, source_updated_at) SELECT 'erp', tag, kind, changed FROM erp.equipment WHERE changed > '2026-01-01'");
is(synced('erp', 'delta'), 'updated 1', '  and what has changed there since');
is(run("SELECT model FROM fleet.asset WHERE asset_tag = 'P-3'"), 'M5', '  as it is there');

# Logical replication: rows of a queue in another cluster, which know nothing of sources and of our columns.
$there->safe_psql('postgres', "CREATE SCHEMA fleet; CREATE TABLE fleet.asset_staging (queue_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, asset_tag text, status text, source_updated_at timestamptz DEFAULT clock_timestamp());"
	. "ALTER TABLE fleet.asset_staging DROP COLUMN queue_no; ALTER TABLE fleet.asset_staging REPLICA IDENTITY FULL; CREATE PUBLICATION units FOR TABLE fleet.asset_staging WITH (publish = 'insert')");
run("ALTER TABLE fleet.asset_staging ALTER source SET DEFAULT 'cmms'");
run("CREATE SUBSCRIPTION units CONNECTION 'host=" . $there->host . ' port=' . $there->port . " dbname=postgres' PUBLICATION units");
$there->safe_psql('postgres', "INSERT INTO fleet.asset_staging (asset_tag, status) SELECT 'U-' || n, 'in_service' FROM generate_series(1, 200) AS n");
$node->poll_query_until('book', 'SELECT count(*) = 200 FROM fleet.asset_staging') or die 'nothing is replicated';
is(run('SELECT count(*), count(staged_at), min(source), count(DISTINCT staged_no) FROM fleet.asset_staging'), '200|200|cmms|200', 'replicated rows are staged, of the source that is the default, when and in which order');
is(synced('cmms', 'delta'), 'inserted 200', '  and synced by an ordinary session');
$there->safe_psql('postgres', "INSERT INTO fleet.asset_staging (asset_tag, status) VALUES ('U-1', 'in_repair')");
$node->poll_query_until('book', 'SELECT count(*) = 1 FROM fleet.asset_staging') or die 'nothing more is replicated';
is(synced('cmms', 'delta'), 'updated 1', '  and so are those that come later');
run('DROP SUBSCRIPTION units; ALTER TABLE fleet.asset_staging ALTER source DROP DEFAULT');
is(laws(), '0|0|0', '  and the laws hold');

# Ended in its middle: a trigger of the owner's waits for a lock behind so many rows.
run("CREATE FUNCTION fleet.pause() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN IF NEW.model = ''pause'' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NEW; END';"
	. 'ALTER FUNCTION fleet.pause() OWNER TO owner; CREATE TRIGGER pause BEFORE INSERT OR UPDATE ON fleet.asset FOR EACH ROW EXECUTE FUNCTION fleet.pause()');
my $holder = $node->background_psql('book');
$holder->query_safe('SELECT pg_advisory_lock(1)');

# Starts it and waits until it is in the middle.
sub start_paused
{
	my ($sql, $role) = @_;
	my $sync = { out => '', err => '' };

	$sync->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('book'), '-c', 'SET SESSION AUTHORIZATION ' . ($role // 'clerk'), '-c', $sql ], '<', \undef, '>', \$sync->{out}, '2>', \$sync->{err});
	$node->poll_query_until('book', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND usename <> 'nobody'") or die 'it does not come to its middle';
	return $sync;
}
sub stage_units { run("INSERT INTO fleet.asset_staging (source, asset_tag, model, source_ids) SELECT 'cmms', 'W-' || lpad(n::text, 3, '0'), CASE WHEN n = 250 THEN 'pause' ELSE 'm' END, ARRAY['w' || n] FROM generate_series(1, 300) AS n") }

stage_units();
my $before = sum();
my $sync = start_paused("SELECT * FROM fleet.sync_assets('cmms', 'delta')");
like(run("SELECT query FROM pg_stat_activity WHERE wait_event = 'advisory'"), qr/^cec sync: \d+ of 600$/, 'progress shows in pg_stat_activity');
run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
$sync->{run}->finish;
like($sync->{err}, qr/57014/, 'cancelled');
is(sum(), $before, '  nothing is half done, and what was staged still is');
$sync = start_paused("SELECT * FROM fleet.sync_assets('cmms', 'delta')");
run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
$sync->{run}->finish;
is(sum(), $before, 'terminated: the same');
$sync = start_paused("CALL cec.sync_assets_batched('fleet', 'cmms', 'delta', batch_rows => 100)");
run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
$sync->{run}->finish;
like($sync->{err}, qr/57014/, 'a run in batches, cancelled in the third');
is(run("SELECT string_agg(concat_ws(' ', batch_no, inserted, left(error, 5)), ', ' ORDER BY sync_run_id), count(DISTINCT started_at) FROM fleet.sync_run WHERE batch_no > 0"), '1 100, 2 100, 3 0 57014|1', '  two are done, and the run says why it is not');
is(run("SELECT count(*) FROM fleet.asset_staging"), '300', '  all is staged still');
$sync = start_paused("CALL cec.sync_assets_batched('fleet', 'cmms', 'delta', batch_rows => 100)");
$node->stop('immediate');
$sync->{run}->finish;
eval { $holder->quit };
$node->start;
is(run("SELECT count(*) FROM fleet.asset WHERE asset_tag LIKE 'W%'"), '200', 'the server killed: what was committed is there');
run("CALL cec.sync_assets_batched('fleet', 'cmms', 'delta', batch_rows => 30)", role => 'clerk');
is(run("SELECT (SELECT count(*) FROM fleet.asset WHERE asset_tag LIKE 'W%'), (SELECT count(*) FROM fleet.asset_staging), (SELECT inserted || ' ' || unchanged FROM fleet.sync_run ORDER BY sync_run_id DESC LIMIT 1)"), '300|0|10 200', '  and the next call goes on with the rest');
is(laws(), '0|0|0', '  and the laws hold');
run('DROP TRIGGER pause ON fleet.asset');

# The same of an import and of an amendment that is applied.
run("INSERT INTO fleet.customer (name) VALUES ('Acme'); INSERT INTO fleet.contract (number, customer_id, status, during) SELECT 'C-' || n, 1, 'active', '[2026-01-01,)' FROM generate_series(1, 8) AS n;"
	. "INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM fleet.contract; UPDATE fleet.setting SET duplicates_allowed = true");
run("CREATE FUNCTION fleet.pause_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS "
	. "'BEGIN IF NEW.asset_id = (SELECT asset_id FROM fleet.asset WHERE asset_tag = ''W-250'') THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NEW; END';"
	. 'ALTER FUNCTION fleet.pause_line() OWNER TO owner; CREATE TRIGGER pause BEFORE INSERT ON fleet.inclusion FOR EACH ROW EXECUTE FUNCTION fleet.pause_line()');
run("INSERT INTO fleet.amendment (contract_id, title) VALUES (2, 'all'); INSERT INTO fleet.amendment_line (amendment_id, action, identifier, term_id, during) SELECT 1, 'include', 'W-' || lpad(n::text, 3, '0'), 2, '[2026-02-01,)' FROM generate_series(1, 300) AS n;"
	. 'SELECT fleet.submit_amendment(1), fleet.approve_amendment(1)', role => 'mona');
my %changes = (
	import => q{SELECT count(*) FROM fleet.import_inclusions(1, (SELECT jsonb_agg(jsonb_build_object('identifier', 'W-' || lpad(n::text, 3, '0'), 'first_day', '2026-02-01')) FROM generate_series(1, 300) AS n), 'valid_only')},
	apply => 'SELECT * FROM fleet.apply_amendment(1)');
foreach my $what (sort keys %changes)
{
	my $held = $node->background_psql('book');
	$held->query_safe('SELECT pg_advisory_lock(1)');
	$before = sum();
	foreach my $end ('pg_cancel_backend', 'pg_terminate_backend')
	{
		my $change = start_paused($changes{$what}, 'mona');
		run("SELECT $end(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
		$change->{run}->finish;
		is(sum(), $before, "$what, $end: nothing is half done");
	}
	my $change = start_paused($changes{$what}, 'mona');
	$node->stop('immediate');
	$change->{run}->finish;
	eval { $held->quit };
	$node->start;
	is(sum(), $before, "$what, the server killed: nothing is half done");
	run($changes{$what}, role => 'mona');
	is(run('SELECT count(*) FROM fleet.inclusion WHERE term_id = ' . ($what eq 'apply' ? 2 : 1)), '300', '  and the next one does it all');
}
is(laws(), '0|0|0', '  and the laws hold');
run('DROP TRIGGER pause ON fleet.inclusion; DELETE FROM fleet.inclusion');

# Beside eight who write lists, two syncs at once: nobody is told of a deadlock.
my @sessions;
sub start_session
{
	my ($role, @statements) = @_;
	my $session = { out => '', err => '' };

	$session->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('book') ], '<', \join("\n", "SET SESSION AUTHORIZATION $role;", @statements, ''), '>', \$session->{out}, '2>', \$session->{err});
	push @sessions, $session;
}
my $seed = $ENV{CEC_SYNC_SEED} // time;
note "seed $seed (CEC_SYNC_SEED)";
srand $seed;
for my $term (1 .. 8)
{
	start_session('mona', map { my ($one, $other) = map { 'W-' . sprintf('%03d', 1 + int rand 300) } 1 .. 2;
		("BEGIN; SELECT fleet.include_asset($term, '$one'); SELECT fleet.include_asset($term, '$other'); COMMIT;", "SELECT fleet.remove_asset($term, '$one');",
		"UPDATE fleet.inclusion SET note = 'n' WHERE term_id = $term;") } 1 .. 25);
}
for my $source ('cmms', 'erp')
{
	start_session('clerk', map { my $n = $_; ("INSERT INTO fleet.asset_staging (source, asset_tag, model, status, decommissioned_on, identifiers) SELECT '$source', '" . ($source eq 'cmms' ? 'W-' : 'E-') . "' || lpad(i::text, 3, '0'), 'm$n', "
		. "CASE WHEN (i + $n) % 3 = 0 THEN 'retired' ELSE 'in_service' END, CASE WHEN (i + $n) % 3 = 0 THEN cec.today('fleet') - 1 END, jsonb_build_object('mac', i % 40) FROM generate_series(1, 300) AS i WHERE (i + $n) % 2 = 0;",
		"SELECT * FROM fleet.sync_assets('$source', 'delta');") } 1 .. 8);
}
$_->{run}->finish foreach @sessions;
my %states;
foreach my $session (@sessions)
{
	$states{$1}++ while $session->{err} =~ /ERROR:  (\w{5})/g;
}
is_deeply([ grep { !/^(23...|25P02)$/ } sort keys %states ], [], 'beside eight who write lists nobody is told of more than what rows are refused for') or note explain \%states, $sessions[-1]{err};
is(run("SELECT count(*) FROM fleet.sync_run WHERE source IN ('cmms', 'erp') AND batch_no IS NULL AND staged = 150"), '16', '  all are synced');
is(laws(), '0|0|0', '  and the laws hold');

done_testing();
