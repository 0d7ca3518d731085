/*
 * alert_asset.c
 *		Tells other systems of what changes in the register and concerns contracts.
 *
 * Of a statement on asset that changes its status, dates, customer or location each contract is told once, whatever the number of
 * assets: of those that its terms cover on other days now (the delta of the statement says so, members of bundles with it), and of
 * those that stand on its lists, or are covered by it, as before.  Of a day of decommissioning that is still to come it is told apart, also
 * of assets that come with one: of these nothing else is told, for nothing of them has changed.
 *
 * A statement that changes none of these columns pays for a look at its rows; an asset that no contract knows pays for a look
 * at lists and cover.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compliance/alert.h"
#include "coverage/coverage.h"
#include "init.h"
#include "portfolio/portfolio_today.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/slot.h"
#include "support/word.h"

/* The assets that a statement changed, in order. */
typedef struct Assets
{
	int64 count;
	int64 space;
	CecAlertAsset *assets;
	uint8 columns; /* those of any of them */
} Assets;

/* A contract that is told. */
typedef struct Contract
{
	int64 contract_id; /* key */
	char *number;
	char *account_manager; /* NULL: nobody */
	CecDays during;		   /* empty when it is void, or gone */
	int64 last_asset;	   /* the asset that was added last */
	bool has_asset;
	CecAlert affected;
	CecAlert planned;
} Contract;

typedef struct Term
{
	int64 term_id; /* key */
	char *number;
	CecDays during;
	Contract *contract; /* NULL when the term is gone */
} Term;

/* Contracts or terms by their key, of which most statements ask for one. */
typedef struct Table
{
	const char *name;
	Size entry_size;
	void *first;
	HTAB *others; /* NULL until there is one */
} Table;

typedef struct Telling
{
	CecChange *change;
	CecReading *reading;
	DateADT today;
	uint8 columns; /* of the statement: what members lose and gain, they do by these */
	Table contracts;
	Table terms;
	Term *last_term;
	List *told;			/* contracts */
	bool only_planned;	/* the assets are new */
	bool is_known;		/* to a contract: the asset that is looked at */
	CecAlert elsewhere; /* planned, of assets that no contract knows */
	MemoryContext cxt;
	MemoryContext asset_cxt;
} Telling;

/* What of a row matters to contracts. */
static CecAlertAsset
compare_row(const CecRows *rows, AttrNumber asset_id, const AttrNumber *columns, DateADT today)
{
	AttrNumber last_day = columns[CEC_ALERT_DECOMMISSIONED_ON];
	CecAlertAsset asset = {cec_slot_int8(rows->new_row, asset_id), .decommissioned_before = DATEVAL_NOEND};

	if (rows->old_row == NULL)
		asset.columns = 1 << CEC_ALERT_DECOMMISSIONED_ON;
	else
		for (int i = 0; i < CEC_ALERT_COLUMNS; i++)
			if (!cec_rows_same_value(rows->old_row, rows->new_row, columns[i]))
				asset.columns |= 1 << i;
	if ((asset.columns & (1 << CEC_ALERT_DECOMMISSIONED_ON)) && !cec_slot_isnull(rows->new_row, last_day))
	{
		asset.decommissioned_on = DatumGetDateADT(cec_slot_value(rows->new_row, last_day));
		asset.is_planned = asset.decommissioned_on > today;
		if (rows->old_row != NULL && !cec_slot_isnull(rows->old_row, last_day))
			asset.decommissioned_before = DatumGetDateADT(cec_slot_value(rows->old_row, last_day));
	}
	return asset;
}

static int
compare_assets(const void *one, const void *other)
{
	int64 a = ((const CecAlertAsset *) one)->asset_id;
	int64 b = ((const CecAlertAsset *) other)->asset_id;

	return a < b ? -1 : a > b;
}

