-- A map as a picture for a mail or a report.

CREATE FUNCTION @P@.coverage_map_svg(contract_number text, on_day date DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.coverage_map_svg(@L@::regnamespace, contract_number, on_day);
END;

COMMENT ON FUNCTION @P@.coverage_map_svg(text, date) IS 'A map as one picture, an SVG for a mail or a report: the boundary of a contract, its assets (those ever listed, carved out or covered under it) with what they are on the day by its terms, a legend with counts, and a scale that is right for the latitude in the middle. NULL contract: the whole portfolio, over all terms, with the boundaries of contracts that run on the day. NULL day: today. Symbols have colours and shapes of map_legend; where there are more than 3,000, assets of a kind that stand close together are one, and the legend says how close. Nothing in it refers to anything outside. At most some 500 kB; the same data give the same bytes. Errors: 23503 there is no such contract, 22008 infinity is not a day.';
