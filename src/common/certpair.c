#include "common/certpair.h"

#include "common/certfile.h"
#include "common/certificate.h"
#include "common/memory.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RSA_BITS_MIN = 1024,
    RSA_BITS_GOOD = 2048, /* CA/Browser Forum baseline requirements 6.1.5 */
    DAY = 86400           /* seconds */
};

struct certpair {
    unsigned           references;
    unsigned           findings;     /* those that time does not change */
    unsigned           out_of_order; /* which did not sign the one before it, from 1 */
    unsigned           bits;
    time_t             not_before, not_after;
    char               kind[24];
    mbedtls_x509_crt   chain;
    mbedtls_pk_context key;
};

/* --- Proofs --- */

/* What TLS 1.2 and 1.3 can both be served with, and senders know. */
static int prove_kind(struct certpair *pair, char *error)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_type_t       type;
    unsigned             bits;

    if (mbedtls_pk_get_psa_attributes(&pair->chain.pk, PSA_KEY_USAGE_VERIFY_HASH, &attributes) != 0)
        return certfile_refuse(error, "the certificate's key can't sign: get an ECDSA P-256 "
                                      "certificate");
    type = psa_get_key_type(&attributes);
    bits = (unsigned)psa_get_key_bits(&attributes);
    psa_reset_key_attributes(&attributes);
    if (PSA_KEY_TYPE_IS_RSA(type)) {
        snprintf(pair->kind, sizeof(pair->kind), "RSA %u", bits);
        if (bits < RSA_BITS_MIN)
            return certfile_refuse(error, "%s is too short: get an ECDSA P-256 certificate",
                                   pair->kind);
        if (bits < RSA_BITS_GOOD)
            pair->findings |= CERTPAIR_WEAK_KEY;
    } else if (PSA_KEY_TYPE_IS_ECC(type) &&
               PSA_KEY_TYPE_ECC_GET_FAMILY(type) == PSA_ECC_FAMILY_SECP_R1 && bits >= 256) {
        snprintf(pair->kind, sizeof(pair->kind), "ECDSA P-%u", bits);
    } else {
        return certfile_refuse(error, "a curve that senders don't know: get an ECDSA P-256 "
                                      "certificate");
    }
    pair->bits = bits;
    return 0;
}

/* ", only a.example, b.example ..." as far as it fits. What a CA signed may hold any byte. */
static void list_names(const mbedtls_x509_crt *certificate, char *text, size_t size)
{
    const char *before = ", only ";
    size_t      len = 0;

    text[0] = '\0';
    for (const mbedtls_x509_sequence *at = &certificate->subject_alt_names; at; at = at->next) {
        if (!certificate_is_dns_id(at))
            continue;
        if (len + strlen(before) + at->buf.len + sizeof(", ...") > size) {
            snprintf(text + len, size - len, ", ...");
            return;
        }
        len += (size_t)snprintf(text + len, size - len, "%s", before);
        for (size_t i = 0; i < at->buf.len; i++) {
            uint8_t byte = at->buf.p[i];

            text[len++] = byte > 0x20 && byte < 0x7f ? (char)byte : '?';
        }
        text[len] = '\0';
        before = ", ";
    }
}

/* RFC 8461 3.3: the DNS-IDs count, never the subject's common name. */
static int prove_host(const struct certpair *pair, const char *host, char *error)
{
    char     names[120];
    unsigned position = 1;

    if (certificate_covers(&pair->chain, host))
        return 0;
    if (!pair->chain.subject_alt_names.buf.p)
        return certfile_refuse(error, "the certificate has no subjectAltName, and senders look at "
                                      "nothing else");
    for (const mbedtls_x509_crt *at = pair->chain.next; at; at = at->next) {
        position++;
        if (certificate_covers(at, host))
            return certfile_refuse(error,
                                   "the first certificate in the file is not the one for "
                                   "%.100s: that is number %u",
                                   host, position);
    }
    list_names(&pair->chain, names, sizeof(names));
    return certfile_refuse(error, "the certificate does not cover %.100s%s", host, names);
}

/*
 * A certificate that says it is not for this is refused, not served: no sender can
 * accept it, and mbedTLS would end the handshake with less to say. That it is a CA's own
 * (as `openssl req -x509` makes them) is nobody's reason to refuse it, so not ours.
 */
