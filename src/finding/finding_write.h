/*
 * finding_write.h
 *		Opens and closes findings.
 */
#ifndef CEC_FINDING_WRITE_H
#define CEC_FINDING_WRITE_H

#include "nodes/pg_list.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "outbox/outbox_write.h"
#include "portfolio/portfolio_cache.h"
#include "support/id_list.h"

/* The severity of which others are told. */
#define CEC_ERROR "error"

/* A finding to be opened. */
typedef struct CecFinding
{
	const char *kind;
	const char *severity;
	int64 asset_id; /* ids: 0 for none */
	int64 other_asset_id;
	int64 contract_id;
	int64 term_id;
	int64 rule_id;
	const char *subject; /* NULL: the ids say it all */
	const char *message;
	const char *detail; /* a JSON object */
	bool has_first_day;
	DateADT first_day;
	bool has_last_day;
	DateADT last_day;
} CecFinding;

/* What is to be closed and opened, together: all zero, there is nothing. */
typedef struct CecFindingChange
{
	TimestampTz at; /* the instant of the statement that does so; 0: whatever the clock says then */
	CecIds closed;
	bool opens_errors; /* of errors others are told */
	bool closes_errors;
	List *opened;		/* of CecFinding */
	CecIds changed_ids; /* of findings that stay open and say something else now */
	List *changed;		/* what they say, in the same order */
} CecFindingChange;

extern void cec_finding_open(CecFindingChange *change, const CecFinding *finding);
extern void cec_finding_update(CecFindingChange *change, int64 finding_id, const CecFinding *finding);
extern void cec_finding_close(CecFindingChange *change, int64 finding_id, bool may_be_error);
extern void cec_finding_write(CecPortfolio *portfolio, CecFindingChange *change, CecOutbox *outbox);

#endif
