/*
 * row_check.h
 *		CHECK constraints of a portfolio's tables: each is one call of a C function that bears the name of the constraint.
 *
 * A noun writes its constraints down once, as a list in NOUN_constraint.c:
 *
 *		#define CHECKS(CHECK) \
 *			CHECK(asset_status_known, "asset", "status text", &cec_word, .words = "planned, in_service") \
 *			...
 *		CEC_ROW_CHECKS(registry, CHECKS)
 *
 * and src/init.h names cec_registry_constraint_init.  The functions cec._asset_status_known(status text) and the view
 * cec.table_rule follow from that; the table says CONSTRAINT asset_status_known CHECK (cec._asset_status_known(status)).
 */
#ifndef CEC_ROW_CHECK_H
#define CEC_ROW_CHECK_H

#include "fmgr.h"

#include "init.h"

typedef struct CecRowCheck CecRowCheck;

/* A row that is refused, and what may be said of it. */
typedef struct CecRefusal
{
	const CecRowCheck *check;
	const char *constraint;
	Oid relid;	   /* its table; InvalidOid when that is not known for sure */
	bool may_tell; /* whether the caller may read the values of the row */
} CecRefusal;

/* What many constraints have in common. */
typedef struct CecCheckKind
{
	bool is_strict; /* it holds wherever a column is NULL */
	bool (*holds)(const CecRowCheck *check, FunctionCallInfo fcinfo);
	void (*refuse)(const CecRefusal *refusal,
				   FunctionCallInfo fcinfo); /* raises; NULL: by the rule, the values, the hint */
	const char *rule; /* what must be, with $column, $words and $most; NULL: each check has its own */
} CecCheckKind;

struct CecRowCheck
{
	const char *constraint;
	const char *table_name;
	const char *columns; /* with their types, as CREATE FUNCTION takes them */
	const CecCheckKind *kind;
	const char *rule; /* instead of the kind's */
	const char *hint;
	const char *words; /* cec_word: those that it takes */
	const char *when;  /* cec_needs_when, cec_has_when, cec_lacks_when: the word in question */
	const char *also;  /* cec_days_in_order: the name under which infinite days are refused */
	int most;		   /* of what is counted */
};

extern Datum cec_row_check(const CecRowCheck *check, FunctionCallInfo fcinfo);
extern void cec_row_check_add(const CecRowCheck *const *checks, int count);
extern int cec_refusal_names(const CecRefusal *refusal);
extern void cec_refuse_by_rule(const CecRefusal *refusal, FunctionCallInfo fcinfo);
extern char *cec_check_column(const CecRowCheck *check);
extern char *cec_clipped(const text *value);

#define CEC_DEFINE_CHECK(name, ...) \
	PG_FUNCTION_INFO_V1(cec_##name); \
	static const CecRowCheck name##_check = {#name, __VA_ARGS__}; \
	Datum cec_##name(PG_FUNCTION_ARGS) \
	{ \
		return cec_row_check(&name##_check, fcinfo); \
	}
#define CEC_LIST_CHECK(name, ...) &name##_check,
#define CEC_ROW_CHECKS(noun, checks) \
	checks(CEC_DEFINE_CHECK) void cec_##noun##_constraint_init(void) \
	{ \
		static const CecRowCheck *const list[] = {checks(CEC_LIST_CHECK)}; \
\
		cec_row_check_add(list, lengthof(list)); \
	}

/* Texts. */
extern const CecCheckKind cec_word;		   /* one of a few words */
extern const CecCheckKind cec_words;	   /* of an array: each is one of a few words */
extern const CecCheckKind cec_currency;	   /* three capital letters */
extern const CecCheckKind cec_length;	   /* 1 to so many characters */
extern const CecCheckKind cec_byte_length; /* 1 to so many bytes */
extern const CecCheckKind cec_not_empty;   /* one character at least */
extern const CecCheckKind cec_time_zone;   /* a name of pg_timezone_names */
/* Days and times. */
extern const CecCheckKind cec_range_not_empty; /* of any range */
extern const CecCheckKind cec_range_finite;	   /* of days */
extern const CecCheckKind cec_ranges_finite;   /* a multirange of days */
extern const CecCheckKind cec_days_finite;
extern const CecCheckKind cec_times_finite;
extern const CecCheckKind cec_days_in_order;  /* the first not after the second */
extern const CecCheckKind cec_times_in_order; /* likewise */
/* What goes together. */
extern const CecCheckKind cec_needs;	  /* the first column is not given without the second */
extern const CecCheckKind cec_needs_when; /* the second is given where the first is a certain word */
extern const CecCheckKind cec_has_when;	  /* there, and nowhere else */
extern const CecCheckKind cec_lacks_when; /* the second is not given where the first is a certain word */
extern const CecCheckKind cec_both;		  /* both are given or none */
extern const CecCheckKind cec_any;		  /* one is given at least */
extern const CecCheckKind cec_any_true;
extern const CecCheckKind cec_different; /* of two keys */
/* The rest. */
extern const CecCheckKind cec_positive;
extern const CecCheckKind cec_interval_positive;
extern const CecCheckKind cec_not_negative;
extern const CecCheckKind cec_number_finite;
extern const CecCheckKind cec_count_not_negative;
extern const CecCheckKind cec_json_object;
extern const CecCheckKind cec_bytes; /* just so many */
/* Places, by longitude and latitude. */
extern const CecCheckKind cec_point_in_range;
extern const CecCheckKind cec_area_valid;
extern const CecCheckKind cec_area_in_range;
extern const CecCheckKind cec_area_edge_short; /* an edge the long way round the world is mostly none */

#endif
