# Conditions that fail or take long: the statement goes on, nothing of what they saw gets out, refresh suspends them; and
# timeouts and cancels that are meant for the statement still end it.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('rule_failure');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\nmax_wal_size = 4GB\njit = off\nclient_min_messages = debug1\nlog_min_messages = debug1\nlog_statement = none");
$node->start;
sub run { my ($sql) = @_; return $node->safe_psql('postgres', "SET client_min_messages = warning; $sql") }
# "" or SQLSTATE, all that the client was told, and the seconds that it took.
sub try_it
{
	my ($sql) = @_;
	my $began = time();
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", timeout => 180);

	return ($err =~ /ERROR:  (\w{5}):/ ? $1 : '', "$out$err", time() - $began);
}
run('CREATE EXTENSION cec CASCADE');

# One portfolio for errors. The secret is put together, so that no statement holds it.
run(<<'SQL');
SELECT cec.create_portfolio('fleet');
INSERT INTO fleet.customer (name) VALUES ('Harbour');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '(,)'), ('D', 1, 'active', '(,)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)'), (2, '1', '(,)');
UPDATE fleet.setting SET duplicates_allowed = true;
INSERT INTO fleet.asset (asset_tag, attributes) SELECT 'T-' || g, '{"n": "7", "list": [1], "month": 3}' FROM generate_series(1, 3) g;
CREATE TABLE bad AS SELECT jsonb_build_object('n', 'TOP' || '-' || 'SECRET', 'list', 'TOP' || '-' || 'SECRET', 'month', 13, 'long', repeat('TOP' || '-' || 'SECRET', 1100), 'zero', 0, 'big', 3000000000) AS attributes;
INSERT INTO fleet.asset (asset_tag, attributes) SELECT 'bad', attributes FROM bad;
SQL
my %conditions = (
	'22P02' => q{(attributes ->> 'n')::integer > 1}, '22012' => q{asset_id / (attributes ->> 'zero')::integer > 1},
	'22003' => q{(attributes ->> 'big')::numeric::integer > 1}, '22008' => q{make_date(2026, (attributes ->> 'month')::integer, 1) > as_of},
	'22023' => q{jsonb_array_length(attributes -> 'list') > 0}, '54000' => q{attributes ->> 'long' LIKE '%x%'});
foreach my $state (sort keys %conditions)
{
	(my $text = $conditions{$state}) =~ s/'/''/g;
	my ($code, $told) = try_it("INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES (1, '$state', 'include', '$text', '(,)', 'allow'), (2, '$state', 'require', '$text', '(,)', 'deny');");

	is($code, '', "$state: the rule is added");
	unlike($told, qr/SECRET/, "$state: nothing of the value is told");
	is(run("SELECT detail, severity FROM fleet.finding f JOIN fleet.coverage_rule r USING (rule_id) WHERE kind = 'rule_failed' AND closed_at IS NULL AND effect = 'include' AND name = '$state' AND asset_id = 4"),
		qq({"sqlstate": "$state"}|error), "$state: it is found");
	is(run("SELECT count(*) FROM fleet.rule_effect e JOIN fleet.coverage_rule r USING (rule_id) WHERE name = '$state' AND effect = 'include' AND asset_id = 4"), '1', "$state: unknown, and allowed");
}
my ($code, $told) = try_it(q{UPDATE fleet.asset SET attributes = '{}' WHERE asset_tag = 'bad'; INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 4, '(,)')});
is($code, '', 'the asset changes');
is(run(q{SELECT count(*) FROM fleet.finding WHERE kind = 'rule_failed' AND closed_at IS NULL}), '0', 'nothing fails any more: all is closed');
($code, $told) = try_it(q{UPDATE fleet.asset a SET attributes = bad.attributes, location = 'SRID=4326;POINT(1 2)' FROM bad WHERE asset_tag = 'bad'});
is($code, '', 'an asset that makes all rules fail is stored');
unlike($told, qr/SECRET/, 'and nothing of the value is told');
is(run(q{SELECT string_agg(DISTINCT detail ->> 'sqlstate', ' '), count(*) FROM fleet.finding WHERE kind = 'rule_failed' AND closed_at IS NULL}),
	join(' ', sort keys %conditions) . '|' . 2 * keys %conditions, 'all are found again, of both terms');
