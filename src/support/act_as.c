/*
 * act_as.c
 *		Switches the current user to the owner of a table and back.
 *
 * With the user goes the search_path: the engine's queries are resolved in pg_catalog alone.  By the caller's path he
 * could put functions and operators of his own in their place, which would then run as the owner.
 *
 * On error the transaction machinery restores user and context itself (AbortTransaction and AbortSubTransaction); so
 * a plain pair of calls is restored on every exit.  The same holds for the settings of a nest level.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "act_as.h"

/*
 * Acts as owner from here on, with a pinned search_path; row-level security does not hide the owner's rows, FORCE or
 * not.
 */
void
cec_act_as(CecActAs *act, Oid owner, int extra_context)
{
	act->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
	GetUserIdAndSecContext(&act->saved_user, &act->saved_context);
	SetUserIdAndSecContext(owner,
						   act->saved_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS | extra_context);
}

/* Back to who acted before. */
void
cec_act_as_self(const CecActAs *act)
{
	SetUserIdAndSecContext(act->saved_user, act->saved_context);
	AtEOXact_GUC(true, act->nest_level);
}
