# Random conditions about random assets: the compiled way of running a rule (an asset changes), the set-based one (a rule or
# a contract changes), and the same condition as SQL over a fact row written by hand all say the same.
#
#   CEC_SEED=0.1234    repeats a run (its seed is printed)
#   CEC_PAIRS=5000     pairs of rule and asset that are compared, at least; each of them seven times a round
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CEC_SEED} // sprintf('%.6f', rand());
my $pairs_wanted = $ENV{CEC_PAIRS} // 5000;
my ($assets, $rules) = (80, 30);
note("CEC_SEED=$seed CEC_PAIRS=$pairs_wanted");
srand(int($seed * 1_000_000_000));

# Conditions. Each maker returns the text of a rule and how the same reads as SQL over plain_fact f.

sub one { return $_[ rand @_ ] }
sub same { my ($text) = @_; return [ $text, $text ] }
sub join_as { my ($format, @parts) = @_; return [ sprintf($format, map { $_->[0] } @parts), sprintf($format, map { $_->[1] } @parts) ] }
sub quoted { return join(', ', map { "'$_'" } @_) }

my %values = (
	asset_tag => [ 'T-1', 'T-2', 'T-17', 't-1' ], serial_number => [ 'S-3', 'S-40' ], manufacturer => [ 'Nordpump', 'Voltis', 'Å & Co' ],
	model => [ 'M1', 'm1', 'M9' ], category => [ 'pump', 'motor', 'inspection' ], usage_type => [ 'production', 'backup' ],
	status => [ 'planned', 'in_service', 'in_storage' ], country => [ 'DE', 'AT', 'CH' ], region => [ 'DE-BY', 'AT-1' ],
	source => [ 'erp', 'mastr' ], tag_symbology => [ 'code39', 'qr' ], contract_number => [ 'C-1', 'C-2' ],
	contract_kind => [ 'service', 'lease' ], governing_country => [ 'DE', 'AT' ], tier_code => [ 'gold', 'none' ],
	customer_id => [ 1, 2, 3 ], successor_id => [ 1, 2 ], asset_id => [ 1, 2, 5 ], tier_rank => [ 0, 1, 3 ]);
my @text_columns = grep { $values{$_}[0] =~ /\D/ } sort keys %values;
my @number_columns = grep { $values{$_}[0] !~ /\D/ } sort keys %values;

# What an index of rules can use.
sub indexed
{
	my $column = one(sort keys %values);
	my $is_text = $values{$column}[0] =~ /\D/;
	my @choice = map { $is_text ? "'$_'" : $_ } map { one(@{ $values{$column} }) } 1 .. 1 + int rand 3;

	push @choice, 'NULL' if @choice > 1 && rand() < 0.1;
	return same('inside_boundary') if rand() < 0.15;
	return same("$column = $choice[0]") if @choice == 1;
	return same("$choice[0] = $column") if rand() < 0.1;
	return same("$column = ANY (ARRAY[" . join(', ', @choice) . '])') if rand() < 0.2 && $is_text;
	return same("$column IN (" . join(', ', @choice) . ')');
}

sub text
{
	my ($depth) = @_;
	my $kind = $depth <= 0 ? int rand 3 : int rand 10;

	return same(one(@text_columns)) if $kind < 2;
	return same("attributes ->> '" . one(qw(fuel n on leased)) . "'") if $kind == 2;
	return join_as('lower(%s)', text($depth - 1)) if $kind == 3;
	return join_as('upper(%s)', text($depth - 1)) if $kind == 4;
	return join_as('left(%s, ' . int(rand(5) - 1) . ')', text($depth - 1)) if $kind == 5;
	return join_as('coalesce(%s, %s)', text($depth - 1), text($depth - 1)) if $kind == 6;
	return join_as('nullif(%s, %s)', text($depth - 1), text($depth - 1)) if $kind == 7;
	return join_as("(%s || '-' || %s)", text($depth - 1), text($depth - 1)) if $kind == 8;
	return join_as('CASE WHEN %s THEN %s END', condition($depth - 1), text($depth - 1));
}

