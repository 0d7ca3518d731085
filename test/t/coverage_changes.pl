# Who follows coverage_changes from call to call gets every change once, whoever writes meanwhile: many sessions change cover, in
# transactions that last, are rolled back in part or as a whole, at all isolation levels; somebody polls; in the end what was
# collected comes to what is stored. What holds the answer back, and what does not; what a standby says.
#
# CEC_SECONDS says how long they write (default 10).
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{CEC_SECONDS} // 10;
my $scripts = PostgreSQL::Test::Utils::tempdir;

my $node = new_cluster('changes', 'fsync = off', 'max_prepared_transactions = 4', 'wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on');
$node->safe_psql('postgres', 'CREATE DATABASE book');
$node->safe_psql('book', q{
	SET client_min_messages = warning;
	CREATE EXTENSION cec CASCADE;
	SELECT cec.create_portfolio('fleet');
	INSERT INTO fleet.customer (name) VALUES ('Harbour');
	INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES ('S-1', 1, 'service', 'active', '(,)'), ('W-1', 1, 'warranty', 'active', '(,)');
	INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)'), (2, '1', '(,)');
	INSERT INTO fleet.asset (asset_tag) SELECT 'P-' || n FROM generate_series(1, 40) AS n;
	INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1 + n % 2, n, '[2026-01-01,2027-01-01)' FROM generate_series(1, 30) AS n;
	INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('line', 1), ('cell', 2);
	INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) SELECT 1 + n % 2, n, '[2026-03-01,)' FROM generate_series(31, 40) AS n;

	-- What somebody keeps who follows: how far, and what came, in the order in which it came.
	CREATE SCHEMA reader;
	CREATE TABLE reader.place (since timestamptz);
	INSERT INTO reader.place VALUES ('-infinity');
	CREATE TABLE reader.got (n bigint GENERATED ALWAYS AS IDENTITY, asset_id bigint, contract_number text, term_number text, change text, first_day date, last_day date, audit_id bigint);
	CREATE FUNCTION reader.poll() RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		step record;
		rows bigint := 0;
	BEGIN
		FOR step IN SELECT * FROM fleet.coverage_changes((SELECT since FROM reader.place)) LOOP
			INSERT INTO reader.got (asset_id, contract_number, term_number, change, first_day, last_day, audit_id)
				VALUES (step.asset_id, step.contract_number, step.term_number, step.change, step.first_day, step.last_day, step.audit_id);
			UPDATE reader.place SET since = step.next_since WHERE since <> step.next_since;
			rows := rows + 1;
		END LOOP;
		RETURN rows;
	END $$;
	-- What has come, applied in its order: what does not fit, and what is left.
	CREATE FUNCTION reader.fold(OUT misfits bigint, OUT differences bigint) LANGUAGE plpgsql AS $$
	DECLARE
		step record;
		held datemultirange;
		days daterange;
	BEGIN
		CREATE TEMP TABLE cover (asset_id bigint, contract_number text, days datemultirange, PRIMARY KEY (asset_id, contract_number)) ON COMMIT DROP;
		misfits := 0;
		FOR step IN SELECT * FROM reader.got ORDER BY n LOOP
			days := daterange(step.first_day, step.last_day, '[]');
			held := coalesce((SELECT c.days FROM cover c WHERE c.asset_id = step.asset_id AND c.contract_number = step.contract_number), '{}');
			misfits := misfits + (CASE step.change WHEN 'gained' THEN held && days ELSE NOT held @> days END)::integer;
			held := CASE step.change WHEN 'gained' THEN held + days::datemultirange ELSE held - days::datemultirange END;
			INSERT INTO cover VALUES (step.asset_id, step.contract_number, held)
				ON CONFLICT (asset_id, contract_number) DO UPDATE SET days = excluded.days;
		END LOOP;
		SELECT count(*) INTO differences FROM (SELECT c.asset_id, c.contract_number, c.days FROM cover c WHERE NOT isempty(c.days)) AS f
			FULL JOIN (SELECT v.asset_id, c.number AS contract_number, range_agg(v.during) AS days FROM fleet.coverage v JOIN fleet.coverage_term t USING (term_id)
				JOIN fleet.contract c USING (contract_id) GROUP BY 1, 2) AS s USING (asset_id, contract_number)
			WHERE f.days IS DISTINCT FROM s.days;
	END $$;
});

