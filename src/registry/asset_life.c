/*
 * asset_life.c
 *		The days on which an asset is in service: [commissioned_on .. decommissioned_on] − out_of_service, both days included.
 */
#include "postgres.h"

#include "registry/asset_life.h"
#include "support/word.h"

/* An unknown start is open, but for a planned asset: that has no day then.  The set is in the current memory context. */
CecDaySet
cec_asset_life(const CecLifeColumns *columns)
{
	CecDaySet life = {0};
	CecDaySet pauses;
	CecDays days = {CEC_DAY_MIN, CEC_DAY_MAX};

	if (columns->has_commissioned_on)
		days.from = columns->commissioned_on;
	else if (cec_word_is(columns->status, "planned"))
		return life;
	/* No day comes after the last one of all: open. */
	if (columns->has_decommissioned_on && IS_VALID_DATE(columns->decommissioned_on + 1))
		days.to = columns->decommissioned_on + 1;
	cec_day_set_add(&life, days);
	pauses = cec_day_set_of_multirange(columns->out_of_service);
	return pauses.count == 0 ? life : cec_day_set_minus(&life, &pauses);
}
