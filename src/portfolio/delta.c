/*
 * delta.c
 *		Gathers what one statement changes in cover, and takes the statement's instant.
 *
 * The instant is what the log and all that is recorded beside it say of when: read from the clock after the locks, later
 * than every state that the statement replaces, and than every statement before in the transaction.  So a clock that was
 * set back makes an instant that is ahead of the clock, never two states at once.  The clock is read once a statement: the
 * day as of which it decides is that of its instant, also when midnight strikes meanwhile.
 */
#include "postgres.h"

#include "access/xact.h"

#include "portfolio/delta.h"
#include "support/grow.h"

/* The latest instant that a transaction of this session took, and when that transaction began. */
static TimestampTz last_instant = 0;
static TimestampTz last_transaction = 0;

/* Starts an empty delta, which lives in the current memory context. */
void
cec_delta_begin(CecDelta *delta)
{
	memset(delta, 0, sizeof(CecDelta));
	delta->cxt = CurrentMemoryContext;
}

/*
 * The clock as the statement has read it, now if nobody has asked before.  Whoever asks has the locks that what is decided
 * depends on.
 */
TimestampTz
cec_delta_clock(CecDelta *delta)
{
	if (delta->clock == 0)
		delta->clock = GetCurrentTimestamp();
	return delta->clock;
}

/*
 * The statement's instant: taken by the first who asks, moved where it is not later than the past that is given.  The caller
 * holds the locks.
 */
TimestampTz
cec_delta_instant(CecDelta *delta, TimestampTz past)
{
	if (delta->at != 0 && delta->at > past)
		return delta->at;
	if (last_transaction != GetCurrentTransactionStartTimestamp())
	{
		last_transaction = GetCurrentTransactionStartTimestamp();
		last_instant = 0;
	}
	if (delta->at == 0)
		delta->at = Max(Max(cec_delta_clock(delta), past + 1), last_instant + 1);
	else
	{
		delta->at = past + 1;
		delta->was_moved = delta->is_stamped;
	}
	last_instant = Max(last_instant, delta->at);
	return delta->at;
}

/* Adds a row to one of the lists of the delta. */
void
cec_delta_add(CecDelta *delta, CecDeltaRows *rows, int64 asset_id, int64 subject_id, CecDays during, uint8 flags)
{
	CEC_MAKE_ROOM_IN(delta->cxt, rows->rows, rows->count, rows->space, 4);
	rows->rows[rows->count++] = (CecDeltaRow){asset_id, subject_id, during, flags};
}

/* Moves to the next asset and term whose cover changed, in order; the part is zeroed to start.  False after the last. */
bool
cec_delta_next(const CecDelta *delta, CecDeltaPart *part)
{
	const CecDeltaRow *rows = delta->cover.rows;
	int64 first = part->next;
	int64 middle;
	int64 end;

	if (first == delta->cover.count)
		return false;
	for (middle = first; middle < delta->cover.count && rows[middle].asset_id == rows[first].asset_id &&
						 rows[middle].subject_id == rows[first].subject_id && !(rows[middle].flags & CEC_DELTA_GAINED);
		 middle++)
		;
	for (end = middle; end < delta->cover.count && rows[end].asset_id == rows[first].asset_id &&
					   rows[end].subject_id == rows[first].subject_id;
		 end++)
		;
	*part = (CecDeltaPart){rows[first].asset_id, rows[first].subject_id, rows + first, middle - first,
						   rows + middle,		 end - middle,			 end};
	return true;
}
