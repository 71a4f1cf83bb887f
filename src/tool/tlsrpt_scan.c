#include "tool/tlsrpt_internal.h"
#include "tool/utf8.h"

#include <stdio.h>

struct scan {
    char    *at;
    char    *end;
    size_t   depth;
    size_t   values; /* at least as many as there are so far */
    uint32_t odd;
};

static void pass_beyond_ascii(struct scan *scan)
{
    uint32_t code;
    size_t   len = utf8_read(scan->at, (size_t)(scan->end - scan->at), &code);

    if (len == 0) {
        *scan->at = '?';
        scan->odd |= 1U << TLSRPT_ODD_UTF8;
        len = 1;
    }
    scan->at += len;
}

/* Over what needs no look: nearly all of nearly every text. */
static void pass_plain(struct scan *scan)
{
    char *at = scan->at, *end = scan->end;

    while (at < end && *at >= ' ' && *at <= '~' && *at != '"' && *at != '\\')
        at++;
    scan->at = at;
}

/* To what is behind the closing quote. */
static void pass_string(struct scan *scan)
{
    for (pass_plain(scan); scan->at < scan->end; pass_plain(scan)) {
        unsigned char byte = (unsigned char)*scan->at;

        if (byte >= 0x80) {
            pass_beyond_ascii(scan);
            continue;
        }
        if (byte < ' ') {
            *scan->at = ' ';
            scan->odd |= 1U << TLSRPT_ODD_CONTROL;
        }
        scan->at++;
        if (byte == '"')
            return;
        if (byte == '\\' && scan->at < scan->end && *scan->at >= ' ')
            scan->at++;
    }
}

/* Each container has at most one value more than commas. */
static void pass_byte(struct scan *scan)
{
    switch (*scan->at++) {
    case '"':
        pass_string(scan);
        break;
    case '{':
    case '[':
        scan->depth++;
        scan->values += 2;
        break;
    case '}':
    case ']':
        scan->depth -= scan->depth > 0;
        break;
    case ',':
        scan->values++;
        break;
    default:
        break;
    }
}

size_t tlsrpt_scan(char *text, size_t len, uint32_t *odd, char *why)
{
    struct scan scan = { .at = text, .end = text + len };

    do {
        pass_byte(&scan);
        if (scan.depth > TLSRPT_DEPTH_MAX) {
            snprintf(why, TLSRPT_WHY_MAX, "over %d levels deep", TLSRPT_DEPTH_MAX);
            return 0;
        }
        if (scan.values > TLSRPT_VALUES_MAX) {
            snprintf(why, TLSRPT_WHY_MAX, "over %d values", TLSRPT_VALUES_MAX);
            return 0;
        }
    } while (scan.depth > 0 && scan.at < scan.end);
    *odd |= scan.odd;
    return (size_t)(scan.at - text);
}
