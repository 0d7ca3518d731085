-- What tables of the engine refuse: to rewrite what is recorded, and to type in what is derived.

CREATE FUNCTION cec.refuse_rewrite() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_refuse_rewrite';
CREATE FUNCTION cec.refuse_typing() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_refuse_typing';

COMMENT ON FUNCTION cec.refuse_rewrite() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE of recorded tables (SQLSTATE 42501).';
COMMENT ON FUNCTION cec.refuse_typing() IS 'Engine trigger: refuses changes of derived tables by statements (SQLSTATE 42501).';
