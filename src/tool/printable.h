/*
 * printable: what strangers wrote, made fit for a terminal or a line.
 */
#ifndef TOOL_PRINTABLE_H
#define TOOL_PRINTABLE_H

#include <stdio.h>

/*
 * Writes the text. Control characters, line breaks of Unicode, what turns the direction of writing
 * or is invisible, and bytes that are no UTF-8 become \xHH, a byte each; a backslash becomes \\.
 */
void printable_put(const char *text, FILE *out);
void printable_put_bytes(const char *text, size_t len, FILE *out); /* which need not end in NUL */

#endif
