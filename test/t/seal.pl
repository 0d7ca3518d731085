# The log is sealed at full speed while many sessions write: no row comes late, none is missed, none is sealed twice; open
# transactions stall nothing; and whoever kills the sealer leaves a log that verifies. Meanwhile the tables always agree
# with the log.
#
# CEC_SECONDS says how long they write (default 8), CEC_ROUNDS how often the sealer is killed (default 8).
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

my $seconds = $ENV{CEC_SECONDS} // 8;
my $rounds = $ENV{CEC_ROUNDS} // 8;
my $writers = 16;
my $scripts = PostgreSQL::Test::Utils::tempdir;

my $node = new_cluster('seal', 'fsync = off', 'max_connections = 60', 'max_prepared_transactions = 40',
	'track_commit_timestamp = on', 'restart_after_crash = on', 'log_min_messages = fatal', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('postgres', 'CREATE TABLE elsewhere (n integer)');
$node->safe_psql('book', q{
	SET client_min_messages = warning;
	CREATE EXTENSION cec CASCADE;
	SELECT cec.create_portfolio('fleet');
	INSERT INTO fleet.asset (asset_tag) SELECT 'PUMP-' || n FROM generate_series(1, 500) AS n;
});

sub script
{
	my ($name, $text) = @_;

	append_to_file("$scripts/$name", $text);
	return "$scripts/$name";
}

# One transaction: with parts rolled back, as a whole rolled back, or prepared and then left alone for a while.
my $writer = script('writer', <<'END');
\set fate random(1, 10)
\set hot random(1, 500)
\set nap random(1, 20)
BEGIN;
INSERT INTO fleet.customer (name) VALUES ('before');
SAVEPOINT part;
INSERT INTO fleet.asset (asset_tag) SELECT gen_random_uuid() FROM generate_series(1, 3);
\if :fate < 4
ROLLBACK TO part;
\else
RELEASE part;
\endif
SAVEPOINT part;
UPDATE fleet.asset SET model = 'm:hot' WHERE asset_id = :hot;
RELEASE part;
\if :fate = 1
ROLLBACK;
\elif :fate = 2
PREPARE TRANSACTION 'p:client_id';
\sleep :nap ms
COMMIT PREPARED 'p:client_id';
\elif :fate = 3
PREPARE TRANSACTION 'p:client_id';
\sleep :nap ms
ROLLBACK PREPARED 'p:client_id';
\else
\sleep :nap ms
COMMIT;
\endif
END
my $sealer = script('sealer', "SELECT fleet.seal_audit();\nSELECT fleet.audit_digest();\n");

sub start_bench
{
	my ($file, $clients, $runtime) = @_;
	my $run = { out => '', err => '' };

	$run->{run} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', $clients > 1 ? 2 : 1, '-T', $runtime, '-f', $file,
		$node->connstr('book') ], '<', \undef, '>', \$run->{out}, '2>', \$run->{err});
	return $run;
}

# A session that has written and says nothing more.
sub start_idle
{
	my ($db, $sql) = @_;
	my $idle = { in => "BEGIN; $sql; SELECT 'written';\n", out => '', err => '' };

	$idle->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db) ], '<', \$idle->{in}, '>', \$idle->{out}, '2>', \$idle->{err});
	$idle->{run}->pump until $idle->{out} =~ /written/;
	return $idle;
}

sub end_idle
{
	my ($idle) = @_;

	$idle->{in} .= "COMMIT;\n\\q\n";
	$idle->{run}->finish;
	return;
}

# Rows that are not in exactly one block, or in another than the first one whose snapshot shows their transaction; by the
# server's own functions, not ours.
my $misplaced = q{
	WITH leaf AS (
		SELECT f.block_no, a.audit_id FROM fleet.audit_leaf f CROSS JOIN LATERAL unnest(f.audit_ids) AS a(audit_id)
	), block AS (
		SELECT b.block_no, b.snapshot, lag(b.snapshot) OVER (ORDER BY b.block_no) AS before FROM fleet.audit_block b
	), place AS (
		SELECT l.audit_id, l.xid, count(f.audit_id) AS times, min(f.block_no) AS block_no
		FROM fleet.audit_log l LEFT JOIN leaf f USING (audit_id) GROUP BY l.audit_id, l.xid
	)
	SELECT count(*) FILTER (WHERE times = 0 AND pg_visible_in_snapshot(p.xid, (SELECT snapshot FROM block ORDER BY block_no DESC LIMIT 1))) AS missed,
		count(*) FILTER (WHERE times > 1) AS twice,
		count(*) FILTER (WHERE pg_visible_in_snapshot(p.xid, b.before)) AS late,
		count(*) FILTER (WHERE NOT pg_visible_in_snapshot(p.xid, b.snapshot)) AS early,
		(SELECT count(*) FROM leaf WHERE audit_id NOT IN (SELECT audit_id FROM fleet.audit_log)) AS invented
	FROM place p LEFT JOIN block b USING (block_no)};

sub seal
{
	return $node->safe_psql('book', 'SELECT fleet.seal_audit()');
}

# Digests as they were after each of some blocks, as somebody outside would have kept them.
my @digests;

sub keep_digest
{
	push @digests, $node->safe_psql('book', 'SELECT fleet.audit_digest()');
	return;
}

sub verify
{
	my $lines = join ',', map { "'$_'" } @digests;

	return $node->safe_psql('book', "SELECT * FROM fleet.verify_audit(ARRAY[$lines]::text[]) WHERE kind <> 'UNSEALED_TOO_OLD'");
}

