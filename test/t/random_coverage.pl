# Coverage stays equal to its definition, and findings to what their views list, whatever is done in whatever order by however many
# sessions.
#
#   CEC_SEED=0.1234       repeats a run (the seed of a run is printed; concurrent runs repeat as far as timing lets them)
#   CEC_OPERATIONS=120    successful operations a batch, over all its sessions
#   CEC_TOTAL=1440        so many in all: batches begin anew until they are done
#
#   CEC_SET_BACK=1        sets the clock back before some batches: by three quarters of an hour, another day in no time zone
#
# The clock of the server is set: at noon of a day, when days pass between batches.
use strict;
use warnings;
use File::Basename;
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local;

my $seed = $ENV{CEC_SEED} // sprintf('%.6f', rand());
my $operations = $ENV{CEC_OPERATIONS} // 120;
my @levels = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');
my @batches = map { my $level = $levels[$_]; ([ 1, $level, 0 ], [ 4, $level, 0 ], [ 8, $level, 0 ], [ 4, $level, $_ + 1 ]) } 0 .. 2;
my $total = $ENV{CEC_TOTAL} // $operations * @batches;
note("CEC_SEED=$seed CEC_OPERATIONS=$operations CEC_TOTAL=$total");

my $folder = PostgreSQL::Test::Utils::tempdir();
my $clock = "$folder/clock";
my $noon = timegm(0, 0, 12, 10, 5, 2026); # of the day; months count from 0
sub set_clock
{
	my ($time) = @_;

	open(my $file, '>', "$clock.new") // die "cannot set the clock: $!";
	print $file $time - CORE::time();
	close $file;
	rename "$clock.new", $clock;
	return;
}
set_clock($noon);

my $node = PostgreSQL::Test::Cluster->new('random');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ndeadlock_timeout = 20ms\nmax_connections = 30\njit = off");
{
	local $ENV{LD_PRELOAD} = "$ENV{TESTDIR}/clock.so";
	local $ENV{CEC_CLOCK_FILE} = $clock;
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION cec CASCADE');
$node->safe_psql('postgres', slurp_file(dirname(__FILE__) . "/$_")) foreach ('../pgtap/include/finding_law.sql', 'random_ops.sql', 'random_lists.sql');
$node->safe_psql('postgres', "SELECT setseed($seed); SELECT random_world()");

# One session: calls until its share of the batch is committed. Returns what went wrong, if anything did.
sub run_session
{
	my ($batch_no, $level, $session, $share, $alone) = @_;

	foreach my $try (0 .. 20000)
	{
		my $own = ($seed * 7919 + $batch_no * 31 + $session * 17 + $try) * 0.618034;
		my ($out, $err) = ('', '');
		my $input = "SET default_transaction_isolation = '$level';\nSET random.alone = '$alone';\n"
			. 'SELECT setseed(' . sprintf('%.9f', $own - int($own)) . ") \\g /dev/null\n"
			. "CALL random_ops($batch_no, $session, $share);\n";
		IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
			'<', \$input, '>', \$out, '2>', \$err) and return '';
		return $err if $err !~ /could not serialize|deadlock detected/;
		# Eight sessions that all fail would else only disturb each other.
		select(undef, undef, undef, rand() * 0.05);
	}
	return 'no end of retries';
}

# What laws are broken.
my $seen = 0;
sub breaches
{
	my $last = $node->safe_psql('postgres', 'SELECT coalesce(max(coverage_history_id), 0) FROM law.coverage_history');
	my $breaches = $node->safe_psql('postgres', "SELECT * FROM random_breaches($seen) LIMIT 10");

	$seen = $last;
	return $breaches;
}

# Findings that are open and not so, or so and not open: as statements left them; and behind refresh, with what they leave to it. Of
# these kinds two sessions that meet may leave some to refresh (src/compliance/README.md).
sub findings
{
	my ($sessions) = @_;
	my $meet = $sessions > 1 ? '^[a-z]+ (covered_not_deployed|not_in_register|identifier_ambiguous|tag_not_scannable) ' : '^$';
	my $left = $node->safe_psql('postgres', "SELECT * FROM random_findings() AS f(difference) WHERE difference !~ '$meet' LIMIT 10");

	$node->safe_psql('postgres', 'SELECT law.refresh()');
	return $left . $node->safe_psql('postgres', "SELECT 'behind refresh ' || difference FROM finding_breaches('law', true) LIMIT 10");
}

