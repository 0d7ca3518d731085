/*
 * identifier_near.c
 *		Finds the registered name that somebody may have meant by an identifier that names nothing.
 *
 * Names with the same identifier key come near, else those whose key becomes the other by one character exchanged, added or
 * left out, or by two neighbours that change places.  A name is suggested only if all that come near are of one asset, and
 * of its names only one that may be meant (identifier_slip.c): a wrong name is worse than none.
 *
 * Names whose keys differ are found along the key, character for character, in the index over keys.  As long as many keys
 * begin as far as here, the characters are read that follow there, and each of the few keys that a change at this place
 * can make is looked up.  Once few keys are left they are read.  What was read of beginnings that many keys share is kept for
 * the next identifier: those of a list mostly begin alike.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "registry/identifier_key.h"
#include "registry/identifier_named.h"
#include "support/column.h"
#include "support/key_probe.h"

/* So many keys with a common beginning are read one after the other. */
#define FEW_KEYS 300

/* No key is longer: names have 200 characters at most. */
#define MAX_KEY_BYTES 800

/* Beginnings longer than this are not kept. */
#define KEPT_BYTES 32

/* The beginning of many keys, and the characters that follow it in them. */
typedef struct Beginning
{
	char bytes[KEPT_BYTES]; /* key; filled up with zeros */
	List *next;				/* of char *, in order */
} Beginning;

/* A column with names of assets. */
typedef struct Source
{
	Relation rel;
	CecKeyProbe *probe; /* NULL: there is no index, and nothing is found here */
	AttrNumber asset_id;
	AttrNumber name;
	AttrNumber during; /* days on which the names hold; invalid: always */
	HTAB *beginnings;  /* of Beginning */
} Source;

struct CecNear
{
	MemoryContext cxt;	   /* of all this */
	MemoryContext scratch; /* of the identifier at hand */
	Source sources[CEC_NAME_SOURCES];
};

/* What is sought, and what was found so far. */
typedef struct Search
{
	CecKey key;
	CecKeyChars typed;
	const CecDays *days; /* NULL: all */
	int assets;			 /* 0, 1, or 2 for several */
	int64 asset_id;
	char *name; /* a name of it that may be meant and holds on some of the days */
} Search;

/* Starts looking, as the snapshot shows the register; it must stay registered.  The caller may read all names. */
CecNear *
cec_near_begin(CecPortfolio *portfolio, Snapshot snapshot)
{
	Oid argument = TEXTOID;
	Oid function = LookupFuncName(list_make2(makeString("cec"), makeString("identifier_key")), 1, &argument, false);
	CecNear *near = palloc0(sizeof(CecNear));
	HASHCTL ctl = {0};

	near->cxt = CurrentMemoryContext;
	near->scratch = AllocSetContextCreate(CurrentMemoryContext, "cec near identifiers", ALLOCSET_DEFAULT_SIZES);
	ctl.keysize = KEPT_BYTES;
	ctl.entrysize = sizeof(Beginning);
	ctl.hcxt = CurrentMemoryContext;
	for (int i = 0; i < CEC_NAME_SOURCES; i++)
	{
		Source *source = &near->sources[i];

		source->rel = cec_portfolio_open(portfolio, cec_name_sources[i].table, AccessShareLock);
		source->asset_id = cec_column_require(source->rel, "asset_id", INT8OID);
		source->name = cec_column_require_nullable(source->rel, cec_name_sources[i].key, TEXTOID);
		if (i == CEC_NAME_FURTHER)
			source->during = cec_column_require(source->rel, "during", DATERANGEOID);
		source->probe = cec_key_probe_begin(source->rel, cec_name_sources[i].key, function, snapshot);
		source->beginnings = hash_create("cec beginnings of keys", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	return near;
}

/* Lets go of all; locks stay until the end of the transaction. */
void
cec_near_end(CecNear *near)
{
	for (int i = 0; i < CEC_NAME_SOURCES; i++)
	{
		if (near->sources[i].probe != NULL)
			cec_key_probe_end(near->sources[i].probe);
		hash_destroy(near->sources[i].beginnings);
		table_close(near->sources[i].rel, NoLock);
	}
	MemoryContextDelete(near->scratch);
}

/* Adds the assets that bear names with this key. */
static void
look_up(Source *source, CecKey key, Search *search)
{
	TupleTableSlot *row;

	cec_key_probe_seek(source->probe, key);
	while (search->assets < 2 && (row = cec_key_probe_next(source->probe)) != NULL)
	{
		int64 asset_id = DatumGetInt64(row->tts_values[source->asset_id - 1]);

		if (search->assets > 0 && search->asset_id != asset_id)
		{
			search->assets = 2;
			break;
		}
		search->assets = 1;
		search->asset_id = asset_id;
		if (search->name == NULL &&
			(source->during == InvalidAttrNumber || search->days == NULL ||
			 cec_days_overlap(cec_days_of_range(row->tts_values[source->during - 1]), *search->days)))
		{
			char *name = TextDatumGetCString(row->tts_values[source->name - 1]);

			if (cec_identifier_may_mean(search->typed, cec_identifier_read(name)))
				search->name = name;
		}
	}
}

/* Looks up a key of which characters were exchanged, added or left out. */
static void
look_up_changed(Source *source, CecKey begin, const char *inserted, CecKey end, Search *search)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, begin.bytes, begin.len);
	appendStringInfoString(&buf, inserted);
	appendBinaryStringInfo(&buf, end.bytes, end.len);
	look_up(source, (CecKey){buf.data, buf.len}, search);
	pfree(buf.data);
}

