# Random tampering with the log by somebody who owns the server: every one in sealed rows is found with a digest that was
# kept outside, and its kind is right. Prints a table: kind, how many, found without and with digests, kind right.
#
# CEC_SEED repeats a run; CEC_TAMPERINGS says how many (default 264).
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use IPC::Run;
use List::Util qw(shuffle sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CEC_SEED} // int(rand(1_000_000));
my $tamperings = $ENV{CEC_TAMPERINGS} // 264;
srand($seed);
diag("seed $seed");

my $node = new_cluster('tamper', 'fsync = off');
make_roles($node);
make_portfolio($node, 'book');

sub ask
{
	return $node->safe_psql('book', $_[0]);
}

ask(slurp_file("$FindBin::RealBin/tamper.sql"));
my $digest_sql = 'SELECT fleet.audit_digest()';

sub seal
{
	ask('SELECT fleet.seal_audit()');
	return ask($digest_sql);
}

# Blocks of many sizes; the digests that are kept outside are of one in the middle and of the last.
my @digests = (seal());
# One row is erased, as it ought to be; this, and what records it, is left alone where others are tampered with.
my $erased = ask("SELECT min(audit_id) FROM fleet.audit_log WHERE table_name = 'field_observation'");
ask("SELECT fleet.erase_audit($erased, 'request 12')");
my $record = ask("SELECT audit_id FROM fleet.audit_log WHERE table_name = 'audit_erasure'");
foreach my $n (1 .. 9)
{
	ask("UPDATE fleet.asset SET model = 'M$n' WHERE asset_id IN (SELECT asset_id FROM fleet.asset ORDER BY random() LIMIT " . (1 + int rand 40) . ')');
	ask("INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'PUMP-" . (200 + $n) . "', '[2026-03-01,)')");
	ask("UPDATE fleet.inclusion SET during = daterange(lower(during) + 1, upper(during)) WHERE inclusion_id IN (SELECT inclusion_id FROM fleet.inclusion WHERE effect = 'include' AND listed_as LIKE 'PUMP-2%' ORDER BY inclusion_id DESC LIMIT $n)");
	push @digests, seal();
	$node->run_log([ 'createdb', '-h', $node->host, '-p', $node->port, '-T', 'book', 'other' ]) if $n == 5;
}
# Another log with the same beginning.
foreach my $n (1 .. 3)
{
	$node->safe_psql('other', "UPDATE fleet.customer SET name = 'other $n'; SELECT fleet.seal_audit()");
}
my $other_digest = $node->safe_psql('other', $digest_sql);
my @kept = @digests[ 4, -1 ];
ask("UPDATE fleet.asset SET model = 'unsealed' WHERE asset_id < 6");

my %sealed = map { split /\|/ } split /\n/, ask('SELECT a, block_no FROM fleet.audit_leaf, unnest(audit_ids) AS a');
my @sealed = grep { $_ != $erased && $_ != $record } sort { $a <=> $b } keys %sealed;
my @unsealed = split /\n/, ask("SELECT audit_id FROM fleet.audit_log WHERE audit_id NOT IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf)");
my @sealed_deltas = grep { $sealed{$_} && $_ != $erased && $_ != $record } split /\n/, ask('SELECT audit_id FROM fleet.audit_log WHERE delta IS NOT NULL');
my $blocks = @digests;
my $kept = join ',', map { "'$_'" } @kept;
note(scalar(@sealed), " sealed rows in $blocks blocks, ", scalar(@unsealed), ' unsealed');
is(ask("SELECT kind, audit_id FROM fleet.verify_audit(ARRAY[$kept])"), "ERASED|$erased", 'nothing is wrong before, and one row erased');
is(ask('SELECT tamper.off(); SELECT tamper.recompute(); SELECT tamper.on(); SELECT kind, audit_id FROM fleet.verify_audit(ARRAY[' . $kept . '])') =~ s/^\n+//r,
	"ERASED|$erased", 'evidence that is computed afresh of an untouched log is the same');
is(ask("SELECT kind FROM fleet.verify_replay() WHERE kind <> 'ERASED'"), '', 'nor do the tables differ from the log');
is(ask('SELECT * FROM fleet.verify_history()'), '', 'nor was cover ever other than it says');

