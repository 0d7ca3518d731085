/*
 * map_tile.h
 *		A tile of the map that is asked for.
 */
#ifndef CEC_MAP_TILE_H
#define CEC_MAP_TILE_H

#include "utils/date.h"

#include "portfolio/portfolio_cache.h"

/* What the parameters ask for; 0 or NULL: whatever it is.  Arrays are of bigint, and NULL where nothing is asked for. */
typedef struct CecTileQuestion
{
	CecPortfolio *portfolio;
	int z;
	int32 x;
	int32 y;
	DateADT on_day;
	int64 max_features;
	Datum status;
	Datum term_ids;
	Datum customer_id;
	Datum manager_term_ids;
	Datum contract_id;
	Datum contract_number;
	Datum account_manager;
	bool has_status;
	bool has_contract;
	bool has_customer;
	bool has_manager;
} CecTileQuestion;

extern void cec_tile_box(const CecTileQuestion *question, Datum *args);
extern Datum cec_tile_of_grid(const CecTileQuestion *question);
extern Datum cec_tile_of_rows(const CecTileQuestion *question);
extern Datum cec_tile_result(MemoryContext cxt);

#endif
