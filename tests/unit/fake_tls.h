/*
 * fake_tls: the TLS of a fake_server, in the child that serves one connection. Whatever goes wrong
 * ends that child: the client's side is judged.
 */
#ifndef UNIT_FAKE_TLS_H
#define UNIT_FAKE_TLS_H

#include "common/mbedtls_compat.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAKE_TLS_FILE_MAX = 16384 };

struct fake_tls_options {
    const char                  *certificates; /* names in tests/unit/pki, blank-separated */
    const char                  *key;
    mbedtls_ssl_protocol_version min, max; /* 0: any */
};

static inline void fake_tls_need(bool good)
{
    if (!good)
        _exit(1);
}

static inline size_t fake_tls_read_file(const char *name, const char *ending, unsigned char *text)
{
    char   path[128];
    FILE  *file;
    size_t len;

    snprintf(path, sizeof(path), "tests/unit/pki/%s.%s", name, ending);
    fake_tls_need((file = fopen(path, "r")) != NULL);
    len = fread(text, 1, FAKE_TLS_FILE_MAX - 1, file);
    text[len] = '\0';
    fclose(file);
    return len + 1;
}

static inline int fake_tls_send(void *context, const unsigned char *bytes, size_t len)
{
    ssize_t sent = send(*(int *)context, bytes, len, MSG_NOSIGNAL);

    return sent < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)sent;
}

static inline int fake_tls_recv(void *context, unsigned char *bytes, size_t len)
{
    ssize_t got = recv(*(int *)context, bytes, len, 0);

    return got < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)got;
}

/* After the handshake; one in a process. */
static inline mbedtls_ssl_context *fake_tls_accept(int fd, const struct fake_tls_options *options)
{
    static mbedtls_ssl_context ssl;
    static mbedtls_ssl_config  config;
    static mbedtls_x509_crt    chain;
    static mbedtls_pk_context  key;
    static unsigned char       text[FAKE_TLS_FILE_MAX];
    static int                 socket;
    char                       names[128], *rest;

    socket = fd;
    fake_tls_need(psa_crypto_init() == PSA_SUCCESS);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&chain);
    mbedtls_pk_init(&key);
    fake_tls_need(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER,
                                              MBEDTLS_SSL_TRANSPORT_STREAM,
                                              MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_compat_conf_rng(&config);
    if (options->min)
        mbedtls_ssl_conf_min_tls_version(&config, options->min);
    if (options->max)
        mbedtls_ssl_conf_max_tls_version(&config, options->max);
    snprintf(names, sizeof(names), "%s", options->certificates);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        fake_tls_need(mbedtls_x509_crt_parse(&chain, text, fake_tls_read_file(name, "pem", text)) ==
                      0);
    fake_tls_need(
        mbedtls_compat_parse_key(&key, text, fake_tls_read_file(options->key, "key", text)) == 0);
    fake_tls_need(mbedtls_ssl_conf_own_cert(&config, &chain, &key) == 0);
    fake_tls_need(mbedtls_ssl_setup(&ssl, &config) == 0);
    mbedtls_ssl_set_bio(&ssl, &socket, fake_tls_send, fake_tls_recv, NULL);
    fake_tls_need(mbedtls_ssl_handshake(&ssl) == 0);
    return &ssl;
}

static inline void fake_tls_write(mbedtls_ssl_context *ssl, const char *bytes, size_t len)
{
    while (len > 0) {
        int sent = mbedtls_ssl_write(ssl, (const unsigned char *)bytes, len);

        fake_tls_need(sent > 0);
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* Up to the end of a head, or of the connection; text has a NUL then. */
static inline size_t fake_tls_read_head(mbedtls_ssl_context *ssl, char *text, size_t size)
{
    size_t len = 0;
    int    got = 1;

    text[0] = '\0';
    while (len < size - 1 && got > 0 && !strstr(text, "\r\n\r\n")) {
        got = mbedtls_ssl_read(ssl, (unsigned char *)text + len, size - 1 - len);
        if (got > 0)
            len += (size_t)got;
        text[len] = '\0';
    }
    return len;
}

#endif
