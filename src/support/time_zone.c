/*
 * time_zone.c
 *		Which names of time zones are taken: those of pg_timezone_names.
 *
 * The server takes more: abbreviations, and whatever may be read as POSIX has it, where UTC+2 is two hours west.
 */
#include "postgres.h"

#include "pgtime.h"

#include "support/time_zone.h"

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
bool
cec_is_time_zone(const char *value)
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
