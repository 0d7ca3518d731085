-- Who may do what with the kinds of findings: their views are the engine's and the owner's.

INSERT INTO cec._access_row (object) SELECT '_finding_' || kind FROM cec.finding_kind WHERE hears <> '{}';
INSERT INTO cec._access_row (object) VALUES
	('_counting_line'),
	('_name_key'),
	('_standing'),
	('_typed_identifier');
