/*
 * attempt.h
 *		Doing what may raise an error, or take too long, and going on.
 */
#ifndef CEC_ATTEMPT_H
#define CEC_ATTEMPT_H

extern ErrorData *cec_attempt_told(void (*act)(void *arg), void *arg, bool (*is_expected)(int sqlstate));
extern int cec_attempt(void (*act)(void *arg), void *arg, bool (*is_expected)(int sqlstate));
extern void cec_deadline_start(void);
extern void cec_deadline_stop(void);
extern void cec_deadline_enter(void);
extern void cec_deadline_enter_for(double ms);
extern bool cec_deadline_leave(void);
extern bool cec_deadline_raised(bool passed, const ErrorData *error);

#endif
