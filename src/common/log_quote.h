/*
 * log_quote: values of log lines, so that no byte of a value can end the line or the value. Pure.
 *
 * In double quotes: " and \ get a backslash, a byte from 0x20 to 0x7e is itself, and any other byte
 * is an escape with its two hexadecimal digits. What is written is ASCII alone.
 *
 * Each function writes the len bytes at value into out, always ended by NUL. What does not fit is
 * cut between two escapes and ends in "...". size is at least 8. Returns the bytes written without
 * the NUL.
 */
#ifndef COMMON_LOG_QUOTE_H
#define COMMON_LOG_QUOTE_H

#include <stddef.h>

/* The escape is \xHH. */
size_t log_quote(char *out, size_t size, const char *value, size_t len);

/* The escape is \u00HH: a JSON string. A byte of 0x80 or above becomes the character of that number
   (ISO 8859-1), so that the bytes can be recovered whatever they were. */
size_t log_quote_json(char *out, size_t size, const char *value, size_t len);

/* As log_quote, but a value whose every byte is one of A-Z a-z 0-9 and -._:/@+[]* stands without
   quotes. An empty value is "". */
size_t log_quote_if_needed(char *out, size_t size, const char *value, size_t len);

#endif
