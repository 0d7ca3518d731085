/*
 * replay_image.c
 *		Reads images of the log for replay: which value a column had before and after.
 *
 * Images may have been forged: damage is an answer here, not an error.
 */
#include "postgres.h"

#include "replay/replay.h"

/* The operation by the log's word for it; false for any other word. */
bool
cec_replay_operation(const char *name, CecOperation *operation)
{
	if (strcmp(name, "INSERT") == 0)
		*operation = CEC_INSERT;
	else if (strcmp(name, "UPDATE") == 0)
		*operation = CEC_UPDATE;
	else if (strcmp(name, "DELETE") == 0)
		*operation = CEC_DELETE;
	else
		return false;
	return true;
}

/* The next part of an image; false when it ends before. */
static bool
read_part(const char **at, const char *end, CecReplayPart *part)
{
	uint64 length = 0;
	int shift = 0;
	unsigned char byte;

	do
	{
		if (*at >= end || shift > 56)
			return false;
		byte = (unsigned char) *(*at)++;
		length |= (uint64) (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);

	part->bytes = NULL;
	part->length = 0;
	if (length == 0)
		return true;
	if (length - 1 > (uint64) (end - *at))
		return false;
	part->bytes = *at;
	part->length = length - 1;
	*at += part->length;
	return true;
}

/*
 * Walks through an image and calls visit for each column that the table has still.  Returns NULL, or in words what is
 * wrong with the image; visit may have been called before that was known.
 */
const char *
cec_replay_read(CecReplay *replay, CecReplayTable *table, CecOperation operation, bytea *image, CecReplayVisitor visit,
				void *state)
{
	const char *at = VARDATA_ANY(image);
	const char *end = at + VARSIZE_ANY_EXHDR(image);
	const char *bitmap;
	CecReplayList *list;

	if (end - at < 1 + CEC_SCHEMA_HASH_LEN || *at != CEC_IMAGE_FORMAT)
		return "its image has a format that is not known";
	list = hash_search(replay->lists, at + 1, HASH_FIND, NULL);
	if (list == NULL)
		return "its column list is gone from audit_schema";
	if (list->table != table)
		return "its column list is another table's";

	at += 1 + CEC_SCHEMA_HASH_LEN;
	bitmap = at;
	if (operation == CEC_UPDATE)
	{
		if (end - at < (list->count + 7) / 8)
			return "its image does not fit its column list";
		at += (list->count + 7) / 8;
	}
	for (int i = 0; i < list->count; i++)
	{
		CecReplayPart parts[2];

		if (operation == CEC_UPDATE && !(bitmap[i / 8] & (1 << (i % 8))))
			continue;
		if (!read_part(&at, end, &parts[0]) || (operation == CEC_UPDATE && !read_part(&at, end, &parts[1])))
			return "its image does not fit its column list";
		if (list->columns[i] < 0)
			continue;
		visit(state, list->columns[i], operation == CEC_INSERT ? NULL : &parts[0],
			  operation == CEC_INSERT	? &parts[0]
			  : operation == CEC_UPDATE ? &parts[1]
										: NULL);
	}
	return at == end ? NULL : "its image does not fit its column list";
}

/* The hash of a column's value. */
CecSum
cec_replay_hash(const CecReplay *replay, int column, const CecReplayPart *part)
{
	return cec_sum_hash(&replay->key, (uint64) column << 1 | (part->bytes == NULL), part->bytes, part->length);
}
