/*
 * audit_delta.c
 *		Writes and reads what changed in cover as bytes of the log (src/audit/README.md has them one by one).
 *
 * A list of so many assets is one entry, so a row must be small: what it shares with the row before is left out.  What is
 * read may have been forged by the owner of the log: every length is checked, and damage is said, not raised.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "audit/audit_delta.h"
#include "support/canonical.h"
#include "support/compat.h"

/* From so many rows on the next asset goes into another piece. */
#define PIECE_ROWS 65536

/* Further flags of a row, as it is written. */
#define NO_FIRST_DAY 0x10
#define NO_LAST_DAY 0x20
#define AS_BEFORE 0x40
#define GROUNDS (CEC_DELTA_STATED | CEC_DELTA_RULED | CEC_DELTA_INHERITED)

PG_FUNCTION_INFO_V1(cec_decode_delta);

/* Small numbers of either sign become small numbers. */
static uint64
fold_sign(int64 value)
{
	return (uint64) value << 1 ^ (uint64) (value >> 63);
}

static int64
unfold_sign(uint64 value)
{
	return (int64) (value >> 1 ^ -(value & 1));
}

static bool
same_days(CecDays one, CecDays other)
{
	return one.from == other.from && one.to == other.to;
}

static void
append_day(StringInfo buf, DateADT day, DateADT *before)
{
	cec_canon_append_length(buf, fold_sign((int64) day - *before));
	*before = day;
}

/* Appends a row; before is the one written last, its open bounds as they were last given. */
static void
append_row(StringInfo buf, const CecDeltaRow *row, CecDeltaRow *before, CecDays *days, bool is_first)
{
	uint8 flags = row->flags;
	bool as_before = !is_first && row->subject_id == before->subject_id && same_days(row->during, before->during);

	if (row->during.from == CEC_DAY_MIN)
		flags |= NO_FIRST_DAY;
	if (row->during.to == CEC_DAY_MAX)
		flags |= NO_LAST_DAY;
	if (as_before)
		flags |= AS_BEFORE;
	cec_canon_append_length(buf, fold_sign((int64) ((uint64) row->asset_id - (uint64) before->asset_id)));
	appendStringInfoCharMacro(buf, (char) flags);
	if (!as_before)
	{
		cec_canon_append_length(buf, fold_sign((int64) ((uint64) row->subject_id - (uint64) before->subject_id)));
		if (!(flags & NO_FIRST_DAY))
			append_day(buf, row->during.from, &days->from);
		if (!(flags & NO_LAST_DAY))
			append_day(buf, row->during.to, &days->to);
	}
	*before = *row;
}

static void
append_rows(StringInfo buf, const CecDeltaRow *rows, int64 count)
{
	CecDeltaRow before = {0};
	CecDays days = {0, 0};

	cec_canon_append_length(buf, (uint64) count);
	for (int64 i = 0; i < count; i++)
		append_row(buf, &rows[i], &before, &days, i == 0);
}

/* The end of the piece that begins with a row: all rows of an asset stay together. */
static int64
end_of_piece(const CecDeltaRows *rows, int64 from)
{
	int64 end = Min(from + PIECE_ROWS, rows->count);

	while (end < rows->count && rows->rows[end].asset_id == rows->rows[end - 1].asset_id)
		end++;
	return end;
}

/* How many pieces there will be; 0 when nothing changed. */
int
cec_delta_pieces(const CecDelta *delta)
{
	int pieces = 0;
	CecDeltaWriter writer = {delta};

	for (; writer.cover < delta->cover.count || writer.decisions < delta->decisions.count; pieces++)
	{
		writer.cover = end_of_piece(&delta->cover, writer.cover);
		writer.decisions = end_of_piece(&delta->decisions, writer.decisions);
	}
	return pieces;
}

/* Appends the next piece; false when there is none. */
bool
cec_delta_write(CecDeltaWriter *writer, StringInfo buf)
{
	const CecDelta *delta = writer->delta;
	int64 cover_end = end_of_piece(&delta->cover, writer->cover);
	int64 decisions_end = end_of_piece(&delta->decisions, writer->decisions);

	if (writer->cover == cover_end && writer->decisions == decisions_end)
		return false;
	appendStringInfoCharMacro(buf, CEC_DELTA_FORMAT);
	append_rows(buf, delta->cover.rows + writer->cover, cover_end - writer->cover);
	append_rows(buf, delta->decisions.rows + writer->decisions, decisions_end - writer->decisions);
	writer->cover = cover_end;
	writer->decisions = decisions_end;
	return true;
}

/* Starts reading a piece, whose bytes stay. */
void
cec_delta_read_begin(CecDeltaReader *reader, const char *bytes, Size length)
{
	memset(reader, 0, sizeof(CecDeltaReader));
	reader->at = bytes;
	reader->end = bytes + length;
	if (length == 0 || *reader->at++ != CEC_DELTA_FORMAT)
		reader->is_damaged = true;
}

