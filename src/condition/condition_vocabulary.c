/*
 * condition_vocabulary.c
 *		What a condition may mention: columns, functions, operators, types, and the server's functions behind them.
 *
 * This is the whole language. What is not in these tables is refused, whatever it would do. Nothing gets in that is not
 * immutable, that calls code of users, or that can ask for much more memory or time than its input is long: so no
 * regular expressions, no repeat, lpad, power or factorial, no function that formats or parses times.  What can make a text
 * longer, or search one for another, is given constants (condition_check_analysed.c).
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/fmgroids.h"
#include "utils/varlena.h"

#include "condition/condition_compile.h"

#define GEOMETRY InvalidOid
#define GEOGRAPHY CEC_GEOGRAPHY

static const CecColumn columns[] = {
	{CEC_FACT_ASSET_ID, "asset_id", INT8OID, false, false, true, false},
	{CEC_FACT_ASSET_TAG, "asset_tag", TEXTOID, false, false, true, true},
	{CEC_FACT_TAG_SYMBOLOGY, "tag_symbology", TEXTOID, false, false, true, true},
	{CEC_FACT_SERIAL_NUMBER, "serial_number", TEXTOID, false, false, true, true},
	{CEC_FACT_MANUFACTURER, "manufacturer", TEXTOID, false, false, true, true},
	{CEC_FACT_MODEL, "model", TEXTOID, false, false, true, true},
	{CEC_FACT_CATEGORY, "category", TEXTOID, false, false, true, false},
	{CEC_FACT_USAGE_TYPE, "usage_type", TEXTOID, false, false, true, false},
	{CEC_FACT_STATUS, "status", TEXTOID, false, false, true, true},
	{CEC_FACT_CUSTOMER_ID, "customer_id", INT8OID, false, false, true, false},
	{CEC_FACT_COUNTRY, "country", TEXTOID, false, false, true, true},
	{CEC_FACT_REGION, "region", TEXTOID, false, false, true, true},
	{CEC_FACT_LOCATION, "location", GEOMETRY, false, false, false, false},
	{CEC_FACT_COMMISSIONED_ON, "commissioned_on", DATEOID, false, false, false, false},
	{CEC_FACT_DECOMMISSIONED_ON, "decommissioned_on", DATEOID, false, false, false, false},
	{CEC_FACT_OUT_OF_SERVICE, "out_of_service", DATEMULTIRANGEOID, false, false, false, false},
	{CEC_FACT_SUCCESSOR_ID, "successor_id", INT8OID, false, false, true, false},
	{CEC_FACT_ATTRIBUTES, "attributes", JSONBOID, false, false, false, false},
	{CEC_FACT_SOURCE, "source", TEXTOID, false, false, true, false},
	{CEC_FACT_SOURCE_UPDATED_AT, "source_updated_at", TIMESTAMPTZOID, false, false, false, false},
	{CEC_FACT_AS_OF, "as_of", DATEOID, false, true, false, false},
	{CEC_FACT_AGE_YEARS, "age_years", INT4OID, false, true, false, false},
	{CEC_FACT_INSIDE_BOUNDARY, "inside_boundary", BOOLOID, false, false, true, false},
	{CEC_FACT_DISTANCE_TO_BOUNDARY_M, "distance_to_boundary_m", FLOAT8OID, false, false, false, false},
	{CEC_FACT_CONTRACT_NUMBER, "contract_number", TEXTOID, false, false, true, false},
	{CEC_FACT_CONTRACT_KIND, "contract_kind", TEXTOID, false, false, true, true},
	{CEC_FACT_GOVERNING_COUNTRY, "governing_country", TEXTOID, false, false, true, true},
	{CEC_FACT_TIER_CODE, "tier_code", TEXTOID, false, false, true, false},
	{CEC_FACT_TIER_RANK, "tier_rank", INT4OID, false, false, true, false},
	{CEC_FACT_RESPONSE_HOURS, "response_hours", NUMERICOID, false, false, false, false, true},
	{CEC_FACT_COVER_FIRST_DAY, "cover_first_day", DATEOID, false, true, false, false, true},
	{CEC_FACT_COVER_LAST_DAY, "cover_last_day", DATEOID, false, true, false, false, true},
	{CEC_FACT_COVER_DAYS, "cover_days", INT4OID, false, false, false, false, true},
	{CEC_FACT_BOUNDARY, "boundary", GEOMETRY, true, false, false, false},
	{CEC_FACT_BOUNDARY_ON_GLOBE, "boundary_on_globe", GEOGRAPHY, true, false, false, false},
	{CEC_FACT_MAINTENANCE_KINDS, "maintenance_kinds", TEXTARRAYOID, true, false, false, false},
	{CEC_FACT_MAINTENANCE_DAYS, "maintenance_days", DATEARRAYOID, true, false, false, false},
	{CEC_FACT_REQUEST_DAYS, "request_days", DATEARRAYOID, true, false, false, false},
};

StaticAssertDecl(lengthof(columns) == CEC_FACT_COUNT, "one line for each column of cec.rule_fact");

#define SERVER(id) CEC_ORIGIN_SERVER, 0, id, InvalidOid, InvalidOid
#define POSTGIS CEC_ORIGIN_POSTGIS, 1, InvalidOid, InvalidOid, InvalidOid
#define OWN1(type) CEC_ORIGIN_CEC, 1, InvalidOid, type, InvalidOid
#define OWN2(first, second) CEC_ORIGIN_CEC, 2, InvalidOid, first, second

/* In the order of the view cec.rule_function; all signatures of a name stand together. */
static const CecFunction functions[] = {
	{"last_maintenance", OWN1(TEXTOID), "kind text", "date",
	 "latest day, as_of at most, of a maintenance of that kind; NULL without one", true},
	{"maintenance_count", OWN2(TEXTOID, INTERVALOID), "kind text, within interval", "integer",
	 "how many maintenances of that kind after as_of - within, through as_of", true},
	{"request_count", OWN1(INTERVALOID), "within interval", "integer",
	 "how many service requests were opened after as_of - within, through as_of", true},
	{"as_date", OWN1(TEXTOID), "value text", "date", "day written as YYYY-MM-DD; NULL for any other text", false},
	{"as_number", OWN1(TEXTOID), "value text", "numeric",
	 "number written in digits, with sign, decimal point and exponent; NULL for any other text", false},
	{"distance_to_point_m", OWN2(FLOAT8OID, FLOAT8OID), "longitude double precision, latitude double precision",
	 "double precision", "metres from the location to a point, given by two numbers; NULL without location", false},
	{"st_x", POSTGIS, "location", "double precision", "longitude", false},
	{"st_y", POSTGIS, "location", "double precision", "latitude", false},
	{"extract", SERVER(F_EXTRACT_TEXT_DATE), "field FROM date", "numeric",
	 "year, quarter, month, week, day, dow, isodow, doy, isoyear or epoch of a day", false},
	{"extract", SERVER(F_EXTRACT_TEXT_TIMESTAMP), "field FROM timestamp", "numeric", "the same of a day with time",
	 false},
	{"date_part", SERVER(F_DATE_PART_TEXT_TIMESTAMP), "text, date or timestamp", "double precision",
	 "the same as extract: date_part('year', as_of)", false},
	{"date_trunc", SERVER(F_DATE_TRUNC_TEXT_TIMESTAMP), "text, date or timestamp", "timestamp",
	 "beginning of the year, quarter, month, week or day: date_trunc('month', as_of)", false},
	{"make_date", SERVER(F_MAKE_DATE), "integer, integer, integer", "date", "day from year, month and day", false},
	{"timezone", SERVER(F_TIMEZONE_TEXT_TIMESTAMPTZ), "'UTC', timestamp with time zone", "timestamp",
	 "also written source_updated_at AT TIME ZONE 'UTC'", false},
	{"isempty", SERVER(F_ISEMPTY_ANYMULTIRANGE), "datemultirange", "boolean", "whether no day is in it", false},
	{"lower", SERVER(F_LOWER_TEXT), "text", "text", "in small letters: A to Z, others stay as they are", false},
	{"upper", SERVER(F_UPPER_TEXT), "text", "text", "in capital letters: a to z, others stay as they are", false},
	{"length", SERVER(F_LENGTH_TEXT), "text", "integer", "number of characters", false},
	{"char_length", SERVER(F_CHAR_LENGTH_TEXT), "text", "integer", "the same", false},
	{"left", SERVER(F_LEFT), "text, integer", "text", "first characters; without the last when negative", false},
	{"right", SERVER(F_RIGHT), "text, integer", "text", "last characters; without the first when negative", false},
	{"substring", SERVER(F_SUBSTRING_TEXT_INT4), "text, integer", "text", "from a place on, counted from 1", false},
	{"substring", SERVER(F_SUBSTRING_TEXT_INT4_INT4), "text, integer, integer", "text",
	 "so many characters from a place on; also written substring(text FROM 2 FOR 3)", false},
	{"starts_with", SERVER(F_STARTS_WITH), "text, text", "boolean", "whether the first begins with the second", false},
	{"strpos", SERVER(F_STRPOS), "text, text", "integer",
	 "place of a part, a constant, in a text, counted from 1; 0 when it is not there", false},
	{"split_part", SERVER(F_SPLIT_PART), "text, text, integer", "text",
	 "part of a text between separators, a constant; counted from 1, from the end when negative", false},
	{"replace", SERVER(F_REPLACE), "text, text, text", "text",
	 "with each of the one part replaced by the other, both constants; the other is no longer than the one, or than 10 bytes",
	 false},
	{"btrim", SERVER(F_BTRIM_TEXT), "text", "text", "without blanks at both ends; also written trim(text)", false},
	{"ltrim", SERVER(F_LTRIM_TEXT), "text", "text", "without blanks at the beginning", false},
	{"rtrim", SERVER(F_RTRIM_TEXT), "text", "text", "without blanks at the end", false},
	{"abs", SERVER(F_ABS_INT4), "integer", "integer", "without its sign", false},
	{"abs", SERVER(F_ABS_INT8), "bigint", "bigint", "the same", false},
	{"abs", SERVER(F_ABS_NUMERIC), "numeric", "numeric", "the same", false},
	{"abs", SERVER(F_ABS_FLOAT8), "double precision", "double precision", "the same", false},
	{"round", SERVER(F_ROUND_NUMERIC), "numeric", "numeric", "nearest whole number", false},
	{"round", SERVER(F_ROUND_NUMERIC_INT4), "numeric, integer", "numeric", "rounded to so many places", false},
	{"round", SERVER(F_ROUND_FLOAT8), "double precision", "double precision", "nearest whole number", false},
	{"floor", SERVER(F_FLOOR_NUMERIC), "numeric", "numeric", "next whole number below", false},
	{"floor", SERVER(F_FLOOR_FLOAT8), "double precision", "double precision", "the same", false},
	{"ceil", SERVER(F_CEIL_NUMERIC), "numeric", "numeric", "next whole number above", false},
	{"ceil", SERVER(F_CEIL_FLOAT8), "double precision", "double precision", "the same", false},
	{"ceiling", SERVER(F_CEILING_NUMERIC), "numeric", "numeric", "the same", false},
	{"ceiling", SERVER(F_CEILING_FLOAT8), "double precision", "double precision", "the same", false},
	{"mod", SERVER(F_MOD_INT4_INT4), "integer, integer", "integer", "what is left of a division; also written %",
	 false},
	{"mod", SERVER(F_MOD_INT8_INT8), "bigint, bigint", "bigint", "the same", false},
	{"mod", SERVER(F_MOD_NUMERIC_NUMERIC), "numeric, numeric", "numeric", "the same", false},
	{"jsonb_typeof", SERVER(F_JSONB_TYPEOF), "jsonb", "text", "object, array, string, number, boolean or null", false},
	{"jsonb_array_length", SERVER(F_JSONB_ARRAY_LENGTH), "jsonb", "integer", "number of elements", false},
};

