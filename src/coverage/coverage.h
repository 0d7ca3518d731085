/*
 * coverage.h
 *		Effective coverage: from what is stated about some assets to the rows that say when they are covered.
 */
#ifndef CEC_COVERAGE_H
#define CEC_COVERAGE_H

#include "portfolio/delta.h"
#include "portfolio/reading.h"
#include "rule/rule_session.h"
#include "support/day_set.h"
#include "support/id_list.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

/* What a term offers. */
typedef struct CecTermBase
{
	int64 term_id; /* key */
	CecDaySet base;
	bool covers_bundles;
} CecTermBase;

/* One asset under one term. */
typedef struct CecAssetTerm
{
	CecTermBase *term;
	bool is_concerned;
	CecDaySet listed;
	CecDaySet qualified; /* by include rules */
	CecDaySet carved_out;
	CecDaySet allowed;	 /* life and base without carve-outs and what exclude rules take */
	CecDaySet stated;	 /* covered because listed */
	CecDaySet ruled;	 /* covered because qualified */
	CecDaySet inherited; /* covered because the primary is */
} CecAssetTerm;

/* A member that inherits from an asset, on some days. */
typedef struct CecHeir
{
	struct CecAssetCover *member;
	CecDays during;
} CecHeir;

/* A row of coverage, as it is stored or as it ought to be. */
typedef struct CecCoverRow
{
	int64 term_id;
	CecDays during;
	bool is_stated;
	bool is_ruled;
	bool is_inherited;
	/* only of stored rows: */
	ItemPointerData tid;
	int64 coverage_id;
	TimestampTz recorded_at;
	bool is_own;  /* written by this transaction */
	bool is_lost; /* not as it ought to be: to be replaced */
} CecCoverRow;

/* An asset and all that its cover follows from. */
typedef struct CecAssetCover
{
	int64 asset_id;
	CecDaySet life;
	CecAssetTerm *terms;
	int term_count;
	int term_space;
	CecHeir *heirs;
	int heir_count;
	int heir_space;
	bool is_queued;
	CecCoverRow *stored;
	int stored_count;
	int stored_space;
	CecAssetRules *rules; /* NULL when the portfolio has none */
	int64 first_change;	  /* in the delta */
	int64 change_count;
	TimestampTz beginning; /* of what replaces states of this transaction; 0: the statement's instant */
} CecAssetCover;

/* Lines and memberships as they would be: those of an asset in the place of all that are stored of it. */
typedef struct CecTrialLine
{
	int64 asset_id;
	int64 term_id;
	bool is_include;
	CecDays during;
} CecTrialLine;

typedef struct CecTrialMembership
{
	int64 asset_id;
	int64 primary_id;
	CecDays during;
} CecTrialMembership;

typedef struct CecTrial
{
	CecIds listed; /* whose lines these are, in order; they need not have any */
	int64 line_count;
	CecTrialLine *lines; /* in order of asset_id */
	CecIds members;		 /* whose memberships these are, likewise */
	int64 membership_count;
	CecTrialMembership *memberships;
} CecTrial;

/* The assets that are computed together: with an asset come all below it. */
typedef struct CecCoverSet
{
	int64 count;
	CecAssetCover *assets; /* in order of asset_id */
} CecCoverSet;

/* The stored rows of an asset, with the places of their columns. */
extern const CecSource cec_source_cover;

enum
{
	CEC_COVER_ID,
	CEC_COVER_TERM_ID,
	CEC_COVER_DURING,
	CEC_COVER_IS_STATED,
	CEC_COVER_IS_RULED,
	CEC_COVER_IS_INHERITED,
	CEC_COVER_RECORDED_AT
};

extern CecCoverSet *
cec_coverage_compute(CecReading *reading, const CecIds *assets, CecRuleSession *rules, const CecTrial *trial);
extern CecCoverRow *cec_coverage_ranges(CecAssetCover *asset, int *count);
extern void cec_coverage_differ(CecReading *reading, CecCoverSet *set, TimestampTz past, CecDelta *delta);
extern void cec_coverage_write(CecPortfolio *portfolio, CecCoverSet *set, Snapshot snapshot, const CecDelta *delta);

#endif
