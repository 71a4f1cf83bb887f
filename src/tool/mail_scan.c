#include "tool/mail_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * Whatever GMime may take for a header is counted as one here. A header begins with the mail, and
 * behind a line that begins with "--", as boundaries do; it ends with an empty line. Where its
 * Content-Type speaks of a message, the part begins with the header of that, and in a digest any
 * part may.
 */
struct scan {
    size_t header_bytes, parts;
    size_t colons;             /* in the field */
    bool   in_header, in_type; /* in_type: in the field Content-Type, before its parameters */
    bool   of_message, in_digest;
};

static bool mentions(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);

    for (size_t at = 0; at + word_len <= len; at++) {
        if (strncasecmp(line + at, word, word_len) == 0)
            return true;
    }
    return false;
}

/* Parameters, such as a file's name, may speak of whatever they like; but in a comment, "(;)", there
   are none. */
static void pass_type(struct scan *scan, const char *line, size_t len)
{
    const char *parameters = memchr(line, ';', len);
    size_t      type = parameters != NULL ? (size_t)(parameters - line) : len;

    if (memchr(line, '(', len) != NULL)
        type = len;
    scan->of_message = scan->of_message || mentions(line, type, "message");
    scan->in_digest = scan->in_digest || mentions(line, type, "digest");
    scan->in_type = type == len;
}

static void pass_header_line(struct scan *scan, const char *line, size_t len)
{
    static const char type[] = "Content-Type";

    scan->header_bytes += len;
    if (line[0] != ' ' && line[0] != '\t') {
        scan->colons = 0;
        scan->in_type = len >= sizeof(type) - 1 && strncasecmp(line, type, sizeof(type) - 1) == 0;
    }
    if (scan->header_bytes > MAIL_HEADERS_MAX)
        return;
    for (size_t at = 0; at < len; at++)
        scan->colons += line[at] == ':';
    if (scan->in_type)
        pass_type(scan, line, len);
}

static void pass_line(struct scan *scan, const char *line, size_t len)
{
    if (len >= 2 && memcmp(line, "--", 2) == 0) {
        scan->parts++;
        scan->of_message = scan->of_message && scan->in_header;
        scan->in_header = true;
        scan->in_type = false;
    } else if (line[0] == '\n' || (line[0] == '\r' && len == 2)) {
        scan->in_header = scan->in_digest || (scan->in_header && scan->of_message);
        scan->of_message = scan->in_type = false;
    } else if (scan->in_header) {
        pass_header_line(scan, line, len);
    }
}

static bool is_within_bounds(const struct scan *scan, char *why)
{
    if (scan->header_bytes > MAIL_HEADERS_MAX)
        snprintf(why, MAIL_WHY_MAX, "a mail with over %d bytes of headers", MAIL_HEADERS_MAX);
    else if (scan->colons > MAIL_COLONS_MAX)
        snprintf(why, MAIL_WHY_MAX, "a mail with over %d colons in a field", MAIL_COLONS_MAX);
    else if (scan->parts > MAIL_PARTS_MAX)
        snprintf(why, MAIL_WHY_MAX, "a mail of over %d parts", MAIL_PARTS_MAX);
    else
        return true;
    return false;
}

bool mail_scan(const char *bytes, size_t len, char *why)
{
    struct scan scan = { .in_header = true };
    const char *end = bytes + len;

    while (bytes < end) {
        const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t      line = (size_t)((feed != NULL ? feed + 1 : end) - bytes);

        pass_line(&scan, bytes, line);
        bytes += line;
        if (!is_within_bounds(&scan, why))
            return false;
    }
    return true;
}

/* No field in use begins with anything but a letter; JSON that holds no report does. */
bool mail_is(const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && bytes[at] > ' ' && bytes[at] < 0x7f && bytes[at] != ':')
        at++;
    return at > 0 && at < len && bytes[at] == ':' && isalpha((unsigned char)bytes[0]);
}
