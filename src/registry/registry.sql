-- The master register: finding an asset by whatever it is called.

-- The form in which people confuse identifiers; src/registry/identifier_key.c has the rule.
CREATE FUNCTION cec.identifier_key(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_identifier_key';

CREATE FUNCTION cec._identifier_may_mean(typed text, name text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_identifier_may_mean_sql';

-- What an asset is worth, by the key that setting.value_attribute names: a JSON number, or a text that reads as one.
CREATE FUNCTION cec._asset_value(attributes jsonb, key text) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_asset_value';

COMMENT ON FUNCTION cec._asset_value(jsonb, text) IS 'Private. The value of an asset by the key that setting.value_attribute names; 0 where there is none.';

CREATE TABLE cec.country (
	code text COLLATE "C" NOT NULL,
	name text NOT NULL,
	CONSTRAINT country_pkey PRIMARY KEY (code)
);
INSERT INTO cec.country (code, name) VALUES
	('AD', 'Andorra'),
	('AE', 'United Arab Emirates'),
	('AF', 'Afghanistan'),
	('AG', 'Antigua & Barbuda'),
	('AI', 'Anguilla'),
	('AL', 'Albania'),
	('AM', 'Armenia'),
	('AO', 'Angola'),
	('AQ', 'Antarctica'),
	('AR', 'Argentina'),
	('AS', 'Samoa (American)'),
	('AT', 'Austria'),
	('AU', 'Australia'),
	('AW', 'Aruba'),
	('AX', 'Åland Islands'),
	('AZ', 'Azerbaijan'),
	('BA', 'Bosnia & Herzegovina'),
	('BB', 'Barbados'),
	('BD', 'Bangladesh'),
	('BE', 'Belgium'),
	('BF', 'Burkina Faso'),
	('BG', 'Bulgaria'),
	('BH', 'Bahrain'),
	('BI', 'Burundi'),
	('BJ', 'Benin'),
	('BL', 'St Barthelemy'),
	('BM', 'Bermuda'),
	('BN', 'Brunei'),
	('BO', 'Bolivia'),
	('BQ', 'Caribbean NL'),
	('BR', 'Brazil'),
	('BS', 'Bahamas'),
	('BT', 'Bhutan'),
	('BV', 'Bouvet Island'),
	('BW', 'Botswana'),
	('BY', 'Belarus'),
	('BZ', 'Belize'),
	('CA', 'Canada'),
	('CC', 'Cocos (Keeling) Islands'),
	('CD', 'Congo, Democratic Republic'),
	('CF', 'Central African Rep.'),
	('CG', 'Congo'),
	('CH', 'Switzerland'),
	('CI', 'Côte d''Ivoire'),
	('CK', 'Cook Islands'),
	('CL', 'Chile'),
	('CM', 'Cameroon'),
	('CN', 'China'),
	('CO', 'Colombia'),
	('CR', 'Costa Rica'),
	('CU', 'Cuba'),
	('CV', 'Cape Verde'),
	('CW', 'Curaçao'),
	('CX', 'Christmas Island'),
	('CY', 'Cyprus'),
	('CZ', 'Czech Republic'),
	('DE', 'Germany'),
	('DJ', 'Djibouti'),
	('DK', 'Denmark'),
	('DM', 'Dominica'),
	('DO', 'Dominican Republic'),
	('DZ', 'Algeria'),
	('EC', 'Ecuador'),
	('EE', 'Estonia'),
	('EG', 'Egypt'),
	('EH', 'Western Sahara'),
	('ER', 'Eritrea'),
	('ES', 'Spain'),
	('ET', 'Ethiopia'),
	('FI', 'Finland'),
	('FJ', 'Fiji'),
	('FK', 'Falkland Islands'),
	('FM', 'Micronesia'),
	('FO', 'Faroe Islands'),
	('FR', 'France'),
	('GA', 'Gabon'),
	('GB', 'United Kingdom'),
	('GD', 'Grenada'),
	('GE', 'Georgia'),
	('GF', 'French Guiana'),
	('GG', 'Guernsey'),
	('GH', 'Ghana'),
	('GI', 'Gibraltar'),
	('GL', 'Greenland'),
	('GM', 'Gambia'),
	('GN', 'Guinea'),
	('GP', 'Guadeloupe'),
	('GQ', 'Equatorial Guinea'),
	('GR', 'Greece'),
	('GS', 'South Georgia & the South Sandwich Islands'),
	('GT', 'Guatemala'),
	('GU', 'Guam'),
	('GW', 'Guinea-Bissau'),
	('GY', 'Guyana'),
	('HK', 'Hong Kong'),
	('HM', 'Heard Island & McDonald Islands'),
	('HN', 'Honduras'),
	('HR', 'Croatia'),
	('HT', 'Haiti'),
	('HU', 'Hungary'),
	('ID', 'Indonesia'),
	('IE', 'Ireland'),
	('IL', 'Israel'),
	('IM', 'Isle of Man'),
	('IN', 'India'),
	('IO', 'British Indian Ocean Territory'),
	('IQ', 'Iraq'),
	('IR', 'Iran'),
	('IS', 'Iceland'),
	('IT', 'Italy'),
	('JE', 'Jersey'),
	('JM', 'Jamaica'),
	('JO', 'Jordan'),
	('JP', 'Japan'),
	('KE', 'Kenya'),
	('KG', 'Kyrgyzstan'),
	('KH', 'Cambodia'),
	('KI', 'Kiribati'),
	('KM', 'Comoros'),
	('KN', 'St Kitts & Nevis'),
	('KP', 'North Korea'),
	('KR', 'South Korea'),
	('KW', 'Kuwait'),
	('KY', 'Cayman Islands'),
	('KZ', 'Kazakhstan'),
	('LA', 'Laos'),
	('LB', 'Lebanon'),
	('LC', 'St Lucia'),
	('LI', 'Liechtenstein'),
	('LK', 'Sri Lanka'),
	('LR', 'Liberia'),
	('LS', 'Lesotho'),
	('LT', 'Lithuania'),
	('LU', 'Luxembourg'),
	('LV', 'Latvia'),
	('LY', 'Libya'),
	('MA', 'Morocco'),
	('MC', 'Monaco'),
	('MD', 'Moldova'),
	('ME', 'Montenegro'),
	('MF', 'St Martin (French)'),
	('MG', 'Madagascar'),
	('MH', 'Marshall Islands'),
	('MK', 'North Macedonia'),
	('ML', 'Mali'),
	('MM', 'Myanmar'),
	('MN', 'Mongolia'),
	('MO', 'Macau'),
	('MP', 'Northern Mariana Islands'),
	('MQ', 'Martinique'),
	('MR', 'Mauritania'),
	('MS', 'Montserrat'),
	('MT', 'Malta'),
	('MU', 'Mauritius'),
	('MV', 'Maldives'),
	('MW', 'Malawi'),
	('MX', 'Mexico'),
	('MY', 'Malaysia'),
	('MZ', 'Mozambique'),
	('NA', 'Namibia'),
	('NC', 'New Caledonia'),
	('NE', 'Niger'),
	('NF', 'Norfolk Island'),
	('NG', 'Nigeria'),
	('NI', 'Nicaragua'),
	('NL', 'Netherlands'),
	('NO', 'Norway'),
	('NP', 'Nepal'),
	('NR', 'Nauru'),
	('NU', 'Niue'),
	('NZ', 'New Zealand'),
	('OM', 'Oman'),
	('PA', 'Panama'),
	('PE', 'Peru'),
	('PF', 'French Polynesia'),
	('PG', 'Papua New Guinea'),
	('PH', 'Philippines'),
	('PK', 'Pakistan'),
	('PL', 'Poland'),
	('PM', 'St Pierre & Miquelon'),
	('PN', 'Pitcairn'),
	('PR', 'Puerto Rico'),
	('PS', 'Palestine'),
	('PT', 'Portugal'),
	('PW', 'Palau'),
	('PY', 'Paraguay'),
	('QA', 'Qatar'),
	('RE', 'Réunion'),
	('RO', 'Romania'),
	('RS', 'Serbia'),
	('RU', 'Russia'),
	('RW', 'Rwanda'),
	('SA', 'Saudi Arabia'),
	('SB', 'Solomon Islands'),
	('SC', 'Seychelles'),
	('SD', 'Sudan'),
	('SE', 'Sweden'),
	('SG', 'Singapore'),
	('SH', 'St Helena'),
	('SI', 'Slovenia'),
	('SJ', 'Svalbard & Jan Mayen'),
	('SK', 'Slovakia'),
	('SL', 'Sierra Leone'),
	('SM', 'San Marino'),
	('SN', 'Senegal'),
	('SO', 'Somalia'),
	('SR', 'Suriname'),
	('SS', 'South Sudan'),
	('ST', 'Sao Tome & Principe'),
	('SV', 'El Salvador'),
	('SX', 'St Maarten (Dutch)'),
	('SY', 'Syria'),
	('SZ', 'Eswatini (Swaziland)'),
	('TC', 'Turks & Caicos Is'),
	('TD', 'Chad'),
	('TF', 'French S. Terr.'),
	('TG', 'Togo'),
	('TH', 'Thailand'),
	('TJ', 'Tajikistan'),
	('TK', 'Tokelau'),
	('TL', 'East Timor'),
	('TM', 'Turkmenistan'),
	('TN', 'Tunisia'),
	('TO', 'Tonga'),
	('TR', 'Türkiye'),
	('TT', 'Trinidad & Tobago'),
	('TV', 'Tuvalu'),
	('TW', 'Taiwan'),
	('TZ', 'Tanzania'),
	('UA', 'Ukraine'),
	('UG', 'Uganda'),
	('UM', 'US minor outlying islands'),
	('US', 'United States'),
	('UY', 'Uruguay'),
	('UZ', 'Uzbekistan'),
	('VA', 'Vatican City'),
	('VC', 'St Vincent'),
	('VE', 'Venezuela'),
	('VG', 'Virgin Islands (UK)'),
	('VI', 'Virgin Islands (US)'),
	('VN', 'Vietnam'),
	('VU', 'Vanuatu'),
	('WF', 'Wallis & Futuna'),
	('WS', 'Samoa (western)'),
	('XK', 'Kosovo'),
	('YE', 'Yemen'),
	('YT', 'Mayotte'),
	('ZA', 'South Africa'),
	('ZM', 'Zambia'),
	('ZW', 'Zimbabwe');
GRANT SELECT ON cec.country TO PUBLIC;

-- The assets that each of the identifiers names on a day (NULL: any day), each once, with the scheme of its first name, by place and
-- asset; as the caller. See README.md.
CREATE FUNCTION cec.resolve_seen_tag() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_resolve_seen_tag';

CREATE FUNCTION cec._named(portfolio oid, identifiers text[], on_day date)
RETURNS TABLE (place bigint, asset_id bigint, scheme text)
LANGUAGE c STABLE ROWS 2 AS 'MODULE_PATHNAME', 'cec_named';

CREATE FUNCTION cec.find_asset(portfolio regnamespace, identifier text, on_day date)
RETURNS TABLE (asset_id bigint, asset_tag text, tag_symbology text, serial_number text, manufacturer text,
	model text, category text, usage_type text, status text, customer_id bigint, country text, region text,
	location geometry, commissioned_on date, decommissioned_on date, out_of_service datemultirange,
	successor_id bigint, attributes jsonb, source text, source_updated_at timestamptz, scheme text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio,
		'SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category,
			a.usage_type, a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on,
			a.decommissioned_on, a.out_of_service, a.successor_id, a.attributes, a.source, a.source_updated_at, n.scheme
		FROM cec._named($1, ARRAY[$2], $3) AS n
			JOIN @P@.asset a USING (asset_id)
		ORDER BY a.asset_id')
		USING portfolio::oid, identifier, coalesce(on_day, cec.today(portfolio));
END;
$$;

-- What a scanner may have meant, the likeliest first: what it sent; that without the symbology identifier (ISO/IEC 15424) that some send before it;
-- of GS1 element strings the tag with its application identifier, then the data of 8004 (GIAI), 8003 (GRAI) and 21 (serial number).
-- Elements end with FNC1, which scanners send as GS, where their length is not fixed.
CREATE FUNCTION cec._scanned_names(scanned text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sent text := regexp_replace(scanned, '[\r\n\t]+$', '');
	content text := CASE WHEN sent ~ '^\][A-Za-z][0-9A-Za-z].' THEN substr(sent, 4) ELSE sent END;
	is_gs1 boolean := sent ~ '^\](C1|d2|Q3|e0|J1)' OR content ~ '\u001D' OR content ~ '^(\(?800[34]\)?)';
	rest text;
	element text[];
	tags text[] := '{}';
	parts text[] := '{}';
	serials text[] := '{}';
BEGIN
	IF is_gs1 THEN
		-- Brackets are for people; some printers encode them all the same.
		rest := regexp_replace(ltrim(content, E'\u001D'), '^\((\d{2,4})\)', '\1');
		WHILE rest <> '' LOOP
			element := regexp_match(rest, '^(8004)([^\u001D]{1,30})(.*)$');
			element := coalesce(element, regexp_match(rest, '^(8003)([^\u001D]{14,30})(.*)$'));
			element := coalesce(element, regexp_match(rest, '^(21)([^\u001D]{1,20})(.*)$'));
			element := coalesce(element, regexp_match(rest, '^(00)(\d{18})(.*)$'), regexp_match(rest, '^(0[123])(\d{14})(.*)$'),
				regexp_match(rest, '^(1[1-9])(\d{6})(.*)$'), regexp_match(rest, '^(20)(\d{2})(.*)$'), regexp_match(rest, '^(\d{2})([^\u001D]+)(.*)$'));
			EXIT WHEN element IS NULL;
			IF element[1] IN ('8004', '8003') THEN
				tags := tags || (element[1] || element[2]);
				parts := parts || element[2];
			ELSIF element[1] = '21' THEN
				serials := serials || element[2];
			END IF;
			rest := regexp_replace(ltrim(element[3], E'\u001D'), '^\((\d{2,4})\)', '\1');
		END LOOP;
	END IF;
	RETURN ARRAY[scanned, sent, content, ltrim(content, E'\u001D')] || tags || parts || serials;
END;
$$;

CREATE FUNCTION cec.find_asset_scanned(portfolio regnamespace, scanned text)
RETURNS TABLE (asset_id bigint, asset_tag text, tag_symbology text, serial_number text, manufacturer text,
	model text, category text, usage_type text, status text, customer_id bigint, country text, region text,
	location geometry, commissioned_on date, decommissioned_on date, out_of_service datemultirange,
	successor_id bigint, attributes jsonb, source text, source_updated_at timestamptz, scheme text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[] := cec._scanned_names(scanned);
	today date;
	key text;
BEGIN
	PERFORM cec._require_version(portfolio);
	today := cec.today(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio,
		'WITH named AS MATERIALIZED (SELECT * FROM cec._named($1, $2, $3))
		SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category,
			a.usage_type, a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on,
			a.decommissioned_on, a.out_of_service, a.successor_id, a.attributes, a.source, a.source_updated_at, n.scheme
		FROM named AS n JOIN @P@.asset a USING (asset_id)
		WHERE n.place = (SELECT min(f.place) FROM named f)
		ORDER BY a.asset_id')
		USING portfolio::oid, names, today;
	IF FOUND THEN
		RETURN;
	END IF;
	-- Typed by hand, or printed otherwise: tags that are confused with it.
	key := cec.identifier_key((cec._scanned_names(scanned))[3]);
	RETURN QUERY EXECUTE cec._sql(portfolio,
		'SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category,
			a.usage_type, a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on,
			a.decommissioned_on, a.out_of_service, a.successor_id, a.attributes, a.source, a.source_updated_at, ''asset_tag''
		FROM @P@.asset a WHERE cec.identifier_key(a.asset_tag) = $1 ORDER BY a.asset_id') USING key;
END;
$$;

COMMENT ON FUNCTION cec._scanned_names(text) IS 'Private. What a scanner may have meant, the likeliest first.';
COMMENT ON FUNCTION cec.find_asset_scanned(regnamespace, text) IS 'Assets that a scanner has read; see find_asset_scanned of a portfolio.';
COMMENT ON FUNCTION cec.identifier_key(text) IS 'The form in which people confuse identifiers: full-width forms as ASCII, ASCII letters capital, without white space, hyphens, dashes and dots, O as 0, I and L as 1. NULL when nothing is left.';
COMMENT ON FUNCTION cec.resolve_seen_tag() IS 'Engine trigger: fills asset_id of a field observation that gives none, where seen_tag names one asset on the day it was seen.';
COMMENT ON FUNCTION cec._named(oid, text[], date) IS 'Private. The assets that identifiers name on a day (NULL: any day).';
COMMENT ON FUNCTION cec._identifier_may_mean(text, text) IS 'Private. Whether a name may be what was meant by what was typed: the keys are equal or differ by one slip.';
COMMENT ON TABLE cec.country IS 'Countries: the 249 of ISO 3166-1, and XK.';
COMMENT ON COLUMN cec.country.code IS 'ISO 3166-1 alpha-2.';
COMMENT ON COLUMN cec.country.name IS 'Name for people, in English.';
COMMENT ON FUNCTION cec.find_asset(regnamespace, text, date) IS 'Assets that an identifier names on a day (NULL: today); see find_asset of a portfolio.';
