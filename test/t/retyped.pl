# Every column of every table is made something else by its owner: given other types, renamed, dropped, filled with NULLs and with
# values that no constraint would take, given a domain over its type or another collation. Then everything that can be called on
# the portfolio is called, and every table is changed. The server stays up, and what it says is said on purpose.
#
# CEC_WAYS=all takes every way of every column; else each column is changed in one way or two, each way being met.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Imitation;
use Test::More;

my $all = ($ENV{CEC_WAYS} // '') eq 'all';
my $db = 'book';
my $node = start_imitation('retyped', $db);

# Without CEC_WAYS=all: no call twice under two names, and of the changes those that the engine does something about.
my $twice = qr/cec\.(?:seal_audit|audit_digest|verify_audit|audit_proof|audit_consistency|erase_audit|verify_replay|covered|covered_on|\w+_portfolio|_arm_table|grant_access|_definition_path|_execute_as)\(/;
my $most = qr/SELECT|^UPDATE|^(?:INSERT INTO|DELETE FROM) fleet\.(?:inclusion|asset|bundle_member|coverage_rule|contract)\b/;
# The tables are changed by their owner: what she attached to them runs as whoever does that.
my @calls = map { 'SAVEPOINT s; ' . ($_->[1] =~ /^SELECT/ ? '' : 'SET LOCAL ROLE mallory; ') . "$_->[1]; ROLLBACK TO s" }
	grep { $all || $_->[1] !~ $twice && $_->[1] =~ $most }
	ask_rows($node, $db, q{SELECT * FROM test.calls('fleet', 1) WHERE name LIKE 'cec.%' UNION ALL SELECT * FROM test.changes('fleet')});

sub made_case
{
	my ($name, $made) = @_;

	return { name => $name, setup => "BEGIN; SET LOCAL ROLE mallory; $made; RESET ROLE;", teardown => 'ROLLBACK;', calls => \@calls };
}

# As they are, all of it works or is refused on purpose.
my $tally = new_tally();
attempt($tally, $node, $db, [ made_case('untouched', 'SELECT 1') ]);
tell($tally, 'untouched');

# All columns of a type at once: then what is compared with each other still has one type.
my @cases = map { made_case("all columns of $_->[0] as $_->[1]", "SELECT test.change_columns('fleet', '$_->[0]', '$_->[1]')") }
	([ 'bigint', 'text' ], [ 'text', 'bigint' ], [ 'daterange', 'text' ], [ 'datemultirange', 'daterange' ], [ 'bytea', 'text' ], [ 'text[]', 'text' ],
	[ 'date', 'bigint' ], [ 'boolean', 'bigint' ], [ 'timestamptz', 'numeric' ], [ 'jsonb', 'text' ], [ 'text', 'null' ], [ 'bigint', 'numeric' ]);
my $n = 0;
foreach my $row (ask_rows($node, $db, q{
	SELECT a.attrelid::regclass, a.attname, w.way, w.n, a.attnum
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, test.column_ways(a.atttypid::regtype) w
	WHERE c.relnamespace = 'fleet'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 4}))
{
	my ($table, $column, $way, $number, $place) = @$row;

	push @cases, made_case("$table.$column: $way", "SELECT test.change_column('$table', '$column', '$way')")
		if $all || $number == 1 + ($place + length $table) % ($n++ % 2 ? 3 : 9);
}
note(@calls . ' calls, ' . @cases . ' cases');
$tally = new_tally();
attempt($tally, $node, $db, \@cases);
tell($tally, 'columns');
$node->stop('fast');
done_testing();
