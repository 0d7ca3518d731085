# Portfolios are renamed, dropped, handed over and altered while other sessions are at work in them.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('life', 'fsync = off');
my $db = 'book';
make_roles($node);
make_portfolio($node, $db);

# Two sessions that have plans and column lists of the portfolio in their caches all along.
my @sessions = map { $node->background_psql($db, on_error_stop => 0) } 1 .. 2;
my $tag = 0;

# What a session says to a statement: its rows, or its error as SQLSTATE and message.
sub says
{
	my ($session, $sql) = @_;

	$session->{stderr} = '';
	my $out = $session->query("\\set VERBOSITY verbose\n$sql");
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return $err =~ /(?:ERROR|FATAL):  (\w{5}: [^\n]*)/ ? $1 : $out;
}

# All sessions register an asset and list it; each change must stand in the log.
sub all_work
{
	my ($schema, $term_id, $how) = @_;

	foreach my $session (@sessions)
	{
		$tag++;
		is(says($session, qq{
			WITH asset AS (INSERT INTO $schema.asset (asset_tag) VALUES ('L-$tag') RETURNING asset_id)
			SELECT count(*) FROM asset;}), '1', "$how: an asset is registered");
		is(says($session, qq{
			INSERT INTO $schema.inclusion (term_id, listed_as, during) VALUES ($term_id, 'L-$tag', '[2026-03-01,2026-04-01)') RETURNING term_id;}),
			$term_id, "$how: it is listed");
		like(says($session, qq{
			INSERT INTO $schema.inclusion (term_id, listed_as, during) VALUES ($term_id, 'L-$tag', '[2026-03-01,2026-04-01)');}),
			qr/^23P01/, "$how: but not twice");
		is($node->safe_psql($db, qq{SELECT string_agg(table_name, ',' ORDER BY audit_id) FROM $schema.audit_log
			WHERE asset_id = (SELECT asset_id FROM $schema.asset WHERE asset_tag = 'L-$tag')}),
			'asset,inclusion', "$how: both are on record");
	}
	return;
}

all_work('fleet', 1, 'at first');

# Renamed.
$node->safe_psql($db, q{SELECT cec.rename_portfolio('fleet', 'Flotte 2')});
all_work('"Flotte 2"', 1, 'renamed');
is(says($sessions[0], q{SELECT fleet.include_asset(1, 'PUMP-201');}) =~ /^(3F000|42883)/ ? 1 : 0, 1, 'renamed: the old name is gone');
is(says($sessions[0], q{SELECT "Flotte 2".include_asset(1, 'PUMP-201') > 0;}), 't', 'renamed: the wrappers have followed');

# Another portfolio takes the old name: nobody mixes them up.
$node->safe_psql($db, q{
	SET client_min_messages = warning;
	SELECT cec.create_portfolio('fleet', 'fleet_owner');
	INSERT INTO fleet.customer (name) VALUES ('Other');
	INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('N-1', 1, 'active', '[2026-01-01,2027-01-01)');
	INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (77, 1, '1', '[2026-01-01,2027-01-01)');
});
all_work('fleet', 77, 'a new one under the old name');
all_work('"Flotte 2"', 1, 'the renamed one beside it');

# Dropped and made again.
like(try_sql($node, $db, q{SELECT cec.drop_portfolio('fleet', 'flet')}), qr/^22023/, 'a portfolio is not dropped without its name repeated');
$node->safe_psql($db, q{
	SET client_min_messages = error;
	SELECT cec.drop_portfolio('fleet', 'fleet');
	SELECT cec.create_portfolio('fleet', 'fleet_owner');
	INSERT INTO fleet.customer (name) VALUES ('Third');
	INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('D-1', 1, 'active', '[2026-01-01,2027-01-01)');
	INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (78, 1, '1', '[2026-01-01,2027-01-01)');
});
all_work('fleet', 78, 'dropped and made again');
is($node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_log l JOIN fleet.audit_schema s ON s.schema_hash = substring(l.row_image FROM 2 FOR 16)}),
	$node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_log}), 'dropped and made again: every image has its column list');

