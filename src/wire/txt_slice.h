/*
 * txt_slice: how txt, policy_body and media_type walk the bytes that they read.
 *
 * A slice may be empty and hold any byte; what is cut off one lies within it.
 */
#ifndef WIRE_TXT_SLICE_H
#define WIRE_TXT_SLICE_H

#include "wire/chars.h"
#include "wire/txt.h"

/* The byte at a place, or -1 beyond the end. */
static inline int slice_byte(struct txt_slice slice, size_t place)
{
    return place < slice.len ? (unsigned char)slice.at[place] : -1;
}

/* The first len bytes, which are there; and what is behind them. */
static inline struct txt_slice slice_first(struct txt_slice slice, size_t len)
{
    return (struct txt_slice){ slice.at, len };
}

static inline struct txt_slice slice_behind(struct txt_slice slice, size_t len)
{
    return len == 0 ? slice : (struct txt_slice){ slice.at + len, slice.len - len };
}

/* Where the first such byte is; the length, if there is none. */
static inline size_t slice_find(struct txt_slice slice, char byte)
{
    const char *found = slice.len > 0 ? memchr(slice.at, byte, slice.len) : NULL;

    return found != NULL ? (size_t)(found - slice.at) : slice.len;
}

/* How many bytes of this class it begins with. */
static inline size_t slice_span(struct txt_slice slice, bool (*belongs)(int))
{
    size_t len = 0;

    while (belongs(slice_byte(slice, len)))
        len++;
    return len;
}

static inline bool slice_all(struct txt_slice slice, bool (*belongs)(int))
{
    return slice_span(slice, belongs) == slice.len;
}

static inline struct txt_slice slice_trim_end(struct txt_slice slice)
{
    while (slice.len > 0 && is_blank(slice_byte(slice, slice.len - 1)))
        slice.len--;
    return slice;
}

static inline struct txt_slice slice_trim(struct txt_slice slice)
{
    return slice_trim_end(slice_behind(slice, slice_span(slice, is_blank)));
}

static inline bool slice_is(struct txt_slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

static inline bool slice_begins(struct txt_slice slice, const char *text)
{
    return slice.len >= strlen(text) && memcmp(slice.at, text, strlen(text)) == 0;
}

/* text is of any case, as the slice is. */
static inline bool slice_begins_nocase(struct txt_slice slice, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (to_lower(slice_byte(slice, i)) != to_lower((unsigned char)text[i]))
            return false;
    }
    return true;
}

static inline bool slice_is_nocase(struct txt_slice slice, const char *text)
{
    return slice.len == strlen(text) && slice_begins_nocase(slice, text);
}

/* Bytes equal but for ASCII case. */
static inline bool slice_same_nocase(struct txt_slice a, struct txt_slice b)
{
    size_t same = 0;

    while (same < a.len && to_lower(slice_byte(a, same)) == to_lower(slice_byte(b, same)))
        same++;
    return same == a.len && same == b.len;
}

/* A name of a field, as RFC 8461 sections 3.1 and 3.2 and RFC 8460 section 3 have it: max is 32. */
static inline bool slice_is_name(struct txt_slice slice, size_t max)
{
    for (size_t i = 0; i < slice.len; i++) {
        int c = slice_byte(slice, i);

        if (!is_alnum(c) && (i == 0 || !is_one_of(c, "_-.")))
            return false;
    }
    return slice.len > 0 && slice.len <= max;
}

#endif
