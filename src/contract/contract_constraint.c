/*
 * contract_constraint.c
 *		The CHECK constraints of tiers, contracts, terms and their prices.
 */
#include "postgres.h"

#include "registry/country.h"

#define CHECKS(CHECK) \
	CHECK(service_tier_code_length, "service_tier", "code text", &cec_length, .most = 200) \
	CHECK(service_tier_response_hours_positive, "service_tier", "response_hours numeric", &cec_positive, \
		  .hint = "Leave it NULL where no time is promised.") \
	CHECK(contract_number_length, "contract", "number text", &cec_length, .most = 200) \
	CHECK(contract_kind_known, "contract", "kind text", &cec_word, \
		  .words = "service, warranty, extended_warranty, lease") \
	CHECK(contract_status_known, "contract", "status text", &cec_word, .words = "draft, active, terminated, void") \
	CHECK(contract_days_not_empty, "contract", "during daterange", &cec_range_not_empty) \
	CHECK(contract_days_finite, "contract", "during daterange", &cec_range_finite) \
	CHECK(contract_suspensions_finite, "contract", "suspensions datemultirange", &cec_ranges_finite) \
	CHECK( \
		contract_time_zone_known, "contract", "time_zone text", &cec_time_zone, \
		.hint = \
			"Write a place, as Europe/Berlin; two hours east of Greenwich all year is Etc/GMT-2. The view pg_timezone_names has all names.") \
	CHECK(contract_currency_form, "contract", "currency text", &cec_currency) \
	CHECK(contract_governing_country_form, "contract", "governing_country text", &cec_country) \
	CHECK(contract_boundary_valid, "contract", "boundary geometry", &cec_area_valid) \
	CHECK(contract_boundary_in_range, "contract", "boundary geometry", &cec_area_in_range) \
	CHECK(contract_boundary_edge_short, "contract", "boundary geometry", &cec_area_edge_short) \
	CHECK(contract_notice_days_not_negative, "contract", "notice_days integer", &cec_count_not_negative, \
		  .hint = "Leave it NULL where no notice is agreed.") \
	CHECK(contract_not_own_predecessor, "contract", "predecessor_id bigint, contract_id bigint", &cec_different, \
		  .rule = "a contract must not renew itself", .hint = "Leave predecessor_id NULL where it renews none.") \
	CHECK(coverage_term_number_length, "coverage_term", "number text", &cec_length, .most = 200) \
	CHECK(coverage_term_days_not_empty, "coverage_term", "during daterange", &cec_range_not_empty) \
	CHECK(coverage_term_days_finite, "coverage_term", "during daterange", &cec_range_finite) \
	CHECK(coverage_term_price_not_negative, "coverage_term", "price numeric", &cec_not_negative, \
		  .hint = "Leave it NULL where no price is agreed.") \
	CHECK(coverage_term_price_basis_known, "coverage_term", "price_basis text", &cec_word, \
		  .words = "per_unit_day, per_unit_month, per_unit_year, flat_month, flat_year, flat_once") \
	CHECK(coverage_term_price_has_basis, "coverage_term", "price numeric, price_basis text", &cec_needs, \
		  .rule = "a price needs its basis", .hint = "Say in price_basis what it is paid for, as in per_unit_month.") \
	CHECK(coverage_term_proration_known, "coverage_term", "proration text", &cec_word, \
		  .words = "actual_days, actual_months, thirty_360, full_month") \
	CHECK(coverage_term_bundle_billing_known, "coverage_term", "bundle_billing text", &cec_word, \
		  .words = "each, included") \
	CHECK(term_price_first_day_finite, "term_price", "first_day date", &cec_days_finite) \
	CHECK(term_price_price_not_negative, "term_price", "price numeric", &cec_not_negative, \
		  .hint = "What costs nothing has the price 0.")

CEC_ROW_CHECKS(contract, CHECKS)