sub script
{
	my ($name, $text) = @_;

	append_to_file("$scripts/$name", $text);
	return "$scripts/$name";
}

# Lines whose days change, assets that are out of service, primaries that bring members; now and then a contract, alone.
my @writer = map { my $level = $_; script("writer$level", <<"END") } 0, 1;
\\set fate random(1, 10)
\\set one random(1, 30)
\\set other random(1, 30)
\\set from random(0, 200)
\\set days random(1, 300)
\\set nap random(0, 60)
BEGIN@{[ $level ? ' ISOLATION LEVEL REPEATABLE READ' : '' ]};
UPDATE fleet.inclusion SET during = daterange(date '2026-01-01' + :from, date '2026-01-01' + :from + :days) WHERE inclusion_id = least(:one, :other);
\\sleep :nap ms
SAVEPOINT part;
UPDATE fleet.asset SET out_of_service = datemultirange(daterange(date '2026-02-01' + :days, date '2026-02-01' + :days + :from + 1)) WHERE asset_id = greatest(:one, :other);
\\if :fate < 3
ROLLBACK TO part;
\\endif
\\if :fate = 5
UPDATE fleet.inclusion SET note = 'touched', during = during WHERE inclusion_id = greatest(:one, :other);
\\endif
\\sleep :nap ms
\\if :fate = 3
ROLLBACK;
\\else
COMMIT;
\\endif
END
my $definer = script('definer', <<'END');
\set from random(0, 300)
UPDATE fleet.contract SET suspensions = datemultirange(daterange(date '2026-01-01' + :from, date '2026-01-01' + :from + 9)) WHERE contract_id = 1 + :from % 2;
\sleep 150 ms
END
my $poller = script('poller', "SELECT reader.poll();\n\\sleep 3 ms\n");

sub start_bench
{
	my ($clients, @files) = @_;
	my $run = { out => '', err => '' };

	$run->{run} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-T', $seconds, '--max-tries=100', (map { ('-f', $_) } @files), $node->connstr('book') ],
		'<', \undef, '>', \$run->{out}, '2>', \$run->{err});
	return $run;
}

my @runs = (start_bench(8, @writer), start_bench(1, $definer), start_bench(1, $poller));
foreach my $run (@runs)
{
	ok($run->{run}->finish, 'no session fails') or diag($run->{err});
}
my ($polls) = $runs[2]{out} =~ /transactions actually processed: (\d+)/;
my ($changes) = $runs[0]{out} =~ /transactions actually processed: (\d+)/;
my $entries = $node->safe_psql('book', 'SELECT count(DISTINCT audit_id) FROM reader.got');
note("$changes transactions, $polls polls, $entries entries before the writers ended");
cmp_ok($polls, '>', 20, 'somebody polls all the while');
cmp_ok($entries, '>', 50, 'and most changes come meanwhile');
$node->safe_psql('book', 'SELECT reader.poll()');
is($node->safe_psql('book', 'SELECT * FROM reader.fold()'), '0|0', 'what was collected fits, step by step, and comes to what is stored');
is($node->safe_psql('book', 'SELECT count(*) - count(DISTINCT (audit_id, asset_id, contract_number, term_number, change, first_day)) FROM reader.got'), '0', 'nothing came twice');
is($node->safe_psql('book', q{SELECT count(*) FROM (SELECT asset_id, contract_number, term_number, change, first_day, last_day, audit_id FROM fleet.coverage_changes('-infinity')
		EXCEPT ALL SELECT asset_id, contract_number, term_number, change, first_day, last_day, audit_id FROM reader.got) AS d}), '0', 'it is all that there is in one call');
is($node->safe_psql('book', 'SELECT * FROM fleet.verify_history()'), '', 'and the log is what cover was');

