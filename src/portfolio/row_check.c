/*
 * row_check.c
 *		Runs the CHECK constraints of a portfolio's tables, and says what is wrong with a row that one refuses.
 *
 * Every statement reads the CHECK constraints of its table anew, and takes the longer the longer they are.  So each is one
 * call with nothing but columns as arguments; rule, words and hints are here, in C.
 *
 * A function is not told which table it is called for.  Where a row is refused, and only there, it is looked up: tables
 * whose constraints call the function, of which this transaction has locked one for writing.  Two of them, as when one
 * transaction writes two portfolios, leave the table unnamed, and its values are told to those who may read both.  Who
 * calls the function from a query is told nothing that he did not give.
 *
 * Anybody may call these functions, with anything.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/row_check.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_row_checks);

/* What the nouns have added at load. */
#define MAX_LISTS 16
static struct
{
	const CecRowCheck *const *checks;
	int count;
} lists[MAX_LISTS];
static int nlists = 0;

/* Values in messages are cut to so many bytes. */
#define MAX_VALUE 40

/* Adds the constraints of a noun; they must stay where they are. */
void
cec_row_check_add(const CecRowCheck *const *checks, int count)
{
	if (nlists == MAX_LISTS)
		elog(ERROR, "too many lists of constraints");
	lists[nlists].checks = checks;
	lists[nlists++].count = count;
}

/* The next of the columns of a check, without its type, and behind it; NULL after the last. */
static const char *
next_column(const char *from, int *len)
{
	while (*from == ',' || *from == ' ')
		from++;
	*len = strcspn(from, " ");
	return *len == 0 ? NULL : from;
}

static const char *
skip_column(const char *column)
{
	return column + strcspn(column, ",");
}

/* The column of a check, the first if there are several. */
char *
cec_check_column(const CecRowCheck *check)
{
	int len;
	const char *column = next_column(check->columns, &len);

	return pnstrdup(column, len);
}

/* The beginning of a text, for messages. */
char *
cec_clipped(const text *value)
{
	int length = VARSIZE_ANY_EXHDR(value);

	return pnstrdup(VARDATA_ANY(value), pg_mbcliplen(VARDATA_ANY(value), length, MAX_VALUE));
}

/* What a check demands, as a clause without a full stop. */
static char *
rule_of(const CecRowCheck *check)
{
	StringInfoData rule;

	initStringInfo(&rule);
	for (const char *c = check->rule != NULL ? check->rule : check->kind->rule; *c != '\0'; c++)
	{
		if (strncmp(c, "$column", 7) == 0)
		{
			appendStringInfoString(&rule, cec_check_column(check));
			c += 6;
		}
		else if (strncmp(c, "$words", 6) == 0)
		{
			appendStringInfoString(&rule, check->words);
			c += 5;
		}
		else if (strncmp(c, "$most", 5) == 0)
		{
			appendStringInfo(&rule, "%d", check->most);
			c += 4;
		}
		else
			appendStringInfoChar(&rule, *c);
	}
	return rule.data;
}

/* Whether this transaction has locked a relation for writing. */
static bool
is_written(Oid relid)
{
	for (LOCKMODE mode = RowExclusiveLock; mode <= AccessExclusiveLock; mode++)
		if (cec_compat_lock_held(relid, mode))
			return true;
	return false;
}

/* Finds out which table a function refuses a row of, and whether the caller may read its values: see above. */
static void
find_table(Oid function, CecRefusal *refusal)
{
	Relation depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple tuple;
	int found = 0;

	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ProcedureRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	refusal->relid = InvalidOid;
	refusal->may_tell = true;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		HeapTuple constraint;
		Oid relid;

		if (form->classid != ConstraintRelationId)
			continue;
		constraint = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->objid));
		if (!HeapTupleIsValid(constraint))
			continue;
		relid = ((Form_pg_constraint) GETSTRUCT(constraint))->conrelid;
		ReleaseSysCache(constraint);
		if (!OidIsValid(relid) || relid == refusal->relid || !is_written(relid))
			continue;
		refusal->relid = relid;
		refusal->may_tell = refusal->may_tell && cec_may_read_all(GetUserId(), relid);
		found++;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	refusal->may_tell = refusal->may_tell && found > 0;
	if (found > 1)
		refusal->relid = InvalidOid;
}