# A column is added to a table that the sessions have cached.
$node->safe_psql($db, q{ALTER TABLE fleet.inclusion ADD COLUMN cost_centre text DEFAULT '0815', ADD COLUMN codes int[]});
all_work('fleet', 78, 'with a new column');
is(says($sessions[1], q{UPDATE fleet.inclusion SET cost_centre = '中心', codes = '{1,NULL}' WHERE inclusion_id = 1;
	SELECT old_row ->> 'cost_centre', new_row FROM fleet.audit_entry ORDER BY audit_id DESC LIMIT 1;}),
	'0815|{"codes": [1, null], "cost_centre": "中心"}', 'the new column is on record, before and after');
is($node->safe_psql($db, q{SELECT new_row ->> 'cost_centre' FROM fleet.audit_entry WHERE table_name = 'inclusion' AND operation = 'INSERT' ORDER BY audit_id DESC LIMIT 1}),
	'0815', 'its default too');
$node->safe_psql($db, q{ALTER TABLE fleet.inclusion DROP COLUMN cost_centre});
all_work('fleet', 78, 'with a column dropped');
is($node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_entry WHERE coalesce(old_row, new_row) IS NULL}), '0', 'old images still decode');

# The owner changes: of one table, which is refused where it would write into somebody else's log, and of all.
$node->safe_psql($db, q{CREATE ROLE new_owner NOLOGIN; ALTER TABLE fleet.customer OWNER TO new_owner});
like(says($sessions[0], q{INSERT INTO fleet.customer (name) VALUES ('X');}), qr/^55000: .*not the table that a portfolio needs/, 'one table of another owner is refused');
$node->safe_psql($db, q{ALTER SCHEMA fleet OWNER TO new_owner; DO $$
	DECLARE t regclass;
	BEGIN
		FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'fleet'::regnamespace AND relkind IN ('r', 'v') LOOP
			EXECUTE format('ALTER TABLE %s OWNER TO new_owner', t);
		END LOOP;
	END $$});
all_work('fleet', 78, 'handed over');
is(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('fleet')}), '', 'handed over: upgrade_portfolio works');

# The log is replaced by a partitioned one of the same name.
$node->safe_psql($db, q{
	SET ROLE new_owner;
	BEGIN;
	ALTER TABLE fleet.audit_log RENAME TO audit_log_1;
	ALTER TABLE fleet.audit_log_1 RENAME CONSTRAINT audit_log_pkey TO audit_log_1_pkey;
	CREATE TABLE fleet.audit_log (LIKE fleet.audit_log_1 INCLUDING IDENTITY INCLUDING CONSTRAINTS INCLUDING COMMENTS,
		CONSTRAINT audit_log_pkey PRIMARY KEY (audit_id)) PARTITION BY RANGE (audit_id);
	DO $$ BEGIN EXECUTE format('ALTER TABLE fleet.audit_log ALTER audit_id RESTART WITH %s', (SELECT max(audit_id) + 1 FROM fleet.audit_log_1)); END $$;
	ALTER TABLE fleet.audit_log_1 ALTER audit_id DROP IDENTITY;
	DO $$ BEGIN
		EXECUTE format('ALTER TABLE fleet.audit_log ATTACH PARTITION fleet.audit_log_1 FOR VALUES FROM (MINVALUE) TO (%s)',
			(SELECT max(audit_id) + 3 FROM fleet.audit_log_1));
		EXECUTE format('CREATE TABLE fleet.audit_log_2 PARTITION OF fleet.audit_log FOR VALUES FROM (%s) TO (MAXVALUE)',
			(SELECT max(audit_id) + 3 FROM fleet.audit_log_1));
		EXECUTE 'CREATE OR REPLACE VIEW fleet.audit_entry ' || replace(' WITH (security_invoker = true) AS '
			|| pg_get_viewdef('fleet.audit_entry'), 'audit_log_1', 'audit_log');
	END $$;
	CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fleet.audit_log
		FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_rewrite();
	COMMIT;
});
my $first = $node->safe_psql($db, 'SELECT count(*) FROM fleet.audit_log_1');
all_work('fleet', 78, 'partitioned log');
is($node->safe_psql($db, 'SELECT count(*) FROM fleet.audit_log_1') - $first, 2, 'partitioned log: entries go to the first partition');
is($node->safe_psql($db, 'SELECT count(*) FROM fleet.audit_log_2'), 2, 'partitioned log: and to the second');
like(says($sessions[0], 'DELETE FROM fleet.audit_log;'), qr/^42501/, 'partitioned log: it cannot be rewritten');
is($node->safe_psql($db, q{SELECT count(*) FROM fleet.audit_entry WHERE coalesce(old_row, new_row) IS NULL}), '0', 'partitioned log: it decodes');