# What holds it back. Each session writes, and says nothing more.
sub start_idle
{
	my ($sql) = @_;
	my $idle = { in => "BEGIN; $sql; SELECT 'done so far';\n", out => '', err => '' };

	$idle->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('book') ], '<', \$idle->{in}, '>', \$idle->{out}, '2>', \$idle->{err});
	$idle->{run}->pump until $idle->{out} =~ /done so far/ || $idle->{err} =~ /ERROR/;
	return $idle;
}

sub end_idle
{
	my ($idle, $how) = @_;

	$idle->{in} .= "$how;\n\\q\n";
	$idle->{run}->finish;
	return;
}

sub shift_line
{
	my ($line, $day) = @_;

	return "UPDATE fleet.inclusion SET during = '[$day,2030-01-01)' WHERE inclusion_id = $line";
}

sub came
{
	$node->safe_psql('book', 'SELECT reader.poll()');
	return $node->safe_psql('book', q{WITH seen AS (DELETE FROM reader.got RETURNING asset_id) SELECT coalesce(string_agg(DISTINCT asset_id::text, ','), '') FROM seen WHERE asset_id < 31});
}

$node->safe_psql('book', "UPDATE fleet.asset SET out_of_service = '{}'");
came();
my $looking = start_idle('SELECT count(*) FROM fleet.coverage');
$node->safe_psql('book', shift_line(5, '2028-01-01'));
is(came(), '5', 'who only reads holds nothing back');
end_idle($looking, 'COMMIT');

my $first = start_idle(shift_line(6, '2028-01-01'));
$node->safe_psql('book', shift_line(7, '2028-01-01'));
is(came(), '', 'what comes after an open writer waits for it');
my $second = start_idle(shift_line(8, '2028-01-01'));
end_idle($first, 'COMMIT');
is(came(), '6,7', 'until it has ended; who came later holds back what is later still');
end_idle($second, 'ROLLBACK');
is(came(), '', 'what was rolled back never comes');

my $silent = start_idle('SET LOCAL track_activities = off; ' . shift_line(9, '2028-01-01'));
$node->safe_psql('book', shift_line(10, '2028-01-01'));
is(came(), '', 'who does not say since when he writes may have begun with his session');
end_idle($silent, 'COMMIT');
is(came(), '10,9', 'and both come when he has ended');

my $prepared = qr/^55000: a prepared transaction has written, and nobody knows since when/;
my $end = start_idle(shift_line(11, '2028-01-01'));
end_idle($end, "PREPARE TRANSACTION 'kept'");
like(try_sql($node, 'book', 'SELECT reader.poll()'), $prepared, 'when a prepared transaction began nobody knows');
$node->restart;
like(try_sql($node, 'book', 'SELECT reader.poll()'), $prepared, 'nor after a restart');
$node->safe_psql('book', "COMMIT PREPARED 'kept'");
is(came(), '11', 'once it has ended all comes');

# A standby knows nothing of writers; until an instant that the primary has given it answers the same.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('book', shift_line(12, '2028-01-01'));
my $since = $node->safe_psql('book', q{SELECT since FROM reader.place});
my $rows = 'asset_id, asset_tag, contract_number, term_number, change, first_day, last_day, audit_id';
my $next = $node->safe_psql('book', "SELECT max(next_since) FROM fleet.coverage_changes('$since')");
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
like(try_sql($standby, 'book', "SELECT * FROM fleet.coverage_changes('$since')"), qr/^55000: a standby does not know who is still writing/, 'a standby asks for until');
my $on_primary = $node->safe_psql('book', "SELECT $rows, next_since FROM fleet.coverage_changes('-infinity', '$next')");
is($standby->safe_psql('book', "SELECT $rows, next_since FROM fleet.coverage_changes('-infinity', '$next')"), $on_primary, 'given that, it answers as the primary does');
cmp_ok(length $on_primary, '>', 1000, 'with all that there was');
is($standby->safe_psql('book', "SELECT outcome FROM fleet.covered_many('{P-12,nobody}', '2028-06-01')"), "covered\nunknown", 'and what else people ask');
is($standby->safe_psql('book', q{SELECT count(*) > 1 FROM fleet.asset_history('P-12')}), 't', 'histories, too');

done_testing();
