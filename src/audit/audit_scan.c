/*
 * audit_scan.c
 *		Reads the log, row by row, with the active snapshot, as the owner.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "audit/audit_scan.h"

/* In the order of CecLogColumn; the casts keep a column that somebody retyped from being read as what it was. */
#define SELECT_LOG \
	"SELECT audit_id::bigint, xid::xid8, system_id::bigint, at::timestamptz, actor::text, session_user_name::text," \
	" application_name::text, client_addr::inet, reason::text, table_name::text, operation::text, row_id::bigint," \
	" asset_id::bigint, term_id::bigint, contract_id::bigint, salt::bytea, row_image::bytea, delta::bytea FROM @P@.audit_log"

static const CecQuery log_rows = {SELECT_LOG " WHERE audit_id BETWEEN $1 AND $2",
								  2,
								  {INT8OID, INT8OID},
								  CURSOR_OPT_CUSTOM_PLAN,
								  .results = CEC_LOG_COLUMN_TYPES};

static const CecQuery one_log_row = {
	SELECT_LOG " WHERE audit_id = $1", 1, {INT8OID}, CURSOR_OPT_GENERIC_PLAN, .results = CEC_LOG_COLUMN_TYPES};

/* Two snapshots would not fit together.  Error: 25001. */
void
cec_audit_require_read_committed(const char *what)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("%s needs isolation level READ COMMITTED", what),
				 errdetail("The transaction runs at %s.",
						   XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errhint("Run it in a transaction of its own: BEGIN ISOLATION LEVEL READ COMMITTED.")));
}

/* Acts as the owner of the portfolio, for a caller who may read all of it.  Error: 42501. */
void
cec_audit_begin(CecPortfolio *portfolio, CecActAs *act, const char *verb)
{
	if (!cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, "audit_log")))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to %s the audit log", verb),
						errhint("It needs SELECT on audit_log, which levels auditor and admin have.")));
	cec_portfolio_act(act, portfolio);
}

/* Hands over the rows of the log from a number to another, in any order, as values in the order of CecLogColumn. */
void
cec_audit_scan_log(CecPortfolio *portfolio, int64 from, int64 to, CecRowTaker take, void *arg)
{
	Datum range[2] = {Int64GetDatum(from), Int64GetDatum(to)};

	SPI_connect();
	cec_query_stream(portfolio->plans, &log_rows, range, take, arg);
	SPI_finish();
}

/* Hands over the row of the log that has a number; none, if there is none. */
void
cec_audit_read_row(CecPortfolio *portfolio, int64 audit_id, CecRowTaker take, void *arg)
{
	Datum key = Int64GetDatum(audit_id);

	SPI_connect();
	cec_query_stream(portfolio->plans, &one_log_row, &key, take, arg);
	SPI_finish();
}