my $batch_no = 0;
my @digests;
for (my $done = 0; $done < $total; $done += $operations)
{
	my ($sessions, $level, $days) = @{ $batches[$batch_no % @batches] };
	my $share = int($operations / $sessions);
	my @pipes;
	my $errors = '';

	$batch_no++;
	set_clock($noon - 45 * 60) if $batch_no % 4 == 2 && $ENV{CEC_SET_BACK};
	$node->safe_psql('postgres', 'SELECT random_revive(), random_remember()');
	foreach my $session (1 .. $sessions)
	{
		my $child = open(my $pipe, '-|') // die "cannot fork: $!";
		if ($child == 0)
		{
			print eval { run_session($batch_no, $level, $session, $share, $sessions == 1 ? 'on' : 'off') } // $@;
			close STDOUT;
			POSIX::_exit(0);
		}
		push @pipes, $pipe;
	}
	foreach my $pipe (@pipes)
	{
		local $/;
		$errors .= <$pipe> // '';
		close $pipe;
	}
	is($errors, '', "$sessions session(s) at $level ran through");
	is(breaches(), '', "no law is broken after $sessions session(s) at $level");
	is(findings($sessions), '', 'what is open is what is found');

	next if $days == 0;
	$node->safe_psql('postgres', 'SELECT law.seal_audit()');
	is($node->safe_psql('postgres', 'SELECT * FROM law.verify_replay() LIMIT 10'), '', 'the tables hold what the log says');
	is($node->safe_psql('postgres', 'SELECT * FROM law.verify_audit(ARRAY[' . join(', ', map { "'$_'" } @digests) . ']::text[]) LIMIT 10'), '', 'and the log what it said');
	push @digests, $node->safe_psql('postgres', 'SELECT law.audit_digest()');
	$node->safe_psql('postgres', 'SELECT random_remember()');
	$noon += $days * 86400;
	set_clock($noon);
	is(breaches(), '', "$days day(s) later no law is broken");
	is($node->safe_psql('postgres', 'SELECT * FROM random_walk() LIMIT 10'), '', "refresh decides each of $days day(s)");
	is(breaches(), '', 'and breaks no law');
	is(findings(1), '', 'and what is open is what is found on that day');
}

# What must happen once at least, and has not yet.
$batch_no++;
$node->safe_psql('postgres', 'SELECT random_revive(), random_remember()');
$node->psql('postgres', 'SET client_min_messages = warning; SET random.alone = \'on\'; SELECT setseed(' . ($seed / 2) . "); CALL random_rest($batch_no, 400)", stderr => \my $error);
is($error, '', 'what is left to be done ran through');
is($node->safe_psql('postgres', "SELECT string_agg(deed, ', ' ORDER BY deed) FROM random_deeds() d WHERE deed NOT IN (SELECT deed FROM random_done())"),
	'', 'each kind of operation has succeeded');
is($node->safe_psql('postgres', 'SELECT * FROM random_unsaid()'), '', 'or was refused for what the functions say');
is(breaches(), '', 'and no law is broken');
is(findings(1), '', 'and what is open is what is found');

note($node->safe_psql('postgres', "SELECT string_agg(format('%s %s', deed, times), ', ' ORDER BY deed) FROM random_done()"));
note($node->safe_psql('postgres', "SELECT string_agg(format('%s %s', refusal, times), ', ' ORDER BY refusal) FROM (SELECT refusal, count(*) AS times FROM random_result CROSS JOIN LATERAL unnest(refusals) AS refusal GROUP BY refusal) AS r"));
note($node->safe_psql('postgres',
	"SELECT 'operations ' || sum(operations) || ', refused ' || sum(refused) || ', retried ' || sum(retried) FROM random_result"));
note($node->safe_psql('postgres',
	"SELECT 'coverage ' || (SELECT count(*) FROM law.coverage) || ', inherited ' || (SELECT count(*) FROM law.coverage WHERE is_inherited) || ', history ' || (SELECT count(*) FROM law.coverage_history) || ', log ' || (SELECT count(*) FROM law.audit_log)"));
note($node->safe_psql('postgres',
	"SELECT 'rules ' || (SELECT count(*) FROM law.coverage_rule) || ', decisions ' || (SELECT count(*) FROM law.rule_effect) || ', findings ' || (SELECT count(*) FROM law.finding WHERE rule_id IS NOT NULL) || ', cover by rules ' || (SELECT count(*) FROM law.coverage WHERE is_ruled)"));
note($node->safe_psql('postgres',
	"SELECT 'kinds of findings, opened/still open: ' || string_agg(format('%s %s/%s', kind, n, n - closed), ', ' ORDER BY kind) FROM (SELECT kind, count(*) AS n, count(closed_at) AS closed FROM law.finding GROUP BY kind) AS f"));
is($node->safe_psql('postgres', 'SELECT law.recompute_coverage()'), '0', 'nothing is left to recompute');
$node->stop('immediate');
done_testing();
