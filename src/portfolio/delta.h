/*
 * delta.h
 *		What one statement changed in cover, why, and at which instant.
 */
#ifndef CEC_DELTA_H
#define CEC_DELTA_H

#include "utils/timestamp.h"

#include "support/day_set.h"

/* A state of cover, or days on which a rule acts, that was gained or lost. */
typedef struct CecDeltaRow
{
	int64 asset_id;
	int64 subject_id; /* term; of a decision the rule */
	CecDays during;
	uint8 flags;
} CecDeltaRow;

/* Flags: the grounds of cover, none in a decision; and whether the row was gained or lost. */
#define CEC_DELTA_STATED 0x01
#define CEC_DELTA_RULED 0x02
#define CEC_DELTA_INHERITED 0x04
#define CEC_DELTA_GAINED 0x08

typedef struct CecDeltaRows
{
	int64 count;
	int64 space;
	CecDeltaRow *rows;
} CecDeltaRows;

typedef struct CecDelta
{
	TimestampTz clock;		/* read once, when somebody asks first: its day is the one as of which is decided */
	TimestampTz at;			/* the statement's instant; 0 until it is taken */
	CecDeltaRows cover;		/* in order of asset and term; of each what went before what came */
	CecDeltaRows decisions; /* in the order in which they were taken */
	bool is_stamped;		/* decisions were recorded with the instant as it was */
	bool was_moved;			/* and it was moved since */
	MemoryContext cxt;
} CecDelta;

/* What a statement changed of an asset under a term. */
typedef struct CecDeltaPart
{
	int64 asset_id;
	int64 term_id;
	const CecDeltaRow *old_rows;
	int64 old_count;
	const CecDeltaRow *new_rows;
	int64 new_count;
	int64 next; /* where the part after it begins; 0 to start */
} CecDeltaPart;

extern void cec_delta_begin(CecDelta *delta);
extern TimestampTz cec_delta_clock(CecDelta *delta);
extern TimestampTz cec_delta_instant(CecDelta *delta, TimestampTz past);
extern void
cec_delta_add(CecDelta *delta, CecDeltaRows *rows, int64 asset_id, int64 subject_id, CecDays during, uint8 flags);
extern bool cec_delta_next(const CecDelta *delta, CecDeltaPart *part);

static inline bool
cec_delta_is_empty(const CecDelta *delta)
{
	return delta->cover.count == 0 && delta->decisions.count == 0;
}

#endif
