/*
 * audit_salt.c
 *		Random bytes for the log's rows, drawn many at a time.
 *
 * A draw costs what a row does, nearly whatever its length.  So each backend draws for so many rows ahead.  A salt keeps what a
 * row said from being guessed once the row is erased: that holds as long as nobody learns it, and no other row has the same.
 * Therefore a salt leaves the pool as it is handed out, whatever becomes of the row, and the pool keeps no copy; and what was
 * drawn before a fork belongs to none of the processes after it.  The salts that are still to come say nothing of any row.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "audit/audit_log.h"

#define POOL_SALTS 256

static char pool[POOL_SALTS * CEC_SALT_LEN];
static int salts_left = 0;
static int drawn_by = 0; /* process */

static void
draw_salts(void)
{
	salts_left = 0;
	if (!pg_strong_random(pool, sizeof(pool)))
	{
		explicit_bzero(pool, sizeof(pool));
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes for the audit log")));
	}
	drawn_by = MyProcPid;
	salts_left = POOL_SALTS;
}

/* Puts CEC_SALT_LEN random bytes there, which no other row gets. */
void
cec_audit_draw_salt(char *salt)
{
	char *next;

	if (salts_left == 0 || drawn_by != MyProcPid)
		draw_salts();
	next = pool + --salts_left * CEC_SALT_LEN;
	memcpy(salt, next, CEC_SALT_LEN);
	explicit_bzero(next, CEC_SALT_LEN);
}