# Under load.
my $elsewhere = start_idle('postgres', 'INSERT INTO elsewhere VALUES (1)');
my $neighbour = start_idle('book', "INSERT INTO fleet.customer (name) VALUES ('neighbour')");
my $load = start_bench($writer, $writers, $seconds);
my @sealers = map { start_bench($sealer, 1, $seconds) } 1 .. 2;
my @replayed;
my $end = time + $seconds - 0.5;
while (time < $end)
{
	$_->{run}->pump_nb foreach $load, @sealers;
	sleep 0.5;
	keep_digest();
	push @replayed, $node->safe_psql('book', 'SELECT * FROM fleet.verify_replay()');
}
$_->{run}->finish foreach $load, @sealers;
is($_->{err} =~ s/^pgbench \(.*\n//mr, '', 'no session met an error') foreach $load, @sealers;
is_deeply([ grep { $_ ne '' } @replayed ], [], 'the tables agreed with the log ' . @replayed . ' times while others wrote');
my ($transactions) = $load->{out} =~ /actually processed: (\d+)/;
seal();
keep_digest();
my ($rows, $blocks, $in_progress) = split /\|/, $node->safe_psql('book', q{SELECT sum(row_count), count(*),
	count(*) FILTER (WHERE pg_snapshot_xmin(snapshot) < pg_snapshot_xmax(snapshot)) FROM fleet.audit_block});
note("$transactions transactions of $writers writers, $rows rows in $blocks blocks");
cmp_ok($blocks, '>', 10 * $seconds, 'sealed at full speed');
cmp_ok($in_progress, '>', $blocks / 2, 'mostly while others wrote');
is($node->safe_psql('book', $misplaced), '0|0|0|0|0', 'no row missed, sealed twice, late, early or invented');
is(verify(), '', 'the log verifies with ' . @digests . ' digests');
my $lag = $node->safe_psql('book', q{
	SELECT round(1000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM b.sealed_at - pg_xact_commit_timestamp(l.xid::xid)))::numeric)
	FROM fleet.audit_block b JOIN fleet.audit_leaf f USING (block_no) CROSS JOIN LATERAL unnest(f.audit_ids) AS a(audit_id) JOIN fleet.audit_log l USING (audit_id)
	WHERE b.block_no > 1});
diag("seal lag p99 $lag ms, sealing without a pause, $writers writers");
cmp_ok($lag, '<=', 2000, 'a row is sealed within 2 s of its commit (p99), whatever else is open');

# What was open is sealed once it is committed, and not before.
is($node->safe_psql('book', q{SELECT count(*) FROM fleet.audit_leaf f JOIN fleet.audit_entry e ON e.audit_id = ANY (f.audit_ids)
	WHERE e.new_row ->> 'name' = 'neighbour'}), '0', 'an open transaction is in no block');
end_idle($neighbour);
end_idle($elsewhere);
my $block_no = seal();
is($node->safe_psql('book', qq{SELECT e.new_row ->> 'name' FROM fleet.audit_leaf f JOIN fleet.audit_entry e ON e.audit_id = ANY (f.audit_ids) WHERE f.block_no = $block_no}),
	'neighbour', 'once committed it is in the next one');
is(seal(), '', 'then there is nothing to seal');
is($node->safe_psql('book', $misplaced), '0|0|0|0|0', 'still no row out of its place');

# Whoever wrote before in the same transaction, or sees an old snapshot, may not seal.
like(try_sql($node, 'book', "BEGIN; INSERT INTO fleet.customer (name) VALUES ('x'); SELECT fleet.seal_audit();"), qr/^25001/, 'not after writing');
like(try_sql($node, 'book', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT fleet.seal_audit();'), qr/^25001/, 'not above READ COMMITTED');

# The sealer is killed, wherever it is.
sub wait_until_up
{
	foreach my $try (1 .. 600)
	{
		return if IPC::Run::run([ 'pg_isready', '-q', '-h', $node->host, '-p', $node->port ]);
		sleep 0.1;
	}
	die 'the server does not come back';
}

my $killed = 0;
foreach my $round (1 .. $rounds)
{
	my $hard = $round % 4 == 0;
	# Until they are killed, however long that takes on a busy machine.
	my $writing = start_bench($writer, 4, 300);
	my $sealing = start_bench($sealer, 1, 300);
	my $pid = '';

	sleep 0.2 + rand 0.2;
	# At work on the seal itself, which is most of the time.
	foreach my $try (1 .. 500)
	{
		$pid = $node->safe_psql('book', q{SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query ~ 'fleet.seal_audit' AND pid <> pg_backend_pid() LIMIT 1});
		last if $pid;
	}
	if ($pid && $hard)
	{
		$killed += kill 'KILL', $pid;
	}
	elsif ($pid)
	{
		$killed += $node->safe_psql('book', "SELECT pg_terminate_backend($pid)") eq 't';
	}
	sleep 0.1;
	$_->{run}->kill_kill(grace => 1) foreach $writing, $sealing;
	eval { $_->{run}->finish } foreach $writing, $sealing;
	wait_until_up();
	$node->safe_psql('book', "ROLLBACK PREPARED '$_'") foreach split /\n/, $node->safe_psql('book', 'SELECT gid FROM pg_prepared_xacts');
	seal();
	keep_digest();
	is($node->safe_psql('book', $misplaced), '0|0|0|0|0', "round $round: every row in its place");
	is(verify(), '', "round $round: the log verifies with " . @digests . ' digests');
}
cmp_ok($killed, '>=', $rounds / 2, "$killed of $rounds times somebody was there to be killed");

$node->stop('immediate');
done_testing();