sub one_of
{
	return $_[ int rand @_ ];
}

# Two rows of which something differs.
sub two_of
{
	my @two = (shuffle(@_))[ 0, 1 ];

	return @two;
}

sub flip
{
	my ($column) = @_;

	return "$column = tamper.flip($column, " . int(rand 200) . ')';
}

my @header = (
	"actor = actor || 'x'", "actor = 'nobody'", "session_user_name = 'maria'", "at = at + interval '1 microsecond'", "at = at - interval '1 day'",
	"reason = coalesce(reason || ' ', 'r')", "application_name = NULL", "client_addr = '10.0.0.1'", "table_name = table_name || '_'", "operation = CASE operation WHEN 'UPDATE' THEN 'DELETE' ELSE 'UPDATE' END",
	"row_id = row_id + 1", "asset_id = coalesce(asset_id, 0) + 1", "term_id = coalesce(term_id, 0) + 1", "contract_id = coalesce(contract_id, 0) + 1", "system_id = system_id + 1");
my @block_columns = (flip('root'), flip('frontier'), 'root = (SELECT root FROM fleet.audit_block WHERE block_no = 1)', 'tree_size = tree_size + 1', 'tree_size = tree_size - 1', 'row_count = row_count + 1');

# What somebody may do, as SQL; and what verify_audit must say of it: patterns for lines kind|audit_id|block_no|table_name,
# of which each must be met. No line may blame another row than those in "of".
my %how = (
	'tail cut' => sub {
		my $last = 2 + int rand($blocks - 2);
		return { sql => "DELETE FROM fleet.audit_log WHERE audit_id IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf WHERE block_no > $last);
			DELETE FROM fleet.audit_log WHERE audit_id NOT IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf);
			DELETE FROM fleet.audit_leaf WHERE block_no > $last; DELETE FROM fleet.audit_block WHERE block_no > $last;
			DELETE FROM fleet.audit_node WHERE (position + 1) * (1::bigint << level) > (SELECT max(tree_size) FROM fleet.audit_block);",
			says => [qr/^TRUNCATED_TAIL/] };
	},
	'all cut' => sub {
		return { sql => 'DELETE FROM fleet.audit_log; DELETE FROM fleet.audit_leaf; DELETE FROM fleet.audit_block; DELETE FROM fleet.audit_node;
			DELETE FROM fleet.audit_erasure;', says => [qr/^TRUNCATED_TAIL/] };
	},
	'edit and recompute' => sub {
		my $id = one_of(@sealed);
		# Values alone: another column list would show.
		my $values = 'row_image = substring(row_image FOR 17) || tamper.flip(substring(row_image FROM 18), ' . int(rand 200) . ')';
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of($values, flip('salt'), @header[ 0 .. 13 ]) . " WHERE audit_id = $id; SELECT tamper.recompute();", says => [qr/^FORK/] };
	},
	'delete and recompute' => sub {
		my $id = one_of(@sealed);
		return { sql => "DELETE FROM fleet.audit_log WHERE audit_id = $id; SELECT tamper.recompute();", says => [qr/^(FORK|TRUNCATED_TAIL)/] };
	},
	'insert and recompute' => sub {
		my $like = one_of(one_of(@sealed), $sealed[-1]);
		return { sql => "INSERT INTO fleet.audit_log (xid, system_id, at, actor, session_user_name, reason, table_name, operation, row_id, salt, row_image)
			SELECT xid, system_id, at, actor, session_user_name, reason, table_name, operation, row_id, salt, row_image FROM fleet.audit_log WHERE audit_id = $like;
			SELECT tamper.recompute();", says => [qr/^FORK/] };
	},
	'image edited' => sub {
		my $id = one_of(@sealed);
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of(flip('row_image'), flip('row_image'), "row_image = row_image || '\\x00'", 'row_image = NULL') . " WHERE audit_id = $id;",
			says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	'salt edited' => sub {
		my $id = one_of(@sealed);
		return { sql => 'UPDATE fleet.audit_log SET '
			. one_of(flip('salt'), flip('salt'), "salt = NULL", "salt = substring(salt FOR 15), row_image = substring(salt FROM 16) || row_image") . " WHERE audit_id = $id;",
			says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	'header edited' => sub {
		my $id = one_of(@sealed);
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of(@header) . " WHERE audit_id = $id;", says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	'delta edited' => sub {
		my $id = one_of(@sealed_deltas);
		my $none = one_of(@sealed);
		return one_of(0, 1, 2) ? { sql => 'UPDATE fleet.audit_log SET ' . one_of(flip('delta'), "delta = NULL", "delta = delta || '\\x00'") . " WHERE audit_id = $id;", says => [qr/^EDITED\|$id\|/], of => [$id] }
		  : { sql => "UPDATE fleet.audit_log SET delta = CASE WHEN delta IS NULL THEN '\\x010000'::bytea END WHERE audit_id = $none;", says => [qr/^EDITED\|$none\|/], of => [$none] };
	},
	'delta dropped' => sub {
		my $id = one_of(@sealed_deltas);
		return { sql => "UPDATE fleet.audit_log SET delta = NULL WHERE audit_id = $id;", history => 1, says => [qr/^(EXTRA|LOST)\|/] };
	},
	'cover rewritten' => sub {
		my ($table, $how) = @{ one_of([ 'coverage', "recorded_at = recorded_at - interval '40 days'" ], [ 'coverage', "during = daterange(lower(during) - 9, upper(during))" ],
			[ 'coverage_history', "recorded = tstzrange(lower(recorded) - interval '1 day', upper(recorded))" ], [ 'coverage_history', undef ], [ 'coverage', undef ]) };
		my $key = "ctid = (SELECT ctid FROM fleet.$table ORDER BY random() LIMIT 1)";
		return { sql => "ALTER TABLE fleet.$table DISABLE TRIGGER USER;" . ($how ? "UPDATE fleet.$table SET $how WHERE $key;" : "DELETE FROM fleet.$table WHERE $key;"), history => 1,
			says => [qr/^(EDITED|MISSING)\|$table\|/] };
	},
	'transaction edited' => sub {
		my $id = one_of(@sealed);
		return { sql => "UPDATE fleet.audit_log SET xid = (SELECT l.xid FROM fleet.audit_log l WHERE l.xid <> audit_log.xid ORDER BY random() LIMIT 1) WHERE audit_id = $id;",
			says => [qr/^(EDITED|REORDERED)\|$id\|/], of => [$id] };
	},
	'row deleted' => sub {
		my $id = one_of(@sealed);
		return { sql => "DELETE FROM fleet.audit_log WHERE audit_id = $id;", says => [qr/^MISSING\|$id\|/], of => [$id] };
	},
	'rows deleted' => sub {
		my @ids = two_of(@sealed);
		return { sql => 'DELETE FROM fleet.audit_log WHERE audit_id IN (' . join(',', @ids) . ');', says => [ map { qr/^MISSING\|$_\|/ } @ids ], of => \@ids };
	},
	'row inserted' => sub {
		my $like = one_of(@sealed);
		return { sql => "INSERT INTO fleet.audit_log (audit_id, xid, system_id, at, actor, session_user_name, table_name, operation, row_id, salt, row_image)
			SELECT 900001, xid, system_id, at, actor, session_user_name, table_name, operation, row_id, salt, row_image FROM fleet.audit_log WHERE audit_id = $like;",
			says => [qr/^EXTRA\|900001\|/], of => [900001] };
	},
	'images swapped' => sub {
		my @ids = two_of(@sealed);
		return { sql => "UPDATE fleet.audit_log l SET salt = o.salt, row_image = o.row_image FROM fleet.audit_log o
			WHERE l.audit_id IN ($ids[0], $ids[1]) AND o.audit_id = $ids[0] + $ids[1] - l.audit_id;", says => [ map { qr/^EDITED\|$_\|/ } @ids ], of => \@ids };
	},
	'numbers swapped' => sub {
		my @ids = two_of(@sealed);
		return { sql => "UPDATE fleet.audit_log SET audit_id = -$ids[0] WHERE audit_id = $ids[0]; UPDATE fleet.audit_log SET audit_id = $ids[0] WHERE audit_id = $ids[1];
			UPDATE fleet.audit_log SET audit_id = $ids[1] WHERE audit_id = -$ids[0];", says => [ map { qr/^REORDERED\|$_\|/ } @ids ], of => \@ids };
	},
	'number edited' => sub {
		my $id = one_of(@sealed);
		return { sql => "UPDATE fleet.audit_log SET audit_id = 900001 WHERE audit_id = $id;", says => [qr/^(MISSING|REORDERED)\|($id|900001)\|/], of => [ $id, 900001 ] };
	},
	'block edited' => sub {
		my $block = 1 + int rand $blocks;
		return { sql => 'UPDATE fleet.audit_block SET ' . one_of(@block_columns[ $block == 1 ? (0, 1, 3 .. 5) : (0 .. 5) ]) . " WHERE block_no = $block;", says => [qr/^EDITED\|\|$block\|audit_block/] };
	},
	'snapshot edited' => sub {
		my $block = 1 + int rand($blocks - 1);
		return { sql => one_of("UPDATE fleet.audit_block SET snapshot = (SELECT snapshot FROM fleet.audit_block WHERE block_no = $block + 1) WHERE block_no = $block;",
			"UPDATE fleet.audit_block b SET snapshot = format('%1\$s:%2\$s:%1\$s', xid, pg_snapshot_xmax(b.snapshot))::pg_snapshot
				FROM (SELECT min(xid) AS xid FROM fleet.audit_log WHERE audit_id IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf WHERE block_no = $block)) AS x WHERE block_no = $block;"),
			says => [qr/^(EDITED|REORDERED)\|[^|]*\|\d*\|audit_(block|log)/], any => 1 };
	},
	'block removed' => sub {
		my $block = 1 + int rand $blocks;
		return { sql => "DELETE FROM fleet.audit_block WHERE block_no = $block;" . one_of('', "DELETE FROM fleet.audit_leaf WHERE block_no = $block;"), says => [qr/^MISSING\|\|$block\|audit_block|^TRUNCATED_TAIL/],
			any => 1 };
	},
	'column list edited' => sub {
		my $which = "schema_hash = (SELECT substring(row_image FROM 2 FOR 16) FROM fleet.audit_log WHERE octet_length(row_image) > 17 ORDER BY abs(audit_id - " . one_of(@sealed) . ') LIMIT 1)';
		return { sql => one_of("UPDATE fleet.audit_schema SET column_names = column_names[2:] || column_names[1] WHERE $which;", "UPDATE fleet.audit_schema SET column_codes[1] = 'text' WHERE $which;",
			"UPDATE fleet.audit_schema SET table_name = 'asset_' WHERE $which;", "DELETE FROM fleet.audit_schema WHERE $which;"), says => [qr/^SCHEMA_CHANGED/], any => 1 };
	},
	'leaves edited' => sub {
		my $leaf = 'first_leaf = (SELECT first_leaf FROM fleet.audit_leaf ORDER BY random() LIMIT 1)';
		return { sql => one_of("UPDATE fleet.audit_leaf SET " . flip('leaf_hashes') . " WHERE $leaf;", "DELETE FROM fleet.audit_leaf WHERE $leaf;",
			"UPDATE fleet.audit_leaf SET audit_ids[1] = 900001 WHERE $leaf;"), says => [qr/^(EDITED|MISSING)\|[^|]*\|\d*\|audit_leaf/], any => 1 };
	},
	'subtree edited' => sub {
		my $node = 'level = 8 AND position = ' . int rand 2;
		return { sql => one_of('UPDATE fleet.audit_node SET ' . flip('hash') . " WHERE $node;", "DELETE FROM fleet.audit_node WHERE $node;"), says => [qr/^(EDITED|MISSING)\|\|\d*\|audit_node/] };
	},
	'erasure forged' => sub {
		my $id = one_of(@sealed);
		return { sql => "INSERT INTO fleet.audit_erasure (audit_id, content, erased_at, erased_by, session_user_name, ground)
				SELECT audit_id, sha256(salt || row_image), now(), 'dpo', 'dpo', 'request 7' FROM fleet.audit_log WHERE audit_id = $id;
			UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = $id;",
			says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	# As somebody might who lets the engine record it, so that the log knows of an erasure, if not of this one.
	'erasure of another' => sub {
		my $id = one_of(@sealed);
		my ($who, $session, $when) = @{ one_of([ "'dpo'", 'session_user', 'now()' ], [ 'session_user', "'dpo'", 'now()' ], [ 'session_user', 'session_user', "now() - interval '1 month'" ]) };
		return { sql => "ALTER TABLE fleet.audit_erasure ENABLE ALWAYS TRIGGER cec_insert; INSERT INTO fleet.audit_erasure (audit_id, content, erased_at, erased_by, session_user_name, ground)
				SELECT audit_id, sha256(salt || row_image), $when, $who, $session, 'request 7' FROM fleet.audit_log WHERE audit_id = $id;
			UPDATE fleet.audit_log SET salt = NULL, row_image = NULL WHERE audit_id = $id;",
			says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	'erasure edited' => sub {
		return { sql => 'UPDATE fleet.audit_erasure SET ' . one_of("ground = 'order of the court'", "erased_by = 'nobody'", "session_user_name = 'nobody'", "erased_at = erased_at - interval '1 minute'", flip('content'))
				. " WHERE audit_id = $erased;", says => [qr/^EDITED\|$erased\|/], of => [$erased] };
	},
	'erasure of a living row' => sub {
		my $id = one_of(@sealed, @unsealed);
		return { sql => one_of('', 'ALTER TABLE fleet.audit_erasure ENABLE ALWAYS TRIGGER cec_insert;') . "INSERT INTO fleet.audit_erasure (audit_id, content, erased_at, erased_by, session_user_name, ground)
				SELECT audit_id, sha256(salt || row_image), now(), session_user, session_user, 'request 7' FROM fleet.audit_log WHERE audit_id = $id;",
			says => [qr/^EXTRA\|$id\|\|audit_erasure/], of => [$id] };
	},
	'row that no seal takes' => sub {
		my $like = one_of(@sealed, @unsealed);
		my $id = one_of(900001, -5);
		my ($xid, $cluster, $at) = @{ one_of([ 'pg_current_xact_id()', 77, 'at' ], [ 'xid', 'system_id # 1', 'at' ], [ "'18446744073709551615'", 'system_id', 'at' ],
			[ "(pg_current_xact_id()::text::bigint + " . (1 + int rand 100000) . ")::text::xid8", 'system_id', 'at' ], [ 'pg_current_xact_id()', 'system_id', "'2300-01-01'" ], [ 'pg_current_xact_id()', 'system_id', "'infinity'" ]) };
		return { sql => "INSERT INTO fleet.audit_log (audit_id, xid, system_id, at, actor, session_user_name, table_name, operation, row_id, salt, row_image)
			SELECT $id, $xid, $cluster, $at, actor, session_user_name, table_name, operation, row_id, coalesce(salt, sha256('')), coalesce(row_image, '') FROM fleet.audit_log WHERE audit_id = $like;",
			says => [qr/^EXTRA\|$id\|/], of => [$id] };
	},
	'unsealed row out of reach' => sub {
		my $id = one_of(@unsealed);
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of('system_id = 77', "xid = '18446744073709551610'", "at = '2300-01-01'") . " WHERE audit_id = $id;", says => [qr/^EXTRA\|$id\|/], of => [$id] };
	},
	'unsealed row emptied' => sub {
		my $id = one_of(@unsealed);
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of('salt = NULL, row_image = NULL', 'row_image = NULL', 'salt = substr(salt, 2)') . " WHERE audit_id = $id;", says => [qr/^EDITED\|$id\|/], of => [$id] };
	},
	'trigger made again' => sub {
		my ($table, $trigger, $old, $new) = @{ one_of([ 'asset', 'cec_update', 'FOR EACH STATEMENT', '\\& WHEN (false)' ], [ 'asset', 'cec_update', "'asset'", "'customer'" ], [ 'asset', 'cec_update', 'REFERENCING .* new_rows', '' ],
			[ 'asset', 'cec_update', 'AFTER UPDATE ON (.*) REFERENCING .* new_rows', 'AFTER UPDATE OF asset_id ON \\1' ], [ 'inclusion', 'cec_insert', 'AFTER INSERT', 'AFTER UPDATE' ], [ 'inclusion', 'cec_insert', 'record_change.*', 'refuse_truncate()' ],
			[ 'inclusion', 'cec_gate_insert', "'data'", "'definition'" ], [ 'inclusion', 'resolve_listed_as_anew', 'IS NULL', '= 0' ], [ 'setting', 'keep', 'FOR EACH ROW', '\\& WHEN (false)' ], [ 'asset', 'keep_listed', 'FOR EACH ROW', '\\& WHEN (false)' ],
			[ 'asset', 'keep_listed', 'TRIGGER keep_listed BEFORE', 'CONSTRAINT TRIGGER keep_listed AFTER' ],
			[ 'audit_log', 'append_only', 'FOR EACH STATEMENT', '\\& WHEN (false)' ], [ 'audit_log', 'append_only', 'DELETE OR UPDATE OR TRUNCATE', 'TRUNCATE' ], [ 'audit_block', 'append_only', 'UPDATE', 'UPDATE OF root' ], [ 'audit_erasure', 'append_only', 'FOR EACH STATEMENT', '\\& WHEN (false)' ],
			[ 'coverage', 'derived', 'FOR EACH STATEMENT', '\\& WHEN (false)' ], [ 'rule_effect', 'derived', 'DELETE OR ', '' ]) };
		return { sql => '', after => "SELECT tamper.make_again('$table', '$trigger', \$t\$$old\$t\$, \$t\$$new\$t\$);", says => [qr/^TRIGGER_DISABLED\|\|\|$table$/] };
	},
	'what waits' => sub {
		my $table = one_of('coverage', 'coverage_history', 'rule_effect', 'audit_log', 'audit_leaf', 'finding', 'outbox');
		return { sql => '', after => "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON fleet.$table DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tamper.nothing();", says => [qr/^TRIGGER_DISABLED\|\|\|$table$/] };
	},
	'settings deleted' => sub {
		return { sql => 'ALTER TABLE fleet.setting DISABLE TRIGGER USER; DELETE FROM fleet.setting;', says => [qr/^MISSING\|\|\|setting$/] };
	},
	'another log' => sub {
		return { sql => 'SELECT 1;', digest => $other_digest, says => [qr/^FORK/] };
	},
	'trigger disabled' => sub {
		my ($table, $trigger) = @{ one_of([ 'asset', 'cec_update' ], [ 'inclusion', 'cec_insert' ], [ 'contract', 'cec_delete' ], [ 'audit_log', 'append_only' ], [ 'inclusion', 'cec_gate_insert' ]) };
		return { sql => '', after => "ALTER TABLE fleet.$table " . one_of("DISABLE TRIGGER $trigger;", "ENABLE TRIGGER $trigger;", "ENABLE REPLICA TRIGGER $trigger;") . one_of('', "DROP TRIGGER $trigger ON fleet.$table;"),
			says => [qr/^TRIGGER_DISABLED\|\|\|$table/] };
	},
	'changed past triggers' => sub {
		my $id = 1 + int rand 200;
		return { sql => 'ALTER TABLE fleet.asset DISABLE TRIGGER USER;' . one_of("UPDATE fleet.asset SET region = 'DE-HE' WHERE asset_id = $id;", "UPDATE fleet.asset SET asset_tag = asset_tag || '-' WHERE asset_id = $id;"), replay => 1, says => [qr/^EDITED\|asset\|$id\|/] };
	},
	# The one that nothing can tell: of an unsealed row nobody knows what it was.
	'unsealed row edited' => sub {
		my $id = one_of(@unsealed);
		return { sql => 'UPDATE fleet.audit_log SET ' . one_of(@header[ 0 .. 13 ]) . " WHERE audit_id = $id;", unseen => 1 };
	},
);

# All of them in one session, each undone.
my @kinds = sort keys %how;
my @tried = map { my $kind = $kinds[ $_ % @kinds ]; { kind => $kind, %{ $how{$kind}->() } } } 0 .. $tamperings - 1;
my $script = '';
my $line = q{concat_ws('|', kind, coalesce(audit_id::text, ''), coalesce(block_no::text, ''), coalesce(table_name, ''))};
my $history_line = q{concat_ws('|', kind, table_name, coalesce(asset_id::text, ''), coalesce(term_id::text, ''))};
my $replay_line = q{concat_ws('|', kind, table_name, coalesce(row_id::text, ''), coalesce(column_name, ''))};
foreach my $try (@tried)
{
	my $digests = $try->{digest} ? "'$try->{digest}'" : $kept;
	my @ask = $try->{history} ? ("SELECT $history_line FROM fleet.verify_history()") x 2
	  : $try->{replay} ? ("SELECT $replay_line FROM fleet.verify_replay() WHERE kind <> 'ERASED'") x 2
	  : map { "SELECT $line FROM fleet.verify_audit($_) WHERE kind NOT IN ('ERASED', 'UNSEALED_TOO_OLD')" } '', "ARRAY[$digests]";
	$script .= "BEGIN;\n\\o /dev/null\nSELECT tamper.off();\n$try->{sql}\nSELECT tamper.on();" . ($try->{after} // '')
	  . "\n\\o\n\\echo without\n$ask[0];\n\\echo with\n$ask[1];\n\\echo end\nROLLBACK;\n";
}
my $file = PostgreSQL::Test::Utils::tempdir . '/tamper.sql';
append_to_file($file, $script);
my ($out, $err) = ('', '');
ok(IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('book'), '-f', $file ], '>', \$out, '2>', \$err), 'all tamperings could be done, and verified')
  or diag($err);

my %count;
foreach my $answer (split /^end\n/m, $out)
{
	my $try = shift @tried;
	my ($without, $with) = $answer =~ /^without\n(.*?)with\n(.*)/s;
	my %of = map { $_ => 1 } @{ $try->{of} // [] };
	my @blamed = $try->{replay} || $try->{history} || $try->{any} ? () : grep { $_ ne '' && !$of{$_} } map { (split /\|/)[1] // '' } split /\n/, $with;
	my $right = !@blamed;
	my $count = $count{ $try->{kind} } //= { tried => 0, without => 0, with => 0, right => 0, unseen => $try->{unseen} };

	foreach my $pattern (@{ $try->{says} // [] })
	{
		$right &&= grep { $_ =~ $pattern } split /\n/, $with;
	}
	$count->{tried}++;
	$count->{without} += $without ne '';
	$count->{with} += $with ne '';
	$count->{right} += $right && $with ne '';
	diag("$try->{kind}: $try->{sql}\nfound: $with") if $with eq '' && !$try->{unseen} || $with ne '' && !$right;
}

diag(sprintf '%-24s %6s %8s %8s %6s', 'tampering', 'tried', 'without', 'found', 'right');
diag(sprintf '%-24s %6d %8d %8d %6d', $_, @{ $count{$_} }{qw(tried without with right)}) foreach @kinds;
my @seen = grep { !$count{$_}{unseen} } @kinds;
my ($tried, $found, $right) = map { my $what = $_; sum map { $count{$_}{$what} } @seen } qw(tried with right);
diag("$tried tamperings with what was sealed or recorded: $found found, kind right in $right");
is($found, $tried, 'all of them are found');
cmp_ok($right, '>=', 0.95 * $tried, 'their kind is right in 95 %');
is($count{'unsealed row edited'}{with}, 0, 'an edited row that is not sealed is not: as documented');
is($count{$_}{without}, 0, "$_: not found without a digest, as documented") foreach 'tail cut', 'all cut', 'edit and recompute', 'delete and recompute', 'insert and recompute';

is(ask("SELECT kind, audit_id FROM fleet.verify_audit(ARRAY[$kept])"), "ERASED|$erased", 'nothing is wrong after');
$node->stop('fast');
done_testing();
