/*
 * alert.h
 *		Alerts about assets: what changed in the register and concerns contracts, as events for other systems.
 */
#ifndef CEC_ALERT_H
#define CEC_ALERT_H

#include "lib/stringinfo.h"

#include "outbox/outbox_write.h"
#include "support/day_set.h"

/* The columns of asset that matter to contracts, in the order in which events name them. */
typedef enum CecAlertColumn
{
	CEC_ALERT_STATUS,
	CEC_ALERT_COMMISSIONED_ON,
	CEC_ALERT_DECOMMISSIONED_ON,
	CEC_ALERT_OUT_OF_SERVICE,
	CEC_ALERT_CUSTOMER_ID,
	CEC_ALERT_LOCATION
} CecAlertColumn;

#define CEC_ALERT_COLUMNS (CEC_ALERT_LOCATION + 1)

extern const char *const cec_alert_column_name[CEC_ALERT_COLUMNS];

/* An asset that changed. */
typedef struct CecAlertAsset
{
	int64 asset_id;
	uint8 columns;	 /* a bit for each that differs; of a member that only loses or gains with its primary none */
	bool is_planned; /* decommissioned_on is another day than before, and still to come */
	DateADT decommissioned_on;
	DateADT decommissioned_before; /* DATEVAL_NOEND: no day */
	char *tag;					   /* this and the next are needed when it is named; NULL: it is gone */
	char *status;
} CecAlertAsset;

/* What one event says: a contract with the assets that it is about, or assets that stand on none. */
typedef struct CecAlert
{
	int64 count;	/* of assets; the first of them are named */
	uint8 columns;	/* those of any of them */
	CecIds terms;	/* the first of them */
	int term_count; /* of the asset that is named last */
	bool is_open;	/* the asset that is named last may have more terms */
	StringInfoData assets;
	StringInfoData term_numbers;
} CecAlert;

extern void cec_alert_add_asset(CecAlert *alert, const CecAlertAsset *asset);
extern void cec_alert_add_planned(CecAlert *alert, const CecAlertAsset *asset);
extern void cec_alert_add_term(CecAlert *alert, int64 term_id, const char *term_number, const CecDaySet *lost,
							   const CecDaySet *gained);
extern void cec_alert_write(StringInfo json, CecAlert *alert);
extern void cec_alert_write_text(StringInfo json, const char *name, const char *text);

/* Whether the next asset is named: if not, its tag and status need not be looked up. */
static inline bool
cec_alert_names_next(const CecAlert *alert)
{
	return alert->count < CEC_EVENT_SUBJECTS;
}

#endif