is(run('SELECT v::text FROM fleet.verify_coverage() v'), '', 'and verify_coverage has nothing to say');
is(run(q{SELECT count(*) FROM fleet.coverage WHERE asset_id = 4 AND term_id = 2 AND during @> cec.today('fleet')}), '0', 'what is required is not met');
is(run(q{DELETE FROM fleet.inclusion; SELECT count(*) FROM fleet.finding JOIN fleet.coverage_rule USING (rule_id) WHERE effect = 'require' AND closed_at IS NULL}), '0', 'off the list the rule has nothing to say of it');
is(run(q{SELECT string_agg(task || ' ' || count, ', ') FROM fleet.refresh() WHERE task <> 'samples' AND task NOT LIKE 'findings %'}), 'days 1, rules 2, coverage 0, map steps 6, suspended 6', 'refresh suspends what failed');
is(run(q{SELECT effect, state, count(*) FROM fleet.coverage_rule GROUP BY 1, 2 ORDER BY 1, 2}), "include|suspended|6\nrequire|active|6", 'and nothing else');
is(run(q{UPDATE fleet.asset SET attributes = '{"n": 1}' WHERE asset_tag = 'bad'; SELECT count(*) FROM fleet.finding WHERE kind = 'rule_failed' AND closed_at IS NULL}), '6', 'why they are suspended stays open');
is(run(q{UPDATE fleet.coverage_rule SET state = 'active', condition = 'true' WHERE state = 'suspended'; SELECT count(*) FROM fleet.finding WHERE kind = 'rule_failed' AND closed_at IS NULL}), '0', 'until they are mended');
is(run(q{SELECT v::text FROM fleet.verify_coverage() v}), '', 'all is as defined');

# Fatal ones are the statement's: memory, cancel, what cannot happen. A function of ours is made to raise them.
foreach my $state (qw(53200 57014 XX000 40001))
{
	run(qq{DELETE FROM fleet.coverage_rule; ALTER EXTENSION cec DROP FUNCTION cec._age_years(date, date);
		CREATE OR REPLACE FUNCTION cec._age_years(commissioned_on date, on_day date) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS
		\$\$BEGIN RAISE EXCEPTION USING ERRCODE = '$state', MESSAGE = 'made up'; END\$\$;
		ALTER EXTENSION cec ADD FUNCTION cec._age_years(date, date); UPDATE fleet.asset SET commissioned_on = NULL;
		INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'age', 'include', 'age_years > 3', '(,)')});
	($code) = try_it(q{UPDATE fleet.asset SET commissioned_on = '2020-01-01' WHERE asset_id = 1});
	is($code, $state, "$state ends the statement");
	is(run(q{SELECT count(*) FROM fleet.asset WHERE commissioned_on IS NOT NULL}), '0', 'and nothing of it is stored');
}
# The deadline, while nobody looks for interrupts for seconds: a failure. With a timeout of the statement meanwhile: that.
my $long = join(' + ', ('(on_day - on_day + 3)::numeric ^ 130000 / (on_day - on_day + 7)::numeric ^ 60000') x 12);
my $late = q{UPDATE fleet.asset SET commissioned_on = '2020-01-01' WHERE asset_id = 1};
foreach my $body ("RETURN length(($long)::text)", "PERFORM length(($long)::text); RETURN 1") # which looks for them in between
{
	run(qq{DELETE FROM fleet.coverage_rule; ALTER EXTENSION cec DROP FUNCTION cec._age_years(date, date);
		CREATE OR REPLACE FUNCTION cec._age_years(commissioned_on date, on_day date) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS
		\$\$BEGIN $body; END\$\$;
		ALTER EXTENSION cec ADD FUNCTION cec._age_years(date, date); UPDATE fleet.asset SET commissioned_on = NULL;
		INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'age', 'include', 'age_years > 3', '(,)')});
	($code, $told) = try_it("SET statement_timeout = '1100ms'; $late");
	is($code, '57014', 'a timeout of the statement is not taken for the deadline');
	like($told, qr/statement timeout/, 'and says so');
	is(run(q{SELECT count(*) FROM fleet.asset WHERE commissioned_on IS NOT NULL}), '0', 'and nothing is stored');
	($code) = try_it($late);
	is($code, '', 'the deadline is not the statement\'s');
	is(run(q{SELECT string_agg(detail ->> 'sqlstate', ' ') FROM fleet.finding WHERE closed_at IS NULL AND kind = 'rule_failed'}), '57014', 'it is found');
}
run(q{DELETE FROM fleet.coverage_rule; DROP EXTENSION cec CASCADE; DROP SCHEMA fleet CASCADE; CREATE EXTENSION cec});

