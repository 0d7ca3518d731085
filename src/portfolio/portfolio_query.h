/*
 * portfolio_query.h
 *		Queries of the engine, which read the tables of one portfolio.
 */
#ifndef CEC_PORTFOLIO_QUERY_H
#define CEC_PORTFOLIO_QUERY_H

extern void cec_portfolio_query_init(void);

#endif
