/*
 * rule_stages.h
 *		The stages of compiling a condition, and the vocabulary that they share.
 */
#ifndef CEC_RULE_STAGES_H
#define CEC_RULE_STAGES_H

#include "access/tupdesc.h"
#include "nodes/parsenodes.h"

#include "rule/rule_condition.h"
#include "support/compat.h"

/* What one compilation knows so far. */
typedef struct CecCompile
{
	const char *text;
	TupleDesc fact;		 /* of cec.rule_fact */
	Oid fact_relation;	 /* its pg_class entry */
	int nodes;			 /* raw nodes met */
	int boundary_cost;	 /* what asking for the boundary costs; see cec_bind_column */
	List *moments;		 /* places of literals that may say today, now or the like */
	Bitmapset *columns;	 /* see CecCondition */
	bool depends_on_day; /* see CecCondition */
	bool is_parsing;	 /* the server's grammar reads it */
	bool is_analysing;	 /* the server's parser reads types into it */
} CecCompile;

#define CEC_GEOGRAPHY 1 /* no type has this oid */

/* A column of the fact row. */
typedef struct CecColumn
{
	AttrNumber number;
	const char *name;
	Oid type; /* InvalidOid: PostGIS's geometry; CEC_GEOGRAPHY: its geography */
	bool is_hidden;
	bool depends_on_day;
	bool is_indexed; /* "column = constant" at the top level finds the rules that an asset can match */
	bool is_short;	 /* a constraint of the register or of contracts bounds its length */
} CecColumn;

/* Where a function of the vocabulary comes from. */
typedef enum CecOrigin
{
	CEC_ORIGIN_SERVER,
	CEC_ORIGIN_CEC,
	CEC_ORIGIN_POSTGIS
} CecOrigin;

/* One signature of a published function. */
typedef struct CecFunction
{
	const char *name;
	CecOrigin origin;
	int nargs;
	Oid id;			/* of the server's; others are looked up */
	Oid first_type; /* of the arguments of this extension's */
	Oid second_type;
	const char *arguments;
	const char *result;
	const char *meaning;
	bool depends_on_day;
} CecFunction;

/* Functions of this extension and of PostGIS that conditions are compiled to. */
typedef enum CecCalled
{
	CEC_CALLED_LAST_MAINTENANCE,
	CEC_CALLED_MAINTENANCE_COUNT,
	CEC_CALLED_REQUEST_COUNT,
	CEC_CALLED_AS_DATE,
	CEC_CALLED_AS_NUMBER,
	CEC_CALLED_DISTANCE_TO_POINT,
	CEC_CALLED_ST_X,
	CEC_CALLED_ST_Y,
	/* not published: what the others are expanded to */
	CEC_CALLED_AGE_YEARS_ON,
	CEC_CALLED_LAST_MAINTENANCE_ON,
	CEC_CALLED_MAINTENANCE_COUNT_ON,
	CEC_CALLED_REQUEST_COUNT_ON,
	CEC_CALLED_BOUNDED_TEXT,
	CEC_CALLED_BOUNDED_NUMBER,
	CEC_CALLED_BOUNDED_JSONB,
	CEC_CALLED_ST_COVERS,
	CEC_CALLED_GEOGRAPHY,
	CEC_CALLED_ST_MAKEPOINT,
	CEC_CALLED_ST_SETSRID,
	CEC_CALLED_ST_DISTANCE
} CecCalled;

#define CEC_CALLED_COUNT (CEC_CALLED_ST_DISTANCE + 1)

/* rule_vocabulary.c */
extern const CecColumn *cec_column(AttrNumber number);
extern const CecColumn *cec_column_named(const char *name);
extern const char *cec_column_words(AttrNumber number);
extern const char *cec_column_near(const char *name);
extern const CecFunction *cec_function_named(const char *name);
extern const CecFunction *cec_functions(int *count);
extern const char *cec_function_near(const char *name);
extern const char *cec_function_example(const char *name);
extern bool cec_operator_is_listed(const char *name);
extern Oid cec_type_named(const char *name);
extern bool cec_type_is_listed(Oid type);
extern bool cec_function_is_listed(Oid function);

/* rule_called.c */
extern Oid cec_called(CecCalled called);
extern bool cec_is_published_call(Oid function);
extern Oid cec_geometry_type(void);
extern Oid cec_geography_type(void);
extern char *cec_postgis_schema(void);

/* rule_compile.c */
extern int cec_condition_position(const CecCompile *compile, int location);
pg_noreturn extern void cec_refuse_part(const CecCompile *compile, int location, const char *what, const char *hint);

/* rule_hint.c */
extern void cec_hint_parser(const CecCompile *compile, int position);
extern const char *cec_hint_values(const CecCompile *compile, int location);
extern const char *cec_hint_alone(const CecCompile *compile, int location);
extern const char *cec_hint_behind(const CecCompile *compile);

/* rule_name.c */
extern AttrNumber cec_bind_column(CecCompile *compile, ColumnRef *ref);
extern const char *cec_check_operator(CecCompile *compile, A_Expr *expr);
extern CecOrigin cec_bind_function(CecCompile *compile, FuncCall *call);
extern void cec_bind_type(CecCompile *compile, TypeCast *cast);
extern bool cec_bind_path(CecCompile *compile, Node *node);

/* rule_raw.c, rule_analysed.c, rule_expand.c, rule_conjunct.c, rule_doubt.c, rule_print.c */
extern Node *cec_check_raw(CecCompile *compile, List *statements);
extern void cec_check_analysed(CecCompile *compile, Node *expr);
extern Node *cec_normalise(Node *expr);
extern Node *cec_expand(Node *expr);
extern List *cec_find_conjuncts(Node *expr);
extern List *cec_find_doubts(const CecCompile *compile, Node *expr);
extern char *cec_print(Oid fact_relation, Node *expr, bool with_prefix);

#endif
