-- Who may do what with amendments.

INSERT INTO cec._access_row (object, read_by, write_by) VALUES
	('amendment', '{all}', '{manager,registry,admin}'),
	('amendment_line', '{all}', '{manager,registry,admin}');

INSERT INTO cec._access_row (object, run_by) VALUES
	('draft_amendment', '{manager,registry,admin}'),
	('submit_amendment', '{manager,admin}'),
	('approve_amendment', '{manager,admin}'),
	('cancel_amendment', '{manager,admin}'),
	('reopen_amendment', '{manager,admin}'),
	('apply_amendment', '{manager,admin}'),
	('preview_amendment', '{manager,registry,admin}');
