-- Portfolios: made, named, refused, dropped.
SELECT cec.create_portfolio('fleet');
SELECT name, version = cec.version() AS is_current FROM cec.portfolio;
SELECT cec.create_portfolio('pg_fleet');
SELECT cec.drop_portfolio('fleet', 'flet');
DELETE FROM fleet.setting;
SELECT cec.rename_portfolio('fleet', 'Fleet "North"');
SELECT name FROM cec.portfolio;
INSERT INTO "Fleet ""North""".customer (name) VALUES ('Acme');
SET client_min_messages = warning;
SELECT cec.drop_portfolio('Fleet "North"', 'Fleet "North"');
SELECT count(*) FROM cec.portfolio;
