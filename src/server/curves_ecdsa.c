/*
 * ECDSA with P-256 and SHA-256 (FIPS 186-5): the signature of a handshake.
 *
 * The nonce is RFC 6979's with 32 fresh random bytes behind the hash (its section 3.6): who guesses
 * the random generator still does not know it, and a fault in one of two signatures of the same
 * hash does not tell the key. The bytes are drawn first, and without them there is no signature:
 * Nettle's generators cannot fail.
 */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/psa_util.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/hmac.h>

#include <string.h>

enum { LEN = CURVES_P256_LEN, PAIR = 2 * LEN, BITS = 256 };

CURVES_SEAM(mbedtls_ecdsa_write_signature);

/* n of P-256 (SEC 2 section 2.4.2). */
static const uint8_t order[LEN] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

/* --- The nonce: RFC 6979 section 3.2, by its letters */

struct nonce {
    uint8_t K[SHA256_DIGEST_SIZE];
    uint8_t V[SHA256_DIGEST_SIZE];
    bool    drawn;
};

static void next_value(struct nonce *nonce)
{
    struct hmac_sha256_ctx hmac;

    hmac_sha256_set_key(&hmac, sizeof(nonce->K), nonce->K);
    hmac_sha256_update(&hmac, sizeof(nonce->V), nonce->V);
    hmac_sha256_digest(&hmac, sizeof(nonce->V), nonce->V);
    explicit_bzero(&hmac, sizeof(hmac));
}

/* K = HMAC_K(V || tag || seed), V = HMAC_K(V): steps d to g, and what follows a draw that won't do. */
static void mix(struct nonce *nonce, uint8_t tag, size_t seed_len, const uint8_t *seed)
{
    struct hmac_sha256_ctx hmac;

    hmac_sha256_set_key(&hmac, sizeof(nonce->K), nonce->K);
    hmac_sha256_update(&hmac, sizeof(nonce->V), nonce->V);
    hmac_sha256_update(&hmac, 1, &tag);
    hmac_sha256_update(&hmac, seed_len, seed);
    hmac_sha256_digest(&hmac, sizeof(nonce->K), nonce->K);
    explicit_bzero(&hmac, sizeof(hmac));
    next_value(nonce);
}

static void draw(void *context, size_t len, uint8_t *out)
{
    struct nonce *nonce = context;

    if (nonce->drawn)
        mix(nonce, 0, 0, NULL);
    nonce->drawn = true;
    for (size_t at = 0; at < len; at += sizeof(nonce->V)) {
        size_t rest = len - at;

        next_value(nonce);
        memcpy(out + at, nonce->V, rest < sizeof(nonce->V) ? rest : sizeof(nonce->V));
    }
}

/* hash modulo n (bits2octets), which is less than twice n; it is nobody's secret. */
static void reduce(uint8_t reduced[LEN], const uint8_t hash[LEN])
{
    bool     subtract = memcmp(hash, order, LEN) >= 0;
    unsigned borrow = 0;

    for (size_t i = LEN; i-- > 0;) {
        unsigned take = (subtract ? order[i] : 0) + borrow;

        borrow = hash[i] < take;
        reduced[i] = (uint8_t)(hash[i] - take);
    }
}

static void nonce_start(struct nonce *nonce, const uint8_t key[LEN], const uint8_t hash[LEN],
                        const uint8_t *fresh, size_t fresh_len)
{
    uint8_t seed[PAIR + CURVES_FRESH_LEN];
    size_t  len = PAIR + fresh_len;

    memcpy(seed, key, LEN);
    reduce(seed + LEN, hash);
    if (fresh_len > 0)
        memcpy(seed + PAIR, fresh, fresh_len);
    memset(nonce->K, 0, sizeof(nonce->K));
    memset(nonce->V, 1, sizeof(nonce->V));
    nonce->drawn = false;
    mix(nonce, 0, len, seed);
    mix(nonce, 1, len, seed);
    explicit_bzero(seed, sizeof(seed));
}

/* --- The signature */

static void bytes_from_number(uint8_t bytes[LEN], const mpz_t number)
{
    mp_limb_t limbs[CURVES_P256_LIMBS];

    for (size_t i = 0; i < CURVES_P256_LIMBS; i++)
        limbs[i] = mpz_getlimbn(number, (mp_size_t)i);
    curves_bytes_from_limbs(bytes, limbs);
}

bool curves_ecdsa_sign(uint8_t signature[PAIR], const uint8_t key[LEN], const uint8_t hash[LEN],
                       const uint8_t *fresh, size_t fresh_len)
{
    struct nonce         nonce;
    struct ecc_scalar    scalar;
    struct dsa_signature rs;
    bool                 done;

    ecc_scalar_init(&scalar, nettle_get_secp_256r1());
    done = curves_set_scalar(&scalar, key);
    if (done) {
        nonce_start(&nonce, key, hash, fresh, fresh_len);
        dsa_signature_init(&rs);
        ecdsa_sign(&scalar, &nonce, draw, LEN, hash, &rs);
        bytes_from_number(signature, rs.r);
        bytes_from_number(signature + LEN, rs.s);
        CURVES_PUBLIC(signature, PAIR); /* it goes out */
    }
    explicit_bzero(&nonce, sizeof(nonce));
    curves_memory_wipe(); /* clears the scalar and the signature as well */
    return done;
}

/* --- In mbedTLS's place */

/* False: mbedTLS is to decide. Else *result is the outcome. */
static bool write_signature(int *result, const mbedtls_ecdsa_context *ctx,
                            const unsigned char *hash, unsigned char *sig, size_t sig_size,
                            size_t *slen, int (*f_rng)(void *, unsigned char *, size_t),
                            void   *p_rng)
{
    uint8_t key[LEN], fresh[CURVES_FRESH_LEN], signature[PAIR];
    bool    done;

    if (!curves_write_number(&ctx->d, key))
        return false;
    *result = f_rng(p_rng, fresh, sizeof(fresh));
    done = *result != 0 ||
           (curves_ecdsa_sign(signature, key, hash, fresh, sizeof(fresh)) &&
            mbedtls_ecdsa_raw_to_der(BITS, signature, sizeof(signature), sig, sig_size, slen) == 0);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(fresh, sizeof(fresh));
    return done;
}

int CURVES_FUNCTION(mbedtls_ecdsa_write_signature)(
    mbedtls_ecdsa_context *ctx, mbedtls_md_type_t md_alg, const unsigned char *hash, size_t hlen,
    unsigned char *sig, size_t sig_size, size_t *slen,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
    struct curves_state *state = &curves_states[CURVES_ECDSA];
    int                  result;

    if (state->on && ctx->grp.id == MBEDTLS_ECP_DP_SECP256R1 && md_alg == MBEDTLS_MD_SHA256 &&
        hlen == LEN && f_rng != NULL &&
        write_signature(&result, ctx, hash, sig, sig_size, slen, f_rng, p_rng)) {
        state->calls++;
        return result;
    }
    return CURVES_STOCK(mbedtls_ecdsa_write_signature)(ctx, md_alg, hash, hlen, sig, sig_size, slen,
                                                       f_rng, p_rng);
}

#endif
