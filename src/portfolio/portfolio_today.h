/*
 * portfolio_today.h
 *		What day it is in a portfolio.
 */
#ifndef CEC_PORTFOLIO_TODAY_H
#define CEC_PORTFOLIO_TODAY_H

#include "portfolio/change.h"
#include "utils/date.h"
#include "utils/timestamp.h"

extern pg_tz *cec_portfolio_zone(CecPortfolio *portfolio);
extern bool cec_portfolio_takes_drafts_only(CecPortfolio *portfolio);
extern int cec_portfolio_observation_days(CecPortfolio *portfolio);
extern const char *cec_portfolio_value_attribute(CecPortfolio *portfolio);
extern DateADT cec_portfolio_local_day(CecPortfolio *portfolio, TimestampTz at);
extern void cec_portfolio_require_version(CecPortfolio *portfolio);
extern DateADT cec_portfolio_today(CecPortfolio *portfolio);
extern DateADT cec_change_today(CecChange *change);

#endif
