/*
 * portfolio_view.c
 *		Whether a view that the engine reads is there, with the columns that it is read by: the owner of a portfolio may drop it, or put
 *		another one in its place.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_view.h"

static bool
has_column(Oid view, AttrNumber place, const char *name, Oid type)
{
	HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(view), Int16GetDatum(place));
	bool has;

	if (!HeapTupleIsValid(tuple))
		return false;
	has = strcmp(NameStr(((Form_pg_attribute) GETSTRUCT(tuple))->attname), name) == 0 &&
		  ((Form_pg_attribute) GETSTRUCT(tuple))->atttypid == type;
	ReleaseSysCache(tuple);
	return has;
}

/* Raises SQLSTATE 55000 unless the portfolio has the view, and it begins with these columns. */
void
cec_portfolio_check_view(CecPortfolio *portfolio, const char *name, const CecViewColumn *columns, int count)
{
	Oid view = get_relname_relid(name, portfolio->nspid);
	char *schema;
	char *detail = NULL;

	if (!OidIsValid(view))
		detail = pstrdup("There is none of that name.");
	else if (get_rel_relkind(view) != RELKIND_VIEW)
		detail = pstrdup("It is no view.");
	for (int i = 0; detail == NULL && i < count; i++)
		if (!has_column(view, (AttrNumber) (i + 1), columns[i].name, columns[i].type))
			detail = psprintf("Its column %d is not \"%s\" of type %s.", i + 1, columns[i].name,
							  format_type_be(columns[i].type));
	if (detail == NULL)
		return;
	schema = get_namespace_name(portfolio->nspid);
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("view %s.%s is not what cec.create_portfolio made", quote_identifier(schema), name),
					errdetail_internal("%s", detail),
					errhint("Run SELECT cec.upgrade_portfolio(%s).", quote_literal_cstr(schema))));
}
