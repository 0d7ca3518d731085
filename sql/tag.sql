-- Tags as bar codes, and check characters. test/real/tag.py holds them against what others print and read.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_stranger;

SELECT left(tag, 20), symbology, c.* FROM (VALUES
	('PUMP-1', 'code39'), ('pump-1', 'code39'), (' PUMP-1 ', 'code39'), (E' PUMP\t1', 'code39'), ('PUMP*1', 'code39'), ('Pumpe Süd', 'code39'), (repeat('A', 85), 'code39'), (repeat('A', 86), 'code39'), (repeat('A', 86) || '*', 'code39'),
	('Pump #1', 'code93'), (repeat('A', 107), 'code93'), (repeat('a', 53), 'code93'), (repeat('a', 54), 'code93'), (repeat('a', 53) || 'AB', 'code93'),
	(E'Pump\n1', 'code128'), ('Pump – 1', 'code128'), (repeat('a', 60), 'code128'), (repeat('a', 61), 'code128'), (repeat('12', 60), 'code128'), (repeat('12', 60) || '3', 'code128'), (repeat(E'a\001', 31), 'code128'),
	('80044012345X-1', 'gs1-128'), ('(8004)4012345X-1', 'gs1-128'), ('[8003]04012345678901', 'gs1-128'), ('4012345X-1', 'gs1-128'), ('8005', 'gs1-128'), ('8004', 'gs1-128'), ('80044', 'gs1-128'), ('8004A1', 'gs1-128'),
	('80044012345 X', 'gs1-128'), ('80044012345#X', 'gs1-128'), ('8004' || repeat('4', 30), 'gs1-128'), ('8004' || repeat('4', 31), 'gs1-128'),
	('800304012345678901', 'gs1-128'), ('800304012345678902', 'gs1-128'), ('80030401234567890X', 'gs1-128'), ('80031', 'gs1-128'), ('8003040123', 'gs1-128'), ('800304012345678901' || repeat('S', 16), 'gs1-128'),
	('800304012345678901' || repeat('S', 17), 'gs1-128'), ('(8004)', 'gs1-128'), ('(8004', 'gs1-128'),
	('泵', 'datamatrix'), ('~', 'datamatrix'), (repeat('x', 200), 'datamatrix'), (repeat('x', 201), 'qr'), ('', 'qr'), ('  ', 'qr'), (E'\177', 'qr')) AS v(tag, symbology), cec.check_tag(tag, symbology) AS c;
SELECT c.* FROM cec.check_tag(NULL, 'qr') AS c;
SELECT test.refused($$SELECT cec.check_tag('PUMP-1', 'rune')$$);
-- Longer than any tag.
SELECT place, message, normal_form FROM cec.check_tag(repeat('A', 10000000), 'qr');

-- Every symbology that a tag may have is one that can be checked.
SELECT word, is_scannable FROM cec.table_rule, unnest(allowed_words) AS word, cec.check_tag('800304012345678901', word) WHERE constraint_name = 'asset_tag_symbology_known';

SELECT scheme, value, cec.check_digit(scheme, value) FROM (VALUES ('gs1', '629104150021'), ('gs1', '0401234567890'), ('gs1', '0'), ('gs1', ''), ('gs1', '12A'), ('gs1', '١٢'),
	('mod37_36', 'A12425GABC1234002'), ('mod37_36', 'a1'), ('mod37_36', 'A-1'), ('mod37_36', ''),
	('eic', '10YDE-VE-------'), ('eic', '10X1001A1001A45'), ('eic', '11XRWENET12345-'), ('eic', '11XRWENET12345'), ('eic', '11xrwenet12345-'), ('eic', NULL)) AS v(scheme, value);
-- Where it would be a hyphen there is no such EIC.
SELECT count(*), count(cec.check_digit('eic', '11X' || lpad(n::text, 12, '0'))) FROM generate_series(1, 370) AS n;
SELECT test.refused($$SELECT cec.check_digit('iban', '1')$$);

\set include :source/sql/include/end.sql
\i :include
