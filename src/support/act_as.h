/*
 * act_as.h
 *		Acting as the owner of a table, as the server's foreign keys do.
 */
#ifndef CEC_ACT_AS_H
#define CEC_ACT_AS_H

typedef struct CecActAs
{
	Oid saved_user;
	int saved_context;
	int nest_level;
} CecActAs;

extern void cec_act_as(CecActAs *act, Oid owner, int extra_context);
extern void cec_act_restricted(CecActAs *act);
extern bool cec_act_is_restricted(void);
extern bool cec_may_read_all(Oid role, Oid relid);
extern void cec_act_as_self(const CecActAs *act);

#endif
