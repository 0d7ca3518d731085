/*
 * seal_report.h
 *		What the steps of verifying the log share, and how they tell of what they find.
 */
#ifndef CEC_SEAL_REPORT_H
#define CEC_SEAL_REPORT_H

#include "funcapi.h"

#include "audit/audit_scan.h"
#include "seal/seal_block.h"
#include "seal/seal_digest.h"
#include "seal/seal_leaf.h"
#include "seal/seal_sort_leaves.h"

/* In place of a number that there is none of. */
#define CEC_NO_NUMBER PG_INT64_MIN

/* The block of rows that are not sealed yet. */
#define CEC_UNSEALED PG_INT64_MAX

/* Marks of sorted rows: where they come from. */
#define CEC_FROM_LEAVES 0
#define CEC_FROM_LOG 1
#define CEC_FROM_LOG_ERASED 2
/* ... and what is wrong with them by themselves: with one in a block the block tells, with others this. */
#define CEC_FORGED_ERASURE 3
#define CEC_UNSEALED_ERASURE 4
#define CEC_UNSEALED_DAMAGED 5
#define CEC_UNSEALED_CLUSTER 6
#define CEC_UNSEALED_XID 7
#define CEC_UNSEALED_AT 8

typedef struct CecVerifier
{
	CecPortfolio *portfolio;
	ReturnSetInfo *result;
	MemoryContext cxt;	/* of the whole verification */
	CecDigest *digests; /* in order of tree_size */
	int digest_count;
	CecBlocks blocks;
	CecLeafMaker maker;
	CecLeafSort *rows;		  /* the log as it is, in the order of the tree */
	CecLeafSort *differences; /* what does not agree, of both sides, by audit_id */
	bool leaves_differ;		  /* some of them are leaves */
	List *told;				  /* blocks (int64 *) told to be other than they were */
	List *unheard;			  /* blocks (int64 *) whose leaves are wrong, and the log right */
	List *missing;			  /* blocks (int64 *) that are gone */
	List *edited;			  /* rows (int64 *) told to be other than they were */
} CecVerifier;

extern void cec_verify_report(CecVerifier *verifier, const char *kind, int64 audit_id, int64 block_no,
							  const char *table_name, const char *format, ...) pg_attribute_printf(6, 7);
extern void cec_verify_block(CecVerifier *verifier, int64 block_no, const char *detail);
extern List *cec_verify_note(CecVerifier *verifier, List *numbers, int64 number);
extern bool cec_verify_noted(const List *numbers, int64 number);
extern void cec_verify_erased(CecVerifier *verifier, const CecSealedRow *row);

#endif