# One poison rule among 100, while 10,000 assets come.
run(<<'SQL');
SELECT cec.create_portfolio('fleet');
INSERT INTO fleet.customer (name) VALUES ('Harbour');
INSERT INTO fleet.contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', '(,)' FROM generate_series(1, 10) g;
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 10) g;
UPDATE fleet.setting SET duplicates_allowed = true;
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) SELECT 1 + g % 10, 'rule ' || g, 'include',
	CASE WHEN g = 50 THEN $$(attributes ->> 'kw')::integer > 100$$ ELSE format('country = %L AND age_years < %s', (ARRAY['DE', 'AT', 'FR'])[1 + g % 3], g % 40) END, '(,)'
FROM generate_series(1, 100) g;
SQL
my $began = time();
is(run(q{WITH n AS (INSERT INTO fleet.asset (asset_tag, country, commissioned_on, attributes) SELECT 'T-' || g, (ARRAY['DE', 'AT', 'FR', 'IT'])[1 + g % 4], date '2000-01-01' + g % 9000,
	jsonb_build_object('kw', CASE WHEN g % 2 = 0 THEN 'n/a' ELSE (g % 200)::text END) FROM generate_series(1, 10000) g RETURNING 1) SELECT count(*) FROM n}), '10000', '10,000 assets come in one statement');
note(sprintf('10,000 assets, 100 rules, one of them fails for 5,000: %.1f s', time() - $began));
is(run('SELECT count(*) FROM fleet.asset'), '10000', 'and are stored');
is(run(q{SELECT name, count(*), min(detail ->> 'sqlstate'), max(detail ->> 'sqlstate') FROM fleet.finding JOIN fleet.coverage_rule USING (rule_id) WHERE kind = 'rule_failed' AND closed_at IS NULL GROUP BY 1}), 'rule 50|5000|22P02|22P02', 'rule_failed is found, of each asset');
is(run(q{SELECT count(*) FROM fleet.rule_effect e JOIN fleet.coverage_rule USING (rule_id) WHERE name = 'rule 50'}), run('SELECT count(*) FROM generate_series(1, 10000, 2) g WHERE g % 200 > 100'), 'where it does not fail it acts');
is(run(q{SELECT sum(count) FILTER (WHERE task = 'suspended') FROM fleet.refresh()}), '1', 'refresh suspends it');
is(run(q{SELECT name, (SELECT count(*) FROM fleet.rule_effect e WHERE e.rule_id = r.rule_id AND e.during @> cec.today('fleet')) FROM fleet.coverage_rule r WHERE state = 'suspended'}), 'rule 50|0', 'it no longer acts');
is(run('SELECT v::text FROM fleet.verify_coverage() v LIMIT 5'), '', 'all is as defined');

