# What the whole-server tests share: a cluster, a portfolio with something in every table, and ways to compare.
package Cec;

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes;
use Time::Local;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_cluster new_moved_cluster move_clock make_roles make_portfolio sums try_sql);

# A started cluster; further arguments are lines for postgresql.conf.
sub new_cluster
{
	my $node = stopped_cluster(@_);

	$node->start;
	return $node;
}

# The same with a clock of its own, which move_clock moves also while the server runs: noon of a day in 2026 at first.
sub new_moved_cluster
{
	my $node = stopped_cluster(@_);

	move_clock($node, '2026-10-20 12:00');
	local $ENV{LD_PRELOAD} = "$ENV{TESTDIR}/clock.so";
	local $ENV{CEC_CLOCK_FILE} = clock_file($node);
	$node->start;
	return $node;
}

sub stopped_cluster
{
	my ($name, @lines) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', join("\n", @lines, ''));
	return $node;
}

# By the server's clock it is that minute from now on, UTC, and so many seconds more.
sub move_clock
{
	my ($node, $minute, $seconds) = @_;
	my ($year, $month, $day, $hour, $minutes) = split /[- :]/, $minute;
	my $name = clock_file($node);

	open(my $file, '>', "$name.new") // die "cannot move the clock: $!";
	printf $file '%.6f', timegm(0, 0, 0, $day, $month - 1, $year) + 3600 * $hour + 60 * $minutes + ($seconds // 0) - Time::HiRes::time();
	close $file;
	rename("$name.new", $name) or die "cannot move the clock: $!";
	return;
}

sub clock_file
{
	my ($node) = @_;

	return $node->basedir . '/clock';
}

sub make_roles
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
		CREATE ROLE fleet_owner NOLOGIN;
		CREATE ROLE mona LOGIN;
		CREATE ROLE andy LOGIN;
	});
	return;
}