static const char *const operators[] = {"=",  "<>",	 "<",  ">",	 "<=",	">=",  "+",	   "-",	 "*",
										"/",  "%",	 "||", "~~", "!~~", "~~*", "!~~*", "->", "->>",
										"#>", "#>>", "?",  "?|", "?&",	"@>",  "<@"};

/* Types that a constant or a value may be cast to, by all names that the grammar makes of them. */
static const struct
{
	const char *name;
	Oid type;
} types[] = {
	{"bool", BOOLOID},
	{"boolean", BOOLOID},
	{"int2", INT2OID},
	{"int4", INT4OID},
	{"int8", INT8OID},
	{"float8", FLOAT8OID},
	{"numeric", NUMERICOID},
	{"text", TEXTOID},
	{"date", DATEOID},
	{"timestamp", TIMESTAMPOID},
	{"timestamptz", TIMESTAMPTZOID},
	{"interval", INTERVALOID},
	{"jsonb", JSONBOID},
	{"datemultirange", DATEMULTIRANGEOID},
};

/* The server's functions that stand behind operators and casts. */
static const Oid behind[] = {
	/* boolean */
	F_BOOLEQ, F_BOOLNE, F_BOOLLT, F_BOOLGT, F_BOOLLE, F_BOOLGE, F_BOOL_INT4, F_INT4_BOOL, F_TEXT_BOOL,
	/* whole numbers */
	F_INT2EQ, F_INT2NE, F_INT2LT, F_INT2GT, F_INT2LE, F_INT2GE, F_INT2PL, F_INT2MI, F_INT2MUL, F_INT2DIV, F_INT2MOD,
	F_INT2UM, F_INT2UP, F_INT4EQ, F_INT4NE, F_INT4LT, F_INT4GT, F_INT4LE, F_INT4GE, F_INT4PL, F_INT4MI, F_INT4MUL,
	F_INT4DIV, F_INT4MOD, F_INT4UM, F_INT4UP, F_INT8EQ, F_INT8NE, F_INT8LT, F_INT8GT, F_INT8LE, F_INT8GE, F_INT8PL,
	F_INT8MI, F_INT8MUL, F_INT8DIV, F_INT8MOD, F_INT8UM, F_INT8UP, F_INT24EQ, F_INT24NE, F_INT24LT, F_INT24GT,
	F_INT24LE, F_INT24GE, F_INT24PL, F_INT24MI, F_INT24MUL, F_INT24DIV, F_INT42EQ, F_INT42NE, F_INT42LT, F_INT42GT,
	F_INT42LE, F_INT42GE, F_INT42PL, F_INT42MI, F_INT42MUL, F_INT42DIV, F_INT28EQ, F_INT28NE, F_INT28LT, F_INT28GT,
	F_INT28LE, F_INT28GE, F_INT28PL, F_INT28MI, F_INT28MUL, F_INT28DIV, F_INT82EQ, F_INT82NE, F_INT82LT, F_INT82GT,
	F_INT82LE, F_INT82GE, F_INT82PL, F_INT82MI, F_INT82MUL, F_INT82DIV, F_INT48EQ, F_INT48NE, F_INT48LT, F_INT48GT,
	F_INT48LE, F_INT48GE, F_INT48PL, F_INT48MI, F_INT48MUL, F_INT48DIV, F_INT84EQ, F_INT84NE, F_INT84LT, F_INT84GT,
	F_INT84LE, F_INT84GE, F_INT84PL, F_INT84MI, F_INT84MUL, F_INT84DIV, F_INT4_INT2, F_INT2_INT4, F_INT8_INT2,
	F_INT2_INT8, F_INT8_INT4, F_INT4_INT8, F_INT2_FLOAT8, F_INT4_FLOAT8, F_INT8_FLOAT8, F_INT2_NUMERIC, F_INT4_NUMERIC,
	F_INT8_NUMERIC, F_INT2_JSONB, F_INT4_JSONB, F_INT8_JSONB,
	/* other numbers */
	F_FLOAT8EQ, F_FLOAT8NE, F_FLOAT8LT, F_FLOAT8GT, F_FLOAT8LE, F_FLOAT8GE, F_FLOAT8PL, F_FLOAT8MI, F_FLOAT8MUL,
	F_FLOAT8DIV, F_FLOAT8UM, F_FLOAT8UP, F_FLOAT8_INT2, F_FLOAT8_INT4, F_FLOAT8_INT8, F_FLOAT8_NUMERIC, F_FLOAT8_JSONB,
	F_NUMERIC_EQ, F_NUMERIC_NE, F_NUMERIC_LT, F_NUMERIC_GT, F_NUMERIC_LE, F_NUMERIC_GE, F_NUMERIC_ADD, F_NUMERIC_SUB,
	F_NUMERIC_MUL, F_NUMERIC_DIV, F_NUMERIC_MOD, F_NUMERIC_UMINUS, F_NUMERIC_UPLUS, F_NUMERIC_INT2, F_NUMERIC_INT4,
	F_NUMERIC_INT8, F_NUMERIC_FLOAT8, F_NUMERIC_JSONB, F_NUMERIC_NUMERIC_INT4,
	/* text */
	F_TEXTEQ, F_TEXTNE, F_TEXT_LT, F_TEXT_GT, F_TEXT_LE, F_TEXT_GE, F_TEXTCAT, F_TEXTLIKE, F_TEXTNLIKE, F_TEXTICLIKE,
	F_TEXTICNLIKE,
	/* days and times */
	F_DATE_EQ, F_DATE_NE, F_DATE_LT, F_DATE_GT, F_DATE_LE, F_DATE_GE, F_DATE_PLI, F_DATE_MII, F_DATE_MI,
	F_DATE_PL_INTERVAL, F_DATE_MI_INTERVAL, F_DATE_EQ_TIMESTAMP, F_DATE_NE_TIMESTAMP, F_DATE_LT_TIMESTAMP,
	F_DATE_GT_TIMESTAMP, F_DATE_LE_TIMESTAMP, F_DATE_GE_TIMESTAMP, F_TIMESTAMP_EQ_DATE, F_TIMESTAMP_NE_DATE,
	F_TIMESTAMP_LT_DATE, F_TIMESTAMP_GT_DATE, F_TIMESTAMP_LE_DATE, F_TIMESTAMP_GE_DATE, F_TIMESTAMP_EQ, F_TIMESTAMP_NE,
	F_TIMESTAMP_LT, F_TIMESTAMP_GT, F_TIMESTAMP_LE, F_TIMESTAMP_GE, F_TIMESTAMP_MI, F_TIMESTAMP_PL_INTERVAL,
	F_TIMESTAMP_MI_INTERVAL, F_TIMESTAMP_DATE, F_DATE_TIMESTAMP, F_TIMESTAMPTZ_EQ, F_TIMESTAMPTZ_NE, F_TIMESTAMPTZ_LT,
	F_TIMESTAMPTZ_GT, F_TIMESTAMPTZ_LE, F_TIMESTAMPTZ_GE, F_TIMESTAMPTZ_MI, F_INTERVAL_EQ, F_INTERVAL_NE, F_INTERVAL_LT,
	F_INTERVAL_GT, F_INTERVAL_LE, F_INTERVAL_GE, F_INTERVAL_PL, F_INTERVAL_MI, F_INTERVAL_UM, F_INTERVAL_MUL,
	F_MUL_D_INTERVAL, F_INTERVAL_DIV, F_INTERVAL_INTERVAL_INT4, F_MULTIRANGE_EQ, F_MULTIRANGE_NE,
	F_MULTIRANGE_CONTAINS_ELEM, F_ELEM_CONTAINED_BY_MULTIRANGE,
	/* jsonb */
	F_JSONB_EQ, F_JSONB_NE, F_JSONB_OBJECT_FIELD, F_JSONB_OBJECT_FIELD_TEXT, F_JSONB_ARRAY_ELEMENT,
	F_JSONB_ARRAY_ELEMENT_TEXT, F_JSONB_EXTRACT_PATH, F_JSONB_EXTRACT_PATH_TEXT, F_JSONB_EXISTS, F_JSONB_EXISTS_ANY,
	F_JSONB_EXISTS_ALL, F_JSONB_CONTAINS, F_JSONB_CONTAINED, F_BOOL_JSONB};

