/*
 * reading.h
 *		What a changed statement reads of the tables of a portfolio, each of them opened once.
 */
#ifndef CEC_READING_H
#define CEC_READING_H

#include "portfolio/portfolio_cache.h"
#include "support/slot.h"

#define CEC_READING_SOURCES 32

/* A source that was opened. */
typedef struct CecLook
{
	const CecSource *source;
	CecProbe *probe;
	const AttrNumber *columns; /* in the order of the source */
} CecLook;

typedef struct CecReading
{
	CecPortfolio *portfolio;
	Oid locked; /* the table that the statement itself has locked, or 0 */
	Snapshot snapshot;
	MemoryContext cxt;
	int count;
	CecLook looks[CEC_READING_SOURCES];
} CecReading;

/* Sources that several rooms look into, with the places of their columns. */
extern const CecSource cec_source_asset;
extern const CecSource cec_source_line;
extern const CecSource cec_source_term;
extern const CecSource cec_source_contract;

enum
{
	CEC_ASSET_ID,
	CEC_ASSET_STATUS,
	CEC_ASSET_COMMISSIONED_ON,
	CEC_ASSET_DECOMMISSIONED_ON,
	CEC_ASSET_OUT_OF_SERVICE,
	CEC_ASSET_TAG,
	CEC_ASSET_TAG_SYMBOLOGY,
	CEC_ASSET_CUSTOMER_ID,
	CEC_ASSET_LOCATION,
	CEC_ASSET_ATTRIBUTES
};

enum
{
	CEC_LINE_ID,
	CEC_LINE_TERM_ID,
	CEC_LINE_EFFECT,
	CEC_LINE_DURING
};

enum
{
	CEC_TERM_CONTRACT_ID,
	CEC_TERM_DURING,
	CEC_TERM_COVERS_BUNDLES,
	CEC_TERM_NUMBER
};

enum
{
	CEC_CONTRACT_STATUS,
	CEC_CONTRACT_DURING,
	CEC_CONTRACT_SUSPENSIONS,
	CEC_CONTRACT_KIND,
	CEC_CONTRACT_NUMBER,
	CEC_CONTRACT_ACCOUNT_MANAGER,
	CEC_CONTRACT_CUSTOMER_ID,
	CEC_CONTRACT_BOUNDARY
};

extern CecReading *cec_reading_begin(CecPortfolio *portfolio, Oid locked);
extern CecReading *cec_reading_begin_at(CecPortfolio *portfolio, Snapshot snapshot);
extern void cec_reading_renew(CecReading *reading);
extern void cec_reading_keep_up(CecReading *reading);
extern CecLook *cec_reading_look(CecReading *reading, const CecSource *source);
extern void cec_reading_end(CecReading *reading);

/* The value of a column, in the order of the source, of a row that the look has found. */
static inline Datum
cec_look_value(const CecLook *look, const TupleTableSlot *row, int column)
{
	return cec_slot_value(row, look->columns[column]);
}

static inline bool
cec_look_isnull(const CecLook *look, const TupleTableSlot *row, int column)
{
	return cec_slot_isnull(row, look->columns[column]);
}

#endif
