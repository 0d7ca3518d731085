-- What covered days cost.

CREATE FUNCTION cec.charge_amount(price numeric, price_basis text, proration text, days datemultirange, term_first_day date) RETURNS numeric
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_charge_amount';

COMMENT ON FUNCTION cec.charge_amount(numeric, text, text, datemultirange, date) IS 'What the covered days of one asset cost, not rounded; to a currency''s minor unit it rounds as the exact value does. price_basis: per_unit_day, per_unit_month or per_unit_year. proration: actual_days (covered days by those of the month, or of the year that begins with the term), actual_months (a twelfth of a yearly price a month, by its days), thirty_360 (months of thirty days) or full_month (each calendar month with a covered day). term_first_day: where the years of a yearly price begin; NULL: in January. NULL where something else is. Errors: 22008 term_first_day is infinite; 22023 price_basis (flat ones too), proration, price, or days without a beginning or an end.';
