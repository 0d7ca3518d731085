# The second verifier, which shares no code with the first, reads what the commands of docs/audit.md write: it computes the same
# roots, and names what was changed.
#
# CEC_ROWS has both verify that many rows too, beside those of the short form.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Cec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $top = "$FindBin::RealBin/../..";
my $node = new_cluster('verifier', 'fsync = off', 'max_wal_size = 4GB');
make_roles($node);
make_portfolio($node, 'book');

sub ask
{
	return $node->safe_psql($_[1] // 'book', $_[0]);
}

# Files as docs/audit.md has them written; by the auditor, who need not be more.
my ($commands) = slurp_file("$top/docs/audit.md") =~ /^```sh\npsql [^\n]*<<[^\n]*\n(.*?)^END\n```/ms;
ok($commands, 'docs/audit.md says how to write the files');

sub export
{
	my ($db) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir;
	my $script = $commands =~ s/\bplant\b/fleet/gr =~ s/TO '/TO '$folder\//gr;
	my ($out, $err) = ('', '');

	local $ENV{PGCLIENTENCODING} = 'UTF8';
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'andy', '-d', $node->connstr($db) ], '<', \$script, '>', \$out, '2>', \$err)
	  or BAIL_OUT("no files: $err");
	return $folder;
}

sub verifier
{
	my @arguments = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'python3', "$top/src/audit/verify_audit.py", @arguments ], '>', \$out, '2>', \$err);
	my $status = $? >> 8;

	unlike($err, qr/Traceback/, 'no traceback');
	return (qw(verified refused untried)[$status], $out . $err);
}

sub verified
{
	my ($what, $db, @digests) = @_;
	my $folder = export($db);
	my ($result, $out) = verifier($folder, @digests);
	my ($root) = $out =~ /^root ([0-9a-f]{64})$/m;

	is($result, 'verified', "$what: verified") or diag($out);
	is($root, ask('SELECT encode(root, \'hex\') FROM fleet.audit_block ORDER BY block_no DESC LIMIT 1', $db), "$what: the same root");
	is(ask('SELECT * FROM fleet.verify_audit(ARRAY[' . join(',', map { "'$_'" } @digests) . "]::text[]) WHERE kind <> 'ERASED'", $db), '', "$what: and the first verifier agrees");
	unlink "$folder/audit_leaf.copy" or die;
	is((verifier($folder, @digests))[0], 'verified', "$what: also without leaves");
	return $folder;
}

sub seal
{
	my ($db) = @_;

	ask('SELECT fleet.seal_audit()', $db);
	return ask('SELECT fleet.audit_digest()', $db);
}

# Blocks, odd characters, a rolled back part, columns that come and go, a long value, a row that is erased, one unsealed.
my @digests = (seal());
# So that there is room below for numbers of other clusters.
ask(q{SELECT setval(pg_get_serial_sequence('fleet.audit_log', 'audit_id'), 40000)});
ask(q{SET cec.reason = E'tab\t, line\n, return\r, back\\\\slash \\N and "quotes" {,}'; UPDATE fleet.asset SET model = E'a\tb\n\\\\.' WHERE asset_id < 20});
push @digests, seal();
ask(q{ALTER TABLE fleet.asset ADD COLUMN "odd ""name"", {with} \ all" text DEFAULT 'x'; ALTER TABLE fleet.customer ADD COLUMN note text;
	UPDATE fleet.customer SET note = '6' WHERE customer_id = 2; ALTER TABLE fleet.customer RENAME COLUMN note TO remark;
	UPDATE fleet.customer SET remark = '7', name = repeat('很长', 5000) WHERE customer_id = 1; ALTER TABLE fleet.customer ALTER COLUMN remark TYPE varchar(99)});
ask(q{BEGIN; UPDATE fleet.asset SET model = 'y' WHERE asset_id < 9; SAVEPOINT s; UPDATE fleet.asset SET model = 'z'; ROLLBACK TO s; UPDATE fleet.asset SET status = 'in_repair' WHERE asset_id = 9; COMMIT});
# A transaction older than those that were sealed before it, and than those that wrote before it.
my ($in, $said) = ("BEGIN; SELECT pg_current_xact_id();\n", '');
my $older = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('book') ], '<', \$in, '>', \$said);
$older->pump until $said =~ /\n/;
ask(q{UPDATE fleet.asset SET category = 'younger' WHERE asset_id < 5});
push @digests, seal();
ask(q{UPDATE fleet.asset SET category = 'youngest' WHERE asset_id < 5});
$in .= "UPDATE fleet.asset SET category = 'older' WHERE asset_id BETWEEN 10 AND 15; COMMIT;\n\\q\n";
$older->finish;
push @digests, seal();
ask(q{SET cec.reason = 'request 12'; SELECT fleet.erase_audit((SELECT min(audit_id) FROM fleet.audit_log WHERE table_name = 'field_observation'), 'request 12')});
push @digests, seal();
ask(q{UPDATE fleet.asset SET model = 'not sealed' WHERE asset_id = 1});
my $folder = verified('a log of 5 blocks', 'book', @digests);
like((verifier($folder, $digests[0]))[1], qr/^5 blocks, \d+ sealed rows, 1 not sealed yet, 1 erased, 1 digests$/m, 'it says how much was verified');
like((verifier($folder))[1], qr/^without a digest .* nothing is proved/m, 'and that without a digest nothing is');
append_to_file("$folder/digests", join "\n", @digests, '');
is((verifier($folder, "$folder/digests"))[0], 'verified', 'digests may be in a file');

