#include "common/certificate.h"

#include "common/hostname.h"

#include <string.h>

enum { DAY = 86400 /* seconds */ };

bool certificate_is_dns_id(const mbedtls_x509_sequence *name)
{
    const int dns_name = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2;

    return name->buf.p && (name->buf.tag &
                           (MBEDTLS_ASN1_TAG_CLASS_MASK | MBEDTLS_ASN1_TAG_VALUE_MASK)) == dns_name;
}

bool certificate_covers(const mbedtls_x509_crt *certificate, const char *host)
{
    for (const mbedtls_x509_sequence *at = &certificate->subject_alt_names; at; at = at->next)
        if (certificate_is_dns_id(at) &&
            hostname_covered_by(host, (const char *)at->buf.p, at->buf.len))
            return true;
    return false;
}

static bool same_bytes(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

bool certificate_is_self_signed(const mbedtls_x509_crt *certificate)
{
    return same_bytes(&certificate->issuer_raw, &certificate->subject_raw);
}

bool certificate_issued_by(const mbedtls_x509_crt *child, const mbedtls_x509_crt *parent)
{
    const mbedtls_x509_buf *wanted = &child->authority_key_id.keyIdentifier;

    return same_bytes(&child->issuer_raw, &parent->subject_raw) &&
           (wanted->len == 0 || parent->subject_key_id.len == 0 ||
            same_bytes(wanted, &parent->subject_key_id));
}

time_t certificate_time(const mbedtls_x509_time *time)
{
    struct tm parts = { .tm_year = time->year - 1900,
                        .tm_mon = time->mon - 1,
                        .tm_mday = time->day,
                        .tm_hour = time->hour,
                        .tm_min = time->min,
                        .tm_sec = time->sec };

    return timegm(&parts);
}

bool certificate_ends_soon(time_t not_before, time_t not_after, time_t now)
{
    time_t left = not_after - now, life = not_after - not_before;

    return left >= 0 && left < (time_t)CERTIFICATE_SOON * DAY && left < life / 6;
}
