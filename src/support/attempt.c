/*
 * attempt.c
 *		Does something in a subtransaction of its own, from which an error leads back to whoever asked.
 *
 * Deadline.  A timer ticks twice a second; what was running at one tick and still is at the next is cancelled the way a
 * statement is.  So nothing runs longer than a second, as long as the function that it is in looks for interrupts, and no timer
 * is set for each of many short acts.
 */
#include "postgres.h"

#include "init.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "support/attempt.h"

#define TICK_MS 500

static TimeoutId timer = MAX_TIMEOUTS;
static volatile sig_atomic_t running = false;
static volatile sig_atomic_t deadline_passed = false;
static volatile sig_atomic_t progress = 0;
static volatile sig_atomic_t seen = -1;
static volatile TimestampTz until = 0; /* when what has a time of its own is late; 0: it goes by ticks */
static SubTransactionId started_in = InvalidSubTransactionId; /* where the timer was set; invalid: it is not */

/* Runs inside a signal handler. */
static void
tick(void)
{
	bool is_late = until != 0 ? GetCurrentTimestamp() >= until : progress == seen;

	if (running && is_late && !QueryCancelPending)
	{
		deadline_passed = true;
		InterruptPending = true;
		QueryCancelPending = true;
	}
	seen = progress;
}

/* An error that is caught further up leaves nobody who would stop the timer. */
static void
stop_taken_back(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && started_in >= mine)
		cec_deadline_stop();
}

/* The server itself stops all timers when a transaction ends by an error. */
static void
forget_at_end(XactEvent event, void *arg)
{
	started_in = InvalidSubTransactionId;
}

/* Called once when the library is loaded. */
void
cec_attempt_init(void)
{
	RegisterSubXactCallback(stop_taken_back, NULL);
	RegisterXactCallback(forget_at_end, NULL);
}

/* Starts watching; until cec_deadline_stop, or the end of the (sub)transaction by an error. */
void
cec_deadline_start(void)
{
	if (timer == MAX_TIMEOUTS)
		timer = RegisterTimeout(USER_TIMEOUT, tick);
	running = false;
	started_in = GetCurrentSubTransactionId();
	enable_timeout_every(timer, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS), TICK_MS);
}

void
cec_deadline_stop(void)
{
	running = false;
	started_in = InvalidSubTransactionId;
	disable_timeout(timer, false);
}

/* From here on something runs that may take half a second to a second. */
void
cec_deadline_enter(void)
{
	until = 0;
	progress = (progress + 1) & 0x3fffffff;
	deadline_passed = false;
	running = true;
}

/* From here on something runs that may take so many milliseconds; what follows it starts watching anew. */
void
cec_deadline_enter_for(double ms)
{
	until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) ms);
	enable_timeout_every(timer, until, TICK_MS);
	deadline_passed = false;
	running = true;
}

/* Whether the statement has run out of time of its own; both may ask for the same cancellation. */
static bool
statement_is_late(void)
{
	return StatementTimeout > 0 && get_timeout_finish_time(STATEMENT_TIMEOUT) != 0 &&
		   get_timeout_finish_time(STATEMENT_TIMEOUT) <= GetCurrentTimestamp();
}

/* It has ended, also by an error; true when the deadline was what ended it, or passed while nobody looked. */
bool
cec_deadline_leave(void)
{
	bool passed = deadline_passed;

	running = false;
	deadline_passed = false;
	if (passed && statement_is_late())
		return false; /* it would end the statement anyway */
	if (passed)
		QueryCancelPending = false;
	return passed;
}

/* Whether an error, caught, is the deadline's, which has passed, and not that of a timeout that the statement has. */
bool
cec_deadline_raised(bool passed, const ErrorData *error)
{
	return passed && error->sqlerrcode == ERRCODE_QUERY_CANCELED &&
		   (error->message_id == NULL || strstr(error->message_id, "timeout") == NULL);
}

/*
 * Does it, in the current memory context.  Returns NULL, or the error that has ended it, where that is expected or the deadline's;
 * any other is thrown on.
 */
ErrorData *
cec_attempt_told(void (*act)(void *arg), void *arg, bool (*is_expected)(int sqlstate))
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		act(arg);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		bool passed = cec_deadline_leave();

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!is_expected(error->sqlerrcode) && !cec_deadline_raised(passed, error))
			ReThrowError(error);
	}
	PG_END_TRY();
	return error;
}

/* The same; returns 0, or the SQLSTATE of that error. */
int
cec_attempt(void (*act)(void *arg), void *arg, bool (*is_expected)(int sqlstate))
{
	ErrorData *error = cec_attempt_told(act, arg, is_expected);
	int sqlstate = error == NULL ? 0 : error->sqlerrcode;

	if (error != NULL)
		FreeErrorData(error);
	return sqlstate;
}
