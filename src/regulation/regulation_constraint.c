/*
 * regulation_constraint.c
 *		The CHECK constraints of regulations and jurisdictions.
 */
#include "postgres.h"

#include "registry/country.h"

#define BAVARIA "Bavaria is DE-BY, with country DE."

#define CHECKS(CHECK) \
	CHECK(regulation_country_form, "regulation", "country text", &cec_country) \
	CHECK(regulation_region_form, "regulation", "region text, country text", &cec_region, \
		  .rule = "a region must be an ISO 3166-2 code of the regulation's country", .hint = BAVARIA) \
	CHECK(regulation_requirement_length, "regulation", "requirement text", &cec_byte_length, .most = 4000, \
		  .hint = "A long condition can be divided among several regulations.") \
	CHECK(regulation_days_not_empty, "regulation", "during daterange", &cec_range_not_empty) \
	CHECK(regulation_days_finite, "regulation", "during daterange", &cec_range_finite) \
	CHECK(regulation_met_by_known, "regulation", "met_by text", &cec_word, .words = "any_term, every_term") \
	CHECK(regulation_applies_by_known, "regulation", "applies_by text", &cec_word, \
		  .words = "location, governing_country") \
	CHECK(regulation_governing_country_whole, "regulation", "applies_by text, region text", &cec_lacks_when, \
		  .when = "governing_country", \
		  .rule = "a regulation that applies by governing country must not name a region", \
		  .hint = "A contract is governed by the law of a country: leave region NULL, or let it apply by location.") \
	CHECK(jurisdiction_country_form, "jurisdiction", "country text", &cec_country) \
	CHECK(jurisdiction_region_form, "jurisdiction", "region text, country text", &cec_region, \
		  .rule = "a region must be an ISO 3166-2 code of the jurisdiction's country", .hint = BAVARIA) \
	CHECK(jurisdiction_name_not_empty, "jurisdiction", "name text", &cec_not_empty, \
		  .hint = "Give the name of the country or region.") \
	CHECK(jurisdiction_boundary_valid, "jurisdiction", "boundary geometry", &cec_area_valid) \
	CHECK(jurisdiction_boundary_in_range, "jurisdiction", "boundary geometry", &cec_area_in_range) \
	CHECK(jurisdiction_boundary_edge_short, "jurisdiction", "boundary geometry", &cec_area_edge_short)

CEC_ROW_CHECKS(regulation, CHECKS)
