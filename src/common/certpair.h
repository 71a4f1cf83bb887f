/*
 * certpair: one certificate chain with its key, parsed, proved to belong
 * together and to the host, or refused.
 *
 * The second promise of this server is that it never serves the wrong
 * certificate; this is where it is kept. Refused: what cannot be parsed whole (a file that was
 * caught half written), a leaf that does not cover the host (SAN only, RFC 8461 section 3.3),
 * a key that is not the leaf's, a kind that mbedTLS cannot serve (Ed25519). Served,
 * and told: expired, not yet valid, leaf without its intermediate, chain out of order.
 */
#ifndef COMMON_CERTPAIR_H
#define COMMON_CERTPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
    CERTPAIR_FILE_MAX = 131072, /* bytes of a certificate or key file */
    CERTPAIR_ERROR_MAX = 256    /* bytes of an error's text with its NUL */
};

struct certpair; /* reference-counted; a handshake holds one reference */
struct mbedtls_x509_crt;
struct mbedtls_pk_context;

/* What is to be told about a pair that is served. Bits. */
enum certpair_finding {
    CERTPAIR_EXPIRED = 1 << 0,
    CERTPAIR_NOT_YET_VALID = 1 << 1,
    CERTPAIR_EXPIRES_SOON = 1 << 2,    /* certificate_ends_soon says so */
    CERTPAIR_NO_INTERMEDIATE = 1 << 3, /* a lone leaf that is not self-signed */
    CERTPAIR_OUT_OF_ORDER = 1 << 4,    /* a certificate that did not sign the one before it */
    CERTPAIR_KEY_READABLE = 1 << 5,    /* by others than owner and group */
    CERTPAIR_WEAK_KEY = 1 << 6         /* RSA below 2048 bits: senders refuse it */
};

/* Starts mbedTLS's cryptography and random generator: in each process that uses this or tls, after
   its fork; once more does no harm. -1: it has no random numbers, or no memory. */
int certpair_init(void);

/*
 * Reads and proves the pair from descriptors, which stay the caller's; key_fd -1:
 * the key is in the certificate's file. host is canonical. NULL on refusal, with a
 * text in error (CERTPAIR_ERROR_MAX bytes) that says what is wrong and, where it is
 * known, what to do. File contents and key bytes are wiped from memory after use.
 * certpair_init must have succeeded in this process.
 */
struct certpair *certpair_load(int certificate_fd, int key_fd, const char *host, char *error);

/* The two halves of certpair_load, for a pair that several hosts share: what is the same for each
   host, and what is not. */
struct certpair *certpair_read(int certificate_fd, int key_fd, char *error);
int              certpair_prove(const struct certpair *pair, const char *host, char *error);

/* What is to be told now: bits of enum certpair_finding. */
unsigned certpair_findings(const struct certpair *pair, time_t now);

/* One sentence for one bit, such as "the certificate expired 3 days ago". path is the certificate
   file's, whose name decides what is suggested. */
void certpair_explain(const struct certpair *pair, enum certpair_finding finding, time_t now,
                      const char *path, char *text, size_t size);

/* "ECDSA P-256", "RSA 2048", ... */
const char *certpair_kind(const struct certpair *pair);
time_t      certpair_not_after(const struct certpair *pair);

struct mbedtls_x509_crt   *certpair_chain(struct certpair *pair); /* borrowed, for tls */
struct mbedtls_pk_context *certpair_key(struct certpair *pair);

struct certpair *certpair_ref(struct certpair *pair);   /* returns pair */
void             certpair_unref(struct certpair *pair); /* accepts NULL; wipes the key at 0 */

#endif
