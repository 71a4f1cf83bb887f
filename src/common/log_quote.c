#include "common/log_quote.h"

#include <stdbool.h>
#include <string.h>

enum {
    QUOTE_TAIL = 5, /* ..." and a NUL */
    ESCAPE_MAX = 6  /* \u00ff */
};

/* The bytes of c inside double quotes, into out; returns how many. A byte that is not printable
   ASCII is the marker and two digits. */
static size_t escape(char out[ESCAPE_MAX], unsigned char c, const char *marker)
{
    static const char hex[] = "0123456789abcdef";
    size_t            len = strlen(marker);

    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c >= 0x20 && c <= 0x7e) {
        out[0] = (char)c;
        return 1;
    }
    memcpy(out, marker, len);
    out[len] = hex[c >> 4];
    out[len + 1] = hex[c & 15];
    return len + 2;
}

static size_t quote(char *out, size_t size, const char *value, size_t len, const char *marker)
{
    size_t at = 1;
    size_t cut = 1; /* where "..." still fits */

    out[0] = '"';
    for (size_t i = 0; i < len; i++) {
        char   piece[ESCAPE_MAX];
        size_t count = escape(piece, (unsigned char)value[i], marker);

        if (at + count + 2 > size) {
            memcpy(out + cut, "...\"", QUOTE_TAIL);
            return cut + QUOTE_TAIL - 1;
        }
        memcpy(out + at, piece, count);
        at += count;
        if (at + QUOTE_TAIL <= size)
            cut = at;
    }
    out[at] = '"';
    out[at + 1] = '\0';
    return at + 1;
}

size_t log_quote(char *out, size_t size, const char *value, size_t len)
{
    return quote(out, size, value, len, "\\x");
}

size_t log_quote_json(char *out, size_t size, const char *value, size_t len)
{
    return quote(out, size, value, len, "\\u00");
}

static bool is_bare(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._:/@+[]*", c) != NULL);
}

size_t log_quote_if_needed(char *out, size_t size, const char *value, size_t len)
{
    size_t bare = 0;

    while (bare < len && is_bare((unsigned char)value[bare]))
        bare++;
    if (len == 0 || bare < len)
        return log_quote(out, size, value, len);
    if (len < size) {
        memcpy(out, value, len);
    } else {
        len = size - 1;
        memcpy(out, value, len - 3);
        memcpy(out + len - 3, "...", 3);
    }
    out[len] = '\0';
    return len;
}
