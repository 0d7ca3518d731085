/*
 * progress.c
 *		Tells others how far a long call is: pg_stat_activity.query reads "cec import: 120000 of 200000" meanwhile.
 *
 * A call that raises an error leaves its last word there until the session's next statement.
 */
#include "postgres.h"

#include "pgstat.h"
#include "tcop/tcopprot.h"

#include "support/progress.h"

/* Says how much is done. */
void
cec_progress_tell(const char *what, int64 done, int64 total)
{
	char *words = psprintf("cec %s: " INT64_FORMAT " of " INT64_FORMAT, what, done, total);

	pgstat_report_activity(STATE_RUNNING, words);
	pfree(words);
}

/* The session's own statement is told again. */
void
cec_progress_end(void)
{
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
}
