/*
 * replay_history.h
 *		Holding what is stored of cover against what the log says of it.
 */
#ifndef CEC_REPLAY_HISTORY_H
#define CEC_REPLAY_HISTORY_H

#include "nodes/execnodes.h"

#include "portfolio/delta.h"

/* Where something that is known of an asset comes from. */
typedef enum CecHistorySource
{
	CEC_HISTORY_LOGGED_COVER,
	CEC_HISTORY_LOGGED_DECISION,
	CEC_HISTORY_COVERAGE, /* rows of the tables; these three in this order */
	CEC_HISTORY_PAST,
	CEC_HISTORY_EFFECT
} CecHistorySource;

#define CEC_HISTORY_SOURCES (CEC_HISTORY_EFFECT + 1)

/* A row of a delta, or of a table. */
typedef struct CecHistoryItem
{
	int64 subject_id; /* term or rule */
	CecDays during;
	TimestampTz from; /* the entry's instant; since when the row is recorded */
	union
	{
		uint64 xid;		/* of an entry */
		TimestampTz to; /* until when a past state was believed */
	};
	int64 audit_id;
	int32 ordinal; /* in the entry */
	int16 system;  /* of the entry: as many as the log names are numbered */
	uint8 source;
	uint8 flags;
} CecHistoryItem;

typedef struct CecHistoryItems
{
	int64 count;
	int64 space;
	CecHistoryItem *items;
} CecHistoryItems;

/* All that is known of one asset; used again for the next. */
typedef struct CecHistoryAsset
{
	int64 asset_id;
	CecHistoryItems of[CEC_HISTORY_SOURCES];
	CecHistoryItems live; /* what the log comes to: cover that there is to be */
	CecHistoryItems past; /* and states that there were */
	ReturnSetInfo *result;
} CecHistoryAsset;

extern void cec_history_add(CecHistoryItems *items, const CecHistoryItem *item);
extern void cec_history_judge(CecHistoryAsset *asset);
extern void cec_history_report(ReturnSetInfo *result, const char *kind, const char *table_name, const int64 *asset_id,
							   const CecHistoryItem *item, bool is_decision, const char *detail);

#endif
