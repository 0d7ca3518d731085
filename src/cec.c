/*
 * cec.c
 *		Module magic and load-time initialisation, which is all delegated.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "init.h"

PG_MODULE_MAGIC;

#define CALL_INIT(function) function();

void _PG_init(void);

void
_PG_init(void)
{
	CEC_INITS(CALL_INIT)
	MarkGUCPrefixReserved("cec");
}
