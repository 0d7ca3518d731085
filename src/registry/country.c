/*
 * country.c
 *		Codes of countries (ISO 3166-1 alpha-2, and XK) and of their regions (ISO 3166-2), for constraints.
 *
 * In C, since a CHECK cannot look into a table; the table cec.country has the same codes with names, which a test sees to.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "registry/country.h"
#include "support/compat.h"

/* All codes, in order, without anything between. */
static const char codes[] =
	"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCR"
	"CUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHU"
	"IDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQ"
	"MRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSI"
	"SJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/* Codes that people write for another one. */
static const struct
{
	const char *written;
	const char *meant;
} mistaken[] = {{"UK", "GB"}, {"EL", "GR"}, {"EN", "GB"}, {"SP", "ES"}};

/* Whether it is the code of a country. */
bool
cec_country_is(const char *value, int len)
{
	if (len != 2)
		return false;
	for (const char *code = codes; *code != '\0'; code += 2)
		if (memcmp(code, value, 2) == 0)
			return true;
	return false;
}

/* The code that may have been meant, or NULL. */
char *
cec_country_meant(const char *value)
{
	char *upper = pstrdup(value);

	for (char *c = upper; *c != '\0'; c++)
		*c = pg_ascii_toupper((unsigned char) *c);
	for (int i = 0; i < lengthof(mistaken); i++)
		if (strcmp(upper, mistaken[i].written) == 0)
			return pstrdup(mistaken[i].meant);
	return cec_country_is(upper, strlen(upper)) ? upper : NULL;
}

static bool
country_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	const text *value = PG_GETARG_TEXT_PP(0);

	return cec_country_is(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
refuse_country(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	char *value = cec_clipped(PG_GETARG_TEXT_PP(0));
	char *meant = refusal->may_tell ? cec_country_meant(value) : NULL;

	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					refusal->may_tell ? errmsg("\"%s\" is not the code of a country", value)
									  : errmsg("what is given is not the code of a country"),
					errdetail("A country is two capital letters of ISO 3166-1, or XK for Kosovo."),
					meant != NULL ? errhint("Perhaps %s was meant.", meant)
								  : errhint("Germany is DE, the United Kingdom GB. The table cec.country lists them."),
					cec_refusal_names(refusal)));
}

const CecCheckKind cec_country = {true, country_holds, refuse_country,
								  "$column must be a code of the table cec.country"};

/* Two capital letters, a hyphen, one to three capital letters or digits. */
static bool
is_region(const char *value, int len)
{
	if (len < 4 || len > 6 || value[2] != '-')
		return false;
	for (int i = 0; i < len; i++)
		if (i != 2 && !(value[i] >= 'A' && value[i] <= 'Z') && !(i > 2 && value[i] >= '0' && value[i] <= '9'))
			return false;
	return true;
}

/* A region, and the country that it is of, which may be missing. */
static bool
region_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	const text *region;
	const text *country;

	if (PG_ARGISNULL(0))
		return true;
	region = PG_GETARG_TEXT_PP(0);
	if (!is_region(VARDATA_ANY(region), VARSIZE_ANY_EXHDR(region)))
		return false;
	if (PG_ARGISNULL(1))
		return true;
	country = PG_GETARG_TEXT_PP(1);
	return VARSIZE_ANY_EXHDR(country) == 2 && memcmp(VARDATA_ANY(country), VARDATA_ANY(region), 2) == 0;
}

const CecCheckKind cec_region = {false, region_holds, NULL, NULL};
