/*
 * inclusion_lines.h
 *		List lines that are held against the register, and what is said of those that are refused.
 */
#ifndef CEC_INCLUSION_LINES_H
#define CEC_INCLUSION_LINES_H

#include "change.h"
#include "day_set.h"
#include "nodes/pg_list.h"

/* A line that is held against the register. */
typedef struct CecLine
{
	int64 inclusion_id;
	int64 asset_id;
	int64 term_id;
	CecDays during;
	bool is_include;
} CecLine;

typedef struct CecLines
{
	int64 count;
	int64 space;
	CecLine *lines;
} CecLines;

extern List *cec_inclusion_explain_unresolved(CecChange *change, List *unresolved);
extern List *cec_inclusion_explain_lines(CecChange *change, const CecLines *doubtful);
extern void cec_inclusion_refuse(CecChange *change, List *wrong, int64 line_count);

#endif
