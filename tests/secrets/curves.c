/*
 * For valgrind's memcheck: the operations of a handshake, from mbedTLS's function to its result, with
 * every secret marked as undefined. Whatever branches on one of these, or looks up memory by one, is
 * an error then. What is told all the same, in spite of or because of the algorithm, is named: in
 * curves.supp, or by CURVES_PUBLIC in the sources, each with its reason.
 *
 * With the argument "leak" it has such an error, for whoever wants to see whether they are seen.
 */
#include "server/curves.h"
#include "server/curves_internal.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/sha256.h>
#include <valgrind/memcheck.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEN = 32, RSA_LEN = 128, ROUNDS = 3 };

#define MUST(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

_Noreturn static void fail(int line, const char *condition)
{
    fprintf(stderr, "secrets/curves.c:%d: %s\n", line, condition);
    exit(1);
}

static void hide(const void *data, size_t len)
{
    VALGRIND_MAKE_MEM_UNDEFINED(data, len);
}

static void show(const void *data, size_t len)
{
    VALGRIND_MAKE_MEM_DEFINED(data, len);
}

/* All but some bits of one byte, whose value everybody knows. */
static void hide_but(const uint8_t *byte, uint8_t known)
{
    uint8_t hidden = (uint8_t)~known;

    VALGRIND_SET_VBITS(byte, &hidden, 1);
}

static void draw(uint8_t *out, size_t len)
{
    static uint32_t state = 1;

    for (size_t i = 0; i < len; i++) {
        state = state * 1664525 + 1013904223; /* Numerical Recipes */
        out[i] = (uint8_t)(state >> 24);
    }
}

/* For mbedTLS: bytes that nobody knows. */
static int draw_hidden(void *context, unsigned char *out, size_t len)
{
    (void)context;
    draw(out, len);
    hide(out, len);
    return 0;
}

/* len random bytes, of which the first one's upper two bits are 01. */
static void set_secret(mbedtls_mpi *number, size_t len)
{
    uint8_t bytes[RSA_LEN];

    draw(bytes, len);
    bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x3f));
    bytes[len - 1] &= 0xf8;
    MUST(mbedtls_mpi_read_binary(number, bytes, len) == 0);
}

static void hide_number(const mbedtls_mpi *number)
{
    hide(number->p, number->n * sizeof(*number->p));
}

static void show_number(const mbedtls_mpi *number)
{
    show(number->p, number->n * sizeof(*number->p));
}

/* The calls that are ours, since the last time. */
static bool was_ours(enum curves_part part, unsigned long calls)
{
    static unsigned long known[CURVES_PARTS];
    bool                 was = curves_states[part].calls == known[part] + calls;

    known[part] = curves_states[part].calls;
    return was;
}

/* --- Key exchange */

static void multiply(enum curves_part part, mbedtls_ecp_group_id id)
{
    mbedtls_ecp_group group;
    mbedtls_ecp_point point, product;
    mbedtls_mpi       scalar;

    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_ecp_point_init(&product);
    mbedtls_mpi_init(&scalar);
    MUST(mbedtls_ecp_group_load(&group, id) == 0);
    MUST(mbedtls_ecp_copy(&point, &group.G) == 0);
    for (int i = 0; i < ROUNDS; i++) { /* the generator first, then what came out */
        set_secret(&scalar, LEN);
        hide_number(&scalar);
        if (part == CURVES_X25519) { /* RFC 7748 section 5 */
            hide_but((const uint8_t *)scalar.p, 0x07);
            hide_but((const uint8_t *)scalar.p + LEN - 1, 0xc0);
        }
        was_ours(part, 0);
        MUST(mbedtls_ecp_mul(&group, &product, &scalar, &point, draw_hidden, NULL) == 0);
        MUST(was_ours(part, 1));
        show_number(&product.X);
        show_number(&product.Y);
        MUST(mbedtls_ecp_check_pubkey(&group, &product) == 0);
        MUST(mbedtls_ecp_copy(&point, &product) == 0);
    }
    mbedtls_mpi_free(&scalar);
    mbedtls_ecp_point_free(&product);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
}

/* --- Certificate and key */