# Who may make a portfolio.
$node->safe_psql($db, q{
	CREATE ROLE tenant LOGIN;
	CREATE ROLE member LOGIN IN ROLE fleet_owner;
	CREATE ROLE evil LOGIN;
	GRANT CREATE ON DATABASE book TO tenant, member, evil;
});
is(try_sql($node, $db, q{SELECT cec.create_portfolio('mine')}, extra_params => [ '-U', 'tenant' ]), '', 'a role without privileges makes a portfolio');
is(try_sql($node, $db, q{INSERT INTO mine.customer (name) VALUES ('x')}, extra_params => [ '-U', 'tenant' ]), '', 'and works in it');
is($node->safe_psql($db, q{SELECT session_user_name FROM mine.audit_log WHERE table_name = 'customer'}), 'tenant', 'with a record');
like(try_sql($node, $db, q{SELECT cec.create_portfolio('theirs', 'fleet_owner')}, extra_params => [ '-U', 'tenant' ]), qr/^42501/, 'but not for others');
is(try_sql($node, $db, q{SELECT cec.create_portfolio('ours', 'fleet_owner')}, extra_params => [ '-U', 'member' ]), '', 'a member of the owner makes one for it');
is($node->safe_psql($db, q{SELECT owner FROM cec.portfolio WHERE name = 'ours'}), 'fleet_owner', 'which then owns it');
like(try_sql($node, $db, q{SELECT cec.create_portfolio('nobody', 'postgres')}, extra_params => [ '-U', 'member' ]), qr/^42501/, 'but not for a superuser');
$node->safe_psql($db, q{GRANT CREATE ON SCHEMA public TO PUBLIC});
is(try_sql($node, $db, q{SELECT cec.create_portfolio('opened')}), '', 'one is made where an extension lies in a schema that is open to all');
is(try_sql($node, $db, q{CREATE FUNCTION public.lower(daterange) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT NULL::date'}, extra_params => [ '-U', 'evil' ]), '', 'somebody puts a function there');
like(try_sql($node, $db, q{SELECT cec.create_portfolio('planted')}), qr/^55000: .*public\.lower\(daterange\), which belongs to role evil/, 'none is made of it');
is(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('ours')}), '', 'portfolios that are there do not mind');
$node->safe_psql($db, q{REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP FUNCTION public.lower(daterange)});
like(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('ours')}, extra_params => [ '-U', 'tenant' ]), qr/^42501/, 'a stranger upgrades nothing');

