/*
 * regulation_facts.c
 *		Reads what regulations judge, for a batch of assets: first what all conditions may ask, which the rows of asset, term,
 *		contract and tier hold; then, where one asks, events, days of cover, and boundaries.
 *
 * Reads with the rights of the caller and the snapshot of the caller's statement.  The engine calls it as the owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"
#include "regulation/regulation_facts.h"
#include "support/day_set.h"

static const CecQuery covered_assets = {
	"SELECT DISTINCT asset_id FROM @P@.coverage WHERE during @> $1 ORDER BY asset_id",
	1,
	{DATEOID},
	.results = {INT8OID}};

/* Columns of the fact row, in their order, then what else is asked; parameters: day, assets, assets and terms of proposals. */
static const CecQuery read_assets = {
	"SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category, a.usage_type,"
	" a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on, a.decommissioned_on, a.out_of_service,"
	" a.successor_id, a.attributes, a.source, a.source_updated_at,"
	" c.number, c.kind, c.governing_country, s.code, s.rank, s.response_hours, v.term_id, c.contract_id,"
	" CASE WHEN a.country IS NOT NULL OR a.region IS NOT NULL THEN ARRAY[coalesce(a.country, left(a.region, 2)), a.region]"
	"  ELSE ARRAY(SELECT p.code FROM @P@.jurisdiction j CROSS JOIN LATERAL (VALUES (j.country), (j.region)) AS p(code)"
	"   WHERE cec._is_in(a.location, j.boundary)) END"
	" FROM (SELECT w.asset_id, w.term_id FROM @P@.coverage w WHERE w.asset_id = ANY ($2) AND w.during @> $1"
	"  UNION SELECT p.asset_id, p.term_id FROM unnest($3, $4) AS p(asset_id, term_id)) AS v"
	" JOIN @P@.asset a ON a.asset_id = v.asset_id"
	" JOIN @P@.coverage_term t ON t.term_id = v.term_id"
	" JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" LEFT JOIN @P@.service_tier s ON s.tier_id = t.tier_id"
	" ORDER BY v.asset_id, v.term_id",
	4,
	{DATEOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				INT8OID,
				TEXTOID,
				TEXTOID,
				CEC_GEOMETRY_RESULT,
				DATEOID,
				DATEOID,
				DATEMULTIRANGEOID,
				INT8OID,
				JSONBOID,
				TEXTOID,
				TIMESTAMPTZOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				TEXTOID,
				INT4OID,
				NUMERICOID,
				INT8OID,
				INT8OID,
				TEXTARRAYOID}};

#define ASSET_COLUMNS CEC_FACT_SOURCE_UPDATED_AT
#define TERM_COLUMNS (CEC_FACT_RESPONSE_HOURS - CEC_FACT_CONTRACT_NUMBER + 1)

/* What some conditions ask: parameters are assets and terms, which of it is asked, day, and proposals. */
static const CecQuery read_details = {
	"SELECT CASE WHEN $3 THEN (SELECT array_agg(m.kind ORDER BY m.event_id) FROM @P@.maintenance_event m"
	"  WHERE m.asset_id = i.asset_id) END,"
	" CASE WHEN $3 THEN (SELECT array_agg(m.performed_on ORDER BY m.event_id) FROM @P@.maintenance_event m"
	"  WHERE m.asset_id = i.asset_id) END,"
	" CASE WHEN $4 THEN (SELECT array_agg((q.opened_at AT TIME ZONE z.time_zone)::date ORDER BY q.request_id)"
	"  FROM @P@.service_request q CROSS JOIN @P@.setting z WHERE q.asset_id = i.asset_id AND isfinite(q.opened_at)) END,"
	" (SELECT lower(r) FROM unnest(w.days) AS r WHERE r @> $6), (SELECT upper(r) - 1 FROM unnest(w.days) AS r WHERE r @> $6),"
	" CASE WHEN NOT lower_inf(w.days) AND NOT upper_inf(w.days)"
	"  THEN (SELECT sum(upper(r) - lower(r)) FROM unnest(w.days) AS r)::integer END"
	" FROM unnest($1, $2) WITH ORDINALITY AS i(asset_id, term_id, place)"
	" CROSS JOIN LATERAL (SELECT range_agg(d.during) AS days FROM ("
	"   SELECT v.during FROM @P@.coverage v WHERE $5 AND v.asset_id = i.asset_id AND v.term_id = i.term_id"
	"   UNION ALL SELECT p.during FROM unnest($7, $8, $9) AS p(asset_id, term_id, during)"
	"    WHERE $5 AND p.asset_id = i.asset_id AND p.term_id = i.term_id) AS d) AS w"
	" ORDER BY i.place",
	9,
	{INT8ARRAYOID, INT8ARRAYOID, BOOLOID, BOOLOID, BOOLOID, DATEOID, INT8ARRAYOID, INT8ARRAYOID, DATERANGEARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTARRAYOID, DATEARRAYOID, DATEARRAYOID, DATEOID, DATEOID, INT4OID}};

