/*
 * report_words: what failure types mean, and what to do about them, in plain words.
 */
#ifndef TOOL_REPORT_WORDS_H
#define TOOL_REPORT_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum { REPORT_DAY_TEXT_MAX = 16 }; /* bytes, with the NUL */

struct report_words {
    const char *type;    /* as RFC 8460 section 4.3 spells it */
    const char *meaning; /* what the sender met, as a clause: "the certificate has expired" */
    const char *remedy;  /* what to do, as a clause; HOST and DOMAIN in it stand for these */
};

/* Never NULL: for a type that the RFC does not have, its type is "". */
const struct report_words *report_words_find(const char *type);

/* How much of the text value is to stand for: the word, if the text begins with it and value is a
   name; else 0. People paste remedies, and a stranger wrote the value. */
size_t report_words_replaced(const char *text, const char *word, const char *value);

/* "2026-11-24", or "a day not said". Gives out. */
const char *report_day_text(int32_t day, char out[REPORT_DAY_TEXT_MAX]);

#endif
