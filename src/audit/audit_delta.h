/*
 * audit_delta.h
 *		What changed in cover, as the log carries it; byte by byte in src/audit/README.md.
 */
#ifndef CEC_AUDIT_DELTA_H
#define CEC_AUDIT_DELTA_H

#include "lib/stringinfo.h"

#include "portfolio/delta.h"
#include "portfolio/portfolio_cache.h"

#define CEC_DELTA_FORMAT 1

/* Writes a delta in pieces, each to be an entry of its own. */
typedef struct CecDeltaWriter
{
	const CecDelta *delta;
	int64 cover; /* rows written so far */
	int64 decisions;
} CecDeltaWriter;

/* Reads the rows of a piece. */
typedef struct CecDeltaReader
{
	const char *at;
	const char *end;
	int section; /* 0 before the first, 1 cover, 2 decisions, 3 at the end */
	uint64 left; /* rows of the section */
	bool is_damaged;
	CecDays days; /* the bounds given last */
	CecDeltaRow row;
} CecDeltaReader;

extern int cec_delta_pieces(const CecDelta *delta);
extern bool cec_delta_write(CecDeltaWriter *writer, StringInfo buf);
extern void cec_delta_read_begin(CecDeltaReader *reader, const char *bytes, Size length);
extern bool cec_delta_read(CecDeltaReader *reader);

#endif
