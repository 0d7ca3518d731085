/*
 * import.h
 *		A list that is imported: what was found, and what is to be written.
 */
#ifndef CEC_IMPORT_H
#define CEC_IMPORT_H

#include "datatype/timestamp.h"

#include "inclusion/inclusion_check.h"

/* A line of the term that the list does not name, and that runs on. */
typedef struct CecEnding
{
	int64 inclusion_id;
	int64 asset_id;
	char *tag;
	CecDays days;
} CecEnding;

typedef struct CecImport
{
	CecListCheck check;
	const char *mode;
	DateADT today;
	CecEnding *endings; /* in the order in which they are told */
	int64 ending_count;
	int64 running;	   /* lines that run today or later, before the import */
	bool is_excessive; /* of these too many would be ended */
	bool is_requested; /* requested_at is set */
	TimestampTz requested_at;
	bool is_written;
} CecImport;

extern void cec_import_write(CecImport *import);
extern void cec_import_find_endings(CecImport *import, Snapshot snapshot);
extern int64 cec_import_count(const CecImport *import, CecOutcome outcome);

/* A line that has not begun is deleted, as remove_asset does. */
static inline bool
cec_ending_is_deleted(const CecImport *import, const CecEnding *ending)
{
	return ending->days.from > import->today;
}

#endif
