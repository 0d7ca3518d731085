/*
 * country.c
 *		Country codes: ISO 3166-1 alpha-2, and XK.
 *
 * In C, since a CHECK cannot look into a table; the table cec.country has the same codes with names, which a test sees to.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "act_as.h"
#include "country.h"

PG_FUNCTION_INFO_V1(cec_is_country);

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
cec_country_is(const char *value)
{
	if (strlen(value) != 2)
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
	return cec_country_is(upper) ? upper : NULL;
}

/* cec.is_country(table_id, value, constraint_name): true, or 23514 for what is no code of a country. */
Datum
cec_is_country(PG_FUNCTION_ARGS)
{
	char *value = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *meant;
	bool may_tell;

	if (cec_country_is(value))
		PG_RETURN_BOOL(true);
	may_tell = cec_may_read_all(GetUserId(), PG_GETARG_OID(0));
	meant = may_tell ? cec_country_meant(value) : NULL;
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					may_tell ? errmsg("\"%.40s\" is not the code of a country", value)
							 : errmsg("what is given is not the code of a country"),
					errdetail("A country is two capital letters of ISO 3166-1, or XK for Kosovo."),
					meant != NULL ? errhint("Perhaps %s was meant.", meant)
								  : errhint("Germany is DE, the United Kingdom GB. The table cec.country lists them."),
					err_generic_string(PG_DIAG_CONSTRAINT_NAME, text_to_cstring(PG_GETARG_TEXT_PP(2)))));
	PG_RETURN_NULL();
}
