/*
 * guard.h
 *		Keeps other people's functions from running as whoever called the engine.
 */
#ifndef CEC_GUARD_H
#define CEC_GUARD_H

extern int cec_guard_enter(void);
extern void cec_guard_leave(int depth);

#endif
