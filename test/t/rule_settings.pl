# A rule matches the same assets whatever the settings of the session that adds it, and of the one that changes an asset.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rule_settings');
my $folder = dirname(__FILE__);
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nclient_min_messages = warning");
$node->start;
sub run { my ($sql) = @_; return $node->safe_psql('postgres', $sql) }

run('CREATE EXTENSION cec CASCADE');
run(slurp_file("$folder/random_rules.sql"));
run(slurp_file("$folder/../rule/legal.sql") . 'CREATE TABLE typed AS SELECT legal_id, condition FROM legal;');
# And some whose constants other settings read otherwise.
run(q{INSERT INTO typed SELECT 1000 + row_number() OVER (), c FROM unnest(ARRAY[
	$$commissioned_on < '11-02-03'$$, $$commissioned_on < date '11-02-03'$$, $$source_updated_at > timestamptz '2026-02-15 12:00'$$,
	$$source_updated_at > '2026-02-15 12:00 IST'$$, $$source_updated_at AT TIME ZONE 'UTC' > date '2026-01-01' + interval '-300 8400:00:00'$$,
	$$length('\\') = 2 AND country = 'DE'$$, $$CASE WHEN governing_country = NULL THEN true ELSE country = 'DE' END$$]) AS c});
run(q{SELECT setseed(0.4711); SELECT rule_world(80);
	UPDATE rules.asset SET source_updated_at = timestamptz '2026-02-15 00:00+00' + asset_id * interval '1 hour', model = CASE WHEN asset_id % 2 = 0 THEN 'CX-0' ELSE model END, attributes = attributes || '{"text_kw": "1e3", "installed": "2019-06-30", "tags": ["a", "b", 4], "site": {"hall": 1}, "is_leased": true}' WHERE asset_id % 3 = 0});

# What all rules say, by name; each of another effect and for another term.
my $all_effects = q{SELECT name, effect, string_agg(asset_id::text, ' ' ORDER BY asset_id) FROM rules.coverage_rule LEFT JOIN rules.rule_effect e USING (rule_id) WHERE e.during @> cec.today('rules') OR e.rule_id IS NULL GROUP BY 1, 2 ORDER BY 1::int, 2};
my $all_findings = q{SELECT name, kind, detail, string_agg(asset_id::text, ' ' ORDER BY asset_id) FROM rules.finding JOIN rules.coverage_rule USING (rule_id) WHERE closed_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1::int, 2, 3::text};
my @settings;
foreach my $style ('ISO, YMD', 'SQL, DMY', 'German, DMY', 'Postgres, MDY')
{
	push @settings, "SET DateStyle = '$style'; SET TimeZone = '$_'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -10; SET bytea_output = 'escape'; SET search_path = 'rules', 'public'; SET timezone_abbreviations = 'India'; SET standard_conforming_strings = off; SET transform_null_equals = on;"
		foreach ('UTC', 'America/New_York', 'Asia/Kathmandu');
}
my $rules = run('SELECT count(*) FROM typed');
# A usual session says what is right.
sub add_rules
{
	my ($how) = @_;

	run("DELETE FROM rules.coverage_rule; $how
		INSERT INTO rules.coverage_rule (term_id, name, effect, condition, during, on_unknown) SELECT 1 + legal_id % 12, legal_id, 'include', condition, '(,)', (ARRAY['deny', 'allow', 'flag'])[1 + legal_id % 3] FROM public.typed");
	return;
}
add_rules('');
my ($wanted, $found) = (run($all_effects), run($all_findings));
cmp_ok($rules, '>=', 40, "$rules rules");
foreach my $at (0 .. $#settings)
{
	my ($here, $there) = ($settings[$at], $settings[ ($at + 5) % @settings ]);
	my $what = join(', ', $here =~ /(?:DateStyle|TimeZone) = '(.*?)'/g);

	add_rules($here);
	is(run($all_effects), $wanted, "$what: rules were added");
	is(run($all_findings), $found, "$what: and found");
	run("$there SELECT public.take_away()");
	run("$there SELECT public.bring_back()");
	is(run($all_effects), $wanted, "$what: assets changed in another session");
	is(run($all_findings), $found, "$what: and found");
	is(run("$there SELECT string_agg(v::text, ' ') FROM rules.verify_coverage() v"), '', "$what: verified");
}
my @met = grep { /\d+\|include\|./ } split /\n/, $wanted;
cmp_ok(scalar @met, '>', 0.7 * $rules, 'most rules match some assets');
note(scalar @met . " of $rules rules match some of 80 assets, under " . @settings . ' settings');
$node->stop('immediate');
done_testing();
