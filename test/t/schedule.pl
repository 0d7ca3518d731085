# Tasks that pg_cron runs: a server that has it loaded. What is scheduled runs, as whoever scheduled it; what is planted in its place
# does not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($sharedir) = `pg_config --sharedir` =~ /(.*)/;
plan skip_all => 'the server has no pg_cron' if !-f "$sharedir/extension/pg_cron.control";

# Its minutes are moved on, not awaited.
my $node = new_moved_cluster('schedule', 'fsync = off', "shared_preload_libraries = 'pg_cron'", "cron.database_name = 'postgres'", 'cron.use_background_workers = on',
	'max_worker_processes = 20', "cron.timezone = 'UTC'", 'client_min_messages = warning');
my $minute = 0;
sub run { my ($sql, %as) = @_; return $node->safe_psql('postgres', ($as{role} ? "SET SESSION AUTHORIZATION $as{role};" : '') . $sql) }
sub refused
{
	my ($sql, %as) = @_;
	my (undef, undef, $err) = $node->psql($as{db} // 'postgres', "\\set VERBOSITY verbose\n" . ($as{role} ? "SET SESSION AUTHORIZATION $as{role};\n" : '') . $sql);
	return $err =~ s/^psql:[^:]*:\d+: //mgr =~ s/^(LOCATION|CONTEXT|PL\/pgSQL|SQL statement).*\n?//mgr;
}
# Moves the clock on until the query says yes; gives up after so many minutes of it.
sub becomes
{
	my ($sql) = @_;

	for my $minutes (1 .. 10)
	{
		$minute++;
		move_clock($node, sprintf('2026-10-20 %02d:%02d', 12 + int($minute / 60), $minute % 60));
		for my $try (1 .. 30)
		{
			return 1 if run($sql) eq 't';
			select(undef, undef, undef, 0.2);
		}
	}
	return 0;
}

run('CREATE EXTENSION cec CASCADE');
run("CREATE ROLE boss LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE otto LOGIN; SELECT cec.create_portfolio('fleet'), cec.create_portfolio('De\"po''t'); SELECT cec.grant_access('fleet', 'boss', 'admin'), cec.grant_access('fleet', 'clerk', 'manager'), cec.grant_access('fleet', 'otto', 'auditor')");
run("INSERT INTO fleet.asset (asset_tag) VALUES ('P-1')");

# Without pg_cron, and with a schema that only looks like it.
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')"), qr/^ERROR:  0A000: database postgres has no pg_cron\nDETAIL:  The extension pg_cron is not installed in it\.\nHINT:  A line for the crontab: 5 0 \* \* \* psql -X -q -o \/dev\/null -d 'postgres' -c 'SELECT \* FROM fleet.refresh\(\)'/, 'without pg_cron the line for the crontab');
like(refused("SELECT cec.schedule('De\"po''t', 'seal', '* * * * *')"), qr/-c 'SELECT "De""po'\\''t"\.seal_audit\(\)'/, 'quoted for the shell');
like(refused("SELECT cec.schedule('fleet', 'sync:e''rp', '* * * * *')"), qr/-c 'SELECT \* FROM fleet\.sync_assets\('\\''e'\\'''\\''rp'\\'', '\\''delta'\\''\)'/, 'a source is a part of its task');
run("CREATE SCHEMA cron; GRANT ALL ON SCHEMA cron TO clerk; CREATE TABLE public.ran (who text); GRANT INSERT ON public.ran TO PUBLIC");
my $planted = q{CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.ran VALUES (current_user) RETURNING 1 $$;
	CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS $$ INSERT INTO public.ran VALUES (current_user) RETURNING true $$; CREATE TABLE cron.job (jobid bigint, jobname text, username text)};
run($planted, role => 'clerk');
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')"), qr/^ERROR:  0A000/, 'a schema called cron is not pg_cron');
like(refused("SELECT cec.unschedule('fleet', 'refresh')"), qr/^ERROR:  0A000: .*\nHINT:  Take the line out of the crontab that holds: SELECT \* FROM fleet.refresh\(\)/, 'nor to take a task away');
is(run('SELECT count(*) FROM public.ran'), '0', 'what was planted has not run');
run('DROP SCHEMA cron CASCADE');

# With it.
run('CREATE EXTENSION pg_cron');
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')", role => 'boss'), qr/^ERROR:  42501: permission denied for function cron.schedule of pg_cron\nHINT:  Let a superuser GRANT USAGE ON SCHEMA cron TO boss/, 'who may not use pg_cron');
run('GRANT USAGE ON SCHEMA cron TO boss, clerk, otto');
like(refused("SELECT cec.schedule('fleet', 'refresh', '61 0 * * *')", role => 'boss'), qr/^ERROR:  22023: "61 0 \* \* \*" is no schedule\nDETAIL:  pg_cron says: /, 'times that are none');
like(refused("SELECT cec.schedule('fleet', 'refresh', 'now; rm')", role => 'boss'), qr/^ERROR:  22023/, 'nor are commands');
like(refused("SELECT cec.schedule('fleet', 'refresh', E'5 0 * * *\\n* * * * * id')", role => 'boss'), qr/^ERROR:  22023/, 'nor several lines');
like(refused("SELECT cec.schedule('fleet', 'refreshing', '5 0 * * *')", role => 'boss'), qr/^ERROR:  22023: there is no task "refreshing"\nHINT:  Tasks are refresh, report, seal, sync:SOURCE\./, 'no such task');
like(refused("SELECT cec.schedule('flet', 'refresh', '5 0 * * *')", role => 'boss'), qr/^ERROR:  3F000/, 'no such portfolio');
like(refused("SELECT cec.schedule('fleet', 'refresh', NULL)", role => 'boss'), qr/^ERROR:  22004/, 'no times');
like(refused("SELECT cec.schedule('fleet', NULL, '5 0 * * *')", role => 'boss'), qr/^ERROR:  22004/, 'no task given');
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')", role => 'clerk'), qr/^ERROR:  42501: permission denied for function fleet.refresh/, 'who may not refresh');
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')", role => 'otto'), qr/^ERROR:  42501/, 'nor may an auditor');
is(run('SELECT count(*) FROM cron.job'), '0', 'nothing of that is scheduled');

run("SELECT cec.schedule('fleet', 'refresh', '0 0 1 1 *')", role => 'boss');
my $job = run("SELECT cec.schedule('fleet', 'refresh', '* * * * *')", role => 'boss');
is(run("SELECT jobid, jobname, schedule, command, database, username, active FROM cron.job"), "$job|cec fleet refresh|* * * * *|SELECT * FROM fleet.refresh()|postgres|boss|t", 'scheduled again: one job, the new times, as whoever scheduled it');
my $seal = run("SELECT cec.schedule('fleet', 'seal', '* * * * *')", role => 'otto');
ok(becomes("SELECT count(*) > 0 FROM cron.job_run_details WHERE jobid = $job AND status = 'succeeded'"), 'refresh is run') or diag(run('SELECT * FROM cron.job_run_details'));
is(run("SELECT count(*) > 0 FROM fleet.refresh_run"), 't', 'and has done what it does');
ok(becomes("SELECT count(*) > 0 FROM cron.job_run_details WHERE jobid = $seal AND status = 'succeeded'"), 'so is the seal') or diag(run('SELECT * FROM cron.job_run_details'));
is(run("SELECT count(*) > 0 FROM fleet.audit_block"), 't', 'and has sealed');
is(run("SELECT string_agg(DISTINCT status, ', ') FROM cron.job_run_details WHERE status NOT IN ('starting', 'running', 'sending', 'connecting')"), 'succeeded', 'nothing has failed');

is(run("SELECT cec.unschedule('fleet', 'refresh')", role => 'boss'), 't', 'taken away');
is(run("SELECT cec.unschedule('fleet', 'refresh')", role => 'boss'), 'f', 'once');
is(run("SELECT cec.unschedule('fleet', 'seal')", role => 'boss'), 'f', 'nobody takes away what another has scheduled');
is(run('SELECT jobid FROM cron.job'), $seal, 'that stays');
is(run("SELECT cec.unschedule('fleet', 'seal')", role => 'otto'), 't', 'until he does');

# The month's reports: October's, once it is over.
run(q{INSERT INTO fleet.customer (name) VALUES ('Acme');
	INSERT INTO fleet.contract (contract_id, number, customer_id, account_manager, status, during) VALUES (1, 'C-1', 1, 'Anna', 'active', '[2026-01-01,2027-01-01)'),
		(2, 'over', 1, NULL, 'active', '[2020-01-01,2021-01-01)'), (3, 'to come', 1, NULL, 'active', '[2027-01-01,)'), (4, 'quiet', 1, NULL, 'active', '[2026-01-01,2027-01-01)');
	INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (1, 1, '1', '[2026-01-01,2027-01-01)');
	SET cec.reason = E'a\\b\tc\nd';
	INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2026-01-01,)')});
sub day { my ($day) = @_; move_clock($node, "$day 12:00"); return }
sub reports { return run("SELECT aggregateid, payload ->> 'first_day', payload ->> 'count' FROM fleet.outbox WHERE type = 'audit.report' ORDER BY outbox_id") }
like(refused("SELECT fleet.report_audit('2026-10-05')", role => 'otto'), qr/^ERROR:  22023: 2026-10 is not over/, 'a month that is not over');
like(refused("SELECT fleet.report_audit('infinity')", role => 'otto'), qr/^ERROR:  22008/, 'no month at all');
like(refused('SELECT fleet.report_audit()', role => 'clerk'), qr/^ERROR:  42501/, 'who may not read the log');
like(refused("SELECT cec._report_audit('fleet'::regnamespace, '2026-09-01')", role => 'clerk'), qr/^ERROR:  42501/, 'nor by the engine');
day('2026-11-03');
$job = run("SELECT cec.schedule('fleet', 'report', '* * * * *')", role => 'otto');
$minute = 0;
my $reported = 0;
for my $try (1 .. 10)
{
	move_clock($node, sprintf('2026-11-03 12:%02d', $try));
	for (1 .. 30) { $reported = run("SELECT count(*) FROM fleet.outbox WHERE type = 'audit.report'"); last if $reported; select(undef, undef, undef, 0.2) }
	last if $reported;
}
is(reports(), "1|2026-10-01|4\n2|2026-10-01|1\n3|2026-10-01|1\n4|2026-10-01|1", 'the report of the last month, of each contract');
is(run("SELECT cec.unschedule('fleet', 'report')", role => 'otto'), 't', 'the task is taken away');
is(run('SELECT fleet.report_audit()', role => 'otto'), '0', 'a month is reported once');
is(run("DELETE FROM fleet.outbox WHERE aggregateid = '1'; SELECT fleet.report_audit('2026-10-31')"), '1', 'of a contract whose event is gone again');
is(run("SELECT payload - 'sha256' - 'audit_digest' FROM fleet.outbox WHERE aggregateid = '1'"), '{"actor": "postgres", "count": 4, "tables": {"asset": 1, "contract": 1, "inclusion": 1, "coverage_term": 1}, "last_day": "2026-10-31", "unsealed": 3, "first_day": "2026-10-01", "contract_id": 1, "account_manager": "Anna", "contract_number": "C-1"}', 'what it says')
	or diag(run("SELECT audit_id, table_name, proof FROM fleet.coverage_audit('C-1')"));
my $file = $node->basedir . '/report';
my $select = q{SELECT audit_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, actor, session_user_name, host(client_addr) AS client_addr, reason, operation, table_name, row_id, before, after FROM fleet.coverage_audit('C-1', '2026-10-01', '2026-10-31')};
run("COPY ($select) TO '$file' (HEADER, ENCODING 'UTF8')");
my ($sum) = `sha256sum $file` =~ /^(\w+)/;
is(run("SELECT payload ->> 'sha256' FROM fleet.outbox WHERE aggregateid = '1'"), $sum, 'its digest is that of the report as a file');
run('SELECT fleet.seal_audit()');
is(run("SELECT payload ->> 'audit_digest' = fleet.audit_digest() FROM fleet.outbox WHERE aggregateid = '1'"), 'f', 'and the digest of the log is that of then');
is(run("SELECT count(*) FROM fleet.verify_audit(ARRAY[(SELECT payload ->> 'audit_digest' FROM fleet.outbox WHERE aggregateid = '1')])"), '0', 'which the log still bears out');
is(run("SELECT fleet.report_audit('2026-09-01')"), '2', 'a month before: contracts whose days meet it');
is(run("SELECT payload ->> 'sha256' FROM fleet.outbox WHERE aggregateid = '4' AND payload ->> 'first_day' = '2026-09-01'"), run("SELECT encode(sha256(convert_to(E'audit_id\\tat\\tactor\\tsession_user_name\\tclient_addr\\treason\\toperation\\ttable_name\\trow_id\\tbefore\\tafter\\n', 'UTF8')), 'hex')"), 'of no line: that of the header');

# A member of the extension that is somebody's own.
run('CREATE ROLE mallory; GRANT ALL ON SCHEMA cron TO mallory; ALTER FUNCTION cron.schedule(text, text, text) OWNER TO mallory');
like(refused("SELECT cec.schedule('fleet', 'refresh', '* * * * *')", role => 'boss'), qr/^ERROR:  55000: extension pg_cron has no function schedule that a superuser owns/, 'a function of pg_cron that is somebody else\'s is not called');
run('CREATE FUNCTION cron.schedule(text, text, varchar) RETURNS bigint LANGUAGE sql AS $$ INSERT INTO public.ran VALUES (current_user) RETURNING 1 $$; ALTER FUNCTION cron.schedule(text, text, text) OWNER TO postgres; ALTER FUNCTION cron.schedule(text, text, varchar) OWNER TO mallory');
run("SELECT cec.schedule('fleet', 'refresh', '0 0 1 1 *')", role => 'boss');
is(run('SELECT count(*) FROM public.ran'), '0', 'nor is one that was planted beside it');

# Another database has no pg_cron: it is told where that is.
run('CREATE DATABASE other');
$node->safe_psql('other', "CREATE EXTENSION cec CASCADE; SELECT cec.create_portfolio('fleet')");
like(refused("SELECT cec.schedule('fleet', 'refresh', '5 0 * * *')", db => 'other'), qr/^ERROR:  0A000: database other has no pg_cron\nDETAIL:  pg_cron of this server is for database postgres/, 'another database');

$node->stop;
done_testing();