/* A near name differs in so many letters at most, and in no more than a third of them. */
#define MAX_DISTANCE 3

const CecColumn *
cec_column(AttrNumber number)
{
	Assert(number >= 1 && number <= CEC_FACT_COUNT);
	return &columns[number - 1];
}

static bool
may_name(const CecColumn *column, CecSpeaker speaker)
{
	return !column->is_hidden && (!column->is_of_cover || speaker == CEC_SPEAKER_REGULATION);
}

/* The column of that name that such conditions may mention, or NULL. */
const CecColumn *
cec_column_named(const char *name, CecSpeaker speaker)
{
	for (int i = 0; i < lengthof(columns); i++)
	{
		if (may_name(&columns[i], speaker) && strcmp(columns[i].name, name) == 0)
			return &columns[i];
	}
	return NULL;
}

/* The words that a column has, where a constraint of the register or of contracts names them all; else NULL. */
const char *
cec_column_words(AttrNumber number)
{
	switch (number)
	{
		case CEC_FACT_STATUS:
			return "planned, in_service, in_storage, in_repair, retired";
		case CEC_FACT_TAG_SYMBOLOGY:
			return "code39, code93, code128, gs1-128, datamatrix, qr";
		case CEC_FACT_CONTRACT_KIND:
			return "service, warranty, extended_warranty, lease";
		default:
			return NULL;
	}
}

