/*
 * mbedtls_compat: all that differs between mbedTLS 3.6 and 4 in what we call of it. Version 4 has a
 * random generator of its own; 3.6 is told with each call which one to take, and takes PSA's.
 */
#ifndef COMMON_MBEDTLS_COMPAT_H
#define COMMON_MBEDTLS_COMPAT_H

#include <mbedtls/pk.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER < 0x04000000

static inline void mbedtls_compat_conf_rng(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_rng(config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
}

/* A key without a password. The size counts the NUL that PEM ends in. */
static inline int mbedtls_compat_parse_key(mbedtls_pk_context *key, const unsigned char *text,
                                           size_t size)
{
    return mbedtls_pk_parse_key(key, text, size, NULL, 0, mbedtls_psa_get_random,
                                MBEDTLS_PSA_RANDOM_STATE);
}

static inline int mbedtls_compat_check_pair(mbedtls_pk_context *public, mbedtls_pk_context *private)
{
    return mbedtls_pk_check_pair(public, private, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
}

/*
 * Gives up what an RSA key keeps from one signature to the next, to blind it: the next one makes it
 * anew. Where memory ends while the two numbers are made or changed, they don't belong together,
 * nobody notices, and every later signature would be wrong.
 */
static inline void mbedtls_compat_forget_blinding(mbedtls_pk_context *key)
{
    if (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA) {
        mbedtls_rsa_context *rsa = mbedtls_pk_rsa(*key);

        mbedtls_mpi_free(&rsa->MBEDTLS_PRIVATE(Vi));
        mbedtls_mpi_free(&rsa->MBEDTLS_PRIVATE(Vf));
    }
}

#else

static inline void mbedtls_compat_conf_rng(mbedtls_ssl_config *config)
{
    (void)config;
}

static inline int mbedtls_compat_parse_key(mbedtls_pk_context *key, const unsigned char *text,
                                           size_t size)
{
    return mbedtls_pk_parse_key(key, text, size, NULL, 0);
}

/*
 * Version 4's own check compares public parts. 4.1.0 has none for an RSA key from PKCS #8, and
 * refuses it; and for an EC key it takes the one that stands in the file, whatever the private part
 * is. So the key signs, and the certificate verifies, as in a handshake.
 */
static inline int mbedtls_compat_check_pair(mbedtls_pk_context *public, mbedtls_pk_context *private)
{
    static const unsigned char hash[32] = { 1 };
    unsigned char              signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t                     len;
    int result = mbedtls_pk_sign(private, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature,
                                 sizeof(signature), &len);

    return result != 0
               ? result
               : mbedtls_pk_verify(public, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature, len);
}

/* Version 4 keeps nothing: each signature has an RSA context of its own. */
static inline void mbedtls_compat_forget_blinding(mbedtls_pk_context *key)
{
    (void)key;
}

#endif

#endif
