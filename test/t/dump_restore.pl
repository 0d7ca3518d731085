# A dump restored into a new cluster holds the same rows in every table, log included, and the portfolio works on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @stated = qw(customer asset asset_identifier maintenance_event service_request field_observation service_tier contract
  coverage_term term_price inclusion bundle bundle_member coverage_rule regulation jurisdiction amendment amendment_line finding_waiver setting);
my $dumps = PostgreSQL::Test::Utils::tempdir;

my $source = new_cluster('source', 'fsync = off');
make_roles($source);
make_portfolio($source, 'book');

# What a user adds to the tables of a portfolio must come along; so must a portfolio that was renamed.
$source->safe_psql('book', q{
	SET client_min_messages = warning;
	ALTER TABLE fleet.asset ADD COLUMN cost_centre text DEFAULT '0815';
	CREATE INDEX asset_cost_centre_idx ON fleet.asset (cost_centre);
	COMMENT ON COLUMN fleet.asset.cost_centre IS '成本中心';
	ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
	CREATE POLICY german ON fleet.asset FOR SELECT TO mona USING (country = 'DE');
	UPDATE fleet.asset SET cost_centre = '4711' WHERE asset_id = 5;
	SELECT cec.create_portfolio('Old name', 'fleet_owner');
	INSERT INTO "Old name".asset (asset_tag) VALUES ('A-1');
	SELECT cec.rename_portfolio('Old name', 'New "name"');
});

# The log: sealed, erased in one place, and then gone on with, so that the dump carries rows that are not sealed.
my $digest = $source->safe_psql('book', q{SELECT fleet.seal_audit() \g /dev/null
	SELECT fleet.erase_audit(7, 'request 17') \g /dev/null
	SELECT fleet.audit_digest()});
$source->safe_psql('book', q{UPDATE fleet.asset SET model = 'M9' WHERE asset_id BETWEEN 10 AND 20});

my $before = sums($source, 'book', 'fleet');
my $renamed_before = sums($source, 'book', '"New ""name"""');
my %rows = map { (split /\|/)[ 0, 1 ] } split /\n/, $before;
is_deeply([ grep { !$rows{$_} } @stated, qw(audit_log audit_schema audit_block audit_leaf audit_node audit_erasure finding outbox rule_effect refresh_run coverage) ], [], 'the dumped portfolio has rows in every table');

my $catalog = q{
	SELECT 'grant', c.relname, a.grantee::regrole::text, string_agg(a.privilege_type, ',' ORDER BY a.privilege_type) FROM pg_class c,
		aclexplode(c.relacl) a WHERE relnamespace = 'fleet'::regnamespace GROUP BY 1, 2, 3
	UNION ALL
	SELECT 'execute', p.oid::regprocedure::text, a.grantee::regrole::text, a.privilege_type FROM pg_proc p, aclexplode(p.proacl) a
		WHERE pronamespace = 'fleet'::regnamespace AND a.grantee <> 0
	UNION ALL
	SELECT 'owner', c.relname, c.relowner::regrole::text, c.relkind::text FROM pg_class c WHERE relnamespace = 'fleet'::regnamespace
	UNION ALL
	SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE relnamespace = 'fleet'::regnamespace AND NOT tgisinternal
	UNION ALL
	SELECT 'constraint', conrelid::regclass::text, conname, translate(pg_get_constraintdef(oid), '()', '') FROM pg_constraint
		WHERE connamespace = 'fleet'::regnamespace
	UNION ALL
	SELECT 'comment', c.relname, d.objsubid::text, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
		WHERE relnamespace = 'fleet'::regnamespace AND d.classoid = 'pg_class'::regclass
	UNION ALL
	SELECT 'policy', policyname, cmd, qual FROM pg_policies WHERE schemaname = 'fleet'
	UNION ALL
	SELECT 'index', indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'fleet'
	ORDER BY 1, 2, 3, 4};
my $catalog_before = $source->safe_psql('book', $catalog);

