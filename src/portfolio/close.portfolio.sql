-- Last of all: the settings, and nothing for PUBLIC.

INSERT INTO @P@.setting (version) VALUES (cec.version());
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA @P@ FROM PUBLIC;
