/*
 * finding_unseen.c
 *		Says of which contracts all that they cover is concerned by whether one asset was seen.
 *
 * An asset is out of place because nobody has seen it only where another one of its contract was seen (kind covered_not_deployed): the
 * first that is seen concerns all of them, and so does the last that is not any more.  Mostly another one was seen, and a
 * few look-ups find it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "compliance/finding_unseen.h"
#include "coverage/coverage.h"
#include "portfolio/portfolio_today.h"

#define KIND "covered_not_deployed"

/* So many assets of a contract are looked at one by one. */
#define FEW 50

static const CecSource term_of_contract = {
	"coverage_term", "contract_id", INT8OID, AccessShareLock, {{"term_id", INT8OID}}};
static const CecSource cover_of_term = {
	"coverage", "term_id", INT8OID, AccessShareLock, {{"asset_id", INT8OID}, {"during", DATERANGEOID}}};

enum
{
	COVER_ASSET_ID,
	COVER_DURING
};

/* That a finding of a contract is open says that somebody was seen. */
static const CecQuery finding_is_open = {
	"SELECT EXISTS (SELECT FROM (SELECT kind FROM @P@.finding WHERE contract_id = $1 AND closed_at IS NULL OFFSET 0) AS f WHERE kind = '" KIND
	"')",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BOOLOID}};

CecUnseen
cec_unseen_begin(CecChange *change, const CecFindingKinds *kinds, CecTraits *traits)
{
	return (CecUnseen){change, traits, cec_finding_kind_number(kinds, KIND),
					   change->rel != NULL && strcmp(change->table_name, "field_observation") == 0};
}

/* Takes an asset of the statement, at which the traits stand, with the kinds that have heard of it. */
void
cec_unseen_take(CecUnseen *unseen, int64 asset_id, uint64 heard)
{
	const uint32 seen = CEC_TRAIT_BIT(CEC_TRAIT_OBSERVED) | CEC_TRAIT_BIT(CEC_TRAIT_SEEN);

	if (unseen->kind >= 0 && (heard & CEC_KIND_BIT(unseen->kind)) != 0 &&
		(unseen->observes || cec_traits_hold(unseen->traits, seen)))
		cec_ids_add(&unseen->seen, asset_id);
}

static bool
holds_day(CecDays days, DateADT day)
{
	return days.from <= day && day < days.to;
}

static void
add_contract(CecReading *reading, int64 term_id, CecIds *contracts)
{
	const CecLook *look = cec_reading_look(reading, &cec_source_term);
	TupleTableSlot *row = cec_probe_row(look->probe, term_id);

	if (row != NULL)
		cec_ids_add(contracts, DatumGetInt64(cec_look_value(look, row, CEC_TERM_CONTRACT_ID)));
}

/* The contracts that cover one of the assets today, or did until the statement. */
static CecIds
contracts_of_seen(CecUnseen *unseen, CecReading *reading, DateADT today)
{
	const CecLook *cover = cec_reading_look(reading, &cec_source_cover);
	CecIds contracts = {0};
	TupleTableSlot *row;

	for (int64 i = 0; i < unseen->seen.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		cec_probe_seek(cover->probe, unseen->seen.ids[i]);
		while ((row = cec_probe_next(cover->probe)) != NULL)
			if (holds_day(cec_days_of_range(cec_look_value(cover, row, CEC_COVER_DURING)), today))
				add_contract(reading, DatumGetInt64(cec_look_value(cover, row, CEC_COVER_TERM_ID)), &contracts);
	}
	for (int64 i = 0; i < unseen->change->delta.cover.count; i++)
	{
		const CecDeltaRow *delta = &unseen->change->delta.cover.rows[i];

		if (!(delta->flags & CEC_DELTA_GAINED) && holds_day(delta->during, today) &&
			cec_ids_find(&unseen->seen, delta->asset_id) >= 0)
			add_contract(reading, delta->subject_id, &contracts);
	}
	cec_ids_sort_unique(&contracts);
	return contracts;
}

