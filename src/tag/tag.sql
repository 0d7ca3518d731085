-- Tags: whether a bar code holds them, and check characters.

CREATE FUNCTION cec.check_tag(tag text, symbology text, OUT is_scannable boolean, OUT place integer, OUT message text, OUT normal_form text)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_check_tag';
CREATE FUNCTION cec.check_digit(scheme text, value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_check_digit';

COMMENT ON FUNCTION cec.check_tag(text, text) IS 'Whether a tag can be printed in a symbology (code39, code93, code128, gs1-128, datamatrix, qr) and reads back as the same bytes. If not: the place of the first offence, counted from 1, and what it is. normal_form: the tag, or what it was perhaps meant to be (in code39 with capital letters, in gs1-128 without brackets, without blanks around it) where that can; else NULL. A tag of gs1-128 begins with 8004 (GIAI) or 8003 (GRAI). Error 22023: symbology.';
COMMENT ON FUNCTION cec.check_digit(text, text) IS 'The check character of an identifier that is given without it. scheme: gs1 (digits, modulo 10), mod37_36 (digits and capital letters, ISO/IEC 7064) or eic (15 digits, capital letters and hyphens). NULL where the value has other characters, or no check character: an EIC never ends in a hyphen. Error 22023: scheme.';
