-- Last of all: triggers fire always, the settings, and nothing for PUBLIC.

SELECT cec._arm(@L@::regnamespace);
SELECT cec._note_all_columns(@L@::regnamespace);
INSERT INTO @P@.setting (version) VALUES (cec.version());
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA @P@ FROM PUBLIC;