/* The width of the character that begins there; 0 at the end. */
static int
width_at(CecKey key, int at)
{
	return at < key.len ? Min(pg_mblen(key.bytes + at), key.len - at) : 0;
}

static bool
ends_are_equal(CecKey one, int one_from, CecKey other, int other_from)
{
	return one.len - one_from == other.len - other_from &&
		   memcmp(one.bytes + one_from, other.bytes + other_from, one.len - one_from) == 0;
}

/*
 * Whether one key becomes the other by one character exchanged, added or left out, or by two neighbours that change places;
 * equal ones do not count.
 */
static bool
is_near(CecKey one, CecKey other)
{
	int same = 0;
	int one_first, one_second, other_first, other_second;

	for (;;)
	{
		one_first = width_at(one, same);
		other_first = width_at(other, same);
		if (one_first == 0 || one_first != other_first || memcmp(one.bytes + same, other.bytes + same, one_first) != 0)
			break;
		same += one_first;
	}
	if (one_first + other_first == 0)
		return false;
	if (ends_are_equal(one, same + one_first, other, same + other_first) ||
		ends_are_equal(one, same + one_first, other, same) || ends_are_equal(one, same, other, same + other_first))
		return true;
	one_second = width_at(one, same + one_first);
	other_second = width_at(other, same + other_first);
	return one_first == other_second && one_second == other_first &&
		   memcmp(one.bytes + same, other.bytes + same + other_first, one_first) == 0 &&
		   memcmp(one.bytes + same + one_first, other.bytes + same, other_first) == 0 &&
		   ends_are_equal(one, same + one_first + one_second, other, same + other_first + other_second);
}

/* The first key behind all that begin so, in the order of bytes. */
static CecKey
behind(CecKey begin)
{
	char *bytes = palloc(begin.len + 9);
	int len = begin.len;

	memcpy(bytes, begin.bytes, len);
	while (len > 0 && (unsigned char) bytes[len - 1] == 0xFF)
		len--;
	if (len > 0)
		bytes[len - 1]++;
	else
	{
		memset(bytes, 0xFF, 8); /* behind everything that is text */
		len = 8;
	}
	return (CecKey){bytes, len};
}

/* Reads the keys that begin so if they are few, and looks those up that are near; false when they are many. */
static bool
read_few(Source *source, CecKey begin, Search *search)
{
	List *hits = NIL;
	ListCell *cell;
	CecKey key;
	int count = 0;

	cec_key_probe_seek_range(source->probe, begin, behind(begin));
	while (cec_key_probe_next_key(source->probe, &key))
	{
		if (++count > FEW_KEYS)
			return false;
		if (is_near(search->key, key))
		{
			CecKey *hit = palloc(sizeof(CecKey));

			*hit = (CecKey){pnstrdup(key.bytes, key.len), key.len};
			hits = lappend(hits, hit);
		}
	}
	foreach (cell, hits)
	{
		if (search->assets < 2)
			look_up(source, *(CecKey *) lfirst(cell), search);
	}
	return true;
}

