/*
 * outbox_write.h
 *		Writes events for other systems.
 */
#ifndef CEC_OUTBOX_WRITE_H
#define CEC_OUTBOX_WRITE_H

#include "nodes/pg_list.h"

#include "portfolio/change.h"

/* How many subjects of an event are named in it; all are counted. */
#define CEC_EVENT_SUBJECTS 100

/* An event to be written, with the columns of Debezium's outbox event router. */
typedef struct CecEvent
{
	const char *aggregate_type; /* what it is about, e.g. "contract" */
	const char *aggregate_id;	/* which one */
	const char *type;			/* what happened, e.g. "finding.opened" */
	const char *payload;		/* a JSON object; who acted, and why, is added */
	const char *id;				/* a UUID; NULL: one is drawn */
} CecEvent;

/* Events that are written together, in order; there are none at first. */
typedef struct CecOutbox
{
	List *events;	   /* of CecEvent */
	MemoryContext cxt; /* where whoever adds events from another context keeps them */
} CecOutbox;

extern void cec_outbox_add(CecOutbox *outbox, const CecEvent *event);
extern CecOutbox *cec_outbox_of(CecChange *change);
extern void cec_outbox_write(CecPortfolio *portfolio, CecOutbox *outbox);

#endif
