-- Who may ask for assets that may be registered twice.

INSERT INTO cec._access_row (object, run_by) VALUES
	('duplicate_registrations', '{all}');
