/*
 * seal_verify_rows.c
 *		Says what happened to rows of the log that do not agree with the leaves kept of them.
 *
 * Rows and leaves come in order of audit_id.  A row under whose number another leaf was kept is EDITED, a leaf without row
 * is a row MISSING, a row without leaf, of a transaction that was sealed, is EXTRA.  Among these are looked for rows that
 * are as they were sealed but for their number or transaction: they give the leaf when that is put back.  They are
 * REORDERED.  This takes the square of the candidates, so it is left out where they are many.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/xid8.h"

#include "seal/seal_verify.h"
#include "support/compat.h"

#define MAX_CANDIDATES 256

/* Places in the input of a leaf: zero byte, format, audit_id, xid. */
#define INPUT_AUDIT_ID 2
#define INPUT_XID 10

typedef struct Candidate
{
	int64 audit_id;
	int64 block_no;
	bool has_leaf; /* a leaf was kept under this number */
	CecHash leaf;
	bool has_row; /* a row bears this number */
	int32 mark;	  /* of the row */
	uint64 xid;
	char *input; /* of the row's leaf as it is now */
	int input_len;
	bool leaf_found; /* another row is what the leaf was kept of */
	bool row_found;	 /* the row belongs to another leaf */
} Candidate;

typedef struct RowWalk
{
	CecVerifier *verifier;
	Candidate *candidates;
	int count;
} RowWalk;

/* A row that no leaf was kept of. */
static void
report_unsealed(RowWalk *walk, const Candidate *candidate)
{
	static const struct
	{
		const char *kind;
		const char *detail;
	} told[] = {
		[CEC_FROM_LOG] = {"EXTRA", "The row was not there when its transaction was sealed."},
		[CEC_FROM_LOG_ERASED] = {"EXTRA", "The row was not there when its transaction was sealed."},
		[CEC_FORGED_ERASURE] = {"EXTRA", "The row was not there when its transaction was sealed."},
		[CEC_UNSEALED_ERASURE] = {"EDITED", "The row was erased before it was ever sealed."},
		[CEC_UNSEALED_DAMAGED] = {"EDITED", "The row has no salt or image that the engine writes."},
		[CEC_UNSEALED_CLUSTER] = {"EXTRA", "No seal can take the row, which says that another cluster made it."},
		[CEC_UNSEALED_XID] = {"EXTRA", "No seal can take the row, whose transaction is still to come."},
		[CEC_UNSEALED_AT] = {"EXTRA", "The time of the row is still to come."},
	};

	cec_verify_report(walk->verifier, told[candidate->mark].kind, candidate->audit_id, candidate->block_no, "audit_log",
					  "%s", told[candidate->mark].detail);
}

static void
report_row(RowWalk *walk, const Candidate *candidate)
{
	const char *kind = candidate->has_row && !candidate->row_found ? "EDITED" : "MISSING";

	if (list_length(walk->verifier->edited) < MAX_CANDIDATES)
		walk->verifier->edited = cec_verify_note(walk->verifier, walk->verifier->edited, candidate->audit_id);
	if (candidate->has_leaf)
		cec_verify_report(walk->verifier, kind, candidate->audit_id, candidate->block_no, "audit_log", "%s",
						  !candidate->has_row || candidate->row_found ? "The row that was sealed is gone."
						  : candidate->mark == CEC_FORGED_ERASURE
							  ? "The row was erased, and the log has not recorded the erasure as it stands."
							  : "The row is not what was sealed under its number.");
	else
		report_unsealed(walk, candidate);
}

/* The input of the leaf of a row as it is. */
static void
take_input(void *arg, TupleTableSlot *slot)
{
	Candidate *candidate = ((void **) arg)[0];
	CecVerifier *verifier = ((void **) arg)[1];
	MemoryContext cxt = ((void **) arg)[2];
	CecHash content;
	CecHash leaf;

	if (candidate->input != NULL || !cec_leaf_content(&verifier->maker, slot->tts_values, slot->tts_isnull, &content))
		return;
	cec_leaf_make(&verifier->maker, slot->tts_values, slot->tts_isnull, &content, &leaf);
	candidate->input_len = verifier->maker.input.len;
	candidate->input = MemoryContextAlloc(cxt, candidate->input_len);
	memcpy(candidate->input, verifier->maker.input.data, candidate->input_len);
}

/* Whether a row, were it of that number and transaction, would give a leaf. */
static bool
would_give(RowWalk *walk, Candidate *row, int64 audit_id, uint64 xid, const CecHash *leaf)
{
	CecHasher *hasher = walk->verifier->maker.hasher;
	uint64 number = pg_hton64((uint64) audit_id);
	CecHash hash;

	xid = pg_hton64(xid);
	memcpy(row->input + INPUT_AUDIT_ID, &number, sizeof(number));
	memcpy(row->input + INPUT_XID, &xid, sizeof(xid));
	cec_hasher_start(hasher);
	cec_hasher_add(hasher, row->input, row->input_len);
	cec_hasher_finish(hasher, &hash);
	return cec_hash_equal(&hash, leaf);
}

