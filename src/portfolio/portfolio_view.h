/*
 * portfolio_view.h
 *		Whether a view that the engine reads is what it is taken for.
 */
#ifndef CEC_PORTFOLIO_VIEW_H
#define CEC_PORTFOLIO_VIEW_H

#include "portfolio/portfolio_cache.h"

typedef struct CecViewColumn
{
	const char *name;
	Oid type;
} CecViewColumn;

extern void
cec_portfolio_check_view(CecPortfolio *portfolio, const char *name, const CecViewColumn *columns, int count);

#endif
