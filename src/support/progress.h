/*
 * progress.h
 *		How far a long call is, for others to see.
 */
#ifndef CEC_PROGRESS_H
#define CEC_PROGRESS_H

extern void cec_progress_tell(const char *what, int64 done, int64 total);
extern void cec_progress_end(void);

#endif