# What cannot be tried is neither verified nor refused.
sub untried
{
	my ($what, $says, @arguments) = @_;
	my ($result, $out) = verifier(@arguments);

	is($result, 'untried', "$what: not tried");
	like($out, $says, "$what: it says why");
	return;
}

untried('half a digest', qr/^not a digest: cec-digest-1 fleet 1 1$/, $folder, 'cec-digest-1 fleet 1 1');
untried('a mistyped path', qr/^neither a digest nor a file of digests: \S+\/digest: No such file or directory$/, $folder, "$folder/digest");
untried('a folder of digests', qr/^neither a digest nor a file of digests: \S+: Is a directory$/, $folder, $folder);
untried('no folder', qr/^cannot read \S+portfolio\.copy: No such file or directory$/, "$folder/none");
untried('no arguments', qr/^Verifies the audit log of a portfolio/, ());
is((verifier($folder, map { s/ fleet / north /r } @digests))[0], 'refused', 'digests of another portfolio');
like((verifier($folder, $digests[2] =~ s/ fleet / north%20east /r))[1], qr/^RENAMED: the digest of block 3 is of portfolio north%20east, and this is fleet$/m, 'it says of which');
like(ask("SELECT kind, block_no, detail FROM fleet.verify_audit(ARRAY['" . ($digests[2] =~ s/ fleet / north /r) . "']) WHERE kind <> 'ERASED'"), qr/^RENAMED\|3\|The digest is of a portfolio named north, and this is fleet\.$/, 'so does the first verifier');
foreach my $file (qw(audit_log audit_block audit_erasure audit_schema))
{
	my $copy = PostgreSQL::Test::Utils::tempdir;

	system("cp $folder/*.copy $copy/ && rm $copy/$file.copy") == 0 or die;
	untried("no $file", qr/^cannot read \S+$file\.copy: No such file or directory$/, $copy, @digests);
	append_to_file("$copy/$file.copy", "one\ttwo\n");
	untried("something else as $file", qr/^\S+$file\.copy, line 1: not written as docs\/audit\.md has it$/, $copy, @digests);
}

# Another encoding, where bytes differ from those that the client sees.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
ask(q{SET client_min_messages = warning; CREATE EXTENSION cec CASCADE; SELECT cec.create_portfolio('fleet', 'fleet_owner'); SELECT cec.grant_access('fleet', 'andy', 'auditor');
	SET cec.actor = 'René'; INSERT INTO fleet.customer (name) VALUES ('Größe'); ALTER TABLE fleet.customer ADD COLUMN "Straße" text; INSERT INTO fleet.customer (name) VALUES ('ç')}, 'latin');
verified('LATIN1', 'latin', seal('latin'));

# With leaves, unlike the one above.
my $leaves;

# Changes in the files, as somebody might make them before handing them out, or in the tables before that.
sub changed
{
	my ($what, $file, $change, $says, $without_leaves) = @_;
	my $copy = PostgreSQL::Test::Utils::tempdir;

	system("cp $folder/*.copy $copy/") == 0 or die;
	system("cp $leaves/audit_leaf.copy $copy/") == 0 or die if !$without_leaves;
	my $text = slurp_file("$copy/$file.copy");
	my $before = $text;
	$change->() for $text;
	$text ne $before or die "$what: nothing changed";
	unlink "$copy/$file.copy";
	append_to_file("$copy/$file.copy", $text);
	my ($result, $out) = verifier($copy, @digests);
	is($result, 'refused', "$what: not verified") or diag($out);
	like($out, $says, "$what: it says so");
	return;
}