/* What the other assets that a contract covers today say. */
typedef enum Others
{
	ANOTHER_WAS_SEEN,
	NONE_WAS_SEEN,
	NO_OTHERS,
	TOO_MANY /* of those that were looked at none was seen */
} Others;

static Others
look_at_others(CecUnseen *unseen, CecReading *reading, int64 contract_id, DateADT today, int64 at_most)
{
	const CecLook *terms = cec_reading_look(reading, &term_of_contract);
	const CecLook *cover = cec_reading_look(reading, &cover_of_term);
	TupleTableSlot *term;
	TupleTableSlot *row;
	Others result = NO_OTHERS;

	cec_probe_seek(terms->probe, contract_id);
	while ((term = cec_probe_next(terms->probe)) != NULL)
	{
		cec_probe_seek(cover->probe, DatumGetInt64(cec_look_value(terms, term, 0)));
		while ((row = cec_probe_next(cover->probe)) != NULL)
		{
			int64 asset_id = DatumGetInt64(cec_look_value(cover, row, COVER_ASSET_ID));

			CHECK_FOR_INTERRUPTS();
			if (at_most-- == 0)
				return TOO_MANY;
			if (!holds_day(cec_days_of_range(cec_look_value(cover, row, COVER_DURING)), today) ||
				cec_ids_find(&unseen->seen, asset_id) >= 0)
				continue;
			if (cec_traits_was_seen(unseen->traits, asset_id))
				return ANOTHER_WAS_SEEN;
			result = NONE_WAS_SEEN;
		}
	}
	return result;
}

static bool
has_open_finding(CecPortfolio *portfolio, int64 contract_id)
{
	Datum arg = Int64GetDatum(contract_id);
	bool isnull;
	bool result;

	SPI_connect();
	cec_query_run(portfolio->plans, &finding_is_open, &arg, NULL, 1);
	result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return result;
}

/* Whether all that the statement does is to add observations, or cover. */
static bool
adds_only(CecChange *change)
{
	if (change->rel == NULL || change->operation != CEC_INSERT)
		return false;
	for (int64 i = 0; i < change->delta.cover.count; i++)
		if (!(change->delta.cover.rows[i].flags & CEC_DELTA_GAINED))
			return false;
	return true;
}

/* Whether the assets of the statement are the first of a contract that are seen, or were the last, and there are others. */
static bool
is_concerned(CecUnseen *unseen, CecReading *reading, int64 contract_id, DateADT today, bool adds)
{
	Others others = look_at_others(unseen, reading, contract_id, today, FEW);

	if (others == TOO_MANY && adds && has_open_finding(unseen->change->portfolio, contract_id))
		return false;
	if (others == TOO_MANY)
		others = look_at_others(unseen, reading, contract_id, today, PG_INT64_MAX);
	return others == NONE_WAS_SEEN;
}

/* Adds to the contracts of which all is compared those that are concerned. */
void
cec_unseen_end(CecUnseen *unseen, CecIds *contracts)
{
	CecReading *reading = cec_change_reading(unseen->change);
	bool adds = adds_only(unseen->change);
	CecIds of_seen;
	CecIds all = {0};
	DateADT today;

	if (unseen->seen.count == 0)
		return;
	today = cec_portfolio_today(unseen->change->portfolio);
	of_seen = contracts_of_seen(unseen, reading, today);
	/* What was heard of contracts is shared by kinds. */
	for (int64 i = 0; i < contracts->count; i++)
		cec_ids_add(&all, contracts->ids[i]);
	for (int64 i = 0; i < of_seen.count; i++)
		if (is_concerned(unseen, reading, of_seen.ids[i], today, adds))
			cec_ids_add(&all, of_seen.ids[i]);
	cec_ids_sort_unique(&all);
	*contracts = all;
}
