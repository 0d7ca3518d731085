-- A motor and a sensor, new in the register.
SET cec.reason = 'ERP sync';
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, category, status, customer_id, country, location, commissioned_on, source)
SELECT a.asset_tag || x.suffix, x.serial_number, x.manufacturer, x.model, x.category, 'in_service', a.customer_id, a.country, a.location,
	date '2022-05-02', 'ERP'
FROM fleet.asset a, (VALUES ('-M', 'VO98112', 'Voltis', 'IE4-30', 'motor'), ('-S', 'SX1', 'Sensix', 'VIB-3', 'sensor'))
	AS x(suffix, serial_number, manufacturer, model, category)
WHERE a.asset_tag = 'DE-000112';
