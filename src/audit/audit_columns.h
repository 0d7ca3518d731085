/*
 * audit_columns.h
 *		How the rows of a table become images.
 */
#ifndef CEC_AUDIT_COLUMNS_H
#define CEC_AUDIT_COLUMNS_H

#include "portfolio/change.h"
#include "support/cache.h"
#include "support/canonical.h"

#define CEC_IMAGE_FORMAT 1
#define CEC_SCHEMA_HASH_LEN 16

typedef struct CecAuditColumns
{
	CecAsOf as_of; /* of the table */
	MemoryContext cxt;
	int count;
	AttrNumber *attnums;
	CecCanonType **types;
	AttrNumber row_id; /* these five: 0 when the table has no such column */
	AttrNumber asset_id;
	AttrNumber term_id;
	AttrNumber contract_id;
	AttrNumber amendment_id;
	char hash[CEC_SCHEMA_HASH_LEN];
	bool recorded; /* audit_schema is known to hold the hash, committed */
} CecAuditColumns;

extern CecAuditColumns *cec_audit_columns_get(CecChange *change);
extern void cec_audit_columns_record(CecAuditColumns *columns, CecChange *change);

#endif
