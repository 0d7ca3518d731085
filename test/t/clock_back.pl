# A clock that is set back, and forth again: no instant has two states of an asset, one instant stands in the log and in all that
# a statement records, and the log still comes to what the tables tell.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_moved_cluster('clock_back', 'fsync = off', 'jit = off', "TimeZone = 'UTC'", 'client_min_messages = warning', 'autovacuum = off');

# So many hours from noon, UTC, of 20 October 2026.
sub set_hours { my ($hours) = @_; move_clock($node, sprintf('2026-10-20 %02d:00', 12 + $hours)); return }

set_hours(0);
sub run { my ($sql) = @_; return $node->safe_psql('postgres', $sql) }

sub check
{
	my ($when) = @_;
	my $states = '(SELECT asset_id, term_id, during, tstzrange(recorded_at, NULL) AS recorded, coverage_id AS id FROM fleet.coverage
		UNION ALL SELECT asset_id, term_id, during, recorded, -coverage_history_id FROM fleet.coverage_history)';

	is(run('SELECT * FROM fleet.verify_history()'), '', "$when: the log comes to what the tables tell");
	is(run("SELECT a.asset_id, a.during, a.recorded, b.during, b.recorded FROM $states a JOIN $states b USING (asset_id, term_id)
		WHERE a.id < b.id AND a.during && b.during AND a.recorded && b.recorded"), '', "$when: one state at a time");
	is(run("SELECT 'coverage', recorded_at FROM fleet.coverage UNION ALL SELECT 'history', lower(recorded) FROM fleet.coverage_history
			UNION ALL SELECT 'history', upper(recorded) FROM fleet.coverage_history UNION ALL SELECT 'effect', recorded_at FROM fleet.rule_effect
		EXCEPT SELECT k, at FROM fleet.audit_log, unnest('{coverage,history,effect}'::text[]) AS k WHERE delta IS NOT NULL"), '', "$when: times are instants of the log");
	is(run('SELECT * FROM fleet.verify_coverage()'), '', "$when: cover is as defined");
	return;
}

run(q{
	CREATE EXTENSION cec CASCADE;
	SELECT cec.create_portfolio('fleet');
	INSERT INTO fleet.customer (name) VALUES ('Acme');
	INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO fleet.asset (asset_tag, country) SELECT 'P-' || n, 'DE' FROM generate_series(1, 8) AS n;
	INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1, n, '[2026-01-01,)' FROM generate_series(1, 5) AS n;
	INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'not in France', 'require', 'country <> ''FR''', '(,)'),
		(1, 'in Austria', 'include', 'country = ''AT''', '(,)');
});
run("UPDATE fleet.asset SET country = 'AT' WHERE asset_id = 6");
run("UPDATE fleet.asset SET country = 'FR' WHERE asset_id = 2");
run('DELETE FROM fleet.inclusion WHERE asset_id = 3');
run("BEGIN; INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 7, '[2026-01-01,)'); DELETE FROM fleet.inclusion WHERE asset_id = 7; COMMIT");
check('noon');

set_hours(-2);
is(run("SELECT date_trunc('hour', clock_timestamp())"), '2026-10-20 10:00:00+00', 'the clock is set back');
run("UPDATE fleet.inclusion SET during = '[2026-02-01,)' WHERE asset_id = 1");
check('cover that is there is changed');
run("INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 3, '[2026-03-01,)')");
check('cover is given again where history alone is later');
run("INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 7, '[2026-03-01,)')");
check('and where nothing is left of what was later');
run("UPDATE fleet.asset SET country = 'DE' WHERE asset_id IN (2, 6)");
run("UPDATE fleet.asset SET country = 'AT' WHERE asset_id = 6");
check('decisions are taken back');
# Decided before it is known which states are replaced: the decisions are given the instant afterwards.
run("UPDATE fleet.coverage_rule SET condition = 'country IN (''AT'', ''DE'')' WHERE name = 'in Austria'");
check('a rule is decided for all');
run("UPDATE fleet.contract SET kind = 'lease', during = '[2026-01-15,)' WHERE contract_id = 1");
run("UPDATE fleet.coverage_rule SET during = '(,2026-10-20)' WHERE name = 'in Austria'");
check('and ended');
is(run("SELECT count(*) FROM fleet.audit_log WHERE at > clock_timestamp() AND xid >= (SELECT min(xid) FROM fleet.audit_log WHERE at < '2026-10-20 11:30+00')") > 3 ? 1 : 0, 1,
	'instants are ahead of the clock where they must be');
run('UPDATE fleet.inclusion SET during = during WHERE asset_id = 5');
run("INSERT INTO fleet.asset (asset_tag) VALUES ('P-9')");
is(run("SELECT at < '2026-10-20 11:30+00' FROM fleet.audit_log ORDER BY audit_id DESC LIMIT 1"), 't', 'and nowhere else');
run('SELECT fleet.refresh(); DO $$ BEGIN PERFORM fleet.recompute_coverage(); END $$');
check('refresh and recompute');

set_hours(3);
run("UPDATE fleet.asset SET country = 'FR' WHERE asset_id IN (1, 2, 3, 5, 7)");
run("UPDATE fleet.coverage_rule SET during = '(,)' WHERE name = 'in Austria'");
check('the clock goes on');
$node->stop('immediate');
done_testing();
