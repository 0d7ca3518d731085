# What was changed past the triggers, in ways that need more than SQL in one session: logical replication, a child table,
# types changed over their values, and the files of a server that is down.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('replay', 'fsync = off', 'wal_level = logical', 'max_worker_processes = 10', 'max_replication_slots = 4');
make_roles($node);
make_portfolio($node, 'book');

sub ask
{
	return $node->safe_psql('book', $_[0]);
}

sub differs
{
	return ask(q{SELECT concat_ws(' ', kind, table_name, row_id, column_name, detail) FROM fleet.verify_replay()});
}

is(differs(), '', 'nothing differs before');

# What replication applies fires no statement triggers; the copy that it begins with does.
my $publisher = new_cluster('publisher', 'fsync = off', 'wal_level = logical', 'max_wal_senders = 4', 'max_replication_slots = 4');
$publisher->safe_psql('postgres', q{
	CREATE SCHEMA fleet;
	CREATE TABLE fleet.customer (customer_id bigint PRIMARY KEY, name text, external_ref text);
	INSERT INTO fleet.customer VALUES (501, 'replicated', NULL);
	CREATE PUBLICATION all_of_it FOR ALL TABLES;
});
ask("CREATE SUBSCRIPTION from_there CONNECTION '" . ($publisher->connstr . ' dbname=postgres') . "' PUBLICATION all_of_it");
$node->poll_query_until('book', 'SELECT EXISTS (SELECT FROM fleet.customer WHERE customer_id = 501)') or die 'nothing was replicated';
$publisher->safe_psql('postgres', "INSERT INTO fleet.customer VALUES (502, 'replicated later', NULL); UPDATE fleet.customer SET name = 'twice' WHERE customer_id = 501");
$node->poll_query_until('book', 'SELECT EXISTS (SELECT FROM fleet.customer WHERE customer_id = 502)') or die 'nothing was replicated';
is(differs(), qq{EDITED customer 501 name The log has "replicated", and the table has "twice".\nEXTRA customer 502 The log does not know this row.},
	'what was replicated shows');
ask('ALTER SUBSCRIPTION from_there DISABLE; ALTER SUBSCRIPTION from_there SET (slot_name = NONE); DROP SUBSCRIPTION from_there');
ask(q{SET session_replication_role = replica; ALTER TABLE fleet.customer DISABLE TRIGGER USER; DELETE FROM fleet.customer WHERE customer_id = 502; UPDATE fleet.customer SET name = 'replicated' WHERE customer_id = 501;
	ALTER TABLE fleet.customer ENABLE TRIGGER USER; SELECT cec.upgrade_portfolio('fleet'); DELETE FROM fleet.customer WHERE customer_id = 501});
$publisher->stop('immediate');
is(differs(), '', 'and no longer when it is undone');

# Rows of a child table would be read with the table: no portfolio has one.
ask(q{CREATE TABLE public.child () INHERITS (fleet.service_tier); INSERT INTO public.child (tier_id, code, name, rank) VALUES (77, 'platinum', 'Platinum', 9)});
like(($node->psql('book', 'SELECT * FROM fleet.verify_replay()'))[2], qr/Other tables inherit from it/, 'a child table is refused');
ask('DROP TABLE public.child');

# New values under the old type are no entry of the log.
ask('ALTER TABLE fleet.service_tier ALTER COLUMN response_hours TYPE numeric USING response_hours + 1');
is(differs(), "EDITED service_tier 1 response_hours The log has 4, and the table has 5.\nEDITED service_tier 2 response_hours The log has 8.5, and the table has 9.5.", 'ALTER TABLE … USING that keeps the type shows');
ask('ALTER TABLE fleet.service_tier ALTER COLUMN response_hours TYPE numeric USING response_hours - 1');
is(differs(), '', 'until it is undone');

# The file of a table, edited while the server is down.
my $file = ask(q{SELECT pg_relation_filepath('fleet.asset')});
my $path = $node->data_dir . "/$file";
ask('VACUUM FREEZE fleet.asset');
$node->stop('fast');
my $bytes = slurp_file($path);
my $edited = $bytes =~ s/PUMP-250/PUMP-25X/gr;
isnt($edited, $bytes, 'there is something to edit');
unlink $path;
append_to_file($path, $edited);
$node->start;
is(differs() =~ s/^.*asset 3 .*\n//mr, 'EDITED asset 250 asset_tag The log has "PUMP-250", and the table has "PUMP-25X".', 'an edited file shows');
$node->stop('fast');
done_testing();
