/*
 * policy: one MTA-STS policy, as configured and as served (RFC 8461 section 3.2).
 *
 * A policy is a template: domains that share one differ only where it says %d,
 * and that is filled in when a response is written. The body is kept as it goes
 * out: version, mode, mx in the order written, max_age, CRLF after each line.
 */
#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum policy_mode { POLICY_ENFORCE, POLICY_TESTING, POLICY_NONE };

enum {
    POLICY_MAX_AGE_MAX = 31557600,   /* seconds (RFC 8461 section 3.2) */
    POLICY_MAX_AGE_DEFAULT = 604800, /* seconds: the weeks that RFC 8461 expects */
    POLICY_MAX_AGE_WARN = 86400,     /* seconds; senders look daily, and some refuse less */
    POLICY_BODY_WARN = 10240,        /* bytes; some senders cut there */
    POLICY_BODY_MAX = 65536,         /* bytes (RFC 8461 section 3.3: senders may stop there) */
    POLICY_ID_LEN = 32               /* alphanumerics: the most (RFC 8461 section 3.1) */
};

/* Everything it points to lives in the configuration's region. */
struct policy {
    enum policy_mode   mode;
    uint32_t           max_age;      /* seconds */
    uint32_t           body_len;     /* bytes of body, with %d as two of them */
    uint32_t           body_domains; /* how many %d it holds */
    uint32_t           mx_count;
    uint32_t           rua_count;
    const char        *body;        /* template of the whole body; '%' occurs only as %d */
    const char        *certificate; /* path with %h and %d */
    const char        *key;         /* path with %h and %d; NULL: in the certificate's file */
    const char        *id;          /* set by hand; NULL: derived */
    const char *const *rua;         /* for the TLSRPT record that mta-sts prints */
};

/* "enforce", "testing" or "none". */
const char *policy_mode_name(enum policy_mode mode);

/* False unless the len bytes at name are exactly one of the three names. */
bool policy_mode_parse(const char *name, size_t len, enum policy_mode *mode);

/* Bytes of the body for a domain of domain_len bytes. */
size_t policy_body_length(const struct policy *policy, size_t domain_len);

/* Writes policy_body_length bytes to out, no NUL; returns how many. */
size_t policy_body_write(const struct policy *policy, const char *domain, size_t domain_len,
                         char *out);

/*
 * The id for the TXT record: as set by hand, else derived from the bytes of the
 * body for this domain: it changes when and only when they do, and is the same on
 * every machine that serves them. out holds POLICY_ID_LEN + 1 bytes.
 */
void policy_id(const struct policy *policy, const char *domain, size_t domain_len, char *out);

/*
 * Fills a certificate or key path: %h the policy host, %d the policy domain, %% a
 * percent sign. Returns the length written without the NUL, or -1 when it does not
 * fit size, or when the pattern holds another % (config has refused those).
 */
int policy_path(const char *pattern, const char *domain, size_t domain_len, char *out, size_t size);

#endif
