-- Lists as they come in daily life: files of keys and of tags. Line by line: 45-row.sh.

SET client_min_messages = warning;
CALL bench.copy_table('fleet.inclusion', 'bench.bare_list');
SELECT current_setting('data_directory') || '/bench_tags' AS tags, current_setting('data_directory') || '/bench_ids' AS ids \gset
COPY (SELECT term_id, listed_as, during FROM bench.line_source WHERE place <= 20000 ORDER BY place) TO :'tags';
COPY (SELECT term_id, asset_id, listed_as, during FROM bench.line_source WHERE place <= 20000 ORDER BY place) TO :'ids';

CREATE PROCEDURE bench.run_copies(run integer, tags text, ids text)
LANGUAGE plpgsql AS $$
DECLARE
	columns text := 'term_id, asset_id, listed_as, during';
BEGIN
	CALL bench.empty_list();
	CALL bench.empty('bench.bare_list');
	CALL bench.measure('copy', 'bare, by asset_id', run, 20000, format('COPY bench.bare_list (%s) FROM %L', columns, ids));
	CALL bench.measure('copy', 'cec, by asset_id', run, 20000, format('COPY fleet.inclusion (%s) FROM %L', columns, ids));
	CALL bench.empty_list();
	CALL bench.measure('copy', 'cec, by tag', run, 20000, format('COPY fleet.inclusion (term_id, listed_as, during) FROM %L', tags));
END;
$$;

CALL bench.run_copies(1, :'tags', :'ids');
CALL bench.run_copies(2, :'tags', :'ids');
CALL bench.run_copies(3, :'tags', :'ids');
CALL bench.run_copies(4, :'tags', :'ids');
CALL bench.run_copies(5, :'tags', :'ids');

INSERT INTO bench.goal VALUES ('copy', 'cec, by asset_id', 'bare, by asset_id', NULL),
	('copy', 'cec, by tag', 'bare, by asset_id', NULL);
\echo 'List: COPY of 20,000 lines'
SELECT * FROM bench.report('copy');
