#include "common/hostname.h"

#include <string.h>

enum { LABEL_MAX = 63 }; /* bytes (RFC 1035 section 2.3.4) */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What the bytes are, before where they stand: "bücher.example" is told to be no
   ASCII, whatever else is wrong with it. */
static enum hostname_verdict check_bytes(const char *name, size_t len)
{
    enum hostname_verdict verdict = HOSTNAME_OK;

    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if ((c >= 'a' && c <= 'z') || c == '.' || is_digit(c)) /* what nearly all are */
            continue;
        if ((unsigned char)c >= 0x80)
            return HOSTNAME_NOT_ASCII;
        if (c != '-' && !(c >= 'A' && c <= 'Z'))
            verdict = HOSTNAME_CHARACTER;
    }
    return verdict;
}

static enum hostname_verdict check_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
        return HOSTNAME_LABEL;
    return HOSTNAME_OK;
}

static enum hostname_verdict check_labels(const char *name, size_t len)
{
    size_t      start = 0; /* of a label; at the end, of the last one */
    size_t      at;
    const char *dot;

    while ((dot = memchr(name + start, '.', len - start)) != NULL) {
        if (check_label(name + start, (size_t)(dot - name) - start) != HOSTNAME_OK)
            return HOSTNAME_LABEL;
        start = (size_t)(dot - name) + 1;
    }
    if (check_label(name + start, len - start) != HOSTNAME_OK)
        return HOSTNAME_LABEL;
    at = start;
    while (at < len && is_digit(name[at]))
        at++;
    if (at == len)
        return HOSTNAME_NUMERIC;
    return start == 0 ? HOSTNAME_ONE_LABEL : HOSTNAME_OK;
}

enum hostname_verdict hostname_canonical(const char *name, size_t len, size_t max, char *out)
{
    enum hostname_verdict verdict;

    if (len > 0 && name[len - 1] == '.')
        len--;
    if (len == 0)
        return HOSTNAME_EMPTY;
    verdict = check_bytes(name, len);
    if (verdict != HOSTNAME_OK)
        return verdict;
    if (len > max)
        return HOSTNAME_TOO_LONG;
    verdict = check_labels(name, len);
    if (verdict != HOSTNAME_OK)
        return verdict;
    for (size_t i = 0; i < len; i++)
        out[i] = lower(name[i]);
    out[len] = '\0';
    return HOSTNAME_OK;
}

const char *hostname_explain(enum hostname_verdict verdict)
{
    switch (verdict) {
    case HOSTNAME_OK:
        return "is a host name";
    case HOSTNAME_EMPTY:
        return "is empty";
    case HOSTNAME_TOO_LONG:
        return "is too long";
    case HOSTNAME_LABEL:
        return "has a label that is empty, longer than 63 bytes, or starts or ends with a hyphen";
    case HOSTNAME_NOT_ASCII:
        return "is not ASCII: write its A-label form (xn--...), as mta-sts prints it";
    case HOSTNAME_CHARACTER:
        return "has a character other than letters, digits, hyphens and dots";
    case HOSTNAME_ONE_LABEL:
        return "has no dot";
    case HOSTNAME_NUMERIC:
        return "ends in a label of digits, as an IP address does";
    }
    return "is no host name";
}

bool hostname_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

bool hostname_covered_by(const char *host, const char *dns_id, size_t len)
{
    size_t      host_len = strlen(host);
    const char *dot;

    if (len < 2 || dns_id[0] != '*' || dns_id[1] != '.')
        return hostname_equal(host, host_len, dns_id, len);
    dot = strchr(host, '.');
    if (dot == NULL)
        return false;
    /* RFC 6125 section 6.4.3: the whole left-most label, and only that one. A second "*" in
       dns_id equals nothing in a canonical host. */
    return hostname_equal(dot, host_len - (size_t)(dot - host), dns_id + 1, len - 1);
}