my $number_form = q{'^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?$'};

sub days_back { return one(30, 90, 400) . ' days' }

sub number
{
	my ($depth) = @_;
	my $kind = $depth <= 0 ? int rand 6 : int rand 14;

	return same('age_years') if $kind < 2;
	return same(one(@number_columns)) if $kind == 2;
	return same(one(0, 1, 3, 12, 2.5, -1)) if $kind == 3;
	if ($kind == 4)
	{
		my $value = "attributes ->> '" . one(qw(n kw)) . "'";

		return [ "as_number($value)", "CASE WHEN $value ~ $number_form THEN ($value)::numeric END" ];
	}
	if ($kind == 5)
	{
		my ($name, $within) = (one(qw(inspection repair)), days_back());

		return [ "maintenance_count('$name', interval '$within')",
			"(SELECT count(*)::int FROM rules.maintenance_event m WHERE m.asset_id = f.asset_id AND m.kind = '$name' AND m.performed_on <= f.as_of AND m.performed_on > f.as_of - interval '$within')" ]
			if rand() < 0.5;
		return [ "request_count(interval '$within')",
			"(SELECT count(*)::int FROM rules.service_request q CROSS JOIN rules.setting z CROSS JOIN LATERAL (SELECT (q.opened_at AT TIME ZONE z.time_zone)::date AS d) AS o WHERE q.asset_id = f.asset_id AND o.d <= f.as_of AND o.d > f.as_of - interval '$within')" ];
	}
	return join_as('length(%s)', text($depth - 1)) if $kind == 6;
	return join_as('(%s ' . one('+', '-', '*') . ' %s)', number($depth - 1), number($depth - 1)) if $kind == 7 || $kind == 8;
	return join_as('(%s ' . one('/', '%%') . ' %s)', number($depth - 1), number($depth - 1)) if $kind == 9;
	return same("(attributes ->> 'n')::" . one(qw(int numeric bigint float8))) if $kind == 10;
	return join_as('extract(' . one(qw(year month isodow)) . ' FROM %s)', day($depth - 1)) if $kind == 11;
	return same(one('distance_to_boundary_m', 'st_x(location)', 'st_y(location)', "jsonb_array_length(attributes -> 'tags')")) if $kind == 12;
	return join_as(one('abs', 'round', 'floor', 'ceil') . '((%s)::numeric)', number($depth - 1));
}

sub day
{
	my ($depth) = @_;
	my $kind = $depth <= 0 ? int rand 4 : int rand 8;

	return same(one(qw(commissioned_on decommissioned_on))) if $kind < 2;
	return same('as_of') if $kind == 2;
	return same("date '" . one('2015-06-01', '2020-02-29', '2026-01-01') . "'") if $kind == 3;
	if ($kind == 4 || $kind == 5)
	{
		my $name = rand() < 0.8 ? [ "'inspection'", "'inspection'" ] : [ 'category', 'f.category' ];

		return [ "last_maintenance($name->[0])",
			"(SELECT max(m.performed_on) FROM rules.maintenance_event m WHERE m.asset_id = f.asset_id AND m.kind = $name->[1] AND m.performed_on <= f.as_of)" ];
	}
	return [ "as_date(attributes ->> 'on')", "CASE WHEN attributes ->> 'on' = '2019-06-30' THEN date '2019-06-30' END" ] if $kind == 6;
	return rand() < 0.7 ? join_as('(%s ' . one('+', '-') . ' ' . int(rand 400) . ')', day($depth - 1))
		: same('make_date(2015, ' . one('age_years', 'tier_rank', '3') . ', 1)');
}

