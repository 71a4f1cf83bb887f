/*
 * policy_body: a policy as it is served, read to the letter (RFC 8461 section 3.2).
 *
 * The body goes in as it came over HTTPS, and out come what it says by the RFC, and each slip in
 * it: also those that the RFC allows and a strict sender does not (docs/senders.md, whose rows
 * stand beside). Pure functions over borrowed bytes, no allocation.
 */
#ifndef WIRE_POLICY_BODY_H
#define WIRE_POLICY_BODY_H

#include "wire/txt.h"

#include <stdint.h>

enum {
    POLICY_BODY_READ_MAX = 65536, /* bytes: what a sender reads of a body (RFC 8461 section 3.3) */
    POLICY_BODY_AGE_MAX = 31557600,    /* seconds (RFC 8461 section 3.2) */
    POLICY_BODY_AGE_SHORT = 86400,     /* seconds: below, what is meant for weeks lasts hours */
    POLICY_BODY_AGE_VERY_SHORT = 3600, /* seconds: below, Stalwart makes it a day */
    POLICY_BODY_KEY_MAX = 32,          /* characters of an unknown key */
    POLICY_BODY_MX_REMEMBERED = 256    /* names: of so many BODY_MX_TWICE is told */
};

enum policy_body_flaw {
    BODY_EMPTY,              /* H23: nothing but line ends and blanks; line 0; told alone */
    BODY_HTML,               /* H5: begins with "<"; told alone, and nothing is read */
    BODY_BOM,                /* B3 */
    BODY_LF,                 /* B1: told once */
    BODY_CR,                 /* B2: a CR without LF; told once, and read as a line end no sender
                               agrees on: the line goes on, its value is neither taken nor
                               judged, and nothing is told to be missing */
    BODY_NUL,                /* NUL or another control character than tab; told once, and the
                               line's value is neither taken nor judged */
    BODY_BLANK_LINE,         /* B4; told once for lines that follow each other */
    BODY_BLANK_LINE_AT_END,  /* B5; likewise */
    BODY_BLANKS_LINE,        /* B6: of blanks only */
    BODY_NO_LAST_END,        /* B7: the last line has no line end */
    BODY_NO_COLON,           /* B25 */
    BODY_COMMENT,            /* B26, B27: begins with "#" or ";" */
    BODY_BLANK_BEFORE_KEY,   /* B13 */
    BODY_BLANK_BEFORE_COLON, /* B14 */
    BODY_KEY_CASE,          /* B12: a known key but for case; its value is neither taken nor judged,
                               but it is not told to be missing */
    BODY_BAD_KEY,           /* a key that the ABNF does not allow */
    BODY_UNKNOWN_KEY,       /* B21: well-formed */
    BODY_SECOND_COLON,      /* B22: in an unknown key's value */
    BODY_NO_VALUE,          /* B23: an unknown key without one */
    BODY_BAD_VALUE,         /* a byte that the ABNF does not allow in an unknown key's value */
    BODY_UTF8,              /* B24: well-formed UTF-8 beyond ASCII, where it may stand */
    BODY_VERSION_NOT_FIRST, /* B8 */
    BODY_NO_VERSION,        /* B9 */
    BODY_WRONG_VERSION,     /* B10 */
    BODY_VERSION_CASE,      /* B11: "stsv1" */
    BODY_VERSION_TWICE,     /* B20 */
    BODY_NO_MODE,           /* B28 */
    BODY_UNKNOWN_MODE,      /* B29 */
    BODY_MODE_CASE,         /* B30 */
    BODY_MODE_TWICE,        /* B18 */
    BODY_NO_MX,             /* B33: enforce or testing without mx */
    BODY_NONE_WITHOUT_MX,   /* B32 */
    BODY_MX_DOT,            /* M1: at the end */
    BODY_MX_UPPER,          /* M2 */
    BODY_MX_UTF8,           /* M3 */
    BODY_MX_STAR,           /* M4: alone */
    BODY_MX_INNER_STAR,     /* M6: anywhere but as the whole left-most label */
    BODY_MX_LEADING_DOT,    /* M7 */
    BODY_MX_IPV4,           /* M8 */
    BODY_MX_IPV6,           /* M9: with or without [ ] */
    BODY_MX_MANY,           /* M10: names with a blank or comma between */
    BODY_MX_UNDERSCORE,     /* M11 */
    BODY_MX_EMPTY,          /* M12 */
    BODY_MX_BAD,            /* any other that is no domain */
    BODY_MX_TWICE,          /* the same as before, but for case */
    BODY_AGE_ZERO,          /* A1 */
    BODY_NO_AGE,            /* A2 */
    BODY_AGE_EMPTY,         /* A3 */
    BODY_AGE_NEGATIVE,      /* A4 */
    BODY_AGE_OVER,          /* A5: over POLICY_BODY_AGE_MAX, in at most ten digits */
    BODY_AGE_MAX,           /* A6: POLICY_BODY_AGE_MAX itself */
    BODY_AGE_DIGITS,        /* A7: eleven digits or more */
    BODY_AGE_UNIT,          /* A8: digits and letters */
    BODY_AGE_BAD,           /* any other that is no number */
    BODY_AGE_SHORT,         /* A9 */
    BODY_AGE_VERY_SHORT,    /* A10 */
    BODY_AGE_TWICE          /* B19 */
};

enum policy_body_mode { BODY_MODE_MISSING, BODY_MODE_ENFORCE, BODY_MODE_TESTING, BODY_MODE_NONE };

/* "enforce", "testing" or "none"; NULL for _MISSING. */
const char *policy_body_mode_name(enum policy_body_mode mode);

/* What it says: of a key that stands twice the first (RFC 8461 section 3.2). */
struct policy_body {
    enum policy_body_mode mode; /* _MISSING: none that the RFC knows */
    bool                  has_age;
    uint32_t max_age;  /* seconds; over POLICY_BODY_AGE_MAX as written, up to 2^32 - 1 */
    size_t   mx_count; /* mx lines with something on them */
};

/*
 * Reads a body of len bytes; all of it, however long. flaw is called for each slip, in the order of
 * the bytes (what is missing comes last); where is the line or the part of it that it is about,
 * without the line end, and empty for an empty line; line counts from 1 (0: what is missing, with
 * the whole body). BODY_NONE_WITHOUT_MX and BODY_NO_MX are told beside BODY_MX_EMPTY. Behind the
 * first version, mode or max_age, a second one is told and not looked at. mx, unless NULL, is called for each mx line that has
 * something on it, in order, with its value as written, without blanks around.
 */
void policy_body_read(const char *bytes, size_t len, struct policy_body *body,
                      void (*mx)(void *context, struct txt_slice pattern, unsigned line),
                      void (*flaw)(void *context, enum policy_body_flaw flaw,
                                   struct txt_slice where, unsigned line),
                      void *context);

/*
 * May mail go to host (any case, no final dot) by this mx pattern? RFC 8461 section 4.1: "*." stands
 * for exactly one label. loosely: for any number of them, as mailauth, Mimecast and older Postfix
 * take it (M5).
 */
bool policy_body_mx_matches(struct txt_slice pattern, const char *host, bool loosely);

#endif
