-- The extension, a portfolio that belongs to a role nobody logs in as, and the people with their rights.
CREATE EXTENSION cec CASCADE;

CREATE ROLE fleet_owner NOLOGIN;
CREATE ROLE anna LOGIN;    -- account manager: lists
CREATE ROLE otto LOGIN;    -- auditor: reads the log
CREATE ROLE feed LOGIN;    -- the register's feed
CREATE ROLE office LOGIN;  -- contracts and terms

\o /dev/null
SELECT cec.create_portfolio('fleet', owner => 'fleet_owner');
SELECT cec.grant_access('fleet', 'anna', 'manager');
SELECT cec.grant_access('fleet', 'otto', 'auditor');
SELECT cec.grant_access('fleet', 'feed', 'registry');
SELECT cec.grant_access('fleet', 'office', 'admin');
\o

-- Notes of the demo, not part of cec: where the sites are, and which lines go into the list.
CREATE TABLE public.site (site_id integer PRIMARY KEY, country text, town text, longitude float8, latitude float8, customer text);
INSERT INTO public.site VALUES
	(0, 'DE', 'Hamburg', 9.99, 53.55, 'Nordwerk Metall GmbH'),
	(1, 'DE', 'Berlin', 13.40, 52.52, 'Nordwerk Metall GmbH'),
	(2, 'DE', 'München', 11.58, 48.14, 'Nordwerk Metall GmbH'),
	(3, 'PL', 'Poznań', 16.93, 52.41, 'Nordwerk Metall GmbH'),
	(4, 'PL', 'Kraków', 19.94, 50.06, 'Nordwerk Metall GmbH'),
	(5, 'AT', 'Linz', 14.29, 48.31, 'Alpen Logistik AG'),
	(6, 'AT', 'Graz', 15.44, 47.07, 'Alpen Logistik AG'),
	(7, 'IT', 'Torino', 7.69, 45.07, 'Alpen Logistik AG'),
	(8, 'IT', 'Milano', 9.19, 45.46, 'Alpen Logistik AG'),
	(9, 'ES', 'València', -0.38, 39.47, 'Cerámica Levante S.A.'),
	(10, 'ES', 'Bilbao', -2.93, 43.26, 'Cerámica Levante S.A.'),
	(11, 'FR', 'Lyon', 4.84, 45.76, 'Cerámica Levante S.A.'),
	(12, 'FR', 'Lille', 3.06, 50.63, 'Cerámica Levante S.A.'),
	(13, 'NL', 'Rotterdam', 4.48, 51.92, 'Polder Foods B.V.'),
	(14, 'SE', 'Göteborg', 11.97, 57.71, 'Polder Foods B.V.'),
	(15, 'SE', 'Malmö', 13.00, 55.60, 'Polder Foods B.V.');
GRANT SELECT ON public.site TO PUBLIC;
