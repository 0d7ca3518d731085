/*
 * act_as.c
 *		Switches the current user to the owner of a table and back, and the search_path with it.
 *
 * What runs as the owner must not find its operators and functions by the caller's path: whoever may create a schema
 * could put an operator of theirs in front of pg_catalog's and have it run as the owner.
 *
 * On error the transaction machinery restores user, context and settings itself (AbortTransaction and
 * AbortSubTransaction); so a plain pair of calls is restored on every exit.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rls.h"

#include "support/act_as.h"

#define PINNED_PATH "pg_catalog, pg_temp"

/*
 * Acts as owner from here on, with search_path pg_catalog, pg_temp; row-level security does not hide the owner's rows,
 * FORCE or not.
 */
void
cec_act_as(CecActAs *act, Oid owner, int extra_context)
{
	act->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", PINNED_PATH, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	GetUserIdAndSecContext(&act->saved_user, &act->saved_context);
	SetUserIdAndSecContext(owner,
						   act->saved_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS | extra_context);
}

/*
 * Goes on as the current user, restricted: nothing that runs meanwhile can leave anything behind that would run later, and
 * nothing is found by the caller's search_path.
 */
void
cec_act_restricted(CecActAs *act)
{
	act->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", PINNED_PATH, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	GetUserIdAndSecContext(&act->saved_user, &act->saved_context);
	SetUserIdAndSecContext(act->saved_user, act->saved_context | SECURITY_RESTRICTED_OPERATION);
}

/*
 * Whether all of what cec_act_restricted makes sure of is so: then whoever runs nothing of anybody's may go without.  To set
 * and to restore the path costs 6,000 instructions.
 */
bool
cec_act_is_restricted(void)
{
	return InSecurityRestrictedOperation() && strcmp(namespace_search_path, PINNED_PATH) == 0;
}

/* Back to who acted before, with the settings of before: what somebody's trigger set meanwhile does not stay. */
void
cec_act_as_self(const CecActAs *act)
{
	SetUserIdAndSecContext(act->saved_user, act->saved_context);
	AtEOXact_GUC(false, act->nest_level);
}

/* Whether a role may read all rows of a table (false when there is none); if not, no message may tell it what is there. */
bool
cec_may_read_all(Oid role, Oid relid)
{
	return OidIsValid(relid) && pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK &&
		   check_enable_rls(relid, role, true) != RLS_ENABLED;
}
