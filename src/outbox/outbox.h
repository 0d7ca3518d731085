/*
 * outbox.h
 *		The outbox, for those who load it.
 */
#ifndef CEC_OUTBOX_H
#define CEC_OUTBOX_H

extern void cec_outbox_init(void);

#endif
