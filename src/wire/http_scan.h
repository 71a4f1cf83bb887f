/*
 * http_scan: how http.c, and nothing else, walks the bytes of a head.
 *
 * A scan only goes forward. It knows two kinds of stop: a byte that is not
 * welcome, and the end of the bytes that are there, behind which more can come.
 * The character classes of chars.h, and those below, take what peek() returns.
 */
#ifndef WIRE_HTTP_SCAN_H
#define WIRE_HTTP_SCAN_H

#include "wire/chars.h"
#include "wire/http.h"

/* The next byte is at[pos]; there is none beyond len. */
struct scan {
    const char *at;
    size_t      pos;
    size_t      len;
};

/* The next byte, or -1 at the end. */
static inline int peek(const struct scan *s)
{
    return s->pos < s->len ? (unsigned char)s->at[s->pos] : -1;
}

/* RFC 9110 section 5.5: obs-text is allowed, control characters but HTAB are not. */
static inline bool is_field_char(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* RFC 3986 section 3.3 and 3.4: pchar, "/" and, in a query, "?"; percent-encoding aside. */
static inline bool is_target_char(int c, bool in_query)
{
    return is_alnum(c) || is_one_of(c, "/-._~!$&'()*+,;=:@") || (in_query && c == '?');
}

/* What a reg-name of RFC 3986 section 3.2.2 can hold and still be in the DNS. */
static inline bool is_host_char(int c)
{
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

/* What has been read since start. */
static inline struct http_slice slice_from(const struct scan *s, size_t start)
{
    return (struct http_slice){ s->at + start, s->pos - start };
}

static inline struct http_slice take_while(struct scan *s, bool (*belongs)(int))
{
    size_t start = s->pos;

    while (belongs(peek(s)))
        s->pos++;
    return slice_from(s, start);
}

static inline bool slice_is(struct http_slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

/* text is in lower case */
static inline bool slice_is_nocase(struct http_slice slice, const char *text)
{
    if (slice.len != strlen(text))
        return false;
    for (size_t i = 0; i < slice.len; i++) {
        if (to_lower((unsigned char)slice.at[i]) != text[i])
            return false;
    }
    return true;
}

static inline enum http_result expect(struct scan *s, const char *text)
{
    for (; *text != '\0'; text++, s->pos++) {
        if (peek(s) < 0)
            return HTTP_MORE;
        if (s->at[s->pos] != *text)
            return HTTP_BAD;
    }
    return HTTP_OK;
}

/* An unwelcome next byte is bad; none at all can still come. */
static inline enum http_result stopped_at(const struct scan *s)
{
    return peek(s) < 0 ? HTTP_MORE : HTTP_BAD;
}

#endif
