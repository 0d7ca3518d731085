CALL bench.stage(0);
VACUUM ANALYZE synced.asset_staging;
