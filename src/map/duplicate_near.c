/*
 * duplicate_near.c
 *		cec._near_pairs: assets of one model that stand next to each other.
 *
 * Places are points of a sphere, and its space is cut into cubes as wide as the distance: whoever is near stands in the same
 * cube or in one of the 26 around it, and neither poles nor 180 degrees are anything of their own.  Assets are sorted by model and
 * cube, so that a cube is looked up.
 *
 * An asset with more than so many others around is one of a crowd, such as a store or a field of panels: it is told once, without
 * another, and looking ends there.  So however many stand in one place, each asset costs a bounded look.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(cec_near_pairs);
PG_FUNCTION_INFO_V1(cec_distance_m);

/* The mean radius of WGS 84, (2a + b) / 3, as ST_DistanceSphere has it. */
#define EARTH_M 6371008.771415059
#define RADIANS(degrees) ((degrees) * (M_PI / 180))

/* Cubes are a metre wide at least: no more of them than 32 bits can tell. */
#define SMALLEST_CUBE 1.0

typedef struct Stand
{
	int64 asset_id;
	int64 model;
	int32 cube[3];
	double longitude;
	double latitude;
	int neighbours; /* more than a crowd takes: it is one of a crowd */
} Stand;

typedef struct Crowd
{
	Stand *stands;
	int count;
	double within_m;
	int at_most;
} Crowd;

/* By the haversine, which is exact for what is near. */
static double
distance_m(double longitude, double latitude, double other_longitude, double other_latitude)
{
	double north = sin(RADIANS(other_latitude - latitude) / 2);
	double east = sin(RADIANS(other_longitude - longitude) / 2);
	double half = north * north + east * east * cos(RADIANS(latitude)) * cos(RADIANS(other_latitude));

	return 2 * EARTH_M * asin(sqrt(Min(half, 1)));
}

static int
compare_place(const Stand *a, int64 model, const int32 *cube)
{
	if (a->model != model)
		return a->model < model ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (a->cube[i] != cube[i])
			return a->cube[i] < cube[i] ? -1 : 1;
	return 0;
}

static int
compare_stands(const void *a, const void *b)
{
	const Stand *left = a;
	const Stand *right = b;
	int order = compare_place(left, right->model, right->cube);

	if (order != 0)
		return order;
	return left->asset_id < right->asset_id ? -1 : left->asset_id > right->asset_id;
}

/* The first that stands in a row of cubes, from this one on. */
static int
find_cube(const Crowd *crowd, int64 model, const int32 *cube)
{
	int low = 0;
	int high = crowd->count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (compare_place(&crowd->stands[middle], model, cube) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Its neighbours, at most one more than a crowd takes; how many there are. */
static int
find_neighbours(const Crowd *crowd, const Stand *stand, int *neighbours)
{
	/* Its own cube first: most of a crowd is there. */
	static const int steps[] = {0, -1, 1};
	int found = 0;

	for (int i = 0; i < 9; i++)
	{
		int32 cube[3] = {stand->cube[0] + steps[i / 3], stand->cube[1] + steps[i % 3], stand->cube[2] - 1};

		for (int at = find_cube(crowd, stand->model, cube); at < crowd->count; at++)
		{
			const Stand *other = &crowd->stands[at];

			if (other->model != stand->model || other->cube[0] != cube[0] || other->cube[1] != cube[1] ||
				other->cube[2] > stand->cube[2] + 1)
				break;
			if (other != stand &&
				distance_m(stand->longitude, stand->latitude, other->longitude, other->latitude) <= crowd->within_m)
			{
				neighbours[found++] = at;
				if (found > crowd->at_most)
					return found;
			}
		}
	}
	return found;
}

static void
put_row(ReturnSetInfo *result, const Stand *stand, const Stand *other)
{
	Datum values[3];
	bool nulls[3] = {false, other == NULL, other == NULL};

	if (other != NULL && other->asset_id < stand->asset_id)
	{
		put_row(result, other, stand);
		return;
	}
	values[0] = Int64GetDatum(stand->asset_id);
	values[1] = other == NULL ? (Datum) 0 : Int64GetDatum(other->asset_id);
	values[2] = other == NULL
					? (Datum) 0
					: Float8GetDatum(distance_m(stand->longitude, stand->latitude, other->longitude, other->latitude));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum *
elements_of(ArrayType *array, Oid type, int count)
{
	Datum *values;
	bool *nulls;
	int found;

	deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &found);
	if (found != count || array_contains_nulls(array))
		elog(ERROR, "arrays of assets differ");
	return values;
}

/* cec._near_pairs(asset_ids, models, longitudes, latitudes, within_m, at_most) */
Datum
cec_near_pairs(PG_FUNCTION_ARGS)
{
	int count = ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(0)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(0)));
	Datum *asset_ids = elements_of(PG_GETARG_ARRAYTYPE_P(0), INT8OID, count);
	Datum *models = elements_of(PG_GETARG_ARRAYTYPE_P(1), INT8OID, count);
	Datum *longitudes = elements_of(PG_GETARG_ARRAYTYPE_P(2), FLOAT8OID, count);
	Datum *latitudes = elements_of(PG_GETARG_ARRAYTYPE_P(3), FLOAT8OID, count);
	Crowd crowd = {NULL, count, PG_GETARG_FLOAT8(4), Max(PG_GETARG_INT32(5), 0)};
	double cube = Max(crowd.within_m, SMALLEST_CUBE);
	int *neighbours = palloc((crowd.at_most + 1) * sizeof(int));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	crowd.stands = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(Stand));
	for (int i = 0; i < count; i++)
	{
		Stand *stand = &crowd.stands[i];
		double cosine;

		stand->asset_id = DatumGetInt64(asset_ids[i]);
		stand->model = DatumGetInt64(models[i]);
		stand->longitude = DatumGetFloat8(longitudes[i]);
		stand->latitude = DatumGetFloat8(latitudes[i]);
		cosine = EARTH_M * cos(RADIANS(stand->latitude));
		stand->cube[0] = (int32) floor(EARTH_M * sin(RADIANS(stand->latitude)) / cube);
		stand->cube[1] = (int32) floor(cosine * cos(RADIANS(stand->longitude)) / cube);
		stand->cube[2] = (int32) floor(cosine * sin(RADIANS(stand->longitude)) / cube);
	}
	qsort(crowd.stands, count, sizeof(Stand), compare_stands);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		crowd.stands[i].neighbours = find_neighbours(&crowd, &crowd.stands[i], neighbours);
		if (crowd.stands[i].neighbours > crowd.at_most)
			put_row(result, &crowd.stands[i], NULL);
	}
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (crowd.stands[i].neighbours == 0 || crowd.stands[i].neighbours > crowd.at_most)
			continue;
		(void) find_neighbours(&crowd, &crowd.stands[i], neighbours);
		for (int n = 0; n < crowd.stands[i].neighbours; n++)
			if (neighbours[n] > i && crowd.stands[neighbours[n]].neighbours <= crowd.at_most)
				put_row(result, &crowd.stands[i], &crowd.stands[neighbours[n]]);
	}
	return (Datum) 0;
}

/* cec._distance_m(longitude, latitude, other_longitude, other_latitude) */
Datum
cec_distance_m(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_m(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)));
}
