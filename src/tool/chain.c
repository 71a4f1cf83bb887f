#include "tool/chain.h"

#include "common/certificate.h"
#include "common/hostname.h"
#include "common/memory.h"

#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What a stranger wrote, as visible ASCII. */
static size_t put_visible(char *out, const mbedtls_x509_buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        uint8_t byte = text->p[i];

        out[i] = (char)(byte > 0x20 && byte < 0x7f ? byte : '?');
    }
    out[text->len] = '\0';
    return text->len;
}

/* --- Names --- */

/* As many as fit, each with room for the "..." that may have to follow it. */
static void list_dns_names(const mbedtls_x509_crt *leaf, char *names)
{
    size_t len = 0;

    names[0] = '\0';
    for (const mbedtls_x509_sequence *at = &leaf->subject_alt_names; at; at = at->next) {
        if (!certificate_is_dns_id(at))
            continue;
        if (len + at->buf.len + sizeof("  ...") > CHAIN_NAMES_MAX) {
            snprintf(names + len, CHAIN_NAMES_MAX - len, "%s...", len > 0 ? " " : "");
            return;
        }
        if (len > 0)
            names[len++] = ' ';
        len += put_visible(names + len, &at->buf);
    }
}

static const mbedtls_x509_name *find_attribute(const mbedtls_x509_name *name, const char *oid)
{
    for (; name; name = name->next)
        if (name->oid.len == strlen(oid) && memcmp(name->oid.p, oid, name->oid.len) == 0)
            return name;
    return NULL;
}

/* Cut where it does not fit: it is for reading alone. */
static void put_attribute(const mbedtls_x509_name *attribute, char *out, size_t size)
{
    mbedtls_x509_buf text = attribute->val;

    if (text.len >= size)
        text.len = size - 1;
    put_visible(out, &text);
    for (size_t i = 0; i < text.len; i++) /* of people, not of hosts */
        if (text.p[i] == ' ')
            out[i] = ' ';
}

/* RFC 5280 appendix A.1: id-at-commonName, id-at-organizationName */
static const char common_name[] = "\x55\x04\x03", organisation[] = "\x55\x04\x0a";

static void read_names(const mbedtls_x509_crt *leaf, struct chain *chain)
{
    const mbedtls_x509_name *subject = find_attribute(&leaf->subject, common_name),
                            *issuer = find_attribute(&leaf->issuer, common_name);

    list_dns_names(leaf, chain->names);
    if (chain->names[0] == '\0' && subject) {
        memcpy(chain->names, "CN=", 3);
        put_attribute(subject, chain->names + 3, CHAIN_NAMES_MAX - 3);
    }
    if (!issuer)
        issuer = find_attribute(&leaf->issuer, organisation);
    if (issuer)
        put_attribute(issuer, chain->issuer, CHAIN_NAME_MAX);
}

/* --- Whom it covers, and who signed it --- */

/* "*.example.org" for a.b.example.org, which no sender takes it for. */
static bool would_cover(const mbedtls_x509_buf *name, const char *host)
{
    size_t host_len = strlen(host), suffix_len;

    if (name->len < 3 || name->p[0] != '*' || name->p[1] != '.')
        return false;
    suffix_len = name->len - 1; /* with its dot */
    return host_len > suffix_len && hostname_equal(host + host_len - suffix_len, suffix_len,
                                                   (const char *)name->p + 1, suffix_len);
}

static bool is_too_deep(const mbedtls_x509_crt *leaf, const char *host)
{
    for (const mbedtls_x509_sequence *at = &leaf->subject_alt_names; at; at = at->next)
        if (certificate_is_dns_id(at) && would_cover(&at->buf, host))
            return true;
    return false;
}

static bool has_issuer(const mbedtls_x509_crt *leaf)
{
    for (const mbedtls_x509_crt *at = leaf->next; at; at = at->next)
        if (certificate_issued_by(leaf, at))
            return true;
    return false;
}

static void read_leaf(const mbedtls_x509_crt *leaf, const char *host, struct chain *chain)
{
    chain->present = true;
    chain->covers = certificate_covers(leaf, host);
    chain->deep = !chain->covers && is_too_deep(leaf, host);
    chain->self_signed = certificate_is_self_signed(leaf);
    chain->not_before = certificate_time(&leaf->valid_from);
    chain->not_after = certificate_time(&leaf->valid_to);
    read_names(leaf, chain);
    chain->has_names = leaf->subject_alt_names.buf.p != NULL;
}

bool chain_read(const char *const *pems, size_t count, const char *host, struct chain *chain)
{
    mbedtls_x509_crt certificates;
    unsigned long    failures = memory_failures();
    size_t           read = 0;

    memset(chain, 0, sizeof(*chain));
    chain->length = count;
    if (psa_crypto_init() != PSA_SUCCESS)
        return false;
    mbedtls_x509_crt_init(&certificates);
    for (size_t i = 0; i < count && (i == 0 || read > 0); i++)
        if (mbedtls_x509_crt_parse(&certificates, (const uint8_t *)pems[i], strlen(pems[i]) + 1) ==
            0)
            read++;
    if (read > 0) {
        read_leaf(&certificates, host, chain);
        /* One that cannot be read may be the one that signed it. */
        chain->lone = read == count && !chain->self_signed && !has_issuer(&certificates);
    }
    mbedtls_x509_crt_free(&certificates);
    return read == count || memory_failures() == failures;
}

bool chain_ends_soon(const struct chain *chain, time_t now)
{
    return certificate_ends_soon(chain->not_before, chain->not_after, now);
}
