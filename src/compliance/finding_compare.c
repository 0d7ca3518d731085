/*
 * finding_compare.c
 *		Holds what is open of a kind of findings against what its view says is so: two lists in one order.
 *
 * Both are read with one snapshot, the latest; whoever settles findings holds the locks of what they are about.
 *
 * A finding whose severity changes is closed and opened anew.  One whose days or words change stays open and says so from then on.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compliance/finding_compare.h"
#include "portfolio/portfolio_view.h"

/* The columns of both queries. */
enum
{
	FINDING_ID,
	SEVERITY,
	ASSET_ID,
	OTHER_ASSET_ID,
	CONTRACT_ID,
	TERM_ID,
	RULE_ID,
	SUBJECT,
	FIRST_DAY,
	LAST_DAY,
	DETAIL,
	MESSAGE
};

/* What the view of a kind is read by. */
static const CecViewColumn view_columns[] = {
	{"severity", TEXTOID}, {"asset_id", INT8OID}, {"other_asset_id", INT8OID}, {"contract_id", INT8OID},
	{"term_id", INT8OID},  {"rule_id", INT8OID},  {"subject", TEXTOID},		   {"first_day", DATEOID},
	{"last_day", DATEOID}, {"detail", JSONBOID},  {"message", TEXTOID}};

/* So many changes are written at once where all is compared. */
#define ENOUGH 10000

#define KEY_IDS (RULE_ID - ASSET_ID + 1)

/* One of the two lists: the row at which it stands. */
typedef struct Side
{
	CecCursor cursor;
	bool has_row;
	Datum values[MESSAGE + 1];
	bool isnull[MESSAGE + 1];
	char *subject;
	MemoryContext row_cxt;
} Side;

static void
advance(Side *side)
{
	MemoryContext old;

	MemoryContextReset(side->row_cxt);
	side->has_row = cec_cursor_next(&side->cursor, side->values, side->isnull);
	if (!side->has_row)
		return;
	old = MemoryContextSwitchTo(side->row_cxt);
	side->subject = side->isnull[SUBJECT] ? "" : TextDatumGetCString(side->values[SUBJECT]);
	MemoryContextSwitchTo(old);
}

static void
begin_side(Side *side, CecPortfolio *portfolio, const CecQuery *query, Datum *args)
{
	side->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec finding", ALLOCSET_SMALL_SIZES);
	cec_cursor_open(&side->cursor, portfolio->plans, query, args);
	advance(side);
}

static void
end_side(Side *side)
{
	cec_cursor_close(&side->cursor);
	MemoryContextDelete(side->row_cxt);
}

static int64
id_of(const Side *side, int column)
{
	return side->isnull[column] ? 0 : DatumGetInt64(side->values[column]);
}

/* As the queries order their rows. */
static int
compare_keys(const Side *one, const Side *other)
{
	for (int i = 0; i < KEY_IDS; i++)
	{
		int64 a = id_of(one, ASSET_ID + i);
		int64 b = id_of(other, ASSET_ID + i);

		if (a != b)
			return a < b ? -1 : 1;
	}
	return strcmp(one->subject, other->subject);
}

static bool
same_text(const Side *one, const Side *other, int column)
{
	struct varlena *a;
	struct varlena *b;
	bool same;

	if (one->isnull[column] || other->isnull[column])
		return one->isnull[column] == other->isnull[column];
	a = PG_DETOAST_DATUM_PACKED(one->values[column]);
	b = PG_DETOAST_DATUM_PACKED(other->values[column]);
	same = VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
	if ((Pointer) a != DatumGetPointer(one->values[column]))
		pfree(a);
	if ((Pointer) b != DatumGetPointer(other->values[column]))
		pfree(b);
	return same;
}

static bool
same_day(const Side *one, const Side *other, int column)
{
	if (one->isnull[column] || other->isnull[column])
		return one->isnull[column] == other->isnull[column];
	return DatumGetDateADT(one->values[column]) == DatumGetDateADT(other->values[column]);
}

static bool
says_the_same(const Side *one, const Side *other)
{
	return same_day(one, other, FIRST_DAY) && same_day(one, other, LAST_DAY) && same_text(one, other, DETAIL) &&
		   same_text(one, other, MESSAGE);
}

