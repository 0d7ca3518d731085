# Attempts that may take the server down, what it said to each, and what ran as somebody else meanwhile.
package Imitation;

use strict;
use warnings;

use Exporter qw(import);
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(start_imitation attempt ask_rows new_tally tell);

# A cluster that comes back by itself, with a database that holds mallory's portfolio "fleet".
sub start_imitation
{
	my ($name, $db) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', "fsync = off\nrestart_after_crash = on\nlog_min_messages = log\nlog_statement = none\njit = off\nautovacuum = off\n"
		. "max_wal_size = 4GB\nstatement_timeout = 10s\nclient_min_messages = error\n");
	$node->start;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION cec CASCADE');
	$node->safe_psql($db, slurp_file("$FindBin::RealBin/imitation.sql"));
	make_fleet($node, $db, 'fleet');
	return $node;
}

# A portfolio of mallory's, which everybody may use.
sub make_fleet
{
	my ($node, $db, $schema) = @_;

	$node->safe_psql($db, qq{
		SET SESSION AUTHORIZATION mallory;
		SELECT cec.create_portfolio('$schema');
		SELECT test.fill('$schema');});
	$node->safe_psql($db, "SET SESSION AUTHORIZATION mallory; SELECT $schema.seal_audit()");
	$node->safe_psql($db, "SET SESSION AUTHORIZATION mallory; UPDATE $schema.asset SET model = 'N'");
	$node->safe_psql($db, "SET SESSION AUTHORIZATION mallory; SELECT $schema.seal_audit()");
	$node->safe_psql($db, qq{INSERT INTO test.kept SELECT $schema.audit_digest();
		SET SESSION AUTHORIZATION mallory;
		GRANT ALL ON SCHEMA $schema TO PUBLIC;
		GRANT ALL ON ALL TABLES IN SCHEMA $schema TO PUBLIC;
		GRANT ALL ON ALL SEQUENCES IN SCHEMA $schema TO PUBLIC;
		GRANT ALL ON ALL FUNCTIONS IN SCHEMA $schema TO PUBLIC;});
	return;
}

sub ask_rows
{
	my ($node, $db, $sql) = @_;

	return map { [ split /\t/, $_, -1 ] } split /\n/, $node->safe_psql($db, $sql, extra_params => [ '-F', "\t" ]);
}

sub new_tally
{
	return { attempts => 0, restarts => 0, canaries => 0, says => {}, crashes => [], internal => [], endless => [], caught => [], leaks => [] };
}