/* The characters that follow in keys that begin so, in cxt. */
static List *
read_next(Source *source, CecKey begin, MemoryContext cxt)
{
	List *result = NIL;
	CecKey end = behind(begin);
	CecKey from;
	CecKey key;
	StringInfoData buf;

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, begin.bytes, begin.len);
	appendStringInfoChar(&buf, 1); /* not the key that is no longer than this */
	from = (CecKey){buf.data, buf.len};
	for (;;)
	{
		MemoryContext old;
		int width;

		CHECK_FOR_INTERRUPTS();
		cec_key_probe_seek_range(source->probe, from, end);
		if (!cec_key_probe_next_key(source->probe, &key))
			break;
		width = Min(pg_mblen(key.bytes + begin.len), key.len - begin.len);
		from = behind((CecKey){key.bytes, begin.len + width});
		old = MemoryContextSwitchTo(cxt);
		result = lappend(result, pnstrdup(key.bytes + begin.len, width));
		MemoryContextSwitchTo(old);
	}
	return result;
}

/*
 * The characters that follow in the many keys that begin so.  When they are few, those that are near were looked up, and
 * *was_few is set.
 */
static List *
follow(CecNear *near, Source *source, CecKey begin, Search *search, bool *was_few)
{
	char kept[KEPT_BYTES] = {0};
	Beginning *entry = NULL;
	List *next;

	*was_few = false;
	if (begin.len < KEPT_BYTES)
	{
		memcpy(kept, begin.bytes, begin.len);
		entry = hash_search(source->beginnings, kept, HASH_FIND, NULL);
	}
	if (entry != NULL)
		return entry->next;
	*was_few = read_few(source, begin, search);
	if (*was_few)
		return NIL;
	next = read_next(source, begin, begin.len < KEPT_BYTES ? near->cxt : CurrentMemoryContext);
	if (begin.len < KEPT_BYTES)
	{
		entry = hash_search(source->beginnings, kept, HASH_ENTER, NULL);
		entry->next = next;
	}
	return next;
}

static bool
is_char(const char *c, CecKey key, int at, int width)
{
	return strlen(c) == width && memcmp(c, key.bytes + at, width) == 0;
}

/* Looks the names up whose key comes near the one that is sought. */
static void
look_near(CecNear *near, Source *source, Search *search)
{
	CecKey key = search->key;
	int at = 0;

	for (;;)
	{
		CecKey begin = {key.bytes, at};
		CecKey rest = {key.bytes + at, key.len - at};
		int width = width_at(key, at);
		int second = width_at(key, at + width);
		CecKey after = {rest.bytes + width, rest.len - width};
		CecKey behind_both = {after.bytes + second, after.len - second};
		bool goes_on = false;
		bool was_few;
		List *next = follow(near, source, begin, search, &was_few);
		ListCell *cell;

		if (was_few)
			return;
		if (width > 0)
			look_up_changed(source, begin, "", after, search);
		foreach (cell, next)
		{
			const char *c = lfirst(cell);
			bool is_same = is_char(c, key, at, width);

			goes_on |= is_same;
			if (search->assets < 2)
				look_up_changed(source, begin, c, rest, search);
			if (search->assets < 2 && width > 0 && !is_same)
				look_up_changed(source, begin, c, after, search);
			if (search->assets < 2 && second > 0 && !is_same && is_char(c, key, at + width, second))
				look_up_changed(source, begin, psprintf("%s%.*s", c, width, rest.bytes), behind_both, search);
		}
		if (!goes_on || search->assets == 2)
			return;
		at += width;
	}
}

/*
 * A registered name, holding on some of the days (NULL: any), that may have been meant; NULL when there is none such, or
 * names of more than one asset come near.
 */
char *
cec_near_find(CecNear *near, const char *typed, const CecDays *days)
{
	MemoryContext old = MemoryContextSwitchTo(near->scratch);
	text *key = cec_identifier_key_of(cstring_to_text(typed));
	Search search = {.days = days};
	char *result;

	if (key != NULL && VARSIZE_ANY_EXHDR(key) <= MAX_KEY_BYTES + MAX_MULTIBYTE_CHAR_LEN)
	{
		search.key = (CecKey){VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)};
		search.typed = cec_identifier_read(typed);
		for (int i = 0; i < CEC_NAME_SOURCES; i++)
			if (near->sources[i].probe != NULL)
				look_up(&near->sources[i], search.key, &search);
	}
	if (search.key.len > 0 && search.assets == 0)
	{
		for (int i = 0; i < CEC_NAME_SOURCES; i++)
			if (near->sources[i].probe != NULL && search.assets < 2)
				look_near(near, &near->sources[i], &search);
	}
	MemoryContextSwitchTo(old);
	result = search.assets == 1 && search.name != NULL ? pstrdup(search.name) : NULL;
	MemoryContextReset(near->scratch);
	return result;
}