# What a tenant leaves in the way of a superuser runs as the tenant, and cannot get out of that.
is(try_sql($node, $db, q{
	SELECT cec.create_portfolio('trap');
	CREATE TABLE trap.seen (who text, escaped boolean);
	CREATE FUNCTION trap.spring() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		BEGIN
			RESET ROLE;
			EXECUTE 'SET SESSION AUTHORIZATION postgres';
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		INSERT INTO trap.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
		RETURN NEW;
	END $$;
	CREATE FUNCTION trap.spring(text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO trap.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
		RETURN $1;
	END $$;
	UPDATE trap.setting SET version = '0';
	CREATE TRIGGER a_trap BEFORE UPDATE ON trap.setting FOR EACH ROW EXECUTE FUNCTION trap.spring();
	ALTER TABLE trap.setting ADD CONSTRAINT a_trap CHECK (trap.spring(version) IS NOT NULL) NOT VALID;
	ALTER TABLE trap.audit_log ALTER reason SET DEFAULT trap.spring('x');
	}, extra_params => [ '-U', 'evil' ]), '', 'a tenant sets a trap');
is(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('trap')}), '', 'a superuser upgrades the portfolio');
is($node->safe_psql($db, q{SELECT DISTINCT who, escaped FROM trap.seen}), 'evil|f', 'and what was in the way ran as the tenant');

is(try_sql($node, $db, q{
	CREATE SCHEMA mimic;
	CREATE TABLE mimic.seen (who text, escaped boolean);
	CREATE FUNCTION mimic.spring() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO mimic.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
		RETURN '0';
	END $$;
	CREATE VIEW mimic.setting AS SELECT mimic.spring() AS version;
	CREATE TRIGGER record AFTER INSERT ON mimic.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
	}, extra_params => [ '-U', 'evil' ]), '', 'a tenant makes a view that looks like settings');
is(try_sql($node, $db, q{SELECT * FROM cec.portfolio}), '', 'a superuser lists the portfolios');
is($node->safe_psql($db, q{SELECT count(*) FROM mimic.seen WHERE escaped}), '0', "and runs nothing of the tenant's");
is($node->safe_psql($db, q{SELECT count(*) FROM cec.portfolio WHERE name = 'mimic'}), '0', 'the view is no portfolio');

# Somebody locks the settings of his portfolio: the list of all portfolios does not wait for that.
my $listed = q{SELECT name || coalesce(' ' || (version = cec.version()), '') FROM cec.portfolio WHERE name = 'Flotte 2'};
is($node->safe_psql($db, $listed), 'Flotte 2 true', 'a portfolio and its version');
says($sessions[0], q{BEGIN; LOCK TABLE "Flotte 2".setting;});
is($node->safe_psql($db, "SET statement_timeout = '60s'; $listed"), 'Flotte 2', 'locked: listed without it');
says($sessions[0], 'ROLLBACK;');
is($node->safe_psql($db, $listed), 'Flotte 2 true', 'no longer locked');

# The extension goes, the contracts stay.
my @tables = grep { /\S/ } split /\n/, $node->safe_psql($db, q{SELECT oid::regclass FROM pg_class WHERE relnamespace = '"Flotte 2"'::regnamespace AND relkind = 'r'});
my $before = sums($node, $db, '"Flotte 2"');
my $columns_query = q{SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
	WHERE relnamespace = '"Flotte 2"'::regnamespace AND relkind = 'r' AND attnum > 0 ORDER BY 1, 2};
my $columns = $node->safe_psql($db, $columns_query);
$_->quit foreach @sessions;
like(try_sql($node, $db, q{DROP EXTENSION cec}), qr/^2BP01: cannot drop extension cec because other objects depend on it/, 'the extension is not dropped under its portfolios');
is(try_sql($node, $db, q{SET client_min_messages = error; DROP EXTENSION cec CASCADE}), '', 'dropped with CASCADE');
is(sums($node, $db, '"Flotte 2"'), $before, 'dropped with CASCADE: every row is still there');
is($node->safe_psql($db, $columns_query), $columns, 'dropped with CASCADE: so is every column');
is(try_sql($node, $db, q{CREATE EXTENSION cec}), '', 'installed again');
is(sums($node, $db, '"Flotte 2"'), $before, 'installed again: every row is still there');
like(try_sql($node, $db, q{SELECT cec.upgrade_portfolio('Flotte 2')}), qr/^(3F000|$)/, 'installed again: upgrade_portfolio says what it takes the schema for');

$node->stop('immediate');
done_testing();
