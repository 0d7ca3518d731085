/*
 * condition_compile.h
 *		The stages of compiling a condition, and the vocabulary that they share.
 */
#ifndef CEC_CONDITION_COMPILE_H
#define CEC_CONDITION_COMPILE_H

#include "access/tupdesc.h"
#include "nodes/parsenodes.h"

#include "condition/condition.h"
#include "support/compat.h"

/* What one compilation knows so far. */
typedef struct CecCompile
{
	const char *text;
	CecSpeaker speaker;
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
	bool is_indexed;  /* "column = constant" at the top level finds the rules that an asset can match */
	bool is_short;	  /* a constraint of the register or of contracts bounds its length */
	bool is_of_cover; /* regulations alone may name it */
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
typedef enum CecCatalogFunction
{
	CEC_CATALOG_LAST_MAINTENANCE,
	CEC_CATALOG_MAINTENANCE_COUNT,
	CEC_CATALOG_REQUEST_COUNT,
	CEC_CATALOG_AS_DATE,
	CEC_CATALOG_AS_NUMBER,
	CEC_CATALOG_DISTANCE_TO_POINT,
	CEC_CATALOG_ST_X,
	CEC_CATALOG_ST_Y,
	/* not published: what the others are expanded to */
	CEC_CATALOG_AGE_YEARS_ON,
	CEC_CATALOG_LAST_MAINTENANCE_ON,
	CEC_CATALOG_MAINTENANCE_COUNT_ON,
	CEC_CATALOG_REQUEST_COUNT_ON,
	CEC_CATALOG_BOUNDED_TEXT,
	CEC_CATALOG_BOUNDED_NUMBER,
	CEC_CATALOG_BOUNDED_JSONB,
	CEC_CATALOG_ST_COVERS,
	CEC_CATALOG_GEOGRAPHY,
	CEC_CATALOG_ST_MAKEPOINT,
	CEC_CATALOG_ST_SETSRID,
	CEC_CATALOG_ST_DISTANCE
} CecCatalogFunction;

#define CEC_CATALOG_COUNT (CEC_CATALOG_ST_DISTANCE + 1)

/* condition_vocabulary.c */
extern const CecColumn *cec_column(AttrNumber number);
extern const CecColumn *cec_column_named(const char *name, CecSpeaker speaker);
extern const char *cec_column_words(AttrNumber number);
extern const char *cec_column_near(const char *name, CecSpeaker speaker);
extern const CecFunction *cec_function_named(const char *name);
extern const CecFunction *cec_functions(int *count);
extern const char *cec_function_near(const char *name);
extern const char *cec_function_example(const char *name);
extern bool cec_operator_is_listed(const char *name);
extern Oid cec_type_named(const char *name);
extern bool cec_type_is_listed(Oid type);
extern bool cec_function_is_listed(Oid function);

/* condition_compile.c */
extern const char *cec_speakers(const CecCompile *compile);

/* condition_catalog.c */
extern Oid cec_catalog_function(CecCatalogFunction called);
extern bool cec_is_published_call(Oid function);
extern Oid cec_geometry_type(void);
extern Oid cec_geography_type(void);
extern char *cec_postgis_schema(void);

/* condition_hint.c, condition_hint_syntax.c */
extern void cec_hint_parser(const CecCompile *compile, int position);
extern const char *cec_hint_values(const CecCompile *compile, int location);
extern const char *cec_hint_alone(const CecCompile *compile, int location);
extern const char *cec_hint_behind(const CecCompile *compile);

/* condition_bind.c */
extern AttrNumber cec_bind_column(CecCompile *compile, ColumnRef *ref);
extern const char *cec_check_operator(CecCompile *compile, A_Expr *expr);
extern CecOrigin cec_bind_function(CecCompile *compile, FuncCall *call);
extern void cec_bind_type(CecCompile *compile, TypeCast *cast);
extern bool cec_bind_path(CecCompile *compile, Node *node);

/* condition_check_raw.c, condition_check_analysed.c, condition_expand.c, condition_conjunct.c, condition_doubt.c, condition_deparse.c */
extern Node *cec_check_raw(CecCompile *compile, List *statements);
extern void cec_check_analysed(CecCompile *compile, Node *expr);
extern Node *cec_normalise(Node *expr);
extern Node *cec_expand(Node *expr);
extern List *cec_find_conjuncts(Node *expr);
extern List *cec_find_doubts(const CecCompile *compile, Node *expr);
extern char *cec_deparse(Oid fact_relation, Node *expr, bool with_prefix);

#endif
