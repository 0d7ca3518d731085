-- 4,000 assets at 16 sites: the register as its feed delivers it. Always the same ones.
SET cec.reason = 'first load';
INSERT INTO fleet.customer (name, external_ref)
SELECT customer, 'CRM-' || 100 + row_number() OVER (ORDER BY min(site_id))
FROM public.site GROUP BY customer;

INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, category, usage_type, status, customer_id,
	country, location, commissioned_on, decommissioned_on, attributes, source)
SELECT s.country || '-' || to_char(n, 'FM000000'),
	CASE WHEN n IN (32, 45) THEN '100200' ELSE m.prefix || 70000 + n * 7 END, -- two makers that number alike
	m.manufacturer, m.model, m.category, CASE WHEN n % 9 = 0 THEN 'critical' ELSE 'production' END,
	CASE WHEN n % 53 = 0 THEN 'retired' WHEN n % 97 = 0 THEN 'planned' ELSE 'in_service' END, c.customer_id, s.country,
	ST_SetSRID(ST_MakePoint(s.longitude + (n * 37 % 101 - 50) / 500.0, s.latitude + (n * 61 % 103 - 51) / 800.0), 4326),
	CASE WHEN n % 53 <> 0 AND n % 97 = 0 THEN date '2027-03-01' ELSE date '2012-01-09' + n * 13 % 4700 END,
	CASE WHEN n % 53 = 0 THEN date '2025-06-30' WHEN n % 71 = 0 THEN date '2026-09-30' END,
	jsonb_build_object('town', s.town, 'rated_kw', 5 + n * 11 % 240), 'ERP'
FROM generate_series(1, 4000) AS n
	JOIN public.site s ON s.site_id = n * 5 % 16
	JOIN fleet.customer c ON c.name = s.customer
	JOIN (VALUES (0, 'NP', 'Nordpump', 'CX-200', 'pump'), (1, 'AL', 'Alpair', 'Screw 55', 'compressor'),
		(2, 'LW', 'Liftwerk', 'L18', 'forklift'), (3, 'VO', 'Voltis', 'VSD-90', 'drive'), (4, 'NP', 'Nordpump', 'CX-350', 'pump'),
		(5, 'TH', 'Thermia', 'HX-12', 'heat exchanger'), (6, 'VO', 'Voltis', 'UPS-40', 'power supply')
	) AS m(kind, prefix, manufacturer, model, category) ON m.kind = n % 7;

-- A name from the past.
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during)
SELECT asset_id, 'former_tag', 'HH-OLD-17', '(,)' FROM fleet.asset WHERE asset_tag = 'DE-000080';
