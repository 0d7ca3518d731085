# Midnight strikes while a regress script runs: it prints what it printed at noon.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use Cwd qw(abs_path);
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes;

# At how many moments of each script.
my $moments = $ENV{CEC_MIDNIGHTS} // 1;
my $top = abs_path("$FindBin::RealBin/../..");
my $out = PostgreSQL::Test::Utils::tempdir() . '/out';
my $node = new_moved_cluster('midnight', 'fsync = off');

# As pg_regress does it.
sub run_script
{
	my ($script) = @_;
	local %ENV = (%ENV, PG_ABS_SRCDIR => $top, PGTZ => 'PST8PDT', PGDATESTYLE => 'Postgres, MDY', PGOPTIONS => '-c intervalstyle=postgres_verbose',
		PGHOST => $node->host, PGPORT => $node->port);

	system("psql -X -a -q -U postgres -d regress <'$script' >'$out' 2>&1");
	return slurp_file($out);
}

$node->safe_psql('postgres', 'CREATE DATABASE regress');
$node->safe_psql('regress', 'SET client_min_messages = warning; CREATE EXTENSION cec CASCADE');
foreach my $script (grep { !/cec--/ } sort glob "$top/sql/*.sql")
{
	my $name = basename($script, '.sql');

	move_clock($node, '2027-06-15 12:00');
	my $began = Time::HiRes::time();
	my $noon = run_script($script);
	my $seconds = Time::HiRes::time() - $began;
	cmp_ok(length $noon, '>', 100, "$name: prints");
	foreach my $moment (1 .. $moments)
	{
		my $before = $seconds * $moment / ($moments + 1);
		my ($said, $tries) = ('', 0);

		# A rule that acted on one day is rightly not deleted on the next: where midnight falls just between, it comes a bit earlier.
		do
		{
			move_clock($node, '2027-06-15 24:00', -$before * 0.9**$tries);
			$said = run_script($script);
		} while ($said =~ /has acted and cannot be deleted/ && $noon !~ /has acted and cannot be deleted/ && ++$tries < 5);
		is($said, $noon, sprintf('%s: midnight after %.0f %%', $name, 100 * $moment / ($moments + 1)));
	}
}
$node->stop('immediate');
done_testing();
