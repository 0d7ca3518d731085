/*
 * compat.h
 *		The only file that knows server versions apart.
 */
#ifndef CEC_COMPAT_H
#define CEC_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/dependency.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

#if PG_VERSION_NUM < 150000
#error "cec needs PostgreSQL 15 or newer"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* A function that does not return; 18 has a word of its own for it. */
#ifndef pg_noreturn
#define pg_noreturn _Noreturn
#endif

/* Whether an expression is one of SQL/JSON's, which 16 and 17 brought and which can read into any type. */
static inline bool
cec_compat_is_json(const Node *node)
{
#if PG_VERSION_NUM >= 170000
	return IsA(node, JsonConstructorExpr) || IsA(node, JsonExpr);
#elif PG_VERSION_NUM >= 160000
	return IsA(node, JsonConstructorExpr);
#else
	return false;
#endif
}

/* Parameters of ExecutorRun; 18 says no longer that a query runs but once. */
#if PG_VERSION_NUM >= 180000
#define CEC_COMPAT_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define CEC_COMPAT_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define CEC_COMPAT_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define CEC_COMPAT_EXECUTOR_RUN_ARGUMENTS query, direction, count, execute_once
#endif

/* Inserts the index entries of a new tuple; 16 added "only summarizing indexes". */
static inline void
cec_compat_insert_index_tuples(ResultRelInfo *target, TupleTableSlot *slot, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	list_free(ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false));
#else
	list_free(ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL));
#endif
}

/* Replaces a tuple; *is_indexed: its indexes need new entries, of which 16 knows a third case: only summarizing ones. */
static inline TM_Result
cec_compat_update_tuple(Relation rel, ItemPointer tid, TupleTableSlot *slot, Snapshot snapshot, Snapshot crosscheck,
						bool *is_indexed)
{
	TM_FailureData failure;
	LockTupleMode mode;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes indexes;
	TM_Result result = table_tuple_update(rel, tid, slot, GetCurrentCommandId(true), snapshot, crosscheck, true,
										  &failure, &mode, &indexes);

	*is_indexed = indexes != TU_None;
	return result;
#else
	return table_tuple_update(rel, tid, slot, GetCurrentCommandId(true), snapshot, crosscheck, true, &failure, &mode,
							  is_indexed);
#endif
}

/* Oid of the sequence behind an identity column; 17 takes the relation. */
static inline Oid
cec_compat_identity_sequence(Relation rel, AttrNumber attnum)
{
#if PG_VERSION_NUM >= 170000
	return getIdentitySequence(rel, attnum, false);
#else
	return getIdentitySequence(RelationGetRelid(rel), attnum, false);
#endif
}

/* Starts an index scan; 18 can count what it does. */
static inline IndexScanDesc
cec_compat_index_beginscan(Relation rel, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(rel, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(rel, index, snapshot, nkeys, 0);
#endif
}

/* Makes a range; 16 can report errors softly. */
static inline RangeType *
cec_compat_make_range(TypeCacheEntry *typcache, RangeBound *lower, RangeBound *upper)
{
	bool empty = false;

#if PG_VERSION_NUM >= 160000
	return make_range(typcache, lower, upper, empty, NULL);
#else
	return make_range(typcache, lower, upper, empty);
#endif
}

/* Whether this transaction holds just this lock on a relation; 17 can also look for stronger ones. */
static inline bool
cec_compat_lock_held(Oid relid, LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
#if PG_VERSION_NUM >= 170000
	return LockHeldByMe(&tag, mode, false);
#else
	return LockHeldByMe(&tag, mode);
#endif
}

/* Whether a role has USAGE on a schema; 16 has one function for all kinds of objects. */
static inline bool
cec_compat_may_use_schema(Oid nspid, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, nspid, role, ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(nspid, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* The next datum of a sort, copied into the current memory context; 16 can do without the copy. */
static inline bool
cec_compat_tuplesort_getdatum(Tuplesortstate *state, Datum *value, bool *isnull)
{
#if PG_VERSION_NUM >= 160000
	return tuplesort_getdatum(state, true, true, value, isnull, NULL);
#else
	return tuplesort_getdatum(state, true, value, isnull, NULL);
#endif
}

/* Whether a role may run a function. */
static inline bool
cec_compat_may_run(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/*
 * Whether a column holds no NULL for sure.  18 can declare it of rows that were never looked at (NOT VALID).
 */
static inline bool
cec_compat_is_not_null(TupleDesc desc, AttrNumber attnum)
{
#if PG_VERSION_NUM >= 180000
	return TupleDescCompactAttr(desc, attnum - 1)->attnullability == ATTNULLABLE_VALID;
#else
	return TupleDescAttr(desc, attnum - 1)->attnotnull;
#endif
}

/* Whether a column is computed when it is read; 18 has such.  It is not stored, so it is not recorded. */
static inline bool
cec_compat_is_virtual(Form_pg_attribute att)
{
#if PG_VERSION_NUM >= 180000
	return att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	return false;
#endif
}

/* Whether a role may act as another; 16 split this off membership. */
static inline bool
cec_compat_may_act_as(Oid role, Oid other)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(role, other);
#else
	return is_member_of_role(role, other);
#endif
}

/* What a backend says of itself, by its place in the backend's copy of what all say; 16 has another name for it. */
static inline const PgBackendStatus *
cec_compat_backend_status(int place)
{
#if PG_VERSION_NUM >= 160000
	return &pgstat_get_local_beentry_by_index(place)->backendStatus;
#else
	return &pgstat_fetch_stat_local_beentry(place)->backendStatus;
#endif
}

/* The process that runs a transaction; 0 when none does any more.  17 numbers processes in another way. */
static inline int
cec_compat_pid_of(VirtualTransactionId vxid)
{
#if PG_VERSION_NUM >= 170000
	PGPROC *proc = vxid.procNumber == INVALID_PROC_NUMBER ? NULL : ProcNumberGetProc(vxid.procNumber);

	return proc != NULL && proc->vxid.lxid == vxid.localTransactionId ? proc->pid : 0;
#else
	PGPROC *proc = vxid.backendId == InvalidBackendId ? NULL : BackendIdGetProc(vxid.backendId);

	return proc != NULL && proc->lxid == vxid.localTransactionId ? proc->pid : 0;
#endif
}

/* Whether an operator compares, as an ordered index does; 18 asks all kinds of indexes. */
static inline bool
cec_compat_is_comparison(Oid operator)
{
#if PG_VERSION_NUM >= 180000
	return get_op_index_interpretation(operator) != NIL;
#else
	return get_op_btree_interpretation(operator) != NIL;
#endif
}

#endif
