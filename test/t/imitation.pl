# Schemas of a role without rights that look like a portfolio: its tables are made something else in each way that the server
# knows, and planted with functions of hers; then a superuser, and somebody who was given every right on them by her, call all
# that can be called on a portfolio. The server stays up, nothing of hers runs as anybody but her, no address gets out, and what
# is said is said on purpose.
#
# CEC_WAYS=all takes each way of each table; else each table and each way are met, but not each with each.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Imitation;
use PostgreSQL::Test::Utils;
use Test::More;

my $all = ($ENV{CEC_WAYS} // '') eq 'all';
my $part = $ENV{CEC_PART} // '';
my $db = 'book';
my $node = start_imitation('imitation', $db);
$node->safe_psql($db, slurp_file("$FindBin::RealBin/imitation_ways.sql"));

# A list line is written by the caller's own statement, as if typed: what its owner attached to that table runs as the caller.
my $typed = qr/list_asset|include_asset|exclude_asset|remove_asset/;

sub calls_of
{
	my ($kinds) = @_;

	return map { $_->[1] } ask_rows($node, $db, "SELECT * FROM test.calls('fleet', $kinds)");
}

sub with_witness
{
	return map { my $call = $_; (my $quoted = $call) =~ s/'/''/g; "$call; SELECT test.witness('$quoted')" } @_;
}

sub cases_of
{
	my ($name, $made, $undone, @calls) = @_;

	return map { {
		name => "$name, called by $_",
		setup => "BEGIN; SET SESSION AUTHORIZATION mallory; $made COMMIT; RESET SESSION AUTHORIZATION; " . ($_ eq 'postgres' ? '' : "SET SESSION AUTHORIZATION $_;"),
		# What is staged is taken once.
		teardown => "RESET SESSION AUTHORIZATION; BEGIN; SET SESSION AUTHORIZATION mallory; $undone COMMIT; INSERT INTO fleet.asset_staging (source, asset_tag, serial_number) VALUES ('erp', 'STAGED-1', '001'); RESET SESSION AUTHORIZATION;",
		calls => \@calls
	} } 'postgres', 'victor';
}

my @calls = calls_of(3);
my @short = grep { /cec\./ } calls_of(1);
# Statements that set the engine's triggers going: an UPDATE of each table that they do more for than to record it; with all of
# them, everything.
my @changes = grep { $all || /^UPDATE fleet\.(?:asset|contract|coverage_term|inclusion|bundle_member|coverage_rule) |^INSERT INTO fleet\.inclusion / } map { $_->[1] } ask_rows($node, $db, "SELECT * FROM test.changes('fleet')");
my @tables = map { $_->[0] } ask_rows($node, $db, "SELECT relname FROM pg_class WHERE relnamespace = 'fleet'::regnamespace AND relkind = 'r' ORDER BY 1");
my %ways;
foreach my $table (@tables)
{
	$ways{ $_->[0] }{$table} = { made => $_->[1], undone => $_->[2] } foreach ask_rows($node, $db, "SELECT * FROM test.ways('fleet', '$table')");
}
note(@calls . ' calls, ' . @tables . ' tables, ' . keys(%ways) . ' ways');

sub run_cases
{
	my ($what, @cases) = @_;
	my $tally = new_tally();
	my $began = time;

	return if $part && $what !~ /$part/;
	attempt($tally, $node, $db, \@cases);
	note(@cases . ' schemas, ' . (time - $began) . ' s');
	tell($tally, $what);
	return;
}

run_cases('untouched', cases_of('untouched', '', '', with_witness(@calls)));

# All tables at once.
my @cases;
foreach my $way (sort keys %ways)
{
	push @cases, cases_of("all tables: $way", join(' ', map { $ways{$way}{$_}{made} } @tables), join(' ', map { $ways{$way}{$_}{undone} } @tables),
		with_witness(grep { !/$typed/ } @short));
}
run_cases('all tables', @cases);

# One table each, also where other tables are changed.
@cases = ();
my ($n, $turn) = (0, 0);
foreach my $way (sort keys %ways)
{
	$turn++;
	foreach my $table (@tables)
	{
		# What once crashed the server, or took it over, is always met.
		next if !$all && $n++ % 30 != $turn % 30 && !($table =~ /^(?:coverage|coverage_history|audit_leaf|audit_block|refresh_run)$/ && $way =~ /^(?:partitioned by key|deferred trigger|triggers)$/);
		push @cases, cases_of("$table: $way", $ways{$way}{$table}{made}, $ways{$way}{$table}{undone},
			with_witness(grep { $table ne 'inclusion' || !/$typed/ } @short),
			map { "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; $_; ROLLBACK" } grep { $way ne 'referred to' && !/ fleet\.$table / } @changes);
	}
}
run_cases('one table', @cases);

# Somebody's table in mallory's schema, and all others views of hers.
@cases = ();
foreach my $table ($all ? @tables : qw(asset audit_block audit_log audit_schema coverage coverage_rule refresh_run setting))
{
	push @cases, cases_of("shared: $table", $ways{'owned by a superuser'}{$table}{made} . join(' ', map { $ways{view}{$_}{made} } grep { $_ ne $table } @tables),
		join(' ', map { $ways{view}{$_}{undone} } grep { $_ ne $table } @tables) . $ways{'owned by a superuser'}{$table}{undone}, with_witness(@short));
}
run_cases('shared', @cases);

# Views, functions and rows of hers.
@cases = map { cases_of("view $_->[0]", $_->[1], $_->[2], with_witness(@short)) } ask_rows($node, $db, "SELECT * FROM test.view_ways('fleet')");
my @wrappers = ask_rows($node, $db, "SELECT oid::regprocedure, proname, substr(oid::regprocedure::text, strpos(oid::regprocedure::text, '(')) FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace");
push @cases, cases_of('wrappers replaced',
	join(' ', map { "ALTER FUNCTION $_->[0] RENAME TO was_$_->[1]; CREATE FUNCTION fleet.$_->[1]() RETURNS boolean LANGUAGE sql AS \$\$SELECT evil.note('wrapper')\$\$;" } @wrappers),
	join(' ', map { "DROP FUNCTION fleet.$_->[1](); ALTER FUNCTION fleet.was_$_->[1]$_->[2] RENAME TO $_->[1];" } @wrappers), with_witness(grep { /cec\./ } @calls));
push @cases, cases_of('two rows of settings',
	q{ALTER TABLE fleet.setting DISABLE TRIGGER USER; ALTER TABLE fleet.setting DROP CONSTRAINT setting_pkey, DROP CONSTRAINT setting_one_row; INSERT INTO fleet.setting SELECT * FROM fleet.setting;
	INSERT INTO fleet.setting (setting_id, version) VALUES (2, '0.0.0');},
	q{ALTER TABLE fleet.setting DISABLE TRIGGER USER; DELETE FROM fleet.setting WHERE ctid <> (SELECT min(ctid) FROM fleet.setting); ALTER TABLE fleet.setting ADD CONSTRAINT setting_pkey PRIMARY KEY (setting_id), ADD CONSTRAINT setting_one_row CHECK (setting_id = 1);
	SELECT cec.upgrade_portfolio('fleet');}, with_witness(@short));
push @cases, cases_of('a contract that a policy hides',
	'CREATE POLICY p ON fleet.contract USING (false); ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
	'ALTER TABLE fleet.contract DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY p ON fleet.contract;', with_witness(@short));
$node->safe_psql($db, q{SET SESSION AUTHORIZATION mallory; SELECT test.plant('evil'); SELECT test.plant('fleet')});
push @cases, cases_of('planted', '', '', map { "SET search_path = evil, fleet, pg_catalog, public; $_; RESET search_path" } @calls);
run_cases('hers', @cases);

# Temporary tables of a role with nothing granted.
my @temporary;
foreach my $types ([ 'none', 'text' ], [ 'text', 'bigint' ], [ 'bigint', 'text' ], [ 'daterange', 'text' ], [ 'bytea', 'bigint' ], [ 'datemultirange', 'bigint' ], [ 'text[]', 'bigint' ])
{
	my @mine = map {
		s/'fleet'::regnamespace::oid/pg_my_temp_schema()/gr =~ s/'fleet'::regnamespace/pg_my_temp_schema()::regnamespace/gr =~ s/'fleet\.asset'/'pg_temp.asset'/gr
			=~ s/'fleet'/(SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())/gr
	} grep { !/fleet\.\w+\(/ } @calls;

	push @temporary, { name => "temporary tables, $types->[0] as $types->[1]", setup => "SET SESSION AUTHORIZATION other; SELECT test.temporary('fleet', '$types->[0]', '$types->[1]');",
		teardown => 'DISCARD TEMP; RESET SESSION AUTHORIZATION;',
		calls => [ @mine, 'UPDATE pg_temp.asset SET model = model', 'UPDATE pg_temp.contract SET number = number', 'UPDATE pg_temp.coverage_rule SET effect = effect', 'DELETE FROM pg_temp.inclusion',
			'INSERT INTO pg_temp.inclusion SELECT * FROM pg_temp.inclusion', 'INSERT INTO pg_temp.asset SELECT * FROM pg_temp.asset' ] };
}
run_cases('temporary', @temporary);

# The engine's triggers where they do not belong.
$node->safe_psql($db, q{
	SET SESSION AUTHORIZATION mallory;
	CREATE SCHEMA look;
	CREATE SCHEMA alien;
	SELECT test.copy_all('fleet', 'look', 'CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)');
	CREATE TABLE look.alien (x text);
	INSERT INTO look.alien VALUES ('x');
	CREATE VIEW look.seen AS SELECT * FROM look.asset;
	CREATE TABLE alien.asset (asset_id text, x bigint);
	INSERT INTO alien.asset VALUES ('x', 1);
	GRANT ALL ON SCHEMA look, alien TO PUBLIC;
	GRANT ALL ON ALL TABLES IN SCHEMA look, alien TO PUBLIC;});
@cases = ();
$n = 0;
foreach my $schema ('look', 'alien')
{
	foreach my $row (ask_rows($node, $db, "SELECT name, array_to_json(calls) FROM test.trigger_cases('$schema') ORDER BY 1"))
	{
		my ($name, $calls) = @$row;

		next if !$all && $n++ % 7;
		push @cases, { name => $name, setup => 'BEGIN;', teardown => 'ROLLBACK;', calls => [ map { s/\\"/"/gr } $calls =~ /"((?:[^"\\]|\\.)*)"/g ] };
	}
}
run_cases('triggers', @cases);
$node->stop('fast');
done_testing();
