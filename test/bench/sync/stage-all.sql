CALL bench.stage(0);
INSERT INTO synced.asset_staging (source, asset_tag, serial_number, manufacturer, model, category, customer_ref, country, commissioned_on)
SELECT 'erp', a.asset_tag, a.serial_number, a.manufacturer, a.model, a.category, 'K' || a.customer_id, a.country, a.commissioned_on FROM synced.asset a WHERE a.asset_tag LIKE 'U-%';
VACUUM ANALYZE synced.asset_staging;