static void sign(void)
{
    mbedtls_ecp_keypair key;
    uint8_t             hash[LEN], signature[MBEDTLS_ECDSA_MAX_SIG_LEN(256)];
    size_t              len;

    mbedtls_ecp_keypair_init(&key);
    set_secret(&key.d, LEN);
    MUST(mbedtls_ecp_group_load(&key.grp, MBEDTLS_ECP_DP_SECP256R1) == 0);
    MUST(mbedtls_ecp_mul(&key.grp, &key.Q, &key.d, &key.grp.G, draw_hidden, NULL) == 0);
    hide_number(&key.d);
    was_ours(CURVES_P256, 0);
    MUST(mbedtls_ecp_check_pub_priv(&key, &key, draw_hidden, NULL) == 0);
    MUST(was_ours(CURVES_P256, 1));
    for (int i = 0; i < ROUNDS; i++) {
        draw(hash, sizeof(hash));
        was_ours(CURVES_ECDSA, 0);
        MUST(mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, LEN, signature,
                                           sizeof(signature), &len, draw_hidden, NULL) == 0);
        MUST(was_ours(CURVES_ECDSA, 1));
        MUST(mbedtls_ecdsa_read_signature(&key, hash, LEN, signature, len) == 0);
    }
    mbedtls_ecp_keypair_free(&key);
}

/* --- RSA: one of the two powers of a signature */

static mbedtls_mpi base, exponent, prime, power;

static void start_power(void)
{
    mbedtls_mpi_init(&base);
    mbedtls_mpi_init(&exponent);
    mbedtls_mpi_init(&prime);
    mbedtls_mpi_init(&power);
    set_secret(&base, RSA_LEN);
    set_secret(&exponent, RSA_LEN);
    set_secret(&prime, RSA_LEN);
    MUST(mbedtls_mpi_set_bit(&prime, 0, 1) == 0);
    MUST(mbedtls_mpi_set_bit(&prime, 8 * RSA_LEN - 1, 1) == 0);
    hide_number(&base);
    hide_number(&exponent);
}

static void raise(void)
{
    was_ours(CURVES_EXP_MOD, 0);
    MUST(mbedtls_mpi_exp_mod(&power, &base, &exponent, &prime, NULL) == 0);
    MUST(was_ours(CURVES_EXP_MOD, 1));
    mbedtls_mpi_free(&power);
    mbedtls_mpi_free(&prime);
    mbedtls_mpi_free(&exponent);
    mbedtls_mpi_free(&base);
}

static void raise_modulo_a_known_number(void)
{
    start_power();
    raise();
}

/* curves.supp goes by its name. */
__attribute__((noinline)) static void raise_modulo_a_secret_prime(void)
{
    start_power();
    hide_number(&prime);
    hide_but((const uint8_t *)prime.p, 0x01); /* it is odd, and as long as it is said to be */
    hide_but((const uint8_t *)prime.p + RSA_LEN - 1, 0x80);
    raise();
    __asm__ volatile("" ::: "memory"); /* no tail call: it has to be seen in the stack */
}

/* --- Hashes of secrets, as the key schedule has them */

static void hash(void)
{
    mbedtls_sha256_context ctx;
    uint8_t                secret[5 * LEN], out[LEN];

    draw(secret, sizeof(secret));
    hide(secret, sizeof(secret));
    mbedtls_sha256_init(&ctx);
    was_ours(CURVES_SHA256, 0);
    MUST(mbedtls_sha256_starts(&ctx, 0) == 0);
    MUST(mbedtls_sha256_update(&ctx, secret, 37) == 0);
    MUST(mbedtls_sha256_update(&ctx, secret + 37, sizeof(secret) - 37) == 0);
    MUST(mbedtls_sha256_finish(&ctx, out) == 0);
    MUST(was_ours(CURVES_SHA256, 3));
}

static void leak(void)
{
    uint8_t secret;

    draw(&secret, 1);
    hide(&secret, 1);
    if (secret == 7)
        puts("a secret");
}

int main(int argc, char **argv)
{
    MUST(RUNNING_ON_VALGRIND);
    curves_start();
    MUST(curves_trouble() == NULL);
    if (argc > 1 && strcmp(argv[1], "leak") == 0)
        leak();
    multiply(CURVES_P256, MBEDTLS_ECP_DP_SECP256R1);
    multiply(CURVES_X25519, MBEDTLS_ECP_DP_CURVE25519);
    sign();
    raise_modulo_a_known_number();
    raise_modulo_a_secret_prime();
    hash();
    return 0;
}
