/*
 * inclusion_check.h
 *		Rows of a list that is checked before it is written: check_inclusions says what would become of them, and
 *		import_inclusions (src/import) does it.
 */
#ifndef CEC_INCLUSION_CHECK_H
#define CEC_INCLUSION_CHECK_H

#include "utils/jsonb.h"
#include "utils/snapshot.h"

#include "portfolio/portfolio_cache.h"
#include "support/day_set.h"

typedef enum CecOutcome
{
	CEC_OUTCOME_OPEN,
	CEC_OUTCOME_INSERT,
	CEC_OUTCOME_UPDATE,
	CEC_OUTCOME_UNCHANGED,
	CEC_OUTCOME_DUPLICATE,
	CEC_OUTCOME_REFUSED
} CecOutcome;

#define CEC_OUTCOMES (CEC_OUTCOME_REFUSED + 1)

typedef struct CecListRow
{
	int64 place; /* from 1 */
	char *identifier;
	char *note;
	CecDays days;
	bool is_include;
	bool is_malformed;
	bool is_found; /* asset_id is set */
	int64 asset_id;
	int64 inclusion_id; /* the line that it changes or finds unchanged */
	CecOutcome outcome;
	int sqlstate; /* of a refused row, or of one that would be refused as a new line */
	const char *constraint;
	char *message;
	char *tag_message; /* why the tag of an asset that would be listed cannot be scanned; NULL: it can */
	char *suggestion;
} CecListRow;

/* A list that is checked, for one term. */
typedef struct CecListCheck
{
	CecPortfolio *portfolio;
	int64 term_id;
	CecDays days;	/* of the term */
	CecDays common; /* with the contract */
	char *number;
	char *contract_number;
	bool refuses_unscannable;
	CecListRow *rows;
	int64 count;
} CecListCheck;

#define CEC_LIST_ROW_COLUMNS 8

extern void cec_list_check_begin(CecListCheck *check, CecPortfolio *portfolio, int64 term_id, Jsonb *rows);
extern void cec_list_take_rows(CecListCheck *check, Jsonb *rows);
extern void cec_list_refuse_row(CecListRow *row, int sqlstate, const char *constraint, char *message);
extern void cec_list_find_assets(CecListCheck *check, Snapshot snapshot);
extern void cec_list_find_outcomes(CecListCheck *check, Snapshot snapshot);
extern void cec_list_add_to_message(CecListRow *row, char *message);
extern void cec_list_put_row(const CecListRow *row, Datum *values, bool *isnull);

#endif
