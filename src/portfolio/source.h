/*
 * source.h
 *		Where rows of a portfolio are looked up by a key: a table, the first column of an index, the columns that are read.
 *		And where rows go: a table, and the columns that are written.
 *
 * Both are static, like a CecQuery: what they say is looked up once a session, and again after its table changed.
 */
#ifndef CEC_SOURCE_H
#define CEC_SOURCE_H

#include "storage/lockdefs.h"

#define CEC_SOURCE_COLUMNS 10

typedef struct CecSourceColumn
{
	const char *name;
	Oid type;
	bool is_nullable;
} CecSourceColumn;

typedef struct CecSource
{
	const char *table;
	const char *key;
	Oid key_type;  /* bigint or text */
	LOCKMODE lock; /* of a statement that writes: where it has this lock anyway, no other one is taken */
	CecSourceColumn columns[CEC_SOURCE_COLUMNS];
} CecSource;

/* A table that is written below SQL; the first column is numbered by a sequence. */
typedef CecSource CecTarget;

#endif
