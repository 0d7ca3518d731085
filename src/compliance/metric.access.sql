-- Who may do what with metrics.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('metric_sample', '{all}', '{}'),
	('metric_month', '{all}', '{}'),
	('gap_month', '{all}', '{}'),
	('leakage', '{all}', '{}'),
	('contract_profitability', '{all}', '{}'),
	('asset_utilisation', '{all}', '{}'),
	('contract_adherence', '{all}', '{}'),
	('adherence_issue', '{all}', '{}'),
	('attach_rate', '{all}', '{}'),
	('expiring_cover', '{all}', '{}'),
	('contract_day', '{all}', '{}');
