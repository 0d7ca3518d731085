# Every column of every table is given other types by its owner; then everything that can be called on the portfolio is called,
# and every table is changed. The server stays up, and what it says is said on purpose.
#
# CEC_TYPES says how many types each column is given (default 1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Imitation;
use Test::More;

my $types = $ENV{CEC_TYPES} // 1;
my $db = 'book';
my $node = start_imitation('retyped', $db);
my @calls = map { "SAVEPOINT s; $_->[1]; ROLLBACK TO s" }
	ask_rows($node, $db, q{SELECT * FROM test.calls('fleet', 1) WHERE name LIKE 'cec.%' UNION ALL SELECT * FROM test.changes('fleet')});
my @cases = map { {
	name => "$_->[0].$_->[1] $_->[2]",
	setup => "BEGIN; SET ROLE mallory; SELECT test.retype('$_->[0]', '$_->[1]', '$_->[2]'); RESET ROLE;",
	teardown => 'ROLLBACK;',
	calls => \@calls
} } ask_rows($node, $db, qq{
	SELECT a.attrelid::regclass, a.attname, t
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, test.types(a.atttypid::regtype, $types) t
	WHERE c.relnamespace = 'fleet'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3});
note(@calls . ' calls, ' . @cases . ' cases');

# As they are, all of it works or is refused on purpose.
my $tally = new_tally();
attempt($tally, $node, $db, [ { name => 'untouched', setup => 'BEGIN;', teardown => 'ROLLBACK;', calls => \@calls } ]);
tell($tally, 'untouched');

$tally = new_tally();
attempt($tally, $node, $db, \@cases);
tell($tally, 'retyped');
$node->stop('fast');
done_testing();