static const CecFact details[] = {CEC_FACT_MAINTENANCE_KINDS, CEC_FACT_MAINTENANCE_DAYS, CEC_FACT_REQUEST_DAYS,
								  CEC_FACT_COVER_FIRST_DAY,	  CEC_FACT_COVER_LAST_DAY,	 CEC_FACT_COVER_DAYS};

static const CecQuery read_boundaries = {
	"SELECT contract_id, boundary FROM @P@.contract WHERE contract_id = ANY ($1) AND boundary IS NOT NULL",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, CEC_GEOMETRY_RESULT}};

/* The boundary of a contract; 0 where it has none. */
typedef struct Boundary
{
	int64 contract_id; /* key */
	Datum boundary;
	Datum on_globe; /* 0 until a distance is asked for */
} Boundary;

/* Starts; lives in the current memory context. */
void
cec_regulation_facts_begin(CecRegulationFacts *facts, CecPortfolio *portfolio, DateADT on_day)
{
	*facts = (CecRegulationFacts){.portfolio = portfolio, .on_day = on_day, .cxt = CurrentMemoryContext};
}

/* All assets that are covered on the day, in order. */
CecIds
cec_regulation_covered(CecRegulationFacts *facts)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum arg = DateADTGetDatum(facts->on_day);
	CecIds result = {0};
	uint64 count;

	SPI_connect();
	count = cec_query_read(facts->portfolio->plans, &covered_assets, &arg, NULL);
	MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < count; i++)
	{
		bool isnull;

		cec_ids_add(&result, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	SPI_finish();
	return result;
}

static Datum
id_array(const int64 *ids, int64 count)
{
	CecIds list = {count, count, (int64 *) ids};

	return cec_ids_as_array(&list);
}

/* The proposals for assets from one through another one. */
static const CecProposal *
proposals_for(const CecRegulationFacts *facts, int64 first, int64 last, int64 *count)
{
	int64 from = 0;
	int64 to = facts->proposal_count;

	while (from < to)
	{
		int64 middle = from + (to - from) / 2;

		if (facts->proposals[middle].asset_id < first)
			from = middle + 1;
		else
			to = middle;
	}
	while (to < facts->proposal_count && facts->proposals[to].asset_id <= last)
		to++;
	*count = to - from;
	return facts->proposals + from;
}

/* Assets, terms and days of proposals, as three arrays. */
static void
proposal_arrays(const CecProposal *proposals, int64 count, Datum *arrays)
{
	int64 *ids = palloc(Max(count, 1) * sizeof(int64));
	Datum *days = palloc(Max(count, 1) * sizeof(Datum));

	for (int64 i = 0; i < count; i++)
		ids[i] = proposals[i].asset_id;
	arrays[0] = id_array(ids, count);
	for (int64 i = 0; i < count; i++)
	{
		ids[i] = proposals[i].term_id;
		days[i] = proposals[i].during;
	}
	arrays[1] = id_array(ids, count);
	arrays[2] = PointerGetDatum(construct_array(days, count, DATERANGEOID, -1, false, TYPALIGN_INT));
}

/* What of proposals holds the day. */
static void
proposals_of_day(const CecRegulationFacts *facts, int64 first, int64 last, Datum *arrays)
{
	int64 count;
	const CecProposal *all = proposals_for(facts, first, last, &count);
	CecProposal *holding = palloc(Max(count, 1) * sizeof(CecProposal));
	int64 held = 0;

	for (int64 i = 0; i < count; i++)
	{
		CecDays days = cec_days_of_range(all[i].during);

		if (days.from <= facts->on_day && facts->on_day < days.to)
			holding[held++] = all[i];
	}
	proposal_arrays(holding, held, arrays);
}

static void
take_places(CecCoveredAsset *asset, Datum places)
{
	Datum *codes;
	bool *nulls;
	int count;

	deconstruct_array(DatumGetArrayTypeP(places), TEXTOID, -1, false, TYPALIGN_INT, &codes, &nulls, &count);
	asset->places = palloc(Max(count, 1) * sizeof(char *));
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			asset->places[asset->place_count++] = TextDatumGetCString(codes[i]);
}

/* A row of the query. */
static void
take_asset(CecRegulationFacts *facts, CecCoveredAsset *asset, HeapTuple row, TupleDesc desc)
{
	Datum values[CEC_QUERY_MAX_RESULTS];
	bool nulls[CEC_QUERY_MAX_RESULTS];
	Datum *place = values;

	heap_deform_tuple(row, desc, values, nulls);
	memset(asset->isnull, true, sizeof(asset->isnull));
	for (int i = 0; i < ASSET_COLUMNS + TERM_COLUMNS; i++)
	{
		CecFact fact = i < ASSET_COLUMNS ? i + 1 : CEC_FACT_CONTRACT_NUMBER + i - ASSET_COLUMNS;
		Form_pg_attribute att = TupleDescAttr(desc, i);

		asset->isnull[fact - 1] = nulls[i];
		if (!nulls[i])
			asset->values[fact - 1] = datumCopy(values[i], att->attbyval, att->attlen);
	}
	asset->values[CEC_FACT_AS_OF - 1] = DateADTGetDatum(facts->on_day);
	asset->isnull[CEC_FACT_AS_OF - 1] = false;
	if (!asset->isnull[CEC_FACT_GOVERNING_COUNTRY - 1])
		asset->governing_country = TextDatumGetCString(asset->values[CEC_FACT_GOVERNING_COUNTRY - 1]);
	place += ASSET_COLUMNS + TERM_COLUMNS;
	asset->asset_id = DatumGetInt64(values[0]);
	asset->term_id = DatumGetInt64(place[0]);
	asset->contract_id = DatumGetInt64(place[1]);
	take_places(asset, place[2]);
}

/* A row for each asset and term that covers it on the day, assets in order; in the current memory context. */
CecCoveredAsset *
cec_regulation_facts_read(CecRegulationFacts *facts, const int64 *asset_ids, int64 count, int64 *found)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum args[5] = {DateADTGetDatum(facts->on_day), id_array(asset_ids, count)};
	CecCoveredAsset *result;

	proposals_of_day(facts, asset_ids[0], asset_ids[count - 1], args + 2);
	SPI_connect();
	*found = cec_query_read(facts->portfolio->plans, &read_assets, args, NULL);
	MemoryContextSwitchTo(cxt);
	result = palloc_extended(Max(*found, 1) * sizeof(CecCoveredAsset), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < *found; i++)
		take_asset(facts, &result[i], SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_finish();
	return result;
}

/* Events and days of cover. */
static void
fill_details(CecRegulationFacts *facts, CecCoveredAsset *assets, int64 count, const bool *asked)
{
	MemoryContext cxt = CurrentMemoryContext;
	int64 *ids = palloc(count * sizeof(int64));
	Datum args[9];
	int64 proposal_count;
	const CecProposal *proposals =
		proposals_for(facts, assets[0].asset_id, assets[count - 1].asset_id, &proposal_count);

	for (int64 i = 0; i < count; i++)
		ids[i] = assets[i].asset_id;
	args[0] = id_array(ids, count);
	for (int64 i = 0; i < count; i++)
		ids[i] = assets[i].term_id;
	args[1] = id_array(ids, count);
	for (int i = 0; i < 3; i++)
		args[2 + i] = BoolGetDatum(asked[i]);
	args[5] = DateADTGetDatum(facts->on_day);
	proposal_arrays(proposals, proposal_count, args + 6);
	SPI_connect();
	if (cec_query_read(facts->portfolio->plans, &read_details, args, NULL) != count)
		elog(ERROR, "a row is missing of what regulations ask");
	MemoryContextSwitchTo(cxt);
	for (int64 i = 0; i < count; i++)
		for (int j = 0; j < lengthof(details); j++)
		{
			Form_pg_attribute att = TupleDescAttr(SPI_tuptable->tupdesc, j);
			bool isnull;
			Datum value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &isnull);

			assets[i].isnull[details[j] - 1] = isnull;
			if (!isnull)
				assets[i].values[details[j] - 1] = datumCopy(value, att->attbyval, att->attlen);
		}
	SPI_finish();
}

