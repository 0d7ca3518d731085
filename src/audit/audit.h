/*
 * audit.h
 *		The audit trail, for those who load it.
 */
#ifndef CEC_AUDIT_H
#define CEC_AUDIT_H

extern const char *cec_audit_actor(void);
extern const char *cec_audit_reason(void);

#endif
