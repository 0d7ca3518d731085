/*
 * finding_event.h
 *		Tells other systems of errors that were found, and of those that are mended.
 */
#ifndef CEC_FINDING_EVENT_H
#define CEC_FINDING_EVENT_H

#include "outbox/outbox_write.h"

extern void cec_finding_tell_opened(CecPortfolio *portfolio, CecOutbox *outbox);
extern void cec_finding_tell_closed(CecPortfolio *portfolio, CecOutbox *outbox);

#endif
