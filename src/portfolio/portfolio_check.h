/*
 * portfolio_check.h
 *		Whether a relation is the table of a portfolio that it is taken for.
 */
#ifndef CEC_PORTFOLIO_CHECK_H
#define CEC_PORTFOLIO_CHECK_H

#include "portfolio/portfolio_shape.h"

extern void cec_check_kind(Relation rel, Oid owner);
extern void cec_check_table(Relation rel, Oid owner, const CecTableShape *shape);
extern void cec_check_written(Relation rel, const CecTableShape *shape);
extern void cec_check_written_below(Relation rel, const CecTableShape *shape);

#endif
