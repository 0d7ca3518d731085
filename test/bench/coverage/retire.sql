-- Retiring assets one by one, at three sizes, against the same table without triggers.

SET client_min_messages = warning;
\timing on
CALL bench.make_portfolio('small', 10000, 1, 7000, 3000, 20);
CALL bench.make_portfolio('vast', :vast, :vast / 200000, 140000, 60000, 400);
\timing off

CREATE TABLE bench.candidate (portfolio text, run integer, asset_id bigint);
INSERT INTO bench.candidate
SELECT portfolio, 1 + row_number() OVER (PARTITION BY portfolio ORDER BY random()) % 9 - 1, asset_id
FROM (SELECT 'fleet' AS portfolio, asset_id FROM fleet.inclusion
	UNION ALL SELECT 'small', asset_id FROM small.inclusion UNION ALL SELECT 'vast', asset_id FROM vast.inclusion) AS listed;
DELETE FROM bench.candidate c USING (
	SELECT portfolio, run, asset_id, row_number() OVER (PARTITION BY portfolio, run ORDER BY random()) AS place FROM bench.candidate) AS d
WHERE d.portfolio = c.portfolio AND d.asset_id = c.asset_id AND d.place > 700;

CALL bench.copy_table('fleet.asset', 'bench.bare_asset');
CALL bench.arm(false, 'bench.bare_asset');
INSERT INTO bench.bare_asset SELECT * FROM fleet.asset;
CALL bench.arm(true, 'bench.bare_asset');
-- CHECKs and foreign keys cost more than the engine does: so, without a goal, also the same indexes and nothing else.
CREATE TABLE bench.indexed_asset (LIKE small.asset INCLUDING DEFAULTS INCLUDING INDEXES);
INSERT INTO bench.indexed_asset SELECT * FROM small.asset;
VACUUM ANALYZE;

-- Half of the assets each in a transaction of its own, half of them in one. Commits of the bare table cost as much.
DO $do$
DECLARE
	target text;
BEGIN
	FOREACH target IN ARRAY ARRAY['fleet.asset', 'small.asset', 'vast.asset', 'bench.bare_asset', 'bench.indexed_asset'] LOOP
		EXECUTE format($f$
			CREATE PROCEDURE bench.retire_%1$s(ids bigint[], day date, apart boolean) LANGUAGE plpgsql AS $$
			DECLARE
				id bigint;
			BEGIN
				FOREACH id IN ARRAY ids LOOP
					UPDATE %2$s SET status = 'retired', decommissioned_on = day WHERE asset_id = id;
					IF apart THEN
						COMMIT;
					END IF;
				END LOOP;
			END;
			$$
			$f$, CASE split_part(target, '_', 1) WHEN 'bench.bare' THEN 'bare' WHEN 'bench.indexed' THEN 'indexed' ELSE split_part(target, '.', 1) END, target);
	END LOOP;
END;
$do$;

CREATE PROCEDURE bench.run_retirements(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	target text;
	begun timestamptz;
	ids bigint[];
	apart boolean;
	part bigint[];
	vast text := (SELECT to_char(max(asset_id), 'FM999,999,999') || ' assets' FROM vast.asset);
BEGIN
	FOREACH apart IN ARRAY ARRAY[true, false] LOOP
		FOREACH target IN ARRAY ARRAY['bare', 'indexed', 'small', 'fleet', 'vast'] LOOP
			ids := ARRAY(SELECT asset_id FROM bench.candidate c
				WHERE c.portfolio = CASE target WHEN 'bare' THEN 'fleet' WHEN 'indexed' THEN 'small' ELSE target END AND run = nth ORDER BY asset_id % 1009);
			part := CASE WHEN apart THEN ids[1 : 350] ELSE ids[351 : 700] END;
			COMMIT;
			-- Some to warm up.
			EXECUTE format('CALL bench.retire_%s($1, $2, false)', target) USING part[1 : 5], date '2027-06-30';
			COMMIT;
			begun := clock_timestamp();
			CASE target
				WHEN 'bare' THEN CALL bench.retire_bare(part[6 :], '2027-06-30', apart);
				WHEN 'indexed' THEN CALL bench.retire_indexed(part[6 :], '2027-06-30', apart);
				WHEN 'small' THEN CALL bench.retire_small(part[6 :], '2027-06-30', apart);
				WHEN 'fleet' THEN CALL bench.retire_fleet(part[6 :], '2027-06-30', apart);
				ELSE CALL bench.retire_vast(part[6 :], '2027-06-30', apart);
			END CASE;
			COMMIT;
			CALL bench.note('retire one' || CASE WHEN apart THEN '' ELSE ', in one transaction' END,
				CASE target WHEN 'bare' THEN 'bare UPDATE' WHEN 'indexed' THEN 'UPDATE without CHECKs' WHEN 'small' THEN '10,000 assets'
					WHEN 'fleet' THEN '1,000,000 assets' ELSE vast END, nth, cardinality(part) - 5, begun);
			COMMIT;
		END LOOP;
	END LOOP;
END;
$$;

-- The first run only warms up.
CALL bench.run_retirements(0);
CALL bench.run_retirements(1);
CALL bench.run_retirements(2);
CALL bench.run_retirements(3);
CALL bench.run_retirements(4);
CALL bench.run_retirements(5);
CALL bench.run_retirements(6);
CALL bench.run_retirements(7);

INSERT INTO bench.goal (subject, variant, reference, at_most)
SELECT subject, variant, reference, at_most
FROM (VALUES ('retire one'), ('retire one, in one transaction')) AS s(subject),
	(SELECT DISTINCT variant AS vast FROM bench.sample WHERE subject = 'retire one' AND variant NOT IN ('bare UPDATE', 'UPDATE without CHECKs', '10,000 assets', '1,000,000 assets')) AS v,
	LATERAL (VALUES ('1,000,000 assets', 'bare UPDATE', 5), (vast, '10,000 assets', 1.3), ('10,000 assets', 'UPDATE without CHECKs', NULL)) AS p(variant, reference, at_most);
DROP TABLE bench.bare_asset, bench.indexed_asset;