static uint64
read_number(CecDeltaReader *reader)
{
	uint64 value = 0;

	for (int shift = 0; shift < 64 && reader->at < reader->end; shift += 7)
	{
		unsigned char byte = (unsigned char) *reader->at++;

		value |= (uint64) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	reader->is_damaged = true;
	return 0;
}

static int64
read_difference(CecDeltaReader *reader, int64 before)
{
	return (int64) ((uint64) before + (uint64) unfold_sign(read_number(reader)));
}

static DateADT
read_day(CecDeltaReader *reader, DateADT *before)
{
	int64 day = read_difference(reader, *before);

	if (day < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE || day >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
		reader->is_damaged = true;
	else
		*before = (DateADT) day;
	return *before;
}

static void
read_row(CecDeltaReader *reader)
{
	CecDeltaRow *row = &reader->row;
	uint8 flags = 0;

	row->asset_id = read_difference(reader, row->asset_id);
	if (reader->at < reader->end)
		flags = (uint8) *reader->at++;
	else
		reader->is_damaged = true;
	row->flags = flags & (GROUNDS | CEC_DELTA_GAINED);
	if (!(flags & AS_BEFORE))
	{
		row->subject_id = read_difference(reader, row->subject_id);
		row->during.from = CEC_DAY_MIN;
		row->during.to = CEC_DAY_MAX;
		if (!(flags & NO_FIRST_DAY))
			row->during.from = read_day(reader, &reader->days.from);
		if (!(flags & NO_LAST_DAY))
			row->during.to = read_day(reader, &reader->days.to);
	}
	if (row->during.from >= row->during.to || (flags & 0x80) || (reader->section == 1) != ((flags & GROUNDS) != 0) ||
		((flags & NO_FIRST_DAY) != 0) != (row->during.from == CEC_DAY_MIN) ||
		((flags & NO_LAST_DAY) != 0) != (row->during.to == CEC_DAY_MAX))
		reader->is_damaged = true;
}

/* Moves to the next row; false after the last, or where is_damaged says that nothing more can be read. */
bool
cec_delta_read(CecDeltaReader *reader)
{
	while (!reader->is_damaged && reader->left == 0)
	{
		if (reader->section++ == 2)
		{
			reader->is_damaged = reader->at != reader->end;
			return false;
		}
		memset(&reader->row, 0, sizeof(CecDeltaRow));
		reader->days = (CecDays){0, 0};
		reader->left = read_number(reader);
	}
	if (reader->is_damaged)
		return false;
	reader->left--;
	read_row(reader);
	return !reader->is_damaged;
}

/*
 * cec.decode_delta(delta): its rows (ordinal, kind, asset_id, term_id, rule_id, change, first_day, last_day, is_stated,
 * is_ruled, is_inherited).  XX001 when it is damaged.
 */
Datum
cec_decode_delta(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	ReturnSetInfo *result;
	CecDeltaReader reader;
	MemoryContext row_cxt;
	int ordinal = 0;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec row of a delta", ALLOCSET_SMALL_SIZES);
	cec_delta_read_begin(&reader, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	while (cec_delta_read(&reader))
	{
		const CecDeltaRow *row = &reader.row;
		bool is_cover = reader.section == 1;
		MemoryContext old = MemoryContextSwitchTo(row_cxt);
		Datum values[11] = {
			Int32GetDatum(++ordinal),
			CStringGetTextDatum(is_cover ? "coverage" : "decision"),
			Int64GetDatum(row->asset_id),
			Int64GetDatum(row->subject_id),
			Int64GetDatum(row->subject_id),
			CStringGetTextDatum(row->flags & CEC_DELTA_GAINED ? "gained" : "lost"),
			DateADTGetDatum(row->during.from),
			DateADTGetDatum(row->during.to - 1),
			BoolGetDatum((row->flags & CEC_DELTA_STATED) != 0),
			BoolGetDatum((row->flags & CEC_DELTA_RULED) != 0),
			BoolGetDatum((row->flags & CEC_DELTA_INHERITED) != 0),
		};
		bool isnull[11] = {0};

		isnull[3] = !is_cover;
		isnull[4] = is_cover;
		isnull[6] = row->during.from == CEC_DAY_MIN;
		isnull[7] = row->during.to == CEC_DAY_MAX;
		isnull[8] = isnull[9] = isnull[10] = !is_cover;
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_cxt);
		CHECK_FOR_INTERRUPTS();
	}
	if (reader.is_damaged)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a delta of the audit log is damaged"),
						errdetail("Its rows cannot be read to the end.")));
	return (Datum) 0;
}
