/*
 * alert_payload.c
 *		What an alert says, as JSON: how many assets, and of the first of them which terms lost and gained which days.
 *
 * Its size is bounded, whatever the statement did: so many assets, of each so many terms, of each so many stretches of days; what
 * is left out is counted.
 */
#include "postgres.h"

#include "utils/json.h"

#include "compliance/alert.h"

/* Of an asset. */
#define NAMED_TERMS 10

/* Of an asset under a term: lost, and gained. */
#define NAMED_STRETCHES 10

const char *const cec_alert_column_name[CEC_ALERT_COLUMNS] = {"status",			"commissioned_on", "decommissioned_on",
															  "out_of_service", "customer_id",	   "location"};

/* A key with a text, or null, behind what is there. */
void
cec_alert_write_text(StringInfo json, const char *name, const char *text)
{
	appendStringInfo(json, "\"%s\": ", name);
	if (text == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, text);
}

static void
append_day(StringInfo json, const char *name, DateADT day, bool is_open)
{
	if (is_open)
		appendStringInfo(json, "\"%s\": null", name);
	else
		appendStringInfo(json, "\"%s\": \"%s\"", name, cec_day_in_words(day));
}

static void
append_days(StringInfo json, const char *name, const CecDaySet *days)
{
	appendStringInfo(json, ", \"%s\": [", name);
	for (int i = 0; i < Min(days->count, NAMED_STRETCHES); i++)
	{
		CecDays stretch = days->spans[i];

		appendStringInfoString(json, i == 0 ? "{" : ", {");
		append_day(json, "first_day", stretch.from, stretch.from == CEC_DAY_MIN);
		appendStringInfoString(json, ", ");
		append_day(json, "last_day", stretch.to - 1, stretch.to == CEC_DAY_MAX);
		appendStringInfoChar(json, '}');
	}
	appendStringInfoChar(json, ']');
	if (days->count > NAMED_STRETCHES)
		appendStringInfo(json, ", \"more_%s\": %d", name, days->count - NAMED_STRETCHES);
}

static void
append_columns(StringInfo json, uint8 columns)
{
	const char *separator = "";

	appendStringInfoString(json, "\"columns\": [");
	for (int i = 0; i < CEC_ALERT_COLUMNS; i++)
	{
		if (!(columns & (1 << i)))
			continue;
		appendStringInfo(json, "%s\"%s\"", separator, cec_alert_column_name[i]);
		separator = ", ";
	}
	appendStringInfoChar(json, ']');
}

/* Completes the asset that is named last. */
static void
close_asset(CecAlert *alert)
{
	if (!alert->is_open)
		return;
	appendStringInfoChar(&alert->assets, ']');
	if (alert->term_count > NAMED_TERMS)
		appendStringInfo(&alert->assets, ", \"more_terms\": %d", alert->term_count - NAMED_TERMS);
	appendStringInfoChar(&alert->assets, '}');
	alert->is_open = false;
}

/* Counts an asset; when it is named, begins it.  True: it is. */
static bool
begin_asset(CecAlert *alert, const CecAlertAsset *asset)
{
	StringInfo json = &alert->assets;

	if (alert->count == 0)
	{
		initStringInfo(json);
		initStringInfo(&alert->term_numbers);
	}
	close_asset(alert);
	alert->columns |= asset->columns;
	if (alert->count++ >= CEC_EVENT_SUBJECTS)
		return false;
	appendStringInfo(json, "%s{\"asset_id\": " INT64_FORMAT ", ", alert->count == 1 ? "" : ", ", asset->asset_id);
	cec_alert_write_text(json, "asset_tag", asset->tag);
	appendStringInfoString(json, ", ");
	cec_alert_write_text(json, "status", asset->status);
	appendStringInfoString(json, ", ");
	return true;
}

/* Adds an asset; its terms are added behind it.  What is added to an alert is added in one context. */
void
cec_alert_add_asset(CecAlert *alert, const CecAlertAsset *asset)
{
	if (!begin_asset(alert, asset))
		return;
	append_columns(&alert->assets, asset->columns);
	appendStringInfoString(&alert->assets, ", \"terms\": [");
	alert->term_count = 0;
	alert->is_open = true;
}

/* Adds an asset that is to be decommissioned. */
void
cec_alert_add_planned(CecAlert *alert, const CecAlertAsset *asset)
{
	StringInfo json = &alert->assets;

	if (!begin_asset(alert, asset))
		return;
	append_day(json, "decommissioned_on", asset->decommissioned_on, false);
	appendStringInfoString(json, ", ");
	append_day(json, "before", asset->decommissioned_before, asset->decommissioned_before == DATEVAL_NOEND);
	appendStringInfoChar(json, '}');
}

static void
note_term(CecAlert *alert, int64 term_id, const char *term_number)
{
	for (int64 i = 0; i < alert->terms.count; i++)
		if (alert->terms.ids[i] == term_id)
			return;
	cec_ids_add(&alert->terms, term_id);
	appendStringInfoString(&alert->term_numbers, alert->terms.count == 1 ? "" : ", ");
	escape_json(&alert->term_numbers, term_number);
}

/* Adds a term to the asset that was added last, with the days that it has lost and gained; there may be none. */
void
cec_alert_add_term(CecAlert *alert, int64 term_id, const char *term_number, const CecDaySet *lost,
				   const CecDaySet *gained)
{
	StringInfo json = &alert->assets;

	if (alert->terms.count < CEC_EVENT_SUBJECTS)
		note_term(alert, term_id, term_number);
	if (!alert->is_open || ++alert->term_count > NAMED_TERMS)
		return;
	appendStringInfo(json, "%s{\"term_id\": " INT64_FORMAT ", ", alert->term_count == 1 ? "" : ", ", term_id);
	cec_alert_write_text(json, "term_number", term_number);
	append_days(json, "lost", lost);
	append_days(json, "gained", gained);
	appendStringInfoChar(json, '}');
}

/* What it says of assets: the end of an object. */
void
cec_alert_write(StringInfo json, CecAlert *alert)
{
	close_asset(alert);
	if (alert->terms.count > 0)
	{
		append_columns(json, alert->columns);
		appendStringInfo(json, ", \"terms\": [%s], ", alert->term_numbers.data);
	}
	appendStringInfo(json, "\"count\": " INT64_FORMAT ", \"assets\": [%s]}", alert->count, alert->assets.data);
}
