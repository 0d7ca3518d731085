/*
 * zone_project.h
 *		Cells of equal area: a place in the plane of the projection, and back.
 */
#ifndef CEC_ZONE_PROJECT_H
#define CEC_ZONE_PROJECT_H

/* A grid: where the projection is centred, and how wide cells are. */
typedef struct CecZoneGrid
{
	double longitude; /* of the centre, in degrees */
	double latitude;
	double sin_centre;
	double cos_centre; /* of its authalic latitude */
	double stretch;	   /* D of Snyder */
	double cell_size;  /* metres */
} CecZoneGrid;

extern bool cec_zone_grid(CecZoneGrid *grid, int32 longitude, int32 latitude, double cell_size);
extern void cec_zone_cell(int64 zone_id, int64 *column, int64 *row);
extern bool cec_zone_pole(const CecZoneGrid *grid, int which, double *y);
extern void cec_zone_unproject(const CecZoneGrid *grid, double x, double y, double *longitude, double *latitude);

#endif
