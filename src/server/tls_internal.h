/* tls_internal: what tls.c (what all sessions of a worker share), tls_session.c and tls_alert.c have in common. */
#ifndef SERVER_TLS_INTERNAL_H
#define SERVER_TLS_INTERNAL_H

#include "server/tls.h"

#include <mbedtls/ssl.h>

struct tls {
    mbedtls_ssl_config sha256; /* TLS 1.3 with AES-128 alone: no SHA-384 is computed */
    mbedtls_ssl_config all;    /* for clients that offer only others */
};

enum { TLS_NO_ALERT = -1 };

/* The alert of RFC 8446 section 6 for an error of mbedTLS. TLS_NO_ALERT: the peer has ended, or sent one itself. */
int tls_alert_for(int error, bool is_before_server_hello);

/* The callback of both: gives a session's handshake the certificate of its session. */
int tls_give_certificate(mbedtls_ssl_context *ssl);

#endif
