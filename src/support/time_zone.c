/*
 * time_zone.c
 *		What CHECK constraints call for time zones: only names of pg_timezone_names are taken.
 *
 * The server takes more: abbreviations, and whatever may be read as POSIX has it, where UTC+2 is two hours west.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"

#include "act_as.h"

PG_FUNCTION_INFO_V1(cec_is_time_zone);

static bool
is_listed(const char *name)
{
	pg_tzenum *zones = pg_tzenumerate_start();
	pg_tz *zone;
	bool result = false;

	while (!result && (zone = pg_tzenumerate_next(zones)) != NULL)
		result = strcmp(pg_get_timezone_name(zone), name) == 0;
	pg_tzenumerate_end(zones);
	return result;
}

/*
 * Whether the zone database has the name, in whatever case.  It is read through only for what may be POSIX as well: that
 * has a digit, and the server turns it into capitals, where the database's own spelling mostly has small letters.
 */
static bool
is_zone(const char *value)
{
	pg_tz *zone = pg_tzset(value);
	const char *name;

	if (zone == NULL || !pg_tz_acceptable(zone))
		return false;
	name = pg_get_timezone_name(zone);
	if (pg_strcasecmp(name, value) != 0)
		return false;
	return strpbrk(name, "0123456789") == NULL || strpbrk(name, "abcdefghijklmnopqrstuvwxyz") != NULL ||
		   is_listed(name);
}

/* cec.is_time_zone(table_id, value, constraint_name): true, or 23514 for what is no name of a time zone. */
Datum
cec_is_time_zone(PG_FUNCTION_ARGS)
{
	char *value = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (is_zone(value))
		PG_RETURN_BOOL(true);
	ereport(
		ERROR,
		(errcode(ERRCODE_CHECK_VIOLATION),
		 cec_may_read_all(GetUserId(), PG_GETARG_OID(0)) ? errmsg("\"%.40s\" is not the name of a time zone", value)
														 : errmsg("what is given is not the name of a time zone"),
		 errdetail(
			 "Names are those of pg_timezone_names. Abbreviations and POSIX forms are none: in these, UTC+2 is west of Greenwich."),
		 errhint("Write a place, as Europe/Berlin; two hours east of Greenwich all year is Etc/GMT-2."),
		 err_generic_string(PG_DIAG_CONSTRAINT_NAME, text_to_cstring(PG_GETARG_TEXT_PP(2)))));
	PG_RETURN_NULL();
}
