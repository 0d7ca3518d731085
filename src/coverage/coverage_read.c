/*
 * coverage_read.c
 *		Reads the facts that cover follows from, and what is stored of it, row by row through index probes.
 *
 * All of it with the one snapshot of the changed statement, taken after the locks (portfolio/reading.c).
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "coverage/coverage_read.h"
#include "registry/asset_life.h"
#include "support/word.h"

struct CecCoverReader
{
	CecReading *reading;
	MemoryContext cxt;
	CecTermBase *term; /* asked for first */
	HTAB *terms;	   /* of CecTermBase, the others; NULL until there is one */
	CecLook *assets;
	CecLook *lines;
	CecLook *stored;
};

/* What differs is written by the same statement. */
const CecSource cec_source_cover = {"coverage",
									"asset_id",
									INT8OID,
									RowExclusiveLock,
									{{"coverage_id", INT8OID},
									 {"term_id", INT8OID},
									 {"during", DATERANGEOID},
									 {"is_stated", BOOLOID},
									 {"is_ruled", BOOLOID},
									 {"is_inherited", BOOLOID},
									 {"recorded_at", TIMESTAMPTZOID}}};

/* Starts; lives in the current memory context as long as the reading. */
CecCoverReader *
cec_cover_reader_begin(CecReading *reading)
{
	CecCoverReader *reader = palloc0(sizeof(CecCoverReader));

	reader->reading = reading;
	reader->cxt = CurrentMemoryContext;
	reader->assets = cec_reading_look(reading, &cec_source_asset);
	reader->lines = cec_reading_look(reading, &cec_source_line);
	reader->stored = cec_reading_look(reading, &cec_source_cover);
	return reader;
}

/* during ∩ the contract's during − suspensions; nothing while the contract is draft or void. */
static void
read_term(CecCoverReader *reader, CecTermBase *term)
{
	const CecLook *terms = cec_reading_look(reader->reading, &cec_source_term);
	const CecLook *contracts = cec_reading_look(reader->reading, &cec_source_contract);
	TupleTableSlot *row = cec_probe_row(terms->probe, term->term_id);
	TupleTableSlot *contract;
	CecDays days;
	CecDays within;
	CecDaySet pauses;

	memset(&term->base, 0, sizeof(CecDaySet));
	term->covers_bundles = false;
	if (row == NULL)
		return;
	term->covers_bundles = DatumGetBool(cec_look_value(terms, row, CEC_TERM_COVERS_BUNDLES));
	contract = cec_probe_row(contracts->probe, DatumGetInt64(cec_look_value(terms, row, CEC_TERM_CONTRACT_ID)));
	if (contract == NULL || cec_word_is(cec_look_value(contracts, contract, CEC_CONTRACT_STATUS), "draft") ||
		cec_word_is(cec_look_value(contracts, contract, CEC_CONTRACT_STATUS), "void"))
		return;
	days = cec_days_of_range(cec_look_value(terms, row, CEC_TERM_DURING));
	within = cec_days_of_range(cec_look_value(contracts, contract, CEC_CONTRACT_DURING));
	days.from = Max(days.from, within.from);
	days.to = Min(days.to, within.to);
	if (days.from >= days.to)
		return;
	cec_day_set_add(&term->base, days);
	pauses = cec_day_set_of_multirange(cec_look_value(contracts, contract, CEC_CONTRACT_SUSPENSIONS));
	if (pauses.count > 0)
		term->base = cec_day_set_minus(&term->base, &pauses);
}

/* What a term offers, asked once; most statements ask of one. */
CecTermBase *
cec_cover_read_term(CecCoverReader *reader, int64 term_id)
{
	bool found;
	CecTermBase *term;

	if (reader->term == NULL)
	{
		reader->term = MemoryContextAlloc(reader->cxt, sizeof(CecTermBase));
		reader->term->term_id = term_id;
		read_term(reader, reader->term);
	}
	if (reader->term->term_id == term_id)
		return reader->term;
	if (reader->terms == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(CecTermBase);
		ctl.hcxt = reader->cxt;
		reader->terms = hash_create("cec terms that cover", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	term = hash_search(reader->terms, &term_id, HASH_ENTER, &found);
	if (!found)
		read_term(reader, term);
	return term;
}

/* [commissioned_on .. decommissioned_on] − out_of_service; nothing for a planned asset without a date. */
CecDaySet
cec_cover_read_life(CecCoverReader *reader, int64 asset_id)
{
	const CecLook *assets = reader->assets;
	CecLifeColumns columns = {0};
	TupleTableSlot *row = cec_probe_row(assets->probe, asset_id);

	if (row == NULL)
		return (CecDaySet){0};
	columns.status = cec_look_value(assets, row, CEC_ASSET_STATUS);
	columns.has_commissioned_on = !cec_look_isnull(assets, row, CEC_ASSET_COMMISSIONED_ON);
	if (columns.has_commissioned_on)
		columns.commissioned_on = DatumGetDateADT(cec_look_value(assets, row, CEC_ASSET_COMMISSIONED_ON));
	columns.has_decommissioned_on = !cec_look_isnull(assets, row, CEC_ASSET_DECOMMISSIONED_ON);
	if (columns.has_decommissioned_on)
		columns.decommissioned_on = DatumGetDateADT(cec_look_value(assets, row, CEC_ASSET_DECOMMISSIONED_ON));
	columns.out_of_service = cec_look_value(assets, row, CEC_ASSET_OUT_OF_SERVICE);
	return cec_asset_life(&columns);
}

/* Goes to the list lines of an asset. */
void
cec_cover_read_lines(CecCoverReader *reader, int64 asset_id)
{
	cec_probe_seek(reader->lines->probe, asset_id);
}

/* The next one; false after the last. */
bool
cec_cover_next_line(CecCoverReader *reader, CecCoverLine *line)
{
	const CecLook *lines = reader->lines;
	TupleTableSlot *row = cec_probe_next(lines->probe);

	if (row == NULL)
		return false;
	line->term_id = DatumGetInt64(cec_look_value(lines, row, CEC_LINE_TERM_ID));
	line->is_include = cec_word_is(cec_look_value(lines, row, CEC_LINE_EFFECT), "include");
	line->during = cec_days_of_range(cec_look_value(lines, row, CEC_LINE_DURING));
	return true;
}

/* Goes to the stored cover of an asset. */
void
cec_cover_read_stored(CecCoverReader *reader, int64 asset_id)
{
	cec_probe_seek(reader->stored->probe, asset_id);
}

/* The next row of it; false after the last. */
bool
cec_cover_next_stored(CecCoverReader *reader, CecCoverRow *cover)
{
	const CecLook *look = reader->stored;
	TupleTableSlot *row = cec_probe_next(look->probe);
	bool isnull;

	if (row == NULL)
		return false;
	cover->term_id = DatumGetInt64(cec_look_value(look, row, CEC_COVER_TERM_ID));
	cover->during = cec_days_of_range(cec_look_value(look, row, CEC_COVER_DURING));
	cover->is_stated = DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_STATED));
	cover->is_ruled = DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_RULED));
	cover->is_inherited = DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_INHERITED));
	cover->tid = row->tts_tid;
	cover->coverage_id = DatumGetInt64(cec_look_value(look, row, CEC_COVER_ID));
	cover->recorded_at = DatumGetTimestampTz(cec_look_value(look, row, CEC_COVER_RECORDED_AT));
	cover->is_own = TransactionIdIsCurrentTransactionId(
		DatumGetTransactionId(slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull)));
	cover->is_lost = false;
	return true;
}
