# Rules day by day: a server whose clock is set. What refresh decides, and what it leaves alone.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_moved_cluster('refresh', 'fsync = off', 'jit = off', "TimeZone = 'Asia/Tokyo'", 'client_min_messages = warning', 'autovacuum = off');
sub set_day { my ($day) = @_; move_clock($node, "$day 12:00"); return }
set_day('2026-10-20');
sub run { my ($sql) = @_; return $node->safe_psql('postgres', $sql) }
sub code { my ($sql) = @_; my (undef, undef, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql"); return $err =~ /ERROR:  (\w{5}):.*?(?:CONSTRAINT NAME:  (\w+)|\z)/s ? join(' ', $1, $2 // ()) : $err }
run('CREATE EXTENSION cec CASCADE');
is(run("SELECT (now() AT TIME ZONE 'UTC')::date"), '2026-10-20', 'the clock is set');

# Four portfolios with the same in them, told apart by how they are refreshed.
my @portfolios = qw(daily late foreseeing often);
sub each_run { my ($sql) = @_; run(join(";\n", map { (my $own = $sql) =~ s/\bP\./$_./g; $own } @portfolios)); return }
sub cover
{
	my ($portfolio, $where) = @_;
	return run("SELECT a.asset_tag, v.term_id, lower(v.during), upper(v.during) - 1, concat(CASE WHEN is_stated THEN 's' END, CASE WHEN is_ruled THEN 'r' END, CASE WHEN is_inherited THEN 'i' END)
		FROM $portfolio.coverage v JOIN $portfolio.asset a USING (asset_id) WHERE " . ($where // 'true') . ' ORDER BY 1, 2, 3');
}
sub effects { my ($portfolio, $rule) = @_; return run("SELECT a.asset_tag, e.during FROM $portfolio.rule_effect e JOIN $portfolio.coverage_rule r USING (rule_id) JOIN $portfolio.asset a USING (asset_id) WHERE r.name = '$rule' ORDER BY 1, 2") }
# Everything that refresh could have touched.
sub state
{
	my ($portfolio) = @_;
	return run(join(';', map { "SELECT '$_', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM $portfolio.$_ t" } qw(coverage coverage_history rule_effect finding coverage_rule audit_log)));
}
# To the day: each portfolio in its way.
sub live_until
{
	my ($from, $to) = @_;
	my @days = split /\n/, run("SELECT d::date FROM generate_series(date '$from', date '$to', interval '1 day') d");

	foreach my $day (@days)
	{
		set_day($day);
		run('SELECT daily.refresh()');
		run('SELECT often.refresh(); SELECT often.refresh(); SELECT often.recompute_coverage(); SELECT often.refresh()');
		run("SELECT foreseeing.refresh(cec.today('foreseeing') + 40); SELECT foreseeing.refresh()") if substr($day, -1) =~ /[37]/;
	}
	run('SELECT late.refresh(); SELECT foreseeing.refresh()');
	foreach my $other (grep { $_ ne 'daily' } @portfolios)
	{
		my $until = "lower(v.during) <= cec.today('daily')";
		my $same = "SELECT v.asset_id, v.term_id, v.is_stated, v.is_ruled, v.is_inherited, g FROM %s.coverage v, generate_series(lower(v.during), least(upper(v.during) - 1, cec.today('daily')), interval '1 day') g";
		is(run(sprintf("($same) EXCEPT ($same)", 'daily', $other) . ' UNION ALL ' . sprintf("($same) EXCEPT ($same)", $other, 'daily')), '', "$to: $other is as daily");
	}
	is(run(join(' UNION ALL ', map { "SELECT '$_', v::text FROM $_.verify_coverage() v" } @portfolios)), '', "$to: all is as defined");
	return;
}

run(join('', map { "SELECT cec.create_portfolio('$_');" } @portfolios));
each_run(<<'SQL');
INSERT INTO P.customer (name) VALUES ('Harbour');
INSERT INTO P.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2026-01-01,2027-01-01)'), ('R', 1, 'active', '[2026-01-01,2027-01-01)'), ('Q', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO P.coverage_term (contract_id, number, during) SELECT c, '1', '[2026-01-01,2027-01-01)' FROM generate_series(1, 3) c;
UPDATE P.setting SET duplicates_allowed = true;
INSERT INTO P.asset (asset_tag, category, usage_type, commissioned_on) VALUES ('pump', 'pump', 'production', '2020-01-01'), ('motor', 'motor', NULL, '2020-01-01'),
	('young', 'pump', NULL, '2024-11-10'), ('leap', 'pump', NULL, '2024-02-29'), ('old', 'pump', 'backup', '2001-01-01'), ('none', 'sensor', NULL, NULL);
INSERT INTO P.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', '2026-09-05'), (1, 'inspection', '2026-12-01'), (1, 'repair', '2026-11-01'), (5, 'inspection', '2026-11-13');
INSERT INTO P.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2026-03-01,)'), (1, 6, '[2026-03-01,)');
INSERT INTO P.bundle (name, primary_asset_id) VALUES ('line', 1);
INSERT INTO P.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
INSERT INTO P.coverage_rule (term_id, name, effect, condition, during) VALUES
	(1, 'inspected', 'require', $$category <> 'pump' OR last_maintenance('inspection') > as_of - interval '61 days'$$, '(,)'),
	(2, 'young', 'include', 'age_years < 2', '(,)'),
	(2, 'from a day on', 'include', $$category = 'motor' AND as_of >= '2026-11-08'$$, '(,)'),
	(2, 'not begun', 'include', $$category = 'sensor' AND as_of IS NOT NULL$$, '[2026-11-12,2026-11-18)'),
	(2, 'ended', 'include', $$category = 'sensor' AND as_of IS NOT NULL$$, '[2026-01-01,2026-10-20)'),
	(3, 'inspected lately', 'include', $$last_maintenance('inspection') BETWEEN as_of - 3 AND as_of$$, '(,)'),
	(3, 'asked', 'exclude', 'maintenance_count(''inspection'', interval ''2 days'') > 0', '(,)');
SQL

# A run before the first one, or on a day that is over, changes nothing.
my $before = state('late');
run("SELECT late.refresh('2026-09-01')");
is(state('late'), $before, 'a day before today changes nothing, also when there was no run');
is(run('SELECT count(*) FROM late.refresh_run'), '0', 'and is no run');
is(run("SELECT string_agg(task || ' ' || count, ', ') FROM late.refresh() WHERE task <> 'samples' AND task NOT LIKE 'findings %'"), 'days 1, rules 6, coverage 0, map steps 0, suspended 0', 'what was decided today is decided');
is(cover('late', 'term_id = 1'), "motor|1|2026-06-01|2026-12-31|i\nnone|1|2026-03-01|2026-12-31|s\npump|1|2026-03-01|2026-12-31|s", 'before the day: covered');
run('SELECT daily.refresh(); SELECT often.refresh(); SELECT foreseeing.refresh()');

# The last row of the table in the design.
live_until('2026-10-21', '2026-11-04');
is(cover('daily', 'term_id = 1'), "motor|1|2026-06-01|2026-12-31|i\nnone|1|2026-03-01|2026-12-31|s\npump|1|2026-03-01|2026-12-31|s", '4 November: the pump meets what is required');
live_until('2026-11-05', '2026-11-20');
is(cover('late', 'term_id = 1'), "motor|1|2026-06-01|2026-11-04|i\nnone|1|2026-03-01|2026-12-31|s\npump|1|2026-03-01|2026-11-04|s", 'not since 5 November: its cover ends on 4 November, and the motor\'s with it');
is(cover('late', 'term_id = 2'), "motor|2|2026-11-08|2026-12-31|r\nnone|2|2026-11-12|2026-11-17|r\nyoung|2|2026-10-20|2026-11-09|r", 'age, the day, and the days of a rule');
is(cover('late', 'term_id = 3'), "old|3|2026-11-15|2026-11-16|r", 'days since a maintenance');

# Once more is as once.
foreach my $again ('NULL', "'2026-11-20'", "'2026-11-19'", "'2026-10-20'", "'2020-01-01'")
{
	$before = state('late');
	run("SELECT late.refresh($again)");
	is(state('late'), $before, "refresh($again) again changes nothing");
}
is(code("SELECT late.refresh('infinity')"), '22023', 'not for ever');
is(code("SELECT late.refresh('2050-01-01')"), '22023', 'nor for decades');
is(code("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT late.refresh()"), '25001', 'nor with an old snapshot');

# A forecast, then facts that make it wrong, then the days themselves.
run("SELECT daily.refresh('2026-12-20')");
is(cover('daily', "term_id = 1 AND asset_tag = 'pump'"), "pump|1|2026-03-01|2026-11-04|s\npump|1|2026-12-01|2026-12-31|s", 'forecast: the inspection that is planned');
is(run('SELECT max(on_day) FROM daily.refresh_run'), '2026-11-20', 'a forecast is no run of a later day');
each_run("DELETE FROM P.maintenance_event WHERE performed_on = '2026-12-01'");
is(cover('daily', "term_id = 1 AND asset_tag = 'pump'"), "pump|1|2026-03-01|2026-11-04|s", 'it was called off');
live_until('2026-11-21', '2026-11-21');

# Days on which nobody refreshed: what statements decided on them stays.
set_day('2026-11-24');
run("INSERT INTO late.coverage_rule (term_id, name, effect, condition, during) VALUES
	(2, 'new', 'include', 'usage_type = ''backup'' AND as_of > ''2026-01-01''', '(,)'), (1, 'in service', 'require', 'status = ''in_service''', '(,)')");
is(effects('late', 'new'), 'old|[2026-11-24,)', 'a new rule acts from today on');
set_day('2026-11-25');
run('SELECT late.refresh()');
is(effects('late', 'new'), 'old|[2026-11-24,)', 'and not on days before it was there');
set_day('2026-11-27');
run("UPDATE late.asset SET usage_type = 'production' WHERE asset_tag = 'old'; UPDATE late.asset SET status = 'in_repair' WHERE asset_tag = 'none'");
set_day('2026-11-29');
run("UPDATE late.asset SET usage_type = 'backup' WHERE asset_tag = 'old'; UPDATE late.asset SET status = 'in_service' WHERE asset_tag = 'none'");
set_day('2026-12-01');
run('SELECT late.refresh()');
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,)", 'what was decided on days without refresh stays');
is(effects('late', 'in service'), 'none|[2026-11-27,2026-11-29)', 'also of a rule that does not depend on the day');
is(cover('late', "term_id = 1 AND asset_tag = 'none'"), "none|1|2026-03-01|2026-11-26|s\nnone|1|2026-11-29|2026-12-31|s", 'and so does cover');

# The last of a day decides the day.
run("UPDATE late.asset SET status = 'in_repair' WHERE asset_tag = 'none'; UPDATE late.asset SET status = 'in_service' WHERE asset_tag = 'none'");
is(effects('late', 'in service'), 'none|[2026-11-27,2026-11-29)', 'to and fro on one day leaves nothing');
run("UPDATE late.asset SET status = 'in_repair' WHERE asset_tag = 'none'");
set_day('2026-12-02');
run("UPDATE late.asset SET status = 'in_service' WHERE asset_tag = 'none'");
is(effects('late', 'in service'), "none|[2026-11-27,2026-11-29)\nnone|[2026-12-01,2026-12-02)", 'the day after, it stays for the day');

# Rules that have acted are ended, not deleted.
is(code("DELETE FROM late.coverage_rule WHERE name = 'new'"), '23514 coverage_rule_has_acted', 'a rule that has acted is not deleted');
is(code("UPDATE late.coverage_rule SET term_id = 3 WHERE name = 'new'"), '23514 coverage_rule_has_acted', 'keeps its term');
is(code("UPDATE late.coverage_rule SET effect = 'exclude' WHERE name = 'new'"), '23514 coverage_rule_has_acted', 'its effect');
is(code("UPDATE late.coverage_rule SET rule_id = 99 WHERE name = 'new'"), '23514 coverage_rule_has_acted', 'and its key');
is(code("INSERT INTO late.coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'slip', 'include', 'true', '(,)'); DELETE FROM late.coverage_rule WHERE name = 'slip'"), '', 'one of today may go');
is(run("SELECT count(*) FROM late.coverage WHERE term_id = 3 AND upper(during) > '2026-12-02'"), '0', 'and what it did with it');
run("UPDATE late.coverage_rule SET during = '(,2026-12-05)' WHERE name = 'new'");
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,2026-12-05)", 'it is ended');
run("UPDATE late.coverage_rule SET during = '(,2026-11-26)' WHERE name = 'new'");
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,2026-12-02)", 'not before today: what it did stays');
run("UPDATE late.coverage_rule SET during = '(,)', condition = 'usage_type = ''production'' AND as_of > ''2026-01-01''' WHERE name = 'new'");
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,2026-12-02)\npump|[2026-12-02,)", 'another condition: from today on');
run("UPDATE late.coverage_rule SET state = 'suspended' WHERE name = 'new'");
set_day('2026-12-04');
run('SELECT late.refresh()');
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,2026-12-02)", 'suspended, it is unknown');
run("UPDATE late.coverage_rule SET state = 'active' WHERE name = 'new'");
set_day('2026-12-06');
run('SELECT late.refresh()');
is(effects('late', 'new'), "old|[2026-11-24,2026-11-27)\nold|[2026-11-29,2026-12-02)\npump|[2026-12-04,)", 'active again: from that day on');
is(run('SELECT v::text FROM late.verify_coverage() v'), '', 'all is as defined');
is(run('SELECT late.recompute_coverage()'), '0', 'and nothing is left to recompute');

