/*
 * former_tag.c
 *		Keeps the tag that an asset has had among its further identifiers, so that it is still found by it.
 *
 * Whoever gives it another tag, a person or the registry connector.  It is written in the statement's transaction, as the owner, once
 * what the statement changed is recorded.  A tag that is an asset's former tag already stays that asset's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"

#include "init.h"
#include "portfolio/change.h"
#include "registry/identifier_alike.h"

/* Who else writes the same at this moment is waited for. */
static const CecQuery add_former_tags = {
	"INSERT INTO @P@.asset_identifier (asset_id, scheme, value, during)"
	" SELECT r.asset_id, 'former_tag', r.tag, daterange(NULL, NULL) FROM unnest($1::bigint[], $2::text[]) AS r(asset_id, tag)"
	" ORDER BY r.asset_id ON CONFLICT DO NOTHING",
	2,
	{INT8ARRAYOID, TEXTARRAYOID}};

/* Handler of the find stage, for asset. */
static void
keep_former_tags(CecChange *change)
{
	const CecRetagged *retagged = cec_identifier_retagged(change);
	Datum args[2];

	if (retagged == NULL)
		return;
	args[0] = cec_ids_as_array(&retagged->assets);
	args[1] =
		PointerGetDatum(construct_array(retagged->tags, retagged->assets.count, TEXTOID, -1, false, TYPALIGN_INT));
	SPI_connect();
	(void) cec_query_run(change->portfolio->plans, &add_former_tags, args, NULL, 0);
	SPI_finish();
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_former_tag_init(void)
{
	cec_change_register(CEC_STAGE_FIND, "asset", keep_former_tags);
}
