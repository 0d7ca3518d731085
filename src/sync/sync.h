/*
 * sync.h
 *		The registry connector.
 */
#ifndef CEC_SYNC_H
#define CEC_SYNC_H

/* Whether an error is about the row that is written: it is rejected, and the run goes on. */
extern bool cec_sync_is_refusal(int sqlstate);

#endif