static Assets
collect_assets(CecChange *change)
{
	Assets found = {0};
	CecRows rows;
	AttrNumber asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	AttrNumber columns[CEC_ALERT_COLUMNS];
	DateADT today = cec_change_today(change);

	for (int i = 0; i < CEC_ALERT_COLUMNS; i++)
		columns[i] = cec_column_find(change->rel, cec_alert_column_name[i]);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CecAlertAsset asset;

		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		asset = compare_row(&rows, asset_id, columns, today);
		if (asset.columns == 0 || (rows.old_row == NULL && !asset.is_planned))
			continue;
		CEC_MAKE_ROOM(found.assets, found.count, found.space, 1);
		found.assets[found.count++] = asset;
		found.columns |= asset.columns;
	}
	cec_rows_end(&rows);
	qsort(found.assets, found.count, sizeof(CecAlertAsset), compare_assets);
	return found;
}

/* The entry of a key; a new one is zeroed but for the key, and stays where it is. */
static void *
find_entry(Telling *telling, Table *table, int64 key, bool *found)
{
	char *entry;

	*found = table->first != NULL && *(int64 *) table->first == key;
	if (*found)
		return table->first;
	if (table->first == NULL)
	{
		table->first = MemoryContextAllocZero(telling->cxt, table->entry_size);
		*(int64 *) table->first = key;
		return table->first;
	}
	if (table->others == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(int64);
		ctl.entrysize = table->entry_size;
		ctl.hcxt = telling->cxt;
		table->others = hash_create(table->name, 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(table->others, &key, HASH_ENTER, found);
	if (!*found)
		memset(entry + sizeof(int64), 0, table->entry_size - sizeof(int64));
	return entry;
}

static void
read_contract(Telling *telling, Contract *contract)
{
	const CecLook *look = cec_reading_look(telling->reading, &cec_source_contract);
	TupleTableSlot *row = cec_probe_row(look->probe, contract->contract_id);

	if (row == NULL)
		return;
	contract->number = text_to_cstring(DatumGetTextPP(cec_look_value(look, row, CEC_CONTRACT_NUMBER)));
	if (!cec_look_isnull(look, row, CEC_CONTRACT_ACCOUNT_MANAGER))
		contract->account_manager =
			text_to_cstring(DatumGetTextPP(cec_look_value(look, row, CEC_CONTRACT_ACCOUNT_MANAGER)));
	if (!cec_word_is(cec_look_value(look, row, CEC_CONTRACT_STATUS), "void"))
		contract->during = cec_days_of_range(cec_look_value(look, row, CEC_CONTRACT_DURING));
}

static Contract *
find_contract(Telling *telling, int64 contract_id)
{
	bool found;
	Contract *contract = find_entry(telling, &telling->contracts, contract_id, &found);

	if (!found)
		read_contract(telling, contract);
	return contract;
}

/* A term with its contract, read once a statement. */
static Term *
find_term(Telling *telling, int64 term_id)
{
	const CecLook *look;
	TupleTableSlot *row;
	MemoryContext old;
	bool found;
	Term *term = telling->last_term;

	if (term != NULL && term->term_id == term_id)
		return term;
	telling->last_term = term = find_entry(telling, &telling->terms, term_id, &found);
	if (found)
		return term;
	look = cec_reading_look(telling->reading, &cec_source_term);
	row = cec_probe_row(look->probe, term_id);
	if (row == NULL)
		return term;
	old = MemoryContextSwitchTo(telling->cxt);
	term->number = text_to_cstring(DatumGetTextPP(cec_look_value(look, row, CEC_TERM_NUMBER)));
	term->during = cec_days_of_range(cec_look_value(look, row, CEC_TERM_DURING));
	term->contract = find_contract(telling, DatumGetInt64(cec_look_value(look, row, CEC_TERM_CONTRACT_ID)));
	MemoryContextSwitchTo(old);
	return term;
}

/* Looks up what an asset is called, if it is to be named. */
static void
name_asset(Telling *telling, const CecAlert *alert, CecAlertAsset *asset)
{
	const CecLook *look;
	TupleTableSlot *row;

	if (asset->tag != NULL || !cec_alert_names_next(alert))
		return;
	look = cec_reading_look(telling->reading, &cec_source_asset);
	row = cec_probe_row(look->probe, asset->asset_id);
	if (row == NULL)
		return;
	asset->tag = text_to_cstring(DatumGetTextPP(cec_look_value(look, row, CEC_ASSET_TAG)));
	asset->status = text_to_cstring(DatumGetTextPP(cec_look_value(look, row, CEC_ASSET_STATUS)));
}

/* Adds the asset to what the contract is told, once. */
static void
tell_contract(Telling *telling, Contract *contract, CecAlertAsset *asset)
{
	if (contract->has_asset && contract->last_asset == asset->asset_id)
		return;
	if (!contract->has_asset)
		telling->told = lappend(telling->told, contract);
	contract->has_asset = true;
	contract->last_asset = asset->asset_id;
	telling->is_known = true;
	if (!telling->only_planned)
	{
		/* Whose own columns are as they were loses and gains by those of others. */
		if (asset->columns == 0)
			contract->affected.columns |= telling->columns;
		name_asset(telling, &contract->affected, asset);
		cec_alert_add_asset(&contract->affected, asset);
	}
	if (asset->is_planned)
	{
		name_asset(telling, &contract->planned, asset);
		cec_alert_add_planned(&contract->planned, asset);
	}
}

static void
tell_term(Telling *telling, Term *term, CecAlertAsset *asset, const CecDaySet *lost, const CecDaySet *gained)
{
	MemoryContext old = MemoryContextSwitchTo(telling->cxt);

	tell_contract(telling, term->contract, asset);
	if (!telling->only_planned)
		cec_alert_add_term(&term->contract->affected, term->term_id, term->number, lost, gained);
	MemoryContextSwitchTo(old);
}

static CecDaySet
days_of(const CecDeltaRow *rows, int64 count)
{
	CecDaySet days = {0};

	for (int64 i = 0; i < count; i++)
		cec_day_set_add(&days, rows[i].during);
	return days;
}

/* What the asset has lost and gained under a term, if it is more than a change of grounds. */
static void
tell_part(Telling *telling, const CecDeltaPart *part, CecAlertAsset *asset)
{
	CecDaySet before = days_of(part->old_rows, part->old_count);
	CecDaySet now = days_of(part->new_rows, part->new_count);
	CecDaySet lost = cec_day_set_minus(&before, &now);
	CecDaySet gained = cec_day_set_minus(&now, &before);
	Term *term;

	if (lost.count == 0 && gained.count == 0)
		return;
	term = find_term(telling, part->term_id);
	if (term->contract != NULL)
		tell_term(telling, term, asset, &lost, &gained);
}

/* The asset stands on the list of a term, or is covered by it, as before: told where its contract has not been told of it. */
static void
tell_standing(Telling *telling, Term *term, CecDays days, CecAlertAsset *asset)
{
	static const CecDaySet none = {0};
	Contract *contract = term->contract;

	if (contract == NULL || (contract->has_asset && contract->last_asset == asset->asset_id))
		return;
	days.from = Max(Max(days.from, term->during.from), contract->during.from);
	days.to = Min(Min(days.to, term->during.to), contract->during.to);
	if (days.from < days.to && days.to > telling->today)
		tell_term(telling, term, asset, &none, &none);
}

/* Goes through lists and cover of an asset that changed. */
static void
tell_unchanged(Telling *telling, CecAlertAsset *asset)
{
	const CecLook *lines = cec_reading_look(telling->reading, &cec_source_line);
	const CecLook *cover = cec_reading_look(telling->reading, &cec_source_cover);
	TupleTableSlot *row;

	cec_probe_seek(lines->probe, asset->asset_id);
	while ((row = cec_probe_next(lines->probe)) != NULL)
		if (cec_word_is(cec_look_value(lines, row, CEC_LINE_EFFECT), "include"))
			tell_standing(telling, find_term(telling, DatumGetInt64(cec_look_value(lines, row, CEC_LINE_TERM_ID))),
						  cec_days_of_range(cec_look_value(lines, row, CEC_LINE_DURING)), asset);
	cec_probe_seek(cover->probe, asset->asset_id);
	while ((row = cec_probe_next(cover->probe)) != NULL)
		tell_standing(telling, find_term(telling, DatumGetInt64(cec_look_value(cover, row, CEC_COVER_TERM_ID))),
					  cec_days_of_range(cec_look_value(cover, row, CEC_COVER_DURING)), asset);
}

/* Goes through what changed: the assets of the statement, and those whose cover changed with theirs; both in order. */
static void
tell_assets(Telling *telling, const Assets *changed)
{
	const CecDelta *delta = &telling->change->delta;
	CecDeltaPart part = {0};
	bool more = cec_delta_next(delta, &part);
	int64 at = 0;

	while (more || at < changed->count)
	{
		bool is_own = at < changed->count && (!more || changed->assets[at].asset_id <= part.asset_id);
		CecAlertAsset asset = is_own ? changed->assets[at++] : (CecAlertAsset){part.asset_id};
		MemoryContext old = MemoryContextSwitchTo(telling->asset_cxt);

		CHECK_FOR_INTERRUPTS();
		telling->is_known = false;
		for (; more && part.asset_id == asset.asset_id; more = cec_delta_next(delta, &part))
			tell_part(telling, &part, &asset);
		if (is_own)
			tell_unchanged(telling, &asset);
		MemoryContextSwitchTo(old);
		if (asset.is_planned && !telling->is_known)
		{
			name_asset(telling, &telling->elsewhere, &asset);
			cec_alert_add_planned(&telling->elsewhere, &asset);
		}
		MemoryContextReset(telling->asset_cxt);
	}
}

static int
compare_contracts(const ListCell *one, const ListCell *other)
{
	int64 a = ((const Contract *) lfirst(one))->contract_id;
	int64 b = ((const Contract *) lfirst(other))->contract_id;

	return a < b ? -1 : a > b;
}

static void
add_event(Telling *telling, const char *type, const Contract *contract, CecAlert *alert)
{
	StringInfoData json;
	CecEvent event = {"portfolio", get_namespace_name(telling->change->portfolio->nspid), type};

	if (alert->count == 0)
		return;
	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	if (contract != NULL)
	{
		event.aggregate_type = "contract";
		event.aggregate_id = psprintf(INT64_FORMAT, contract->contract_id);
		appendStringInfo(&json, "\"contract_id\": %s, ", event.aggregate_id);
		cec_alert_write_text(&json, "contract_number", contract->number);
		appendStringInfoString(&json, ", ");
		cec_alert_write_text(&json, "account_manager", contract->account_manager);
		appendStringInfoString(&json, ", ");
	}
	cec_alert_write(&json, alert);
	event.payload = json.data;
	cec_outbox_add(cec_outbox_of(telling->change), &event);
}

/* One event a contract and type, in order. */
static void
add_events(Telling *telling)
{
	ListCell *cell;

	list_sort(telling->told, compare_contracts);
	foreach (cell, telling->told)
	{
		Contract *contract = lfirst(cell);

		add_event(telling, "asset.status_affects_coverage", contract, &contract->affected);
	}
	foreach (cell, telling->told)
	{
		Contract *contract = lfirst(cell);

		add_event(telling, "asset.decommissioning_planned", contract, &contract->planned);
	}
	add_event(telling, "asset.decommissioning_planned", NULL, &telling->elsewhere);
}

/*
 * Handler of the audit stage, for asset: what changed in cover is known, and what the statement reads is open.  That is read as it was
 * before cover was written: what it says of cover that did not change is the same.
 */
static void
tell_of_assets(CecChange *change)
{
	Telling telling = {.change = change,
					   .contracts = {"cec contracts that are told", sizeof(Contract)},
					   .terms = {"cec terms of contracts that are told", sizeof(Term)},
					   .cxt = CurrentMemoryContext};
	Assets changed;

	if (change->operation == CEC_DELETE)
		return;
	changed = collect_assets(change);
	if (changed.count == 0)
		return;
	telling.today = cec_change_today(change);
	telling.columns = changed.columns;
	telling.only_planned = change->operation == CEC_INSERT;
	telling.reading = cec_change_reading(change);
	telling.asset_cxt = AllocSetContextCreate(telling.cxt, "cec alert of an asset", ALLOCSET_SMALL_SIZES);
	tell_assets(&telling, &changed);
	MemoryContextDelete(telling.asset_cxt);
	add_events(&telling);
}

/* Registers with the engine. */
void
cec_alert_init(void)
{
	cec_change_register(CEC_STAGE_AUDIT, "asset", tell_of_assets);
}
