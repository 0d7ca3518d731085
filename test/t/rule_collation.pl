# Conditions decide alike in databases that sort texts otherwise, and know letters otherwise: by the set-based query when a rule
# comes, by the compiled condition when an asset changes, and by the verifier.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rule_collation');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nclient_min_messages = warning");
$node->start;

my @conditions = (
	q{manufacturer < 'b'}, q{category > 'Z'}, q{serial_number BETWEEN 'a' AND 'z'}, q{attributes ->> 'hall' < 'b'},
	q{attributes ->> 'hall' < attributes ->> 'line'}, q{greatest(attributes ->> 'hall', category) = category},
	q{lower(manufacturer) = 'ärger'}, q{upper(attributes ->> 'hall') = 'Ä'}, q{manufacturer ILIKE 'Ä%'}, q{attributes ->> 'hall' ILIKE 'ä'},
	q{customer_id::text < '-'}, q{customer_id::text > attributes ->> 'line'}, q{(-asset_id)::text < (-customer_id)::text},
	q{contract_number > 'b'}, q{contract_number < tier_code}, q{tier_code < 'b' AND category < 'b'}, q{attributes ->> 'hall' IN ('Ä', 'a', 'B')},
	q{attributes ->> 'hall' <= ANY (ARRAY['a', 'B'])}, q{CASE WHEN model IS NULL THEN attributes ->> 'hall' ELSE model END < 'a'},
	q{coalesce(model, attributes ->> 'line') > 'ä'}, q{attributes ->> 'hall' || '-' < category || '_'},
	q{split_part(attributes ->> 'line', '-', 1) < 'b'}, q{maintenance_count('Ölwechsel', interval '100 years') > 0});
# What all rules say: names and the tags that they act on.
sub decided
{
	my ($database) = @_;
	my $run = sub { return $node->safe_psql($database, $_[0]) };
	my $effects = q{SELECT name, string_agg(a.asset_id::text, ' ' ORDER BY a.asset_id) FROM fleet.coverage_rule r
		LEFT JOIN (fleet.rule_effect e JOIN fleet.asset a USING (asset_id)) ON e.rule_id = r.rule_id AND e.during @> cec.today('fleet') GROUP BY 1 ORDER BY name::int};
	my ($asked, $touched);

	$run->(q{CREATE EXTENSION cec CASCADE; SELECT cec.create_portfolio('fleet')});
	$run->(q{INSERT INTO fleet.customer (customer_id, name) VALUES (1, 'Acme'), (10, 'Zeta'), (-10, 'Less');
		INSERT INTO fleet.service_tier (tier_id, code, name, rank) VALUES (1, 'able', 'Able', 1);
		INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'Best', 1, 'active', '(,)');
		INSERT INTO fleet.coverage_term (term_id, contract_id, number, tier_id, during) VALUES (1, 1, '1', 1, '(,)');
		INSERT INTO fleet.asset (asset_id, asset_tag, manufacturer, category, serial_number, model, customer_id, attributes)
		SELECT n, 'T-' || n, t, reverse(t), t, CASE WHEN n % 3 = 0 THEN t END, (ARRAY[1, 10, -10])[1 + n % 3], jsonb_build_object('hall', t, 'line', (ARRAY['a', 'B', 'ä-1', '-1', 'Z-z'])[1 + n % 5])
		FROM unnest(ARRAY['a', 'A', 'b', 'B', 'ä', 'Ä', 'Ärger', 'ärger', 'Z', 'z', 'z-1', 'z 1', 'z1', 'ß', 'ss', '_', '-']) WITH ORDINALITY AS s(t, n);
		INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'Ölwechsel', '2020-01-01'), (2, 'ölwechsel', '2020-01-01')});
	for my $i (0 .. $#conditions)
	{
		(my $text = $conditions[$i]) =~ s/'/''/g;
		$run->("INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES (1, '$i', 'include', '$text', '(,)', 'deny')");
	}
	$asked = $run->($effects);
	$run->(q{UPDATE fleet.asset SET manufacturer = manufacturer || '?', category = NULL, serial_number = NULL, attributes = '{}', model = NULL});
	$run->(q{UPDATE fleet.asset SET manufacturer = left(manufacturer, -1), category = reverse(left(manufacturer, -1)), serial_number = left(manufacturer, -1), model = CASE WHEN asset_id % 3 = 0 THEN left(manufacturer, -1) END,
		attributes = jsonb_build_object('hall', left(manufacturer, -1), 'line', (ARRAY['a', 'B', 'ä-1', '-1', 'Z-z'])[1 + asset_id % 5])});
	$touched = $run->($effects);
	is($touched, $asked, "$database: assets that change are judged as by the rule that came");
	is($run->('SELECT * FROM fleet.verify_coverage()'), '', "$database: verified");
	return $asked;
}
$node->safe_psql('postgres', "CREATE DATABASE bytes TEMPLATE template0");
$node->safe_psql('postgres', "CREATE DATABASE words TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'");
is($node->safe_psql('words', q{SELECT 'a' < 'B', lower('Ä')}), 't|ä', 'databases differ');
is($node->safe_psql('bytes', q{SELECT 'a' < 'B'}), 'f', 'in their order');
my $bytes = decided('bytes');
is(decided('words'), $bytes, 'rules decide alike');
cmp_ok(scalar(grep { /\|\d/ } split(/\n/, $bytes)), '>=', 15, 'and most of them match some assets');
note($bytes);
is($node->safe_psql('words', q{SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid CROSS JOIN LATERAL unnest(i.indcollation) k
	WHERE c.relnamespace = 'fleet'::regnamespace AND k NOT IN (0, 'pg_catalog."C"'::regcollation)}), '0', 'and no index depends on the locale');
$node->stop('immediate');
done_testing();