static int prove_usage(const struct certpair *pair, char *error)
{
    static const char server_auth[] = "\x2b\x06\x01\x05\x05\x07\x03\x01"; /* RFC 5280 4.2.1.12 */

    if (mbedtls_x509_crt_check_key_usage(&pair->chain, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
        return certfile_refuse(error, "the certificate's keyUsage does not allow digitalSignature, "
                                      "which every handshake needs");
    if (mbedtls_x509_crt_check_extended_key_usage(&pair->chain, server_auth,
                                                  sizeof(server_auth) - 1) != 0)
        return certfile_refuse(error, "the certificate's extendedKeyUsage does not allow "
                                      "serverAuth: it is for no server");
    return 0;
}

/* --- What is told about a pair that is served --- */

static void look_at_chain(struct certpair *pair)
{
    const mbedtls_x509_crt *leaf = &pair->chain;
    unsigned                position = 1;

    pair->not_before = certificate_time(&leaf->valid_from);
    pair->not_after = certificate_time(&leaf->valid_to);
    if (!leaf->next && !certificate_is_self_signed(leaf))
        pair->findings |= CERTPAIR_NO_INTERMEDIATE;
    for (const mbedtls_x509_crt *at = leaf; at->next && !pair->out_of_order; at = at->next) {
        position++;
        if (!certificate_issued_by(at, at->next)) {
            pair->findings |= CERTPAIR_OUT_OF_ORDER;
            pair->out_of_order = position;
        }
    }
}

int certpair_init(void)
{
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

struct certpair *certpair_read(int certificate_fd, int key_fd, char *error)
{
    unsigned long    failures = memory_failures();
    struct certpair *pair;
    bool             readable = false;

    pair = calloc(1, sizeof(*pair));
    if (!pair) {
        certfile_refuse(error, "out of memory");
        return NULL;
    }
    pair->references = 1;
    mbedtls_x509_crt_init(&pair->chain);
    mbedtls_pk_init(&pair->key);
    if (certfile_read(certificate_fd, key_fd, &pair->chain, &pair->key, &readable, error) != 0 ||
        prove_kind(pair, error) != 0) {
        if (memory_failures() != failures) /* whatever mbedTLS took it for */
            certfile_refuse(error, "out of memory");
        certpair_unref(pair);
        return NULL;
    }
    if (readable)
        pair->findings |= CERTPAIR_KEY_READABLE;
    look_at_chain(pair);
    return pair;
}

int certpair_prove(const struct certpair *pair, const char *host, char *error)
{
    if (prove_host(pair, host, error) != 0)
        return -1;
    return prove_usage(pair, error);
}

struct certpair *certpair_load(int certificate_fd, int key_fd, const char *host, char *error)
{
    struct certpair *pair = certpair_read(certificate_fd, key_fd, error);

    if (pair && certpair_prove(pair, host, error) == 0)
        return pair;
    certpair_unref(pair);
    return NULL;
}

unsigned certpair_findings(const struct certpair *pair, time_t now)
{
    unsigned findings = pair->findings;

    if (now > pair->not_after) /* RFC 5280 4.1.2.5: both ends are inclusive */
        findings |= CERTPAIR_EXPIRED;
    if (now < pair->not_before)
        findings |= CERTPAIR_NOT_YET_VALID;
    if (certificate_ends_soon(pair->not_before, pair->not_after, now))
        findings |= CERTPAIR_EXPIRES_SOON;
    return findings;
}

static const char *span(time_t seconds, char *text, size_t size)
{
    static const struct {
        time_t      seconds;
        const char *name;
    } units[] = {
        { DAY, "day" },
        { 3600, "hour" },
        { 60, "minute" },
        { 1, "second" },
    };
    size_t i = 0;
    time_t count;

    while (i < 3 && seconds < units[i].seconds)
        i++;
    count = seconds / units[i].seconds;
    snprintf(text, size, "%lld %s%s", (long long)count, units[i].name, count == 1 ? "" : "s");
    return text;
}

/* ACME clients keep the leaf alone in cert.pem, and the whole chain in fullchain.pem or the like. */
static void explain_no_intermediate(const char *path, char *text, size_t size)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    if (strstr(name, "fullchain") == NULL)
        snprintf(text, size,
                 "the certificate file holds the leaf without its intermediate; did "
                 "you mean fullchain.pem?");
    else
        snprintf(text, size,
                 "the certificate file holds the leaf without its intermediate, though its name "
                 "is %.60s: append the CA's intermediate certificate, or issue it again",
                 name);
}

void certpair_explain(const struct certpair *pair, enum certpair_finding finding, time_t now,
                      const char *path, char *text, size_t size)
{
    char time[48];

    switch (finding) {
    case CERTPAIR_EXPIRED:
        snprintf(text, size, "the certificate expired %s ago",
                 span(now - pair->not_after, time, sizeof(time)));
        break;
    case CERTPAIR_NOT_YET_VALID:
        snprintf(text, size, "the certificate is not valid for another %s: is the clock right?",
                 span(pair->not_before - now, time, sizeof(time)));
        break;
    case CERTPAIR_EXPIRES_SOON:
        snprintf(text, size, "the certificate expires in %s",
                 span(pair->not_after - now, time, sizeof(time)));
        break;
    case CERTPAIR_NO_INTERMEDIATE:
        explain_no_intermediate(path, text, size);
        break;
    case CERTPAIR_OUT_OF_ORDER:
        snprintf(text, size,
                 "the chain is out of order: certificate %u of the file did not sign "
                 "the one before it",
                 pair->out_of_order);
        break;
    case CERTPAIR_KEY_READABLE:
        snprintf(text, size, "everyone on this machine can read the key");
        break;
    case CERTPAIR_WEAK_KEY:
        snprintf(text, size,
                 "the key has %u bits, and senders want %d: get an ECDSA P-256 "
                 "certificate",
                 pair->bits, RSA_BITS_GOOD);
        break;
    }
}

const char *certpair_kind(const struct certpair *pair)
{
    return pair->kind;
}

time_t certpair_not_after(const struct certpair *pair)
{
    return pair->not_after;
}

struct mbedtls_x509_crt *certpair_chain(struct certpair *pair)
{
    return &pair->chain;
}

struct mbedtls_pk_context *certpair_key(struct certpair *pair)
{
    return &pair->key;
}

struct certpair *certpair_ref(struct certpair *pair)
{
    pair->references++;
    return pair;
}

void certpair_unref(struct certpair *pair)
{
    if (!pair || --pair->references > 0)
        return;
    mbedtls_x509_crt_free(&pair->chain);
    mbedtls_pk_free(&pair->key); /* wipes it */
    free(pair);
}
