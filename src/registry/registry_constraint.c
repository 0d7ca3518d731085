/*
 * registry_constraint.c
 *		The CHECK constraints of the register: customers, assets, their identifiers, and what happened to them.
 */
#include "postgres.h"

#include "registry/country.h"

#define SWAPPED "Longitude (-180 to 180) comes first, latitude (-90 to 90) second; the two may be swapped."
#define COST_FINITE "Leave it NULL where it is not known."
#define COST_NEEDS "Give the currency of the cost, three capital letters of ISO 4217."

/* The days of an asset's life are looked at together: infinite ones are refused as asset_days_finite. */
#define CHECKS(CHECK) \
	CHECK(customer_name_not_empty, "customer", "name text", &cec_not_empty, .hint = "Give the name of the company.") \
	CHECK(customer_external_ref_length, "customer", "external_ref text", &cec_length, .most = 200) \
	CHECK(asset_asset_tag_length, "asset", "asset_tag text", &cec_length, .most = 200) \
	CHECK(asset_serial_number_length, "asset", "serial_number text", &cec_length, .most = 200) \
	CHECK(asset_manufacturer_length, "asset", "manufacturer text", &cec_length, .most = 200) \
	CHECK(asset_model_length, "asset", "model text", &cec_length, .most = 200) \
	CHECK(asset_tag_symbology_known, "asset", "tag_symbology text", &cec_word, \
		  .words = "code39, code93, code128, gs1-128, datamatrix, qr") \
	CHECK(asset_status_known, "asset", "status text", &cec_word, \
		  .words = "planned, in_service, in_storage, in_repair, retired") \
	CHECK(asset_retired_needs_decommissioned_on, "asset", "status text, decommissioned_on date", &cec_needs_when, \
		  .when = "retired", .rule = "a retired asset needs the day it was decommissioned", \
		  .hint = "Set decommissioned_on to its last day of service together with the status.") \
	CHECK(asset_commissioned_before_decommissioned, "asset", "commissioned_on date, decommissioned_on date", \
		  &cec_days_in_order, .also = "asset_days_finite", \
		  .rule = "an asset must not be decommissioned before it is commissioned", \
		  .hint = "Both days belong to its life: decommissioned_on is the last one.") \
	CHECK(asset_days_finite, "asset", "out_of_service datemultirange", &cec_ranges_finite, \
		  .rule = "no day of commissioned_on, decommissioned_on and out_of_service may be infinite") \
	CHECK(asset_country_form, "asset", "country text", &cec_country) \
	CHECK(asset_region_form, "asset", "region text, country text", &cec_region, \
		  .rule = "a region must be an ISO 3166-2 code of the asset's country", \
		  .hint = "Bavaria is DE-BY, with country DE.") \
	CHECK(asset_location_in_range, "asset", "location geometry", &cec_point_in_range, .hint = SWAPPED) \
	CHECK(asset_attributes_object, "asset", "attributes jsonb", &cec_json_object, \
		  .hint = "Write them as {\"key\": \"value\"}; without any, {}.") \
	CHECK(asset_not_own_successor, "asset", "successor_id bigint, asset_id bigint", &cec_different, \
		  .rule = "an asset must not succeed itself", .hint = "Leave successor_id NULL where nothing replaced it.") \
	CHECK(asset_identifier_scheme_length, "asset_identifier", "scheme text", &cec_length, .most = 40) \
	CHECK(asset_identifier_value_length, "asset_identifier", "value text", &cec_length, .most = 200) \
	CHECK(asset_identifier_days_not_empty, "asset_identifier", "during daterange", &cec_range_not_empty) \
	CHECK(asset_identifier_days_finite, "asset_identifier", "during daterange", &cec_range_finite) \
	CHECK(maintenance_event_day_finite, "maintenance_event", "performed_on date", &cec_days_finite) \
	CHECK(maintenance_event_currency_form, "maintenance_event", "currency text", &cec_currency) \
	CHECK(maintenance_event_cost_has_currency, "maintenance_event", "cost numeric, currency text", &cec_needs, \
		  .rule = "a cost needs its currency", .hint = COST_NEEDS) \
	CHECK(maintenance_event_cost_finite, "maintenance_event", "cost numeric", &cec_number_finite, .hint = COST_FINITE) \
	CHECK(service_request_closed_after_opened, "service_request", "opened_at timestamptz, closed_at timestamptz", \
		  &cec_times_in_order, .rule = "a request must not be closed before it is opened", \
		  .hint = "Leave closed_at NULL while it is open.") \
	CHECK(service_request_times_finite, "service_request", "opened_at timestamptz, closed_at timestamptz", \
		  &cec_times_finite) \
	CHECK(service_request_currency_form, "service_request", "currency text", &cec_currency) \
	CHECK(service_request_cost_has_currency, "service_request", "cost numeric, currency text", &cec_needs, \
		  .rule = "a cost needs its currency", .hint = COST_NEEDS) \
	CHECK(service_request_cost_finite, "service_request", "cost numeric", &cec_number_finite, .hint = COST_FINITE) \
	CHECK(field_observation_time_finite, "field_observation", "observed_at timestamptz", &cec_times_finite) \
	CHECK(field_observation_seen_tag_length, "field_observation", "seen_tag text", &cec_length, .most = 500) \
	CHECK(field_observation_speaks_of_something, "field_observation", "asset_id bigint, seen_tag text", &cec_any, \
		  .rule = "an observation needs an asset or a tag that was seen", \
		  .hint = "Give asset_id, or the tag in seen_tag.") \
	CHECK(field_observation_location_in_range, "field_observation", "location geometry", &cec_point_in_range, \
		  .hint = SWAPPED)

CEC_ROW_CHECKS(registry, CHECKS)
