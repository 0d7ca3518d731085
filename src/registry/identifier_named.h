/*
 * identifier_named.h
 *		What identifiers name.
 */
#ifndef CEC_IDENTIFIER_NAMED_H
#define CEC_IDENTIFIER_NAMED_H

#include "portfolio/reading.h"
#include "support/day_set.h"

/* The kinds of names, in the order of their ranks, and the columns that hold them. */
enum
{
	CEC_NAME_TAG,
	CEC_NAME_SERIAL,
	CEC_NAME_FURTHER, /* with days */
	CEC_NAME_SOURCES
};

extern const CecSource cec_name_sources[CEC_NAME_SOURCES];

/* A search, for one identifier after the other. */
typedef struct CecNamed
{
	CecPortfolio *portfolio;
	CecLook looks[CEC_NAME_SOURCES];
	Datum identifier;
	const CecDays *days; /* on some of which a name must hold; NULL: on any day */
	int at;				 /* rank of the names that are looked through */
} CecNamed;

/* An asset that the identifier names; texts as Datum, as long as the search is at it. */
typedef struct CecNamedAsset
{
	int64 asset_id;
	int rank;		 /* of the name */
	Datum asset_tag; /* 0 where the name is a further identifier */
	Datum scheme;	 /* of a further identifier, else 0 */
} CecNamedAsset;

extern void cec_named_begin(CecNamed *search, CecPortfolio *portfolio, Snapshot snapshot);
extern bool cec_named_may_read(const CecNamed *search);
extern void cec_named_seek(CecNamed *search, Datum identifier, const CecDays *days);
extern bool cec_named_next(CecNamed *search, CecNamedAsset *asset);
extern int cec_named_find(CecNamed *search, Datum identifier, const CecDays *days, int64 *asset_id);
extern void cec_named_end(CecNamed *search);
extern bool
cec_named_bears(CecPortfolio *portfolio, int64 asset_id, Datum identifier, const CecDays *days, Snapshot snapshot);

#endif
