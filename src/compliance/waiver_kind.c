/*
 * waiver_kind.c
 *		Refuses waivers of kinds of findings that there are not.
 *
 * Which kinds there are is said by rows (cec.finding_kind), so it is no CHECK.  A waiver that is there stays, whatever a later
 * version knows: only what is written is looked at.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "init.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/slot.h"

/* Bytes of what was given that a message repeats. */
#define SHOWN 100

static const CecQuery unknown_kind = {
	"SELECT w.kind, (SELECT string_agg(k.kind::text, ', ' ORDER BY k.kind) FROM cec.finding_kind k) FROM unnest($1) AS w(kind)"
	" WHERE NOT EXISTS (SELECT FROM cec.finding_kind k WHERE k.kind = w.kind) ORDER BY 1 LIMIT 1",
	1,
	{TEXTARRAYOID},
	.results = {TEXTOID, TEXTOID}};

static void
refuse_kind(CecChange *change, char *kind, const char *kinds)
{
	kind[pg_mbcliplen(kind, strlen(kind), SHOWN)] = '\0';
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("kind \"%s\" is not known", kind),
					errdetail("It is one of: %s.", kinds), errhint("The table cec.finding_kind says what each means."),
					errtableconstraint(change->rel, "finding_waiver_kind_known")));
}

/* Handler for finding_waiver. */
static void
check_kinds(CecChange *change)
{
	AttrNumber kind;
	Datum *kinds = NULL;
	int64 space = 0;
	int64 count = 0;
	CecRows rows;
	Datum arg;

	if (change->operation == CEC_DELETE)
		return;
	kind = cec_column_require(change->rel, "kind", TEXTOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.new_row == NULL || !cec_rows_differ(change, &rows, "kind"))
			continue;
		CEC_MAKE_ROOM(kinds, count, space, 16);
		kinds[count++] = PointerGetDatum(PG_DETOAST_DATUM_COPY(cec_slot_value(rows.new_row, kind)));
	}
	cec_rows_end(&rows);
	if (count == 0)
		return;
	arg = PointerGetDatum(construct_array(kinds, count, TEXTOID, -1, false, TYPALIGN_INT));
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &unknown_kind, &arg, NULL, 1) > 0)
		refuse_kind(change, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
					SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2));
	SPI_finish();
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_waiver_kind_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "finding_waiver", check_kinds);
}
