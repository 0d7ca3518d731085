/*
 * portfolio_shape.h
 *		What the tables of a portfolio look like as cec.create_portfolio makes them.
 */
#ifndef CEC_PORTFOLIO_SHAPE_H
#define CEC_PORTFOLIO_SHAPE_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

typedef struct CecColumnShape
{
	NameData name;
	Oid type;
	int32 typmod;
	Oid collation;
	bool is_not_null;
	char generated;
	char identity;
} CecColumnShape;

typedef struct CecTableShape
{
	NameData name;	/* key */
	bool is_stated; /* people write it, and the engine records what they do */
	int ncolumns;
	CecColumnShape *columns;
	int nconstraints;
	NameData *constraints;
} CecTableShape;

extern const CecTableShape *cec_shape_of_table(const char *table_name);
extern List *cec_shape_names(void);

#endif
