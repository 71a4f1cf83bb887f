/*
 * tlsrpt_internal: the parts of tlsrpt.
 */
#ifndef TOOL_TLSRPT_INTERNAL_H
#define TOOL_TLSRPT_INTERNAL_H

#include "tool/tlsrpt.h"

#include <jansson.h>

/* --- tlsrpt: of the report that is being read */

/* An array of zeros, gone with the report. NULL: there is no memory. */
void *tlsrpt_zeros(size_t count, size_t size);

/* --- tlsrpt_scan: the text before it is parsed */

/*
 * Walks over the JSON value at the start of the text, so that parsing it can neither take much
 * memory nor fail over a byte: raw control characters in strings become blanks, bytes that are no
 * UTF-8 "?". Gives how long it is, the text's whole length where it does not end; 0: it is over a
 * bound, and why says which. Adds to odd.
 */
size_t tlsrpt_scan(char *text, size_t len, uint32_t *odd, char *why);

/* --- tlsrpt_values: values of one kind, with a note where they are of another */

void tlsrpt_note(struct tlsrpt *report, enum tlsrpt_odd odd);

/* NULL: the value is missing, null, empty, too long or no text. */
const char *tlsrpt_text_of(struct tlsrpt *report, const json_t *value);
const char *tlsrpt_text(struct tlsrpt *report, const json_t *object, const char *key);

/* NULL: it is missing, null or no object. */
const json_t *tlsrpt_object(struct tlsrpt *report, const json_t *object, const char *key);

/* TLSRPT_UNSAID: it is missing, or no number of sessions. */
int64_t tlsrpt_count(struct tlsrpt *report, const json_t *object, const char *key);

/* TLSRPT_NO_TIME: it is missing, or no date. */
int64_t tlsrpt_time(struct tlsrpt *report, const json_t *object, const char *key);

/* --- tlsrpt_policies */

/* Reads the array. False: there is no memory. */
bool tlsrpt_policies(struct tlsrpt *report, const json_t *list);

#endif
