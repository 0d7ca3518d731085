-- Who may do what with what is wrong now.

INSERT INTO cec._access_row (object, read_by) VALUES
	('compliance_gap', '{all}'),
	('decommission_calendar', '{all}'),
	('finding_now', '{all}');
