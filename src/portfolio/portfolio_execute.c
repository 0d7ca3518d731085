/*
 * portfolio_execute.c
 *		Runs the script that shapes a portfolio, as its owner and with a pinned search_path.
 *
 * Under SECURITY_RESTRICTED_OPERATION, because an upgrade run by a superuser meets the tenant's defaults, checks and
 * triggers.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_execute_as);

/*
 * cec._execute_as(owner oid, search_path text, script text): runs the statements as owner.  The caller must be able to
 * SET ROLE to it (42501 otherwise).
 */
Datum
cec_execute_as(PG_FUNCTION_ARGS)
{
	Oid owner = PG_GETARG_OID(0);
	char *search_path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *script = text_to_cstring(PG_GETARG_TEXT_PP(2));
	int nest_level;
	int result;
	CecActAs act;

	if (!cec_compat_may_act_as(GetUserId(), owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be able to SET ROLE \"%s\"", GetUserNameFromId(owner, false)),
						errhint("Grant the role to yourself, or let its members do this.")));

	nest_level = NewGUCNestLevel();
	cec_act_as(&act, owner, SECURITY_RESTRICTED_OPERATION);
	set_config_option("search_path", search_path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option("check_function_bodies", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute(script, false, 0);
	if (result < 0)
		elog(ERROR, "could not run a portfolio script: %s", SPI_result_code_string(result));
	SPI_finish();

	cec_act_as_self(&act);
	AtEOXact_GUC(false, nest_level);
	PG_RETURN_VOID();
}
