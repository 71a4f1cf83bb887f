/*
 * certificate: what both programs read from a parsed certificate: whom it is for, who signed it,
 * and how long it lasts. Pure functions.
 */
#ifndef COMMON_CERTIFICATE_H
#define COMMON_CERTIFICATE_H

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <time.h>

enum { CERTIFICATE_SOON = 14 /* days */ };

/* Is it a DNS-ID (RFC 5280 section 4.2.1.6), the only kind of name that counts here? An empty list
   of names has one item with no bytes, which is none. */
bool certificate_is_dns_id(const mbedtls_x509_sequence *name);

/* Does one of its DNS-IDs cover the host (canonical)? */
bool certificate_covers(const mbedtls_x509_crt *certificate, const char *host);

/* By its subject and issuer: nothing is verified. */
bool certificate_is_self_signed(const mbedtls_x509_crt *certificate);

/* By names and key ids (RFC 5280 sections 6.1.3, 4.2.1.1); the signature itself is the sender's to
   check. */
bool certificate_issued_by(const mbedtls_x509_crt *child, const mbedtls_x509_crt *parent);

time_t certificate_time(const mbedtls_x509_time *time);

/* Does it end within CERTIFICATE_SOON days? Certificates of six days are in use, so that is never
   more than a sixth of its life. False where it has ended. */
bool certificate_ends_soon(time_t not_before, time_t not_after, time_t now);

#endif
