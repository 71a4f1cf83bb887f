/*
 * utf8: characters in bytes that may be none. Pure.
 */
#ifndef TOOL_UTF8_H
#define TOOL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes the character at the start of the len bytes has, and its number (RFC 3629); 0:
   there is none, or bytes that are no UTF-8. */
size_t utf8_read(const char *bytes, size_t len, uint32_t *code);

#endif
