/*
 * condition_token.h
 *		The words of a condition that was refused: what hints are made of.
 */
#ifndef CEC_CONDITION_TOKEN_H
#define CEC_CONDITION_TOKEN_H

#include "condition/condition.h"

typedef enum CecTokenKind
{
	CEC_TOKEN_WORD,
	CEC_TOKEN_TEXT, /* in single quotes */
	CEC_TOKEN_OPEN, /* a quote that nothing closes, to the end */
	CEC_TOKEN_NUMBER,
	CEC_TOKEN_SYMBOL
} CecTokenKind;

typedef struct CecToken
{
	CecTokenKind kind;
	int begin; /* bytes of the condition: from here, to before end */
	int end;
} CecToken;

typedef struct CecTokens
{
	const char *text;
	CecSpeaker speaker;
	int count;
	CecToken *token;
} CecTokens;

extern CecTokens cec_tokens(const char *text, CecSpeaker speaker);
extern int cec_token_at(const CecTokens *tokens, int location);
extern bool cec_token_is(const CecTokens *tokens, int i, const char *words);
extern bool cec_token_is_kind(const CecTokens *tokens, int i, CecTokenKind kind);
extern bool cec_token_is_value(const CecTokens *tokens, int i);
extern bool cec_token_is_comparison(const CecTokens *tokens, int i);
extern char *cec_token_text(const CecTokens *tokens, int first, int last);
extern int cec_token_operand(const CecTokens *tokens, int end);
extern char *cec_token_inside(const CecTokens *tokens, int i);
extern char *cec_token_operand_text(const CecTokens *tokens, int end);
extern char *cec_token_capitals(char *text);
extern int cec_token_part_end(const CecTokens *tokens, int first);

#endif