/* For ereport: schema, table and constraint, and the column where there is only one. */
int
cec_refusal_names(const CecRefusal *refusal)
{
	const CecRowCheck *check = refusal->check;
	char *table_name = OidIsValid(refusal->relid) ? get_rel_name(refusal->relid) : NULL;

	if (table_name != NULL)
		err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(get_rel_namespace(refusal->relid)));
	err_generic_string(PG_DIAG_TABLE_NAME, table_name != NULL ? table_name : check->table_name);
	if (strchr(check->columns, ',') == NULL)
		err_generic_string(PG_DIAG_COLUMN_NAME, cec_check_column(check));
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, refusal->constraint);
}

/* "The row has status "retired", decommissioned_on NULL." */
static char *
values_of(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	StringInfoData values;
	Oid *types;
	int ntypes;
	int len;
	int i = 0;

	initStringInfo(&values);
	appendStringInfoString(&values, "The row has ");
	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
	for (const char *column = check->columns; (column = next_column(column, &len)) != NULL;
		 column = skip_column(column))
	{
		appendStringInfo(&values, "%s%.*s ", i == 0 ? "" : ", ", len, column);
		if (i >= ntypes || i >= fcinfo->nargs || PG_ARGISNULL(i))
			appendStringInfoString(&values, "NULL");
		else
		{
			Oid output;
			bool is_varlena;
			char *value;

			getTypeOutputInfo(types[i], &output, &is_varlena);
			value = OidOutputFunctionCall(output, PG_GETARG_DATUM(i));
			len = pg_mbcliplen(value, strlen(value), MAX_VALUE);
			appendStringInfo(&values, types[i] == TEXTOID ? "\"%.*s\"" : "%.*s", len, value);
		}
		i++;
	}
	appendStringInfoChar(&values, '.');
	return values.data;
}

/* 23514 with the rule, the values of the row for those who may read them, and the hint. */
void
cec_refuse_by_rule(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	const CecRowCheck *check = refusal->check;

	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg_internal("%s", rule_of(check)),
					refusal->may_tell ? errdetail_internal("%s", values_of(check, fcinfo)) : 0,
					check->hint != NULL ? errhint("%s", check->hint) : 0, cec_refusal_names(refusal)));
}

/* What the function of a constraint does: true, or the error of its kind. */
Datum
cec_row_check(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	CecRefusal refusal;

	if (check->kind->holds(check, fcinfo))
		PG_RETURN_BOOL(true);
	refusal.check = check;
	refusal.constraint = check->constraint;
	find_table(fcinfo->flinfo->fn_oid, &refusal);
	(check->kind->refuse != NULL ? check->kind->refuse : cec_refuse_by_rule)(&refusal, fcinfo);
	pg_unreachable();
}

static Datum
name_list(const char *const *names, const int *lengths, int count)
{
	Datum *elements = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = PointerGetDatum(cstring_to_text_with_len(names[i], lengths[i]));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
column_list(const CecRowCheck *check)
{
	const char *names[FUNC_MAX_ARGS];
	int lengths[FUNC_MAX_ARGS];
	int count = 0;

	for (const char *column = check->columns; (column = next_column(column, &lengths[count])) != NULL;
		 column = skip_column(column))
		names[count++] = column;
	return name_list(names, lengths, count);
}

static Datum
word_list(const CecRowCheck *check)
{
	const char *names[FUNC_MAX_ARGS];
	int lengths[FUNC_MAX_ARGS];
	int count = 0;

	for (const char *word = check->words; *word != '\0'; word += strspn(word, ", "))
	{
		names[count] = word;
		lengths[count] = strcspn(word, ",");
		word += lengths[count++];
	}
	return name_list(names, lengths, count);
}

/* cec._row_checks(): all that the nouns have written down. */
Datum
cec_row_checks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < nlists; i++)
		for (int j = 0; j < lists[i].count; j++)
		{
			const CecRowCheck *check = lists[i].checks[j];
			Datum values[7];
			bool nulls[7] = {false};

			values[0] = CStringGetTextDatum(check->table_name);
			values[1] = CStringGetTextDatum(check->constraint);
			values[2] = CStringGetTextDatum(check->columns);
			values[3] = BoolGetDatum(check->kind->is_strict);
			values[4] = column_list(check);
			values[5] = CStringGetTextDatum(rule_of(check));
			nulls[6] = check->words == NULL;
			if (!nulls[6])
				values[6] = word_list(check);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	return (Datum) 0;
}
