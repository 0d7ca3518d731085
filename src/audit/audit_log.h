/*
 * audit_log.h
 *		The columns of audit_log, for those who write and read it.
 */
#ifndef CEC_AUDIT_LOG_H
#define CEC_AUDIT_LOG_H

#include "catalog/pg_type.h"
#include "utils/relcache.h"

#define CEC_SALT_LEN 16

/* In the order in which the values of a row are computed. */
typedef enum CecLogColumn
{
	CEC_LOG_AUDIT_ID,
	CEC_LOG_XID,
	CEC_LOG_SYSTEM_ID,
	CEC_LOG_AT,
	CEC_LOG_ACTOR,
	CEC_LOG_SESSION_USER_NAME,
	CEC_LOG_APPLICATION_NAME,
	CEC_LOG_CLIENT_ADDR,
	CEC_LOG_REASON,
	CEC_LOG_TABLE_NAME,
	CEC_LOG_OPERATION,
	CEC_LOG_ROW_ID,
	CEC_LOG_ASSET_ID,
	CEC_LOG_TERM_ID,
	CEC_LOG_CONTRACT_ID,
	CEC_LOG_SALT,
	CEC_LOG_ROW_IMAGE,
	CEC_LOG_DELTA
} CecLogColumn;

#define CEC_LOG_COLUMNS (CEC_LOG_DELTA + 1)

/* Their types, in the same order. */
#define CEC_LOG_COLUMN_TYPES \
	{ \
		INT8OID, XID8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, INETOID, TEXTOID, TEXTOID, TEXTOID, \
			INT8OID, INT8OID, INT8OID, INT8OID, BYTEAOID, BYTEAOID, BYTEAOID \
	}

/* Where a log keeps its columns. */
typedef struct CecLogShape
{
	Oid relid;
	Oid sequence;
	AttrNumber attnums[CEC_LOG_COLUMNS];
} CecLogShape;

extern void cec_audit_draw_salt(char *salt);
extern void cec_audit_log_shape(CecLogShape *shape, Relation log);

#endif