# Today is the portfolio's: in Apia it is tomorrow already, in Honolulu still yesterday.
run("UPDATE late.setting SET time_zone = 'Pacific/Apia'; INSERT INTO late.coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'apia', 'include', 'asset_tag = ''none''', '(,)')");
is(effects('late', 'apia'), 'none|[2026-12-07,)', 'a day begins where the portfolio is');
is(run("SELECT late.refresh() LIMIT 1; SELECT max(on_day) FROM late.refresh_run"), "(days,1)\n2026-12-07", 'also for refresh');
$before = state('late');
run("UPDATE late.setting SET time_zone = 'UTC'");
run('SELECT late.refresh()');
is(effects('late', 'apia'), 'none|[2026-12-06,)', 'where the clock is set back, it is decided for that today');

# A run that came to tomorrow where it was tomorrow already is none of that day: what the zone's change decided stands until it.
run(q{
	SELECT cec.create_portfolio('zone');
	UPDATE zone.setting SET time_zone = 'Pacific/Kiritimati';
	INSERT INTO zone.customer (name) VALUES ('Acme');
	INSERT INTO zone.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO zone.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO zone.asset (asset_tag, category) VALUES ('PUMP', 'pump');
	INSERT INTO zone.coverage_rule (term_id, name, effect, condition, during) VALUES
		(1, 'seventh', 'include', 'as_of = DATE ''2026-12-07''', '(,)');
	SELECT zone.refresh() \\g /dev/null
});
is(effects('zone', 'seventh'), 'PUMP|[2026-12-07,)', 'in Kiritimati it is the seventh');
run("UPDATE zone.setting SET time_zone = 'UTC'");
is(effects('zone', 'seventh'), '', 'in Greenwich it is not');
set_day('2026-12-07');
is(run('SELECT v::text FROM zone.verify_coverage() v'), '', 'nor is refresh late on the next morning');
set_day('2026-12-08');
run('SELECT zone.refresh()');
is(effects('zone', 'seventh'), 'PUMP|[2026-12-07,2026-12-08)', 'and it walks the seventh, too');
is(run('SELECT v::text FROM zone.verify_coverage() v'), '', 'all is as defined');

