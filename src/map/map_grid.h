/*
 * map_grid.h
 *		The grid of the map: cells, what assets in them are from which day on, and where it is kept.
 */
#ifndef CEC_MAP_GRID_H
#define CEC_MAP_GRID_H

#include "utils/date.h"
#include "utils/numeric.h"

#include "portfolio/portfolio_cache.h"

/* The zoom whose tiles are the cells of steps, and the lowest one of which there are sums. */
#define CEC_MAP_LEVEL 10
#define CEC_MAP_LOWEST_LEVEL 4

/* A cluster's cell is the tile so many zooms further in. */
#define CEC_MAP_CLUSTER_ZOOMS 4

#define CEC_MAP_MAX_ZOOM 24

/* The last zoom that always clusters. */
#define CEC_MAP_LAST_CLUSTERED 6

/*
 * What is counted of assets: those of a status, in the order in which the first that holds is the status of an asset; and all of them.
 * Those that are not covered are what is left.
 */
typedef enum CecMapStatus
{
	CEC_MAP_COVERED,
	CEC_MAP_COVERED_BY_BUNDLE,
	CEC_MAP_COVERED_BY_RULE,
	CEC_MAP_NOT_IN_SERVICE,
	CEC_MAP_LOCATED
} CecMapStatus;

#define CEC_MAP_STATUS_COUNT (CEC_MAP_LOCATED + 1)

extern const char *const cec_map_status_name[CEC_MAP_STATUS_COUNT];

/* A place on the map, as shares of its width from the west and of its height from the north: 0 to 1, without 1. */
typedef struct CecMapPlace
{
	double across;
	double down;
} CecMapPlace;

extern bool cec_map_project(double longitude, double latitude, CecMapPlace *place);
extern int64 cec_map_cell(CecMapPlace place);
extern int64 cec_map_first_cell(int z, int32 x, int32 y, int level);

/* A change from a day on; CEC_DAY_MIN: from ever. */
typedef struct CecMapStepKey
{
	int64 cell;
	DateADT on_day;
	CecMapStatus status;
} CecMapStepKey;

typedef struct CecMapStep
{
	CecMapStepKey key;
	int64 assets;
	Numeric value; /* NULL: 0 */
	char status;   /* of the place in the hash table */
} CecMapStep;

/* Steps that are summed as they come. */
typedef struct CecMapSteps
{
	struct cec_step_table_hash *table; /* NULL until there is one */
	MemoryContext cxt;
} CecMapSteps;

extern void cec_map_steps_begin(CecMapSteps *steps);
extern void
cec_map_steps_add(CecMapSteps *steps, int64 cell, CecMapStatus status, DateADT on_day, int sign, Numeric value);
extern void cec_map_steps_write(CecMapSteps *steps, CecPortfolio *portfolio);

#endif
