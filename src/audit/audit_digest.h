/*
 * audit_digest.h
 *		The line that is kept outside.
 */
#ifndef CEC_AUDIT_DIGEST_H
#define CEC_AUDIT_DIGEST_H

#include "datatype/timestamp.h"

#include "merkle.h"

typedef struct CecDigest
{
	int64 system_id;
	int64 block_no;
	int64 tree_size;
	CecHash root;
	TimestampTz sealed_at;
} CecDigest;

extern char *cec_digest_write(const CecDigest *digest, const char *portfolio);
extern void cec_digest_read(CecDigest *digest, const char *line);

#endif
