/*
 * chars: the character classes of the RFCs, whatever the locale.
 *
 * Each takes an unsigned char, or -1 for the end of the bytes, which is in no class.
 */
#ifndef WIRE_CHARS_H
#define WIRE_CHARS_H

#include <stdbool.h>
#include <string.h>

static inline bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static inline int to_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static inline bool is_alpha(int c)
{
    int lower = to_lower(c);
    return lower >= 'a' && lower <= 'z';
}

static inline bool is_alnum(int c)
{
    return is_digit(c) || is_alpha(c);
}

static inline bool is_hex(int c)
{
    int lower = to_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

/* Is c, which may be -1 or a NUL, one of these? */
static inline bool is_one_of(int c, const char *these)
{
    return c > 0 && strchr(these, c) != NULL;
}

/* RFC 9110 section 5.6.2 */
static inline bool is_tchar(int c)
{
    return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

static inline bool is_blank(int c)
{
    return c == ' ' || c == '\t';
}

#endif
