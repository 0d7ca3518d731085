-- What scanners send, and what is printed.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(24);
SELECT cec.create_portfolio('fleet') \g /dev/null
INSERT INTO fleet.asset (asset_id, asset_tag, tag_symbology, serial_number) VALUES
	(1, 'P-0001', 'code128', '88-17'), (2, '80046291041500213S1', 'gs1-128', NULL), (3, '800306291041500213A7', 'gs1-128', 'SN21'), (4, 'BOX', 'qr', '88-18'),
	(5, E'W\u00F6rn', 'code128', '88-17'), (6, ']C1X', 'datamatrix', NULL), (7, 'eq 0o1', 'code39', NULL);
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (4, 'giai', '4000001BOX', '(,)'), (1, 'former_tag', 'OLD', '(,2001-01-01)');
CREATE FUNCTION pg_temp.scan(sent text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(string_agg(asset_id || ' ' || scheme, ', ' ORDER BY asset_id), 'none') FROM fleet.find_asset_scanned(sent) $$;
SELECT is(pg_temp.scan(sent), due, format('%s', to_json(sent)))
FROM (VALUES ('P-0001', '1 asset_tag'), (']C0P-0001', '1 asset_tag'), (']A0P-0001', '1 asset_tag'), (E'P-0001\r\n', '1 asset_tag'), (']Q1BOX', '4 asset_tag'), (']d1BOX', '4 asset_tag'),
	(']C180046291041500213S1', '2 asset_tag'), (E']d2\u001D80046291041500213S1', '2 asset_tag'), (E']Q380046291041500213S1\u001D1726010121X', '2 asset_tag'),
	(E'\u001D80046291041500213S1', '2 asset_tag'), ('(8004)6291041500213S1', '2 asset_tag'), (E']C1800306291041500213A7\u001D', '3 asset_tag'),
	(']C180044000001BOX', '4 giai'), (E']d2010629104150021321SN21', '3 serial_number'), (E']Q321SN21\u001D80049999', '3 serial_number'),
	(']d22188-17', '1 serial_number, 5 serial_number'), (']C1X', '6 asset_tag'), ('21SN21', 'none'), ('OLD', 'none'), ('EQ-001', '7 asset_tag'), (']C1', 'none'), ('', 'none')) AS v(sent, due);
SELECT is_empty('SELECT * FROM fleet.find_asset_scanned(NULL)', 'nothing was scanned');
SELECT set_eq('SELECT asset_id, symbology, content, is_scannable, left(message, 5) FROM fleet.tag_to_print WHERE asset_id IN (1, 2, 5)',
	$$VALUES (1::bigint, 'code128', 'P-0001', true, NULL), (2, 'gs1-128', '80046291041500213S1', true, NULL), (5, 'code128', NULL, false, E'"\u00F6" i')$$, 'what is printed');
SELECT * FROM finish();
ROLLBACK;
