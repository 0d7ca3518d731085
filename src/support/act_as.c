/*
 * act_as.c
 *		Switches the current user to the owner of a table and back.
 *
 * On error the transaction machinery restores user and context itself (AbortTransaction and AbortSubTransaction); so
 * a plain pair of calls is restored on every exit.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "act_as.h"

/* Acts as owner from here on; row-level security does not hide the owner's rows, FORCE or not. */
void
cec_act_as(CecActAs *act, Oid owner, int extra_context)
{
	GetUserIdAndSecContext(&act->saved_user, &act->saved_context);
	SetUserIdAndSecContext(owner,
						   act->saved_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS | extra_context);
}

/* Back to who acted before. */
void
cec_act_as_self(const CecActAs *act)
{
	SetUserIdAndSecContext(act->saved_user, act->saved_context);
}
