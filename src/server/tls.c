#include "server/tls_internal.h"

#include "common/mbedtls_compat.h"
#include "common/memory.h"

#include <mbedtls/ssl.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const alpn_protocols[] = { "http/1.1", NULL };

/* TLS 1.3 follows the client's order among these, 1.2 follows ours. AEAD and forward secrecy only;
   ECDSA first, since a server that has it should not be asked for RSA. */
#define SUITES_TLS12                                           \
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,           \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,         \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,       \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,         \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256

static const int suites_sha256[] = { MBEDTLS_TLS1_3_AES_128_GCM_SHA256, SUITES_TLS12, 0 };
static const int suites_all[] = { MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
                                  MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
                                  MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, SUITES_TLS12, 0 };

/* X25519 first: under TLS 1.2 the order is ours, and it is the cheapest. */
static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                   MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                   MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                   MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
                                   MBEDTLS_SSL_IANA_TLS_GROUP_NONE };

static int configure(mbedtls_ssl_config *config, const int *suites)
{
    int result;

    mbedtls_ssl_config_init(config);
    result = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (result != 0)
        return result;
    mbedtls_compat_conf_rng(config);
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_tls13_key_exchange_modes(config,
                                              MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_cert_cb(config, tls_give_certificate);
    return mbedtls_ssl_conf_alpn_protocols(config, (const char **)(uintptr_t)alpn_protocols);
}

struct tls *tls_new(char *error)
{
    struct tls   *tls = malloc(sizeof(*tls));
    unsigned long failures = memory_failures();
    int           result;

    if (tls == NULL) {
        snprintf(error, TLS_ERROR_MAX, "out of memory: no TLS");
        return NULL;
    }
    mbedtls_ssl_config_init(&tls->all);
    result = configure(&tls->sha256, suites_sha256);
    if (result == 0)
        result = configure(&tls->all, suites_all);
    if (result == 0)
        return tls;
    if (memory_failures() != failures)
        snprintf(error, TLS_ERROR_MAX, "out of memory: no TLS");
    else
        snprintf(error, TLS_ERROR_MAX, "mbedTLS does not take the configuration: error -0x%04x",
                 (unsigned)-result);
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    mbedtls_ssl_config_free(&tls->sha256);
    mbedtls_ssl_config_free(&tls->all);
    free(tls);
}
