/*
 * inclusion_lines.h
 *		List lines that are checked against the register, and what is said of those that are refused.
 */
#ifndef CEC_INCLUSION_LINES_H
#define CEC_INCLUSION_LINES_H

#include "portfolio/change.h"
#include "support/day_set.h"
#include "support/id_list.h"
#include "nodes/pg_list.h"

/* A line that is checked against the register. */
typedef struct CecLine
{
	int64 place; /* in the statement, from 1; 0 where lines have none */
	int64 inclusion_id;
	int64 asset_id;
	int64 term_id;
	CecDays during;
	bool is_include;
	text *listed_as; /* must be a name of the asset; NULL: nothing is said, or it was checked before */
} CecLine;

typedef struct CecLines
{
	int64 count;
	int64 space;
	CecLine *lines;
} CecLines;

/* Lines that name days which their term has not, the first of them with the days that it has. */
typedef struct CecClipped
{
	int64 count;
	CecLine first;
	CecDays term;
} CecClipped;

/* What may be wrong with a line. */
typedef struct CecProblem
{
	const char *name;
	int sqlstate;
	const char *constraint;
	const char *message; /* %s: what the asset was listed as */
	const char *hint;
} CecProblem;

/* A line that is refused. */
typedef struct CecWrongLine
{
	int64 place; /* see CecLine */
	int64 inclusion_id;
	const CecProblem *problem;
	char *listed_as;
	char *facts; /* NULL: nothing to add */
} CecWrongLine;

extern void cec_inclusion_add_line(CecLines *lines, CecLine line);
extern CecLines cec_inclusion_find_doubtful(CecChange *change, CecLines *lines, List **misnamed, CecClipped *clipped);
extern const CecProblem *cec_inclusion_problem(const char *name);
extern char *cec_inclusion_shorten(const char *text);
extern List *cec_inclusion_explain_new(CecPortfolio *portfolio, CecLines *lines, const CecIds *taken);
extern List *cec_inclusion_explain_unresolved(CecChange *change, List *unresolved);
extern List *cec_inclusion_explain_lines(CecChange *change, CecLines *doubtful);
extern void cec_inclusion_refuse(CecChange *change, List *wrong, int64 line_count);

#endif
