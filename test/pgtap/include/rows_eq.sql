-- results_eq by the text of rows: codes sort by bytes, literals as the database does, and records of both kinds are not compared.
CREATE FUNCTION pg_temp.rows_eq(have text, want text, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	had text[];
	wanted text[];
BEGIN
	EXECUTE format('SELECT ARRAY(SELECT r::text FROM (%s) AS r)', have) INTO had;
	EXECUTE format('SELECT ARRAY(SELECT r::text FROM (%s) AS r)', want) INTO wanted;
	RETURN is(had, wanted, description);
END;
$$;