/* The first signature of a published function; the others follow it. NULL when there is none. */
const CecFunction *
cec_function_named(const char *name)
{
	for (int i = 0; i < lengthof(functions); i++)
	{
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	}
	return NULL;
}

const CecFunction *
cec_functions(int *count)
{
	*count = lengthof(functions);
	return functions;
}

/* Whether candidate is nearer to name than *distance; then that becomes its distance. */
static bool
is_nearer(const char *name, const char *candidate, int *distance)
{
	int length = strlen(name);
	int found = varstr_levenshtein_less_equal(name, length, candidate, strlen(candidate), 1, 1, 1, *distance, true);

	if (found >= *distance || found > Max(length / 3, 1))
		return false;
	*distance = found;
	return true;
}

/* The first published column whose name begins, or ends, with these words; or NULL. */
static const char *
column_of_part(const char *name, CecSpeaker speaker)
{
	size_t len = strlen(name);

	for (int i = 0; i < lengthof(columns); i++)
	{
		const char *column = columns[i].name;
		size_t rest = strlen(column) > len ? strlen(column) - len : 0;

		if (may_name(&columns[i], speaker) && rest > 0 &&
			((strncmp(column, name, len) == 0 && column[len] == '_') ||
			 (strcmp(column + rest, name) == 0 && column[rest - 1] == '_')))
			return column;
	}
	return NULL;
}

