/*
 * seal_digest.h
 *		The line that is kept outside.
 */
#ifndef CEC_SEAL_DIGEST_H
#define CEC_SEAL_DIGEST_H

#include "datatype/timestamp.h"

#include "portfolio/portfolio_cache.h"
#include "support/merkle.h"

typedef struct CecDigest
{
	const char *portfolio; /* as it stands in the line; NULL in one that was not read */
	int64 system_id;
	int64 block_no;
	int64 tree_size;
	CecHash root;
	TimestampTz sealed_at;
} CecDigest;

extern char *cec_digest_name(const char *portfolio);
extern char *cec_digest_write(const CecDigest *digest, const char *portfolio);
extern bool cec_digest_try_read(CecDigest *digest, const char *line);
extern bool cec_digest_last(CecPortfolio *portfolio, CecDigest *digest);
extern void cec_digest_read(CecDigest *digest, const char *line);

#endif
