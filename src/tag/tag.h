/*
 * tag.h
 *		Tags as bar codes, and check characters.
 */
#ifndef CEC_TAG_H
#define CEC_TAG_H

/* Longer than a tag of the register can be. */
#define CEC_TAG_LENGTH 200

extern char *cec_tag_offence(const char *tag, const char *symbology);
extern bool cec_tag_is_scannable(const char *tag, const char *symbology);
extern int cec_code128_symbols(const char *tag, int len);
extern char cec_gs1_check_digit(const char *digits, int len);

#endif
