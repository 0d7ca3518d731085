/*
 * sync_constraint.c
 *		The CHECK constraints of sources.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(asset_source_source_length, "asset_source", "source text", &cec_length, .most = 28) \
	CHECK( \
		asset_source_owned_columns_known, "asset_source", "owned_columns text[]", &cec_words, \
		.words = \
			"tag_symbology, serial_number, manufacturer, model, category, usage_type, status, customer_id, country, " \
			"region, location, commissioned_on, decommissioned_on, out_of_service, attributes", \
		.hint = "asset_tag, source and source_updated_at are always the source's own; NULL stands for all columns.") \
	CHECK(asset_source_null_means_known, "asset_source", "null_means text", &cec_word, .words = "keep, clear") \
	CHECK(asset_source_stale_after_positive, "asset_source", "stale_after interval", &cec_interval_positive, \
		  .hint = "Write it as a span of time: '2 days'.")

CEC_ROW_CHECKS(sync, CHECKS)
