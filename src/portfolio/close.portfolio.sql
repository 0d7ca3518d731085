-- Last of all: the settings, and nothing for PUBLIC.

SELECT cec._note_all_columns(@L@::regnamespace);
INSERT INTO @P@.setting (version) VALUES (cec.version());
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA @P@ FROM PUBLIC;