# A portfolio "fleet" of fleet_owner, with rows in every table, wrong and odd ones among them.
sub make_portfolio
{
	my ($node, $db) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, q{
		SET client_min_messages = warning;
		CREATE EXTENSION cec CASCADE;
		SELECT cec.create_portfolio('fleet', 'fleet_owner');
		SELECT cec.grant_access('fleet', 'mona', 'manager');
		SELECT cec.grant_access('fleet', 'andy', 'auditor');
		SET cec.actor = '李雷';
		SET cec.reason = 'first filling';

		INSERT INTO fleet.customer (name, external_ref, parent_id) VALUES ('Acme', '0007', 2), ('北京设备租赁有限公司', NULL, NULL);
		INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, status, customer_id, country, region,
			location, commissioned_on, decommissioned_on, out_of_service, attributes, source_updated_at)
		SELECT 'PUMP-' || n, '00' || n, '泵业', 'M' || n % 3, 'in_service', 1 + n % 2, 'DE', 'DE-BY',
			ST_SetSRID(ST_MakePoint(11 + n / 1000.0, 48 + n / 777.0), 4326), DATE '2020-01-01' + n, NULL, '{}',
			jsonb_build_object('n', n, 'note', '备用'), TIMESTAMPTZ '2026-01-01 00:00:00.123456+00' + n * INTERVAL '1 s'
		FROM generate_series(1, 300) AS n;
		INSERT INTO fleet.asset (asset_tag) VALUES ('0012'), (E'tab\ttag'), ('it''s "quoted" \\ back'), ('压缩机-1'), (' ');
		UPDATE fleet.asset SET out_of_service = '{[2026-05-01,2026-06-01),[2027-01-01,)}' WHERE asset_tag = 'PUMP-2';
		INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES
			(1, 'eic', '11XRWENET12345-2', '[2020-01-01,)'), (2, 'former', '0012', '(,2025-01-01)');
		INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on, outcome, cost, currency) VALUES
			(1, 'inspection', '2026-01-05', 'ok', 12.340, 'EUR'), (2, 'repair', '0044-03-15 BC', NULL, NULL, NULL);
		INSERT INTO fleet.service_request (asset_id, opened_at, closed_at, severity) VALUES
			(1, '2026-02-01 10:00+01', NULL, 'high'), (2, '2026-02-01 10:00+08', '2026-02-02 10:00+08', '低');
		INSERT INTO fleet.field_observation (asset_id, seen_tag, observed_at, location) VALUES
			(NULL, 'no such tag', '2026-03-01', ST_SetSRID(ST_MakePoint(180, -90), 4326)), (1, NULL, '2026-03-01', NULL);
		INSERT INTO fleet.service_tier (code, name, rank, response_hours) VALUES ('gold', '金', 2, 4), ('silver', '银', 1, 8.5);
		INSERT INTO fleet.contract (number, customer_id, kind, status, during, boundary, suspensions) VALUES
			('C-1', 1, 'service', 'active', '[2026-01-01,2027-01-01)',
				'SRID=4326;MULTIPOLYGON(((10 47,13 47,13 50,10 50,10 47)))', '{[2026-08-10,2026-08-15)}'),
			('合同-2', 2, 'lease', 'active', '[2026-01-01,)', NULL, '{}'),
			('C-3', 1, 'service', 'draft', '(,)', NULL, '{}');
		INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis) VALUES
			(1, '1', 1, '[2026-01-01,2027-01-01)', 0.10, 'per_unit_day'), (2, '1', 2, '[2026-01-01,)', NULL, NULL),
			(3, '1', NULL, '[2026-01-01,)', NULL, NULL);
		INSERT INTO fleet.term_price (term_id, first_day, price, reason) VALUES (1, '2026-07-01', 0.110, '指数'), (1, '2026-10-01', 0, NULL);
		INSERT INTO fleet.regulation (country, region, title, requirement, during, citation) VALUES
			('DE', 'DE-BY', 'Prüfung', 'category = ''pump''', '[2026-01-01,)', '§ 1');
		INSERT INTO fleet.jurisdiction (country, region, name, boundary) VALUES
			('DE', 'DE-BY', '巴伐利亚', 'SRID=4326;MULTIPOLYGON(((9 47.3,13.8 47.3,13.8 50.5,9 50.5,9 47.3)))');
		INSERT INTO fleet.amendment (contract_id, title, reason) VALUES (1, '增补', 'more pumps');
		INSERT INTO fleet.amendment_line (amendment_id, action, identifier, term_id, during) VALUES
			(1, 'include', 'no such pump', 1, '[2026-02-01,)'), (1, 'swap', '', NULL, 'empty');
		INSERT INTO fleet.inclusion (term_id, listed_as, during, amendment_id, note)
		SELECT 1, 'PUMP-' || n, '[2026-03-01,2026-06-01)', CASE WHEN n < 3 THEN 1 END, CASE WHEN n = 1 THEN '首台' END
		FROM generate_series(1, 200) AS n;
		INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, '压缩机-1', '[2026-03-01,)'), (2, E'tab\ttag', '(,)');
		INSERT INTO fleet.inclusion (term_id, asset_id, effect, during) VALUES (1, 1, 'exclude', '[2026-04-01,2026-05-01)');
		UPDATE fleet.inclusion SET note = 'checked' WHERE inclusion_id % 10 = 0;
		DELETE FROM fleet.inclusion WHERE inclusion_id % 50 = 0;
		INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump and motor', 1);
		INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
		INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
			(1, 'r', 'include', 'country = ''DE''', '[2026-01-01,)'),
			(2, '型号', 'include', 'model = ''M1'' AND country = ''DE''', '[2026-01-01,)'),
			(2, 'not new', 'require', 'commissioned_on < as_of - 100', '[2026-01-01,)'),
			(2, 'repair', 'exclude', 'status = ''in_repair''', '[2026-01-01,)'),
			(2, 'fails', 'include', 'CASE WHEN asset_id < 4 THEN (attributes ->> ''note'')::int > 1 END', '[2026-01-01,)');
		UPDATE fleet.asset SET status = 'in_repair' WHERE asset_tag = 'PUMP-4';
		SELECT fleet.refresh();
		INSERT INTO fleet.finding_waiver (kind, asset_id, reason, until) VALUES ('no_location', 301, '室内', '2027-01-01');
		-- Retired after it was listed, and so a line that would be refused today.
		UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-02-01', successor_id = 299 WHERE asset_id = 3;
		UPDATE fleet.setting SET time_zone = 'Asia/Shanghai', expiry_notice_days = 30;
		INSERT INTO fleet.finding (kind, severity, asset_id, detail) VALUES ('decommissioned_before_activation', 'error', 3, '{"说明": 1}');
		INSERT INTO fleet.outbox (aggregatetype, aggregateid, type, payload) VALUES ('contract', '1', 'changed', '{"a": [1, null]}');
	});
	return;
}

# One line a table: name, number of rows, md5 over all of them, whatever their order.
sub sums
{
	my ($node, $db, $schema) = @_;
	my $queries = $node->safe_psql($db, qq{
		SELECT string_agg(format('SELECT %L, count(*), md5(string_agg(md5(t::text), '''' ORDER BY md5(t::text))) FROM %s t',
			relname, oid::regclass), ' UNION ALL ' ORDER BY relname) || ' ORDER BY 1'
		FROM pg_class WHERE relnamespace = '$schema'::regnamespace AND relkind IN ('r', 'p')});

	return $node->safe_psql($db, "SET TimeZone = 'UTC'; SET DateStyle = ISO; $queries");
}

# Runs a statement that may fail: "" or its error as "SQLSTATE: message".
sub try_sql
{
	my ($node, $db, $sql, %params) = @_;
	my ($status, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\n$sql", on_error_stop => 1, %params);

	return $err =~ /ERROR:  (\w{5}: [^\n]*)/ ? $1 : $status == 0 ? '' : $err;
}

1;