# Timeouts and cancels of the statement. Some hundred thousand evaluations take longer than these.
my $slow = q{UPDATE fleet.asset SET country = 'DE', commissioned_on = coalesce(commissioned_on, '2000-01-01') + 1};
my $still = run('SELECT md5(string_agg(a::text, $$$$ ORDER BY asset_id)) FROM fleet.asset a');
($code, $told) = try_it("SET statement_timeout = '40ms'; $slow");
is($code, '57014', 'statement_timeout ends it');
like($told, qr/statement timeout/, 'and says so');
my $pid = fork() // die "cannot fork: $!";
if ($pid == 0)
{
	foreach my $try (1 .. 600)
	{
		last if run(q{SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active' AND now() - query_start > interval '30 ms' AND query LIKE 'UPDATE%'}) > 0;
		select(undef, undef, undef, 0.005);
	}
	require POSIX;
	POSIX::_exit(0);
}
foreach my $try (1 .. 5)
{
	($code, $told) = try_it("SET application_name = 'victim';\n$slow");
	last if $code ne '';
}
waitpid($pid, 0);
is($code, '57014', 'a cancel ends it');
like($told, qr/user request/, 'and says so');
is(run(q{SELECT count(*) FROM fleet.finding WHERE detail ->> 'sqlstate' = '57014'}), '0', 'neither is a finding');

# Conditions that cost as much as they may.
run(slurp_file(dirname(__FILE__) . '/../rule/bombs.sql') . <<'SQL');
SELECT cec.create_portfolio('bombs');
CREATE TABLE bombs.list AS TABLE bomb;
CREATE TABLE bombs.heavy AS TABLE heavy;
INSERT INTO bombs.customer (name) VALUES ('Harbour');
INSERT INTO bombs.contract (number, customer_id, status, during, boundary) SELECT 'C', 1, 'active', '(,)', boundary FROM bombs.heavy WHERE asset_id = 1;
INSERT INTO bombs.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
INSERT INTO bombs.asset (asset_tag, country) VALUES ('light', 'DE'), ('lighter', NULL);
INSERT INTO bombs.asset (asset_tag, category, source, attributes, location) SELECT 'heavy-' || asset_id, category, source, attributes, location FROM bombs.heavy ORDER BY asset_id;
INSERT INTO bombs.maintenance_event (asset_id, kind, performed_on) SELECT 2 + asset_id, k, d FROM bombs.heavy, unnest(maintenance_kinds, maintenance_days) AS m(k, d);
INSERT INTO bombs.service_request (asset_id, opened_at) SELECT 2 + asset_id, d FROM bombs.heavy, unnest(request_days) AS q(d);
SQL
# The other rule reads the country, so that all are asked when it changes, and the large values need not be written anew.
my $asset_changes = q{UPDATE bombs.asset SET country = CASE WHEN country = 'DE' THEN 'AT' ELSE 'DE' END WHERE asset_id IN (3, 4)};
my $event_changes = q{INSERT INTO bombs.maintenance_event (asset_id, kind, performed_on) VALUES (3, 'a', '2020-01-01'); INSERT INTO bombs.service_request (asset_id, opened_at) VALUES (3, '2020-01-01')};
my (undef, undef, $usual) = try_it("SET statement_timeout = '60s'; $asset_changes");
my %most;
foreach my $line (split /\n/, run('SELECT bomb_id, what FROM bombs.list ORDER BY bomb_id'))
{
	my ($bomb, $what) = split /\|/, $line;
	my %ways = (
		'the rule is added' => "INSERT INTO bombs.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'cheap', 'include', 'country IS NULL', '(,)'); INSERT INTO bombs.coverage_rule (term_id, name, effect, condition, during) SELECT 1, what, 'include', condition, '(,)' FROM bombs.list WHERE bomb_id = $bomb",
		'an asset changes' => $asset_changes, 'an event comes' => $event_changes,
		'test_rule' => "SELECT count(*) FROM bombs.list, bombs.test_rule(1, 'include', condition) WHERE bomb_id = $bomb");
	my @took;

	foreach my $way ('the rule is added', 'an asset changes', 'an event comes', 'test_rule')
	{
		my ($state, $said, $seconds) = try_it("SET client_min_messages = warning; SET statement_timeout = '60s'; $ways{$way}");

		push @took, sprintf('%s %.2f s%s', $way, $seconds, $state ? " ($state)" : '');
		$most{$way} = $seconds if $seconds > ($most{$way} // 0);
		ok($state eq '' || ($way eq 'test_rule' && ($state eq '54000' || $state eq '54001')), "$what: $way") or diag(substr($said, 0, 300));
	}
	note("$what: " . join(', ', @took) . '; found ' . run(q{SELECT coalesce(string_agg(DISTINCT coalesce(detail ->> 'sqlstate', kind), ' '), '-') FROM bombs.finding WHERE closed_at IS NULL AND rule_id IS NOT NULL}));
	run('DELETE FROM bombs.coverage_rule');
}
note(sprintf('an asset changes without any rule: %.2f s', $usual));
note("longest: $_ " . sprintf('%.2f s', $most{$_})) foreach sort keys %most;

my $log = slurp_file($node->logfile);
unlike($log, qr/TOP-SECRET/, 'nothing of a value is in the log');
unlike($log, qr/TRAP|PANIC|terminated by signal/, 'and nothing crashed');
$node->stop('immediate');
done_testing();