# What sessions remember of rules may be dropped at any moment, in the middle of a walk too: here by ANALYZE, in a trigger.
set_day('2027-03-01');
run(q{
	SELECT cec.create_portfolio('dropped');
	INSERT INTO dropped.customer (name) VALUES ('Acme');
	INSERT INTO dropped.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO dropped.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO dropped.asset (asset_tag) VALUES ('PUMP');
	INSERT INTO dropped.inclusion (term_id, asset_id, during) VALUES (1, 1, '(,)');
	INSERT INTO dropped.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES
		(1, 'unknown on a day', 'include', 'CASE WHEN as_of = DATE ''2027-03-02'' THEN NULL ELSE false END', '(,)', 'flag'),
		(1, 'inspected', 'require', 'last_maintenance(''inspection'') > as_of - 30', '(,)', 'deny');
	DO $$ BEGIN PERFORM dropped.refresh(); END $$;
	CREATE FUNCTION dropped.analyses() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ANALYZE dropped.coverage_rule; RETURN NULL; END';
	CREATE TRIGGER analyses AFTER INSERT ON dropped.finding FOR EACH STATEMENT EXECUTE FUNCTION dropped.analyses();
});
set_day('2027-03-03');
run(q{INSERT INTO dropped.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', '2027-03-02')});
is(effects('dropped', 'inspected'), 'PUMP|[2027-03-01,2027-03-03)', 'a statement decides from its day on');
run('DO $$ BEGIN PERFORM dropped.refresh(); END $$');
is(run(q{SELECT kind FROM dropped.finding WHERE rule_id IS NOT NULL}), 'rule_unknown', 'refresh walks the day between');
is(effects('dropped', 'inspected'), 'PUMP|[2027-03-01,2027-03-03)', 'and leaves what a statement has decided on a later day');

# What a forecast decides of days to come is no decision of today, and findings speak of what is.
set_day('2027-03-10');
run(q{
	SELECT cec.create_portfolio('forecast');
	INSERT INTO forecast.customer (name) VALUES ('Acme');
	INSERT INTO forecast.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO forecast.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO forecast.asset (asset_tag, category, commissioned_on) VALUES ('PUMP', 'pump', '2027-03-01'), ('FAN', 'fan', NULL), ('MOTOR', 'motor', NULL);
	INSERT INTO forecast.bundle (name, primary_asset_id) VALUES ('pump', 1);
	INSERT INTO forecast.bundle_member (bundle_id, asset_id, during) VALUES (1, 3, '(,)');
	INSERT INTO forecast.inclusion (term_id, asset_id, during) VALUES (1, 2, '(,)');
	INSERT INTO forecast.maintenance_event (asset_id, kind, performed_on) VALUES (2, 'inspection', '2027-03-11');
	INSERT INTO forecast.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES
		(1, 'ten days old', 'include', 'commissioned_on <= as_of - 10', '(,)', 'deny'),
		(1, 'no pumps', 'require', 'category <> ''pump''', '(,)', 'deny'), (1, 'no motors', 'exclude', 'category = ''motor''', '(,)', 'deny'),
		(1, 'inspected', 'require', 'last_maintenance(''inspection'') > as_of - 30', '(,)', 'flag');
	SELECT forecast.refresh();
});
is(run('SELECT asset_id, kind FROM forecast.finding WHERE closed_at IS NULL AND rule_id IS NOT NULL'), '2|rule_unknown', 'unknown today');
run(q{SELECT forecast.refresh('2027-03-12')});
is(effects('forecast', 'no pumps'), 'PUMP|[2027-03-11,)', 'a forecast judges whom it qualifies as of that day');
is(run('SELECT v::text FROM forecast.verify_coverage() v'), '', 'and today all is as defined');
is(run('SELECT asset_id, kind FROM forecast.finding WHERE closed_at IS NULL AND rule_id IS NOT NULL'), '2|rule_unknown', 'still unknown today, though no more tomorrow');

# A carve-out alone is nothing that rules decide about: whether a day was decided does not hang on which lines were touched.
set_day('2027-03-10');
run(q{
	SELECT cec.create_portfolio('carved');
	INSERT INTO carved.customer (name) VALUES ('Acme');
	INSERT INTO carved.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
	INSERT INTO carved.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
	INSERT INTO carved.asset (asset_tag, usage_type) VALUES ('PUMP', 'production'), ('MEMBER', 'spare'), ('TOUCHED', 'spare'), ('LEFT', 'spare');
	INSERT INTO carved.bundle (name, primary_asset_id) VALUES ('pump', 1);
	INSERT INTO carved.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)');
	INSERT INTO carved.inclusion (term_id, asset_id, effect, during) SELECT 1, a, 'exclude', '[2027-01-01,2027-02-01)' FROM generate_series(2, 4) a;
	INSERT INTO carved.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'no spares', 'exclude', 'usage_type = ''spare''', '(,)');
	UPDATE carved.inclusion SET note = 'looked at' WHERE asset_id = 3;
});
is(effects('carved', 'no spares'), '', 'nobody is listed, nobody is judged');
run('INSERT INTO carved.inclusion (term_id, asset_id, during) VALUES (1, 1, \'(,)\')');
is(effects('carved', 'no spares'), 'MEMBER|[2027-03-10,)', 'whoever inherits is, carved out or not');
set_day('2027-03-12');
run('INSERT INTO carved.inclusion (term_id, asset_id, during) SELECT 1, a, \'[2027-03-01,)\' FROM generate_series(3, 4) a');
is(effects('carved', 'no spares'), "LEFT|[2027-03-12,)\nMEMBER|[2027-03-10,)\nTOUCHED|[2027-03-12,)", 'who is listed, from that day on');
run('DELETE FROM carved.inclusion WHERE effect = \'include\' AND asset_id > 1');
is(effects('carved', 'no spares'), 'MEMBER|[2027-03-10,)', 'and no more when only the carve-out is left');
is(run('SELECT v::text FROM carved.verify_coverage() v'), '', 'all is as defined');