sub comparison
{
	my ($depth) = @_;
	my $kind = int rand 18;
	my $operator = one('=', '<>', '<', '>', '<=', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');

	return indexed() if $kind < 3;
	return join_as("%s $operator %s", number($depth), number($depth)) if $kind < 6;
	return join_as("%s $operator %s", day($depth), day($depth)) if $kind < 8;
	return join_as("%s $operator %s", text($depth), text($depth)) if $kind == 8;
	return join_as('%s ' . one('LIKE', 'NOT LIKE', 'ILIKE') . ' ' . one("'%%p%%'", "'M_'", "'_o%%'", "'%%-%%'"), text($depth)) if $kind == 9;
	return join_as('%s BETWEEN %s AND %s', number($depth), number($depth - 1), number($depth - 1)) if $kind == 10;
	return join_as('(%s) IS ' . one('', 'NOT ') . 'NULL', one(text($depth), number($depth), day($depth))) if $kind == 11;
	return same(one('inside_boundary', 'isempty(out_of_service)', 'out_of_service @> as_of', 'location IS NULL')) if $kind == 12;
	return same(one("attributes ? 'fuel'", q(attributes @> '{"fuel": "gas"}'), "jsonb_typeof(attributes -> 'tags') = 'array'", "attributes -> 'tags' ? 'a'"))
		if $kind == 13;
	return same("(attributes ->> 'leased')::boolean") if $kind == 14;
	return same(one("source_updated_at > timestamptz '2026-02-03 12:00+01'", "source_updated_at AT TIME ZONE 'UTC' > as_of - interval '200 days'"))
		if $kind == 15;
	return join_as("starts_with(%s, 'n')", text($depth)) if $kind == 16;
	return same(one('true', 'false', 'NULL::boolean'));
}

sub condition
{
	my ($depth) = @_;
	my $kind = int rand 10;

	return comparison($depth) if $depth <= 0 || $kind < 3;
	return join_as('(%s) AND (%s)', condition($depth - 1), condition($depth - 1)) if $kind < 5;
	return join_as('(%s) OR (%s)', condition($depth - 1), condition($depth - 1)) if $kind < 7;
	return join_as('NOT (%s)', condition($depth - 1)) if $kind == 7;
	return join_as('(%s) IS ' . one('TRUE', 'NOT TRUE', 'FALSE', 'UNKNOWN'), condition($depth - 1)) if $kind == 8;
	return join_as('CASE WHEN %s THEN %s ELSE %s END', condition($depth - 1), condition($depth - 1), condition($depth - 1));
}

# A condition for a rule; half of them have parts that an index can use.
sub whole
{
	my $it = condition(int rand 4);

	return ($it, $it->[0] =~ /AND/ ? 1 : 0) if rand() < 0.5;
	my @parts = (indexed(), $it);
	push @parts, indexed() if rand() < 0.3;
	@parts = reverse @parts if rand() < 0.5;
	return (join_as(join(' AND ', ('(%s)') x @parts), @parts), 1);
}

my $node = PostgreSQL::Test::Cluster->new('random_rules');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nTimeZone = UTC\nclient_min_messages = warning");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION cec CASCADE');
$node->safe_psql('postgres', slurp_file(dirname(__FILE__) . '/random_rules.sql'));
sub run { my ($sql) = @_; return $node->safe_psql('postgres', $sql) }
sub ran { my ($name, $sql) = @_; my $wrong = run("$sql LIMIT 5"); is($wrong, '', $name); return }
run("SELECT setseed($seed); SELECT rule_world($assets)");

sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'" }

my ($pairs, $round, $refused, $made) = (0, 0, 0, 0);
my %seen;
while ($pairs < $pairs_wanted)
{
	my @rows;
	my @trials;

	$round++;
	while (@rows < $rules)
	{
		my ($condition, $may_be_false) = whole();
		my $text = literal($condition->[0]);
		my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT cec.check_condition($text)") if 0;

		push @rows, sprintf('(%d, %s, %s, %s, %s)', 1 + int rand 12, "'" . one(('include') x 8, 'require', 'exclude') . "'", $text,
			"'" . one(qw(deny allow flag)) . "'", literal($condition->[1]) . ', ' . ($may_be_false ? 'true' : 'false'));
	}
	$made += @rows;
	# What does not compile is left out, and counted.
	$refused += run('CREATE TABLE IF NOT EXISTS proposed (term_id bigint, effect text, condition text, on_unknown text, sql text, may_be_false boolean);'
		. 'TRUNCATE proposed; INSERT INTO proposed VALUES ' . join(",\n", @rows) . ';' . q{
		CREATE OR REPLACE FUNCTION compiles(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN PERFORM cec.check_condition(condition); RETURN true; EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE IN ('0A000', '42883', '42804', '54000') OR SQLSTATE LIKE '22%' THEN RETURN false; END IF; RAISE; END $$;
		WITH gone AS (DELETE FROM proposed WHERE NOT compiles(condition) RETURNING 1) SELECT count(*) FROM gone});
	run("SELECT setseed($seed / $round); SELECT rule_facts(array_agg(asset_id)) FROM rules.asset;
		DELETE FROM rules.inclusion; INSERT INTO rules.inclusion (term_id, asset_id, during) SELECT 1 + dice(12), asset_id, '(,)' FROM rules.asset;
		INSERT INTO rules.coverage_rule (term_id, name, effect, condition, during, on_unknown)
		SELECT term_id, sql || chr(1) || may_be_false, effect, condition, '(,)', on_unknown FROM proposed;
		TRUNCATE trial; INSERT INTO trial SELECT rule_id, split_part(name, chr(1), 1), split_part(name, chr(1), 2)::boolean FROM rules.coverage_rule");
	ran("$round: rules were added", 'SELECT * FROM breach()');
	ran("$round: cec._scan_rule, and true, false and unknown are all", 'SELECT * FROM scan_breach()');
	$pairs += run('SELECT count(*) FROM verdict');
	foreach my $line (split /\n/, run('SELECT verdict, count(*) FROM verdict GROUP BY 1'))
	{
		my ($verdict, $count) = split /\|/, $line;
		$seen{$verdict} += $count;
	}
	run('DROP TABLE IF EXISTS before; CREATE TABLE before AS SELECT * FROM got');
	run('SELECT take_away()');
	ran("$round: assets have lost their facts", 'SELECT * FROM breach()');
	run('SELECT bring_back()');
	ran("$round: assets have them again", 'SELECT * FROM breach()');
	ran("$round: the compiled way says what the set-based one said", q{
		SELECT b.rule_id, b.asset_id, r.condition, r.on_unknown, b.acts, g.acts, b.finding, g.finding
		FROM before b JOIN got g USING (rule_id, asset_id) JOIN rules.coverage_rule r USING (rule_id)
		WHERE r.effect = 'include' AND (b.acts, b.finding) IS DISTINCT FROM (g.acts, g.finding)});
	run("SELECT setseed(-$seed / $round); SELECT rule_events(10);
		WITH n AS (INSERT INTO rules.asset (asset_tag) VALUES ('N-$round') RETURNING asset_id) SELECT count(*) FROM n;
		INSERT INTO rules.asset (asset_tag, country, attributes, location) SELECT 'O-$round', country, attributes, location FROM rules.asset WHERE asset_id = 5");
	ran("$round: events, and new assets", 'SELECT * FROM breach()');
	run('UPDATE rules.contract SET boundary = random_boundary(), governing_country = maybe(governing_country);
		UPDATE rules.service_tier SET rank = rank + 1; UPDATE rules.coverage_term SET tier_id = maybe(1 + dice(3)::bigint) WHERE random() < 0.5');
	ran("$round: contracts, terms and tiers changed", 'SELECT * FROM breach()');
	run('TRUNCATE trial; DELETE FROM rules.coverage_rule');
	ran("$round: rules that are gone act no more, and nothing is found about them",
		'SELECT * FROM (SELECT rule_id, asset_id FROM rules.rule_effect UNION ALL SELECT rule_id, asset_id FROM rules.finding WHERE rule_id IS NOT NULL AND closed_at IS NULL) AS left_over');
}
note(join(', ', "$pairs pairs in $round rounds", map { "$_ $seen{$_}" } sort keys %seen) . "; $refused of $made conditions did not compile");
cmp_ok($refused, '<', 0.3 * $made, 'most conditions compile');
ok($seen{$_}, "there were pairs that are $_") foreach qw(true false unknown failed);
$node->stop('immediate');
done_testing();
