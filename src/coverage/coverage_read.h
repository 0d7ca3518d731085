/*
 * coverage_read.h
 *		The facts that cover follows from.
 */
#ifndef CEC_COVERAGE_READ_H
#define CEC_COVERAGE_READ_H

#include "coverage/coverage.h"

typedef struct CecCoverReader CecCoverReader;

/* A line of a list. */
typedef struct CecCoverLine
{
	int64 term_id;
	bool is_include;
	CecDays during;
} CecCoverLine;

extern CecCoverReader *cec_cover_reader_begin(CecReading *reading);
extern CecTermBase *cec_cover_read_term(CecCoverReader *reader, int64 term_id);
extern CecDaySet cec_cover_read_life(CecCoverReader *reader, int64 asset_id);
extern void cec_cover_read_lines(CecCoverReader *reader, int64 asset_id);
extern bool cec_cover_next_line(CecCoverReader *reader, CecCoverLine *line);
extern void cec_cover_read_stored(CecCoverReader *reader, int64 asset_id);
extern bool cec_cover_next_stored(CecCoverReader *reader, CecCoverRow *cover);

#endif
