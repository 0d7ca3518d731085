-- Who holds which level of access.

CREATE VIEW @P@.access_grant WITH (security_invoker = true) AS
SELECT g.level, g.role, g.is_covered FROM cec.access_grant(@L@::regnamespace) AS g;

COMMENT ON VIEW @P@.access_grant IS 'Which role holds which level of access. A role holds a level when USAGE of the schema and every privilege of the level have been granted to it by name, however they were; so it holds what a higher level covers, and nothing after a new version has added privileges until they are granted. Not shown: the owner, superusers, and what a role has as a member of another role.';
COMMENT ON COLUMN @P@.access_grant.level IS 'Level of access, as in cec.access_level.';
COMMENT ON COLUMN @P@.access_grant.role IS 'Role that holds it.';
COMMENT ON COLUMN @P@.access_grant.is_covered IS 'True: another level that the role holds has all privileges of this one.';
