/*
 * statement_open.h
 *		Statements on tables of portfolios that have begun, and whose triggers behind them have not run yet.
 */
#ifndef CEC_STATEMENT_OPEN_H
#define CEC_STATEMENT_OPEN_H

extern void cec_statement_begins(Oid relid);
extern void cec_statement_ends(Oid relid);
extern bool cec_statement_is_open(Oid relid);

#endif