static void
try_pair(RowWalk *walk, Candidate *kept, Candidate *row)
{
	if (!kept->has_leaf || kept->leaf_found || row->input == NULL || row->row_found)
		return;
	if (kept != row && (would_give(walk, row, kept->audit_id, row->xid, &kept->leaf) ||
						(kept->has_row && would_give(walk, row, kept->audit_id, kept->xid, &kept->leaf))))
	{
		kept->leaf_found = true;
		row->row_found = true;
		cec_verify_report(walk->verifier, "REORDERED", kept->audit_id, kept->block_no, "audit_log",
						  "The row that was sealed under this number now bears " INT64_FORMAT ".", row->audit_id);
	}
}

/* The row's own leaf, with the transaction of another row. */
static void
try_transaction(RowWalk *walk, Candidate *kept, const Candidate *other)
{
	if (kept == other || !kept->has_leaf || kept->leaf_found || kept->row_found || kept->input == NULL ||
		!other->has_row || other->xid == kept->xid || !would_give(walk, kept, kept->audit_id, other->xid, &kept->leaf))
		return;
	kept->leaf_found = true;
	kept->row_found = true;
	cec_verify_report(walk->verifier, "REORDERED", kept->audit_id, kept->block_no, "audit_log",
					  "The row now says that it is of the transaction of row " INT64_FORMAT ".", other->audit_id);
}

static void
report_candidates(RowWalk *walk)
{
	CecVerifier *verifier = walk->verifier;

	for (int i = 0; i < walk->count && walk->count > 1; i++)
		if (walk->candidates[i].has_row)
		{
			void *args[3] = {&walk->candidates[i], verifier, CurrentMemoryContext};

			cec_audit_read_row(verifier->portfolio, walk->candidates[i].audit_id, take_input, args);
		}
	for (int i = 0; i < walk->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < walk->count; j++)
			try_pair(walk, &walk->candidates[i], &walk->candidates[j]);
		for (int j = 0; j < walk->count; j++)
			try_transaction(walk, &walk->candidates[i], &walk->candidates[j]);
	}
	for (int i = 0; i < walk->count; i++)
	{
		Candidate *candidate = &walk->candidates[i];

		if (candidate->has_leaf ? !candidate->leaf_found : !candidate->row_found)
			report_row(walk, candidate);
	}
}

static void
add_candidate(RowWalk *walk, const CecSealedRow *leaf, const CecSealedRow *row)
{
	Candidate candidate = {0};

	candidate.audit_id = leaf != NULL ? leaf->audit_id : row->audit_id;
	candidate.block_no = leaf != NULL ? leaf->block_no : row->block_no;
	candidate.has_leaf = leaf != NULL;
	if (leaf != NULL)
		candidate.leaf = leaf->leaf;
	candidate.has_row = row != NULL;
	if (row != NULL)
	{
		candidate.xid = row->xid;
		candidate.mark = row->mark;
	}
	if (walk->count < MAX_CANDIDATES)
		walk->candidates[walk->count++] = candidate;
	else
		report_row(walk, &candidate);
}

/* A row that is as it was sealed, but in another block by what the blocks' snapshots say. */
static void
note_moved(RowWalk *walk, const CecSealedRow *leaf, const CecSealedRow *row)
{
	int64 block_no = Min(leaf->block_no, row->block_no);

	if (!cec_verify_noted(walk->verifier->missing, leaf->block_no))
		cec_verify_block(walk->verifier, block_no, "Its snapshot does not show the rows that it showed.");
}

/* Leaf and row of one number; one of them may be missing. */
static void
judge(RowWalk *walk, const CecSealedRow *leaf, const CecSealedRow *row)
{
	if (leaf != NULL && row != NULL && cec_hash_equal(&leaf->leaf, &row->leaf))
	{
		if (row->mark == CEC_FROM_LOG_ERASED)
			cec_verify_erased(walk->verifier, row);
		if (leaf->block_no != row->block_no)
			note_moved(walk, leaf, row);
	}
	else if (leaf != NULL || row->block_no != CEC_UNSEALED || row->mark != CEC_FROM_LOG)
		add_candidate(walk, leaf, row);
}

/* The third step: reports what happened to the rows that were put aside. */
void
cec_verify_rows(CecVerifier *verifier)
{
	RowWalk walk = {0};
	CecSealedRow leaf;
	CecSealedRow next;
	bool has_leaf = false;

	walk.verifier = verifier;
	walk.candidates = palloc(MAX_CANDIDATES * sizeof(Candidate));
	cec_leaf_sort_perform(verifier->differences);
	while (cec_leaf_sort_next(verifier->differences, &next))
	{
		CHECK_FOR_INTERRUPTS();
		if (cec_verify_noted(verifier->unheard, next.block_no))
			continue;
		if (has_leaf && (next.audit_id != leaf.audit_id || next.mark == CEC_FROM_LEAVES))
		{
			judge(&walk, &leaf, NULL);
			has_leaf = false;
		}
		if (next.mark == CEC_FROM_LEAVES)
		{
			leaf = next;
			has_leaf = true;
			continue;
		}
		judge(&walk, has_leaf ? &leaf : NULL, &next);
		has_leaf = false;
	}
	if (has_leaf)
		judge(&walk, &leaf, NULL);
	report_candidates(&walk);
}