# Midnight in a transaction, and in a statement: whoever finds a finding moves the clock.
my $clock = Cec::clock_file($node);

# What the clock says now, for later. At no moment is there no clock: a process that finds none ends, the server too.
sub keep_clock
{
	unlink "$clock.next";
	link($clock, "$clock.next") or die "cannot keep the clock: $!";
	return;
}

set_day('2027-03-11');
keep_clock();
set_day('2027-03-10');
is($node->safe_psql('postgres', qq{
	BEGIN;
	\\! mv $clock.next $clock
	UPDATE forecast.asset SET category = 'pump' WHERE asset_id = 2;
	SELECT cec.today('forecast');
	SELECT v::text FROM forecast.verify_coverage() v;
	UPDATE forecast.asset SET category = 'fan' WHERE asset_id = 2;
	UPDATE forecast.inclusion SET during = '[2027-03-11,)';
	INSERT INTO forecast.asset (asset_tag, commissioned_on) VALUES ('BORN', '2027-03-11');
	SELECT asset_tag FROM forecast.uncovered_asset WHERE asset_tag = 'BORN';
	COMMIT;
}), "2027-03-11\nBORN", 'a transaction that runs over midnight knows the day');
set_day('2027-03-12');
keep_clock();
set_day('2027-03-11');
run(qq{
	SELECT forecast.refresh();
	INSERT INTO forecast.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'no fourth', 'require', 'asset_tag <> ''FOURTH''', '(,)');
	INSERT INTO forecast.asset (asset_tag, category) VALUES ('FOURTH', 'pump');
	CREATE FUNCTION forecast.midnight() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN COPY (SELECT) TO PROGRAM ''ln -f $clock.next $clock.new && mv -f $clock.new $clock''; RETURN NULL; END';
	CREATE TRIGGER midnight AFTER INSERT ON forecast.finding FOR EACH STATEMENT EXECUTE FUNCTION forecast.midnight();
	INSERT INTO forecast.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES
		(1, 'fourth', 'include', 'CASE asset_tag WHEN ''FOURTH'' THEN true WHEN ''FAN'' THEN NULL ELSE false END', '(,)', 'flag');
	DROP TRIGGER midnight ON forecast.finding;
});
is(run("SELECT cec.today('forecast')"), '2027-03-12', 'midnight has passed');
is(effects('forecast', 'fourth'), 'FOURTH|[2027-03-11,)', 'a statement that runs over midnight');
is(effects('forecast', 'no fourth'), 'FOURTH|[2027-03-11,)', 'is of one day');
is(run('SELECT v::text FROM forecast.verify_coverage() v'), '', 'and all is as defined');
set_day('2027-03-13');
keep_clock();
set_day('2027-03-12');
run(q{
	SELECT forecast.refresh();
	CREATE TRIGGER midnight AFTER INSERT ON forecast.finding FOR EACH STATEMENT EXECUTE FUNCTION forecast.midnight();
	INSERT INTO forecast.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES
		(1, 'unknown first', 'include', 'CASE asset_tag WHEN ''FAN'' THEN NULL ELSE false END', '(,)', 'flag'),
		(1, 'born', 'include', 'asset_tag = ''BORN''', '(,)', 'deny');
	DROP TRIGGER midnight ON forecast.finding;
});
is(run("SELECT cec.today('forecast')"), '2027-03-13', 'midnight has passed before anything was decided');
is(effects('forecast', 'born'), 'BORN|[2027-03-12,)', 'the day is the one before');
is(run(q{SELECT DISTINCT (e.recorded_at AT TIME ZONE 'UTC')::date, (l.at AT TIME ZONE 'UTC')::date FROM forecast.rule_effect e JOIN forecast.coverage_rule r USING (rule_id)
	JOIN forecast.audit_log l ON l.table_name = 'coverage_rule' AND l.row_id = r.rule_id WHERE r.name = 'born'}), '2027-03-12|2027-03-12', 'and so is the instant of what is recorded');

is(run("SELECT * FROM $_.verify_history()"), '', "$_: the log comes to what the tables tell") foreach @portfolios, 'dropped', 'forecast', 'carved';
$node->stop('immediate');
done_testing();