static const char *
text_of(const Side *side, int column, const char *none)
{
	return side->isnull[column] ? none : TextDatumGetCString(side->values[column]);
}

/* What a row says, in the current memory context. */
static CecFinding
finding_of(const Side *side, const CecFindingKind *kind)
{
	CecFinding finding = {.kind = kind->name,
						  .severity = text_of(side, SEVERITY, "warning"),
						  .asset_id = id_of(side, ASSET_ID),
						  .other_asset_id = id_of(side, OTHER_ASSET_ID),
						  .contract_id = id_of(side, CONTRACT_ID),
						  .term_id = id_of(side, TERM_ID),
						  .rule_id = id_of(side, RULE_ID),
						  .subject = pstrdup(side->subject),
						  .message = text_of(side, MESSAGE, ""),
						  .detail = text_of(side, DETAIL, "{}"),
						  .has_first_day = !side->isnull[FIRST_DAY],
						  .has_last_day = !side->isnull[LAST_DAY]};

	if (finding.has_first_day)
		finding.first_day = DatumGetDateADT(side->values[FIRST_DAY]);
	if (finding.has_last_day)
		finding.last_day = DatumGetDateADT(side->values[LAST_DAY]);
	return finding;
}

static void
open_new(const CecFinding *finding, CecSettled *settled)
{
	cec_finding_open(&settled->findings, finding);
	settled->opened++;
	settled->count++;
}

static void
close_open(const Side *open, CecSettled *settled)
{
	cec_finding_close(&settled->findings, DatumGetInt64(open->values[FINDING_ID]),
					  strcmp(text_of(open, SEVERITY, CEC_ERROR), CEC_ERROR) == 0);
	settled->closed++;
	settled->count++;
}

/* Two rows of one subject: the finding stays, changes what it says, or its severity. */
static void
settle(const Side *now, const Side *open, const CecFindingKind *kind, CecSettled *settled)
{
	bool same_severity = same_text(now, open, SEVERITY);
	CecFinding finding;

	if (same_severity && says_the_same(now, open))
		return;
	finding = finding_of(now, kind);
	if (same_severity)
		cec_finding_update(&settled->findings, DatumGetInt64(open->values[FINDING_ID]), &finding);
	else
	{
		close_open(open, settled);
		open_new(&finding, settled);
	}
}

/* Goes through both lists; has what is gathered written when it is enough, where there is somebody to do it. */
static void
go_through(Side *now, Side *open, const CecFindingKind *kind, CecSettled *settled, CecSettledWriter write, void *arg)
{
	while (now->has_row || open->has_row)
	{
		int order = !now->has_row ? 1 : !open->has_row ? -1 : compare_keys(now, open);

		CHECK_FOR_INTERRUPTS();
		if (order < 0)
		{
			CecFinding finding = finding_of(now, kind);

			open_new(&finding, settled);
		}
		else if (order > 0)
			close_open(open, settled);
		else
			settle(now, open, kind, settled);
		if (order <= 0)
			advance(now);
		if (order >= 0)
			advance(open);
		if (write != NULL && settled->count >= ENOUGH)
			write(settled, arg);
	}
}

/*
 * Adds what is to open, to close and to be brought up to date of a kind.  subjects: an array of assets, contracts or
 * texts, as the comparison takes it; NULL: all.  may_be_open: false where it is known that nothing is open of them.  Where there are many, write is handed what was gathered from time to time, and empties it; it may be NULL.
 * Acts as the owner of the portfolio.
 */
void
cec_finding_compare(CecPortfolio *portfolio, const CecFindingKind *kind, const CecComparison *comparison,
					Datum *subjects, bool may_be_open, CecSettled *settled, CecSettledWriter write, void *arg)
{
	MemoryContext cxt = CurrentMemoryContext;
	Side now = {0};
	Side open = {0};

	cec_portfolio_check_view(portfolio, kind->view, view_columns, lengthof(view_columns));
	SPI_connect();
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	begin_side(&now, portfolio, &comparison->now, subjects);
	if (may_be_open)
		begin_side(&open, portfolio, &comparison->open, subjects);
	MemoryContextSwitchTo(cxt);
	go_through(&now, &open, kind, settled, write, arg);
	if (may_be_open)
		end_side(&open);
	end_side(&now);
	PopActiveSnapshot();
	SPI_finish();
}