static Boundary *
find_boundary(CecRegulationFacts *facts, int64 contract_id, bool *found)
{
	Boundary *result;

	if (facts->boundaries == NULL)
	{
		HASHCTL ctl = {.keysize = sizeof(int64), .entrysize = sizeof(Boundary), .hcxt = facts->cxt};

		facts->boundaries = hash_create("cec boundaries", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	result = hash_search(facts->boundaries, &contract_id, HASH_ENTER, found);
	if (!*found)
		result->boundary = result->on_globe = 0;
	return result;
}

/* Boundaries of the contracts, each read once. */
static void
fill_boundaries(CecRegulationFacts *facts, CecCoveredAsset *assets, int64 count)
{
	CecIds missing = {0};
	bool found;
	uint64 read;
	Datum arg;

	for (int64 i = 0; i < count; i++)
	{
		(void) find_boundary(facts, assets[i].contract_id, &found);
		if (!found)
			cec_ids_add(&missing, assets[i].contract_id);
	}
	if (missing.count > 0)
	{
		arg = cec_ids_as_array(&missing);
		SPI_connect();
		read = cec_query_read(facts->portfolio->plans, &read_boundaries, &arg, NULL);
		MemoryContextSwitchTo(facts->cxt);
		for (uint64 i = 0; i < read; i++)
		{
			HeapTuple row = SPI_tuptable->vals[i];
			int64 contract_id = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &found));
			Datum boundary = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &found);

			find_boundary(facts, contract_id, &found)->boundary = PointerGetDatum(PG_DETOAST_DATUM_COPY(boundary));
		}
		SPI_finish();
	}
	for (int64 i = 0; i < count; i++)
	{
		Datum boundary = find_boundary(facts, assets[i].contract_id, &found)->boundary;

		assets[i].values[CEC_FACT_BOUNDARY - 1] = boundary;
		assets[i].isnull[CEC_FACT_BOUNDARY - 1] = boundary == 0;
	}
}