$source->run_log([ 'pg_dump', '-f', "$dumps/plain.sql", $source->connstr('book') ]);
$source->run_log([ 'pg_dump', '-Fc', '-f', "$dumps/custom.dump", $source->connstr('book') ]);
$source->run_log([ 'pg_dump', '--schema-only', '-f', "$dumps/schema.sql", $source->connstr('book') ]);
$source->run_log([ 'pg_dump', '--data-only', '--disable-triggers', '-f', "$dumps/data.sql", $source->connstr('book') ]);

# Everything that a restored portfolio must still do; each on rows of its own.
sub works_on
{
	my ($node, $db, $how) = @_;
	my $last = $node->safe_psql($db, 'SELECT max(audit_id) FROM fleet.audit_log');
	my $verify = "SELECT kind, audit_id FROM fleet.verify_audit(ARRAY['$digest'";
	my @andy = (extra_params => [ '-U', 'andy' ]);

	is($node->safe_psql($db, "$verify])", @andy), 'ERASED|7', "$how: the log agrees with the digest taken before the dump");
	my $carried = $node->safe_psql($db, 'SELECT count(*) - (SELECT max(tree_size) FROM fleet.audit_block) FROM fleet.audit_log');
	cmp_ok($carried, '>', 10, "$how: the dump carried rows that were not sealed");
	is($node->safe_psql($db, 'SELECT fleet.seal_audit()', @andy), '2', "$how: the first seal closes what the dump carried");
	is($node->safe_psql($db, q{SELECT row_count, system_id = (SELECT system_identifier FROM pg_control_system()),
			system_id = (SELECT system_id FROM fleet.audit_block WHERE block_no = 1) FROM fleet.audit_block WHERE block_no = 2}),
		"$carried|t|f", "$how: all of it, as another cluster's");

	is(try_sql($node, $db, q{INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-250', '[2026-03-01,)')}),
		'', "$how: an asset is listed by its tag");
	is(try_sql($node, $db, q{SELECT fleet.include_asset(1, 'PUMP-251', '2026-07-01', '2026-07-31')}, extra_params => [ '-U', 'mona' ]),
		'', "$how: the manager lists one with include_asset");
	like(try_sql($node, $db, q{INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-5', '[2026-03-15,)')}),
		qr/^23P01: .*already listed/, "$how: refused when listed already");
	like(try_sql($node, $db, q{INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'no such pump', '[2026-03-15,)')}),
		qr/^23503: no asset is known/, "$how: refused when unknown");
	like(try_sql($node, $db, q{INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-3', '[2026-07-01,)')}),
		qr/^23514: .*decommissioned/, "$how: refused when retired");
	like(try_sql($node, $db, q{INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-260', '[2028-03-15,)')}),
		qr/^23514: .*outside the term/, "$how: refused outside the term");
	like(try_sql($node, $db, q{DELETE FROM fleet.audit_log}), qr/^42501/, "$how: the log cannot be rewritten");
	like(try_sql($node, $db, q{TRUNCATE fleet.customer CASCADE}), qr/^23001/, "$how: no table can be truncated");
	is(try_sql($node, $db, q{SET session_replication_role = replica; UPDATE fleet.customer SET name = 'Acme 2' WHERE customer_id = 1}),
		'', "$how: a customer is renamed by a session that fires no ordinary triggers");
	is($node->safe_psql($db, qq{SELECT count(*), count(DISTINCT audit_id) FROM fleet.audit_log WHERE audit_id > $last}),
		'3|3', "$how: three changes, three new entries in the log");
	is($node->safe_psql($db, q{SELECT string_agg(operation || ' ' || coalesce(new_row ->> 'note', new_row ->> 'listed_as', new_row ->> 'asset_tag', '-'), ', ' ORDER BY audit_id)
			FROM fleet.asset_history('PUMP-1') WHERE table_name IN ('asset', 'inclusion') AND old_row IS NULL},
		extra_params => [ '-U', 'andy' ]),
		'INSERT PUMP-1, INSERT 首台, INSERT -', "$how: the auditor reads the history of an asset");
	is($node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_entry WHERE coalesce(old_row, new_row) IS NULL AND table_name <> 'coverage'}),
		'1', "$how: every image decodes but the one that was erased");
	is($node->safe_psql($db, q{SELECT kind, table_name, row_id, column_name FROM fleet.verify_replay()}, @andy),
		"SCHEMA_CHANGED|asset||cost_centre\nERASED|asset|4|", "$how: the tables agree with the log, as far as columns and erasures let them");
	is($node->safe_psql($db, q{SELECT string_agg(asset_tag || ' ' || scheme, ', ') FROM fleet.find_asset('11XRWENET12345-2')}, extra_params => [ '-U', 'mona' ]),
		'PUMP-1 eic', "$how: the manager finds an asset by its identifier");
	is($node->safe_psql($db, q{SELECT count(*) FROM fleet.asset}, extra_params => [ '-U', 'mona' ]),
		'300', "$how: the user's row-level security holds");
	is($node->safe_psql($db, q{SELECT count(*) FROM fleet.verify_coverage()}), '0', "$how: coverage is what rules and lists say");
	is($node->safe_psql($db, q{SELECT * FROM cec._map_breaches('fleet') LIMIT 5}), '', "$how: the grid of the map is what follows from it");
	isnt($node->safe_psql($db, q{SELECT fleet.mvt_assets(0, 0, 0)}), '', "$how: and the map shows it");
	is($node->safe_psql($db, q{SELECT * FROM fleet.verify_history()}, @andy), '', "$how: and was never other than the log says");
	is(try_sql($node, $db, q{INSERT INTO fleet.asset (asset_tag, model, country, status) VALUES ('R-1', 'M1', 'DE', 'in_service'), ('R-2', 'M1', 'DE', 'in_repair'), ('R-3', 'M2', 'DE', 'in_service')}),
		'', "$how: assets come that rules are about");
	is($node->safe_psql($db, q{SELECT string_agg(a.asset_tag || ' ' || r.name, ', ' ORDER BY a.asset_tag, r.rule_id) FROM fleet.rule_effect e
			JOIN fleet.coverage_rule r USING (rule_id) JOIN fleet.asset a USING (asset_id) WHERE a.asset_tag LIKE 'R-%' AND upper_inf(e.during)}),
		'R-1 r, R-1 型号, R-1 not new, R-2 r, R-2 型号, R-2 not new, R-2 repair, R-3 r', "$how: and they act");
	is(try_sql($node, $db, q{UPDATE fleet.coverage_rule SET condition = 'model = ''M2''' WHERE name = '型号'}), '', "$how: a rule says something else");
	is(try_sql($node, $db, q{SELECT fleet.refresh()}), '', "$how: refresh goes on where it was");
	is($node->safe_psql($db, q{SELECT count(*) FROM fleet.verify_coverage()}), '0', "$how: coverage is what rules and lists say now");
	is($node->safe_psql($db, q{SELECT * FROM fleet.verify_history()}, @andy), '', "$how: and still no other than the log says");
	is($node->safe_psql($db, q{SELECT asset_tag FROM "New ""name""".find_asset('A-1')}),
		'A-1', "$how: the wrappers of the renamed portfolio work");
	is(try_sql($node, $db, q{INSERT INTO "New ""name""".asset (asset_tag) VALUES ('A-2')}), '', "$how: so do its triggers");
	is($node->safe_psql($db, q{SELECT string_agg(name || ' ' || owner || ' ' || version, ', ' ORDER BY name) FROM cec.portfolio}),
		'New "name" fleet_owner 0.1.0, fleet fleet_owner 0.1.0', "$how: both portfolios are known as such");
	is($node->safe_psql($db, q{SELECT extname FROM pg_extension WHERE extname = 'cec'}), 'cec', "$how: the extension is there");
	is(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('fleet')}), '', "$how: upgrade_portfolio has nothing to do");

	my $carried_digest = $node->safe_psql($db, 'SELECT fleet.audit_digest()', @andy);
	is($node->safe_psql($db, 'SELECT fleet.seal_audit()', @andy), '3', "$how: sealing goes on");
	is($node->safe_psql($db, "$verify, '$carried_digest', fleet.audit_digest()])", @andy), 'ERASED|7', "$how: and agrees with all its digests");
	is($node->safe_psql($db, "SELECT cec.verify_audit_consistency(fleet.audit_consistency('$digest')), cec.verify_audit_consistency(fleet.audit_consistency('$carried_digest'))", @andy),
		't|t', "$how: it goes on from each of them");
	is($node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_log WHERE NOT cec.verify_audit_proof(fleet.audit_proof(audit_id))}, @andy),
		'0', "$how: every row has its proof");
	return;
}

# Lines that only one of the two texts has.
sub differences
{
	my ($got, $expected) = @_;
	my %got = map { $_ => 1 } split /\n/, $got;
	my %expected = map { $_ => 1 } split /\n/, $expected;

	return join "\n", (map { "+$_" } grep { !$expected{$_} } sort keys %got), map { "-$_" } grep { !$got{$_} } sort keys %expected;
}

sub same
{
	my ($node, $db, $how) = @_;

	is(differences(sums($node, $db, 'fleet'), $before), '', "$how: the same rows in every table, none added");
	is(differences(sums($node, $db, '"New ""name"""'), $renamed_before), '', "$how: the same rows in the renamed portfolio");
	is(differences($node->safe_psql($db, $catalog), $catalog_before), '',
		"$how: the same grants, owners, triggers, constraints, comments, policies and indexes");
	return;
}

my $target = new_cluster('target', 'fsync = off');
make_roles($target);
$target->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(plain custom data gone);

command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/plain.sql", $target->connstr('plain') ], 'plain: restored without an error');
same($target, 'plain', 'plain');
works_on($target, 'plain', 'plain');

command_ok([ 'pg_restore', '-e', '-j4', '-d', $target->connstr('custom'), "$dumps/custom.dump" ], 'custom, four jobs: restored without an error');
same($target, 'custom', 'custom');
works_on($target, 'custom', 'custom');

# A server whose zone database lacks a name takes the rows, and refuses what is written from then on.
(my $gone = slurp_file("$dumps/plain.sql")) =~ s{\tUTC\t}{\tNowhere/Gone\t}g;
append_to_file("$dumps/gone.sql", $gone);
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/gone.sql", $target->connstr('gone') ], 'a zone that is gone: restored without an error');
cmp_ok($target->safe_psql('gone', q{SELECT count(*) FROM fleet.contract WHERE time_zone = 'Nowhere/Gone'}), '>', 0, 'a zone that is gone: the rows have it');
like(try_sql($target, 'gone', q{UPDATE fleet.contract SET time_zone = 'UTC+2'}), qr/must be the name of a time zone/, 'a zone that is gone: no other such one is taken');

command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/schema.sql", $target->connstr('data') ], 'data-only: schema restored');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/data.sql", $target->connstr('data') ], 'data-only: data restored');
is(differences(sums($target, 'data', 'fleet'), $before), '', 'data-only: the same rows in every table, none added');
my $armed = q{SELECT tgenabled, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
	WHERE c.relnamespace = 'fleet'::regnamespace AND p.pronamespace = 'cec'::regnamespace GROUP BY 1};
my $all = $target->safe_psql('plain', $armed);
like($all, qr/^A\|\d+$/, 'all triggers of the engine fire always');
(my $disarmed = $all) =~ s/A/O/;
is($target->safe_psql('data', $armed), $disarmed, 'data-only: the restore leaves them as ordinary triggers');
$target->safe_psql('data', q{SELECT cec.upgrade_portfolio('fleet'), cec.upgrade_portfolio('New "name"')});
is($target->safe_psql('data', $armed), $all, 'data-only: upgrade_portfolio makes them fire always again');
same($target, 'data', 'data-only');
works_on($target, 'data', 'data-only');

$source->stop('immediate');
$target->stop('immediate');
done_testing();