/* The published column that somebody may have meant, or NULL. */
const char *
cec_column_near(const char *name, CecSpeaker speaker)
{
	const char *result = NULL;
	int distance = MAX_DISTANCE + 1;

	for (int i = 0; i < lengthof(columns); i++)
	{
		if (may_name(&columns[i], speaker) && is_nearer(name, columns[i].name, &distance))
			result = columns[i].name;
	}
	return result != NULL ? result : column_of_part(name, speaker);
}

/* The published function that somebody may have meant, or NULL. */
const char *
cec_function_near(const char *name)
{
	const char *result = NULL;
	int distance = MAX_DISTANCE + 1;

	for (int i = 0; i < lengthof(functions); i++)
	{
		if (is_nearer(name, functions[i].name, &distance))
			result = functions[i].name;
	}
	return result;
}

/* A call of a published function of this extension, as people write it, or NULL. */
const char *
cec_function_example(const char *name)
{
	static const char *const examples[] = {"last_maintenance('inspection')",
										   "maintenance_count('inspection', interval '12 months')",
										   "request_count(interval '6 months')",
										   "as_date(attributes ->> 'key')",
										   "as_number(attributes ->> 'key')",
										   "distance_to_point_m(4.48, 51.92)",
										   "st_x(location)",
										   "st_y(location)"};
	int len = strlen(name);

	for (int i = 0; i < lengthof(examples); i++)
	{
		if (strncmp(examples[i], name, len) == 0 && examples[i][len] == '(')
			return examples[i];
	}
	return NULL;
}

bool
cec_operator_is_listed(const char *name)
{
	for (int i = 0; i < lengthof(operators); i++)
	{
		if (strcmp(operators[i], name) == 0)
			return true;
	}
	return false;
}

/* The type that a name stands for in a condition, or InvalidOid. */
Oid
cec_type_named(const char *name)
{
	for (int i = 0; i < lengthof(types); i++)
	{
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return InvalidOid;
}

/* Whether a value of this type may occur; PostGIS's types have their own rule (condition_check_analysed.c). */
bool
cec_type_is_listed(Oid type)
{
	for (int i = 0; i < lengthof(types); i++)
	{
		if (types[i].type == type)
			return true;
	}
	return false;
}

/* Whether one of the server's functions may be called. */
bool
cec_function_is_listed(Oid function)
{
	for (int i = 0; i < lengthof(behind); i++)
	{
		if (behind[i] == function)
			return true;
	}
	for (int i = 0; i < lengthof(functions); i++)
	{
		if (functions[i].origin == CEC_ORIGIN_SERVER && functions[i].id == function)
			return true;
	}
	return false;
}