/* Fills in what the rows do not hold yet and conditions ask for. */
void
cec_regulation_facts_fill(CecRegulationFacts *facts, CecCoveredAsset *assets, int64 count, const Bitmapset *needs)
{
	MemoryContext cxt = CurrentMemoryContext;
	bool asked[] = {bms_is_member(CEC_FACT_MAINTENANCE_KINDS, needs) || bms_is_member(CEC_FACT_MAINTENANCE_DAYS, needs),
					bms_is_member(CEC_FACT_REQUEST_DAYS, needs),
					bms_is_member(CEC_FACT_COVER_FIRST_DAY, needs) || bms_is_member(CEC_FACT_COVER_LAST_DAY, needs) ||
						bms_is_member(CEC_FACT_COVER_DAYS, needs)};

	if (count > 0 && (asked[0] || asked[1] || asked[2]))
		fill_details(facts, assets, count, asked);
	if (bms_is_member(CEC_FACT_BOUNDARY, needs) || bms_is_member(CEC_FACT_BOUNDARY_ON_GLOBE, needs))
		fill_boundaries(facts, assets, count);
	MemoryContextSwitchTo(cxt);
}

/* What distances are measured to, made of the boundary once a contract.  Raises what PostGIS raises. */
void
cec_regulation_facts_project(CecRegulationFacts *facts, CecCoveredAsset *asset)
{
	bool found;
	Boundary *boundary = find_boundary(facts, asset->contract_id, &found);

	if (boundary->boundary != 0 && boundary->on_globe == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(facts->cxt);

		boundary->on_globe = OidFunctionCall1(cec_catalog_function(CEC_CATALOG_GEOGRAPHY), boundary->boundary);
		MemoryContextSwitchTo(old);
	}
	asset->values[CEC_FACT_BOUNDARY_ON_GLOBE - 1] = boundary->on_globe;
	asset->isnull[CEC_FACT_BOUNDARY_ON_GLOBE - 1] = boundary->on_globe == 0;
}
