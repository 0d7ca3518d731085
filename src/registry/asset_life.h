/*
 * asset_life.h
 *		The days on which an asset is in service, from the columns of its row.
 */
#ifndef CEC_ASSET_LIFE_H
#define CEC_ASSET_LIFE_H

#include "support/day_set.h"

/* The columns that say it; a day that is not known is NULL in the row. */
typedef struct CecLifeColumns
{
	Datum status;
	bool has_commissioned_on;
	DateADT commissioned_on;
	bool has_decommissioned_on;
	DateADT decommissioned_on;
	Datum out_of_service;
} CecLifeColumns;

extern CecDaySet cec_asset_life(const CecLifeColumns *columns);

#endif