$leaves = export('book');
my $id = ask("SELECT min(audit_id) + 3 FROM fleet.audit_log");
changed('actor edited', 'audit_log', sub { s/^($id\t.*?)李雷/$1李四/m }, qr/^EDITED: row $id, sealed in block 1$/m);
changed('actor edited, no leaves', 'audit_log', sub { s/^($id\t.*?)李雷/$1李四/m }, qr/^the digest of block 1 .*: the \d+ rows sealed until then are not what they were$/m, 1);
changed('row removed', 'audit_log', sub { s/^$id\t.*\n//m }, qr/^MISSING: row $id, sealed in block 1$/m);
changed('row added', 'audit_log', sub { s/^$id(\t.*\n)/$id${1}900001$1/m }, qr/^EXTRA: row 900001 /m);
changed('salt longer', 'audit_log', sub { s/^($id\t.*\t\\\\x)(\w{32})\t\\\\x(\w\w)/$1$2$3\t\\\\x/m }, qr/^EDITED: row $id has no salt or image/m);
changed('image removed', 'audit_log', sub { s/^($id\t.*\t)\\\\x\w+(\t[^\t\n]*)$/$1\\N$2/m }, qr/^EDITED: row $id has no salt or image/m);
changed('time edited', 'audit_log', sub { s/^($id\t\d+\t-?\d+\t)20/${1}19/m }, qr/^EDITED: row $id,/m);
changed('tail cut off', 'audit_block', sub { s/^5\t.*\n//m }, qr/^TRUNCATED_TAIL: the digest of block 5/m, 1);
changed('a block removed', 'audit_block', sub { s/^2\t.*\n//m }, qr/^block 2 is gone/m);
changed('a root edited', 'audit_block', sub { s/^(2\t.*\\\\x)\w\w/${1}ff/m }, qr/^block 2: the \d+ rows/m);
changed('a column list edited', 'audit_schema', sub { s/asset_tag/asset_tug/ }, qr/^SCHEMA_CHANGED: .* of asset is not what it was$/m);
changed('a column list removed', 'audit_schema', sub { s/^.*\tcontract\t.*\n//m }, qr/^SCHEMA_CHANGED: .* is gone, and rows of the log need it$/m);
changed('an erasure edited', 'audit_erasure', sub { s/\\\\x\w\w/\\\\xff/ }, qr/^EDITED: row \d+, sealed in block 1$/m);
changed('an erasure removed', 'audit_erasure', sub { $_ = '' }, qr/^EDITED: row \d+ has no salt or image/m);
changed('an erasure that the log does not know', 'audit_erasure', sub { s/^\d+(\t.*)$/$&\n$id$1/ }, qr/^EXTRA: an erasure of row $id, which is not erased$/m);
changed('the ground of an erasure', 'audit_erasure', sub { s/request 12/order of the court/ }, qr/^EDITED: row \d+ was erased, and the log does not know of the erasure as it stands$/m);
changed('who erased', 'audit_erasure', sub { s/(\d\t)\w+(\t\w+\trequest)/$1nobody$2/ or s/(\+00\t)[^\t]+/$1nobody/ }, qr/^EDITED: row \d+ was erased, and the log does not know of the erasure as it stands$/m);
changed('when it was erased', 'audit_erasure', sub { s/\t20(\d\d-)/\t19$1/ }, qr/^EDITED: row \d+ was erased, and the log does not know of the erasure as it stands$/m);
# NULL where there is a value is no difference in form, but in what the engine wrote.
changed('an actor that is NULL', 'audit_log', sub { s/^($id\t\d+\t-?\d+\t[^\t]+\t)[^\t]+/$1\\N/m }, qr/^EDITED: row $id,|^EDITED: line \d+ of audit_log\.copy has NULL/m);
changed('a transaction that is NULL', 'audit_log', sub { s/^($id\t)\d+/$1\\N/m }, qr/^EDITED: line \d+ of audit_log\.copy has NULL where there was a value/m);
changed('a root that is NULL', 'audit_block', sub { s/^(2\t.*\t)\\\\x\w+(\t[^\t]*)$/$1\\N$2/m }, qr/^EDITED: line 2 of audit_block\.copy has NULL where there was a value/m);
changed('content that is NULL', 'audit_erasure', sub { s/\\\\x\w+/\\N/ }, qr/^EDITED: line 1 of audit_erasure\.copy has NULL/m);
changed('codes that are NULL', 'audit_schema', sub { s/\t[^\t]*$/\t\\N/m }, qr/^EDITED: line 1 of audit_schema\.copy has NULL/m);
changed('leaves that are NULL', 'audit_leaf', sub { s/\\\\x\w+/\\N/ }, qr/^EDITED: line 1 of audit_leaf\.copy has NULL/m);
my ($other) = map { s/ (\w{8})(\w{56}) / 00000000$2 /r } $digests[1];
my ($result, $out) = verifier($folder, $digests[0], $other);
is($result, 'refused', 'a digest of another log: not verified');
like($out, qr/^the digest of block 2 /m, 'a digest of another log: it says so');

# Restored into another cluster, the log goes on, and old digests still hold. Each cluster numbers its rows lower than the
# one before, and rows that were not sealed are carried along each time; at last the log comes back to where it began.
sub move_to
{
	my ($to, $db, $first_number) = @_;
	my $dump = PostgreSQL::Test::Utils::tempdir . '/book.dump';

	$node->run_log([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('book') ]);
	$node = $to;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	command_ok([ 'pg_restore', '-j4', '-d', $node->connstr($db), $dump ], 'restored into another cluster');
	verified("$db: restored", $db, @digests);
	ask("SELECT setval(pg_get_serial_sequence('fleet.audit_log', 'audit_id'), $first_number, false)", $db);
	return;
}

# As long as a transaction is open that began before the first seal, that seal is no place to go on from.
sub goes_on
{
	my ($db) = @_;
	my ($sql, $rows) = ("BEGIN; UPDATE fleet.asset SET model = 'open' WHERE asset_id = 30; SELECT 'written';\n", '');
	my $open = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db) ], '<', \$sql, '>', \$rows);

	$open->pump until $rows =~ /written/;
	ask(q{UPDATE fleet.asset SET model = model || '.' WHERE asset_id < 5}, $db);
	push @digests, seal($db);
	$sql .= "COMMIT;\n\\q\n";
	$open->finish;
	push @digests, seal($db);
	ask(q{UPDATE fleet.asset SET model = model || '.' WHERE asset_id < 5}, $db);
	push @digests, seal($db);
	is(ask('SELECT count(*) FROM fleet.audit_log WHERE audit_id NOT IN (SELECT unnest(audit_ids) FROM fleet.audit_leaf)', $db), '0', "$db: all is sealed");
	verified("$db: sealed again", $db, @digests);
	is(ask('SELECT count(*) FROM fleet.audit_log WHERE NOT cec.verify_audit_proof(fleet.audit_proof(audit_id))', $db), '0', "$db: every row has its proof");
	is(ask("SELECT kind FROM fleet.verify_replay() WHERE kind NOT IN ('ERASED', 'SCHEMA_CHANGED')", $db), '', "$db: the tables agree with the log");
	ask(q{UPDATE fleet.asset SET model = model || '!' WHERE asset_id BETWEEN 6 AND 9}, $db);
	return;
}

my $first = $node;
my $second = new_cluster('restored', 'fsync = off', 'max_wal_size = 4GB');
make_roles($second);
move_to($second, 'book', 20000);
goes_on('book');
is(ask('SELECT count(DISTINCT system_id) FROM fleet.audit_log'), '2', 'rows of both clusters are in the log');
$first->safe_psql('postgres', 'ALTER DATABASE book RENAME TO old');
move_to($first, 'book', 10000);
goes_on('book');
move_to($second, 'again', 5000) if $second->safe_psql('postgres', 'ALTER DATABASE book RENAME TO old') eq '';
goes_on('again');
is(ask('SELECT count(*), count(DISTINCT system_id) FROM fleet.audit_block WHERE carried IS NOT NULL', 'again'), '4|2', 'four times a block closed what was carried along');
# What says that it came from elsewhere, and was not carried along.
ask('ALTER TABLE fleet.audit_log DISABLE TRIGGER USER; UPDATE fleet.audit_log SET audit_id = 90000 WHERE audit_id = (SELECT max(audit_id) FROM fleet.audit_log WHERE system_id <> (SELECT system_id FROM fleet.audit_block ORDER BY block_no DESC LIMIT 1))', 'again');
like(ask("SELECT kind, audit_id FROM fleet.verify_audit() WHERE kind NOT IN ('ERASED', 'TRIGGER_DISABLED')", 'again'), qr/^REORDERED\|\d+$/, 'a row of another cluster under another number');
$first->stop('immediate');

if (my $rows = $ENV{CEC_ROWS})
{
	$node->safe_psql('postgres', 'CREATE DATABASE large');
	ask(qq{SET client_min_messages = warning; CREATE EXTENSION cec CASCADE; SELECT cec.create_portfolio('fleet', 'fleet_owner'); SELECT cec.grant_access('fleet', 'andy', 'auditor');
		INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, country) SELECT 'T-' || n, n, 'm', 'x', 'DE' FROM generate_series(1, $rows) AS n}, 'large');
	my $digest = seal('large');
	my $start = time;
	ask("SELECT count(*) FROM fleet.verify_audit(ARRAY['$digest'])", 'large');
	my $verified = time - $start;
	$start = time;
	verified("$rows rows", 'large', $digest);
	diag(sprintf '%d rows: verify_audit %.1f s; files, verify_audit and the second verifier twice %.1f s', $rows, $verified, time - $start);
}
$node->stop('fast');
done_testing();