# Runs the calls of each case, some hundreds in a session, so that what a session remembers of one case meets the next; goes on
# behind the call that took the server down, in a new session. A case has a name, calls, what makes it and what undoes it.
sub attempt
{
	my ($tally, $node, $db, $cases, $per_session) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir . '/script';
	my $log = -s $node->logfile;
	my @steps;
	my %crashes;
	my $step = 0;

	$per_session //= 800;
	foreach my $case (@$cases)
	{
		push @steps, map { { case => $case, call => $_ } } @{ $case->{calls} };
	}
	while ($step < @steps)
	{
		my $script = "\\set VERBOSITY verbose\n";
		my $end = $step;

		do
		{
			my $case = $steps[$end]{case};

			$script .= "\\warn \@\@ setup $end\n$case->{setup}\n" if $end == $step || $steps[ $end - 1 ]{case} != $case;
			$script .= "\\warn \@\@ call $end\n$steps[$end]{call};\n";
			$end++;
			$script .= "\\warn \@\@ teardown " . ($end - 1) . "\n$case->{teardown}\n" if $end == @steps || $steps[$end]{case} != $case;
		} until ($end == @steps || $end - $step >= $per_session && $steps[$end]{case} != $steps[ $end - 1 ]{case});
		open my $handle, '>:utf8', $file or die;
		print $handle $script;
		close $handle;
		my ($out, $err) = ('', '');
		IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr($db) ], '<', $file, '>', \$out, '2>', \$err, IPC::Run::timeout(600));
		my ($at, $n) = ('setup', $step);
		my $lost = 0;
		foreach my $line (split /\n/, $err)
		{
			if ($line =~ /^\@\@ (\w+) (\d+)/)
			{
				($at, $n) = ($1, $2);
				$tally->{attempts}++ if $at eq 'call';
			}
			elsif ($line =~ /^(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
			{
				note_error($tally, $at, $steps[$n]{case}{name}, $steps[$n]{call}, $1, $2);
			}
			elsif ($line =~ /server closed the connection|connection to server was lost|terminating connection because/)
			{
				$lost = 1;
			}
		}
		foreach my $line (split /\n/, $out)
		{
			push @{ $tally->{leaks} }, "$steps[$step]{case}{name} …: $line" if $line =~ /(?:^|\|)(?:9\d{13}|1[0-4]\d{13})(?:\||$)/;
		}
		$step = $end;
		if ($lost)
		{
			my $case = $steps[$n]{case};

			$tally->{restarts}++;
			push @{ $tally->{crashes} }, "$case->{name}; " . ($at eq 'call' ? $steps[$n]{call} : $at);
			note("crash: $tally->{crashes}[-1]");
			# A case that has taken the server down three times, or cannot even be made, is left alone.
			$step = $n + 1;
			if (++$crashes{ $case->{name} } == 3 || $at eq 'setup')
			{
				$step++ while $step < @steps && $steps[$step]{case} == $case;
			}
			$node->poll_query_until($db, 'SELECT true') or die 'the server did not come back';
			$node->psql($db, $case->{teardown});
		}
	}
	foreach my $line (split /\n/, slurp_file($node->logfile, $log))
	{
		push @{ $tally->{caught} }, $1 if $line =~ /LOG:  (?:\w{5}: )?(CANARY .*)/;
		push @{ $tally->{crashes} }, $1 if $line =~ /((?:PANIC|TRAP):.*)/;
	}
	return;
}

sub note_error
{
	my ($tally, $at, $case, $call, $state, $message) = @_;

	if ($at ne 'call')
	{
		$tally->{setup}{"$at: $state: $message"} //= $case;
		return;
	}
	# Follows an error that was told.
	return if $state eq '25P02';
	(my $kind = $message) =~ s/\d+/N/g;
	$kind =~ s/"[^"]*"/"…"/g;
	$tally->{says}{"$state: $kind"}++;
	push @{ $tally->{endless} }, "$case; $call" if $state eq '57014';
	push @{ $tally->{internal} }, "$case; $call: $state: $message" if $state eq 'XX000';
	return;
}

# The result of a tally, as tests and notes.
sub tell
{
	my ($tally, $what) = @_;

	diag("$what: $tally->{attempts} attempts, $tally->{restarts} restarts, " . @{ $tally->{caught} } . ' canaries, '
		. @{ $tally->{internal} } . ' internal errors, ' . @{ $tally->{leaks} } . ' leaks');
	diag("said $tally->{says}{$_} times: $_") foreach sort keys %{ $tally->{says} };
	diag("set-up: $_ ($tally->{setup}{$_})") foreach sort keys %{ $tally->{setup} };
	none($tally->{crashes}, "$what: the server stays up", qr/^(.*?);.*?((?:cec|fleet)\.\w+|(?:INSERT|UPDATE|DELETE) \S+ \S+)/);
	none($tally->{caught}, "$what: nothing of the owner's runs as somebody else", qr/^CANARY ([\w ]*? \w+) as (\w+) in \D*?((?:cec|fleet)\.\w+)/);
	none($tally->{leaks}, "$what: no address gets out", qr/(.*)/);
	none($tally->{internal}, "$what: no internal error", qr/.*: (XX\d+.*)/);
	none($tally->{endless}, "$what: each call ends", qr/; (.*)/);
	return;
}

# A test that there are none; else tells one of each kind, as the pattern takes them apart, and how many.
sub none
{
	my ($lines, $name, $pattern) = @_;
	my (%count, %first);

	foreach my $line (@$lines)
	{
		my $kind = $line =~ $pattern ? join(' ', grep { defined } $1, $2, $3) : $line;

		$count{$kind}++;
		$first{$kind} //= $line;
	}
	ok(!@$lines, $name);
	diag("$count{$_} times: $first{$_}") foreach sort keys %count;
	return;
}

1;
