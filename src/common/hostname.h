/*
 * hostname: the names of domains and hosts as DNS carries them.
 *
 * Everything inside the programs is an A-label name in lower case without the
 * final dot: letters, digits and hyphens (RFC 5891 section 2.3.1), labels of 1 to 63 bytes.
 * Pure functions.
 */
#ifndef COMMON_HOSTNAME_H
#define COMMON_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HOSTNAME_MAX = 253,       /* bytes, without the final dot (RFC 1035 section 2.3.4) */
    HOSTNAME_DOMAIN_MAX = 245 /* a policy domain: its policy host is 8 bytes longer */
};

#define HOSTNAME_POLICY_PREFIX "mta-sts." /* RFC 8461 section 3.3 */
enum { HOSTNAME_POLICY_PREFIX_LEN = 8 };

enum hostname_verdict {
    HOSTNAME_OK,
    HOSTNAME_EMPTY,
    HOSTNAME_TOO_LONG,  /* over the max that was asked for */
    HOSTNAME_LABEL,     /* an empty label, one over 63 bytes, or a hyphen at its end or start */
    HOSTNAME_NOT_ASCII, /* a byte from 0x80: a U-label, or something worse */
    HOSTNAME_CHARACTER, /* an ASCII byte that no host name has */
    HOSTNAME_ONE_LABEL, /* no dot: no domain of mail */
    HOSTNAME_NUMERIC    /* the last label is all digits: an IPv4 address or a slip */
};

/*
 * Checks the len bytes at name and writes the canonical form (lower case, one
 * final dot taken off, NUL at the end) to out, which holds max + 1 bytes; max is
 * HOSTNAME_MAX or HOSTNAME_DOMAIN_MAX. out and name may be the same. On any
 * verdict but HOSTNAME_OK, out holds nothing of use.
 */
enum hostname_verdict hostname_canonical(const char *name, size_t len, size_t max, char *out);

/* "has a label that is empty, ..." for a message that goes on from the name. Never NULL. */
const char *hostname_explain(enum hostname_verdict verdict);

/* Bytes equal but for ASCII case. */
bool hostname_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * RFC 6125 section 6.4, as RFC 8461 section 3.3 wants it for policy hosts: does the
 * certificate's DNS-ID (len bytes, any case) cover host (canonical)? A "*" may
 * stand for the whole left-most label and for nothing else.
 */
bool hostname_covered_by(const char *host, const char *dns_id, size_t len);

#endif
