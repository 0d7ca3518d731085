/*
 * time_zone.h
 *		Which names of time zones are taken.
 */
#ifndef CEC_TIME_ZONE_H
#define CEC_TIME_ZONE_H

extern bool cec_is_time_zone(const char *value);

#endif
