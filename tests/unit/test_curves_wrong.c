/*
 * curves_selftest: it sees each answer that is wrong. What takes the place of mbedTLS's functions here
 * is mbedTLS's own with one bit changed, in one call of all that a self-test makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "server/curves.h"
#include "server/curves_internal.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/sha256.h>

CURVES_SEAM(mbedtls_ecp_mul);
CURVES_SEAM(mbedtls_ecp_mul_restartable);
CURVES_SEAM(mbedtls_ecp_check_pub_priv);
CURVES_SEAM(mbedtls_sha256_update);
CURVES_SEAM(mbedtls_sha256_finish);
CURVES_SEAM(mbedtls_ecdsa_write_signature);
CURVES_SEAM(mbedtls_mpi_exp_mod);

static enum curves_part wrong_part;
static unsigned long    wrong_call; /* the first is 1; 0: none */

/* One more call of this part: is it the one that goes wrong? */
static bool goes_wrong(enum curves_part part)
{
    return ++curves_states[part].calls == wrong_call && part == wrong_part;
}

static void change(mbedtls_mpi *number)
{
    assert_int_equal(mbedtls_mpi_set_bit(number, 77, !mbedtls_mpi_get_bit(number, 77)), 0);
}

static void change_product(const mbedtls_ecp_group *grp, mbedtls_ecp_point *R)
{
    if (grp->id == MBEDTLS_ECP_DP_SECP256R1 && goes_wrong(CURVES_P256))
        change(&R->X);
    if (grp->id == MBEDTLS_ECP_DP_CURVE25519 && goes_wrong(CURVES_X25519))
        change(&R->X);
}

static bool is_inside; /* a call that a shared library makes of itself comes here, too */

int CURVES_FUNCTION(mbedtls_ecp_mul)(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
                                     const mbedtls_mpi *m, const mbedtls_ecp_point       *P,
                                     int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
    int status;

    is_inside = true;
    status = CURVES_STOCK(mbedtls_ecp_mul)(grp, R, m, P, f_rng, p_rng);
    is_inside = false;
    change_product(grp, R);
    return status;
}

int CURVES_FUNCTION(mbedtls_ecp_mul_restartable)(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
                                                 const mbedtls_mpi *m, const mbedtls_ecp_point *P,
                                                 int (*f_rng)(void *, unsigned char *, size_t),
                                                 void *p_rng, mbedtls_ecp_restart_ctx *rs_ctx)
{
    int status = CURVES_STOCK(mbedtls_ecp_mul_restartable)(grp, R, m, P, f_rng, p_rng, rs_ctx);

    if (!is_inside)
        change_product(grp, R);
    return status;
}

int CURVES_FUNCTION(mbedtls_ecp_check_pub_priv)(const mbedtls_ecp_keypair *pub,
                                                const mbedtls_ecp_keypair *prv,
                                                int (*f_rng)(void *, unsigned char *, size_t),
                                                void *p_rng)
{
    return CURVES_STOCK(mbedtls_ecp_check_pub_priv)(pub, prv, f_rng, p_rng);
}

int CURVES_FUNCTION(mbedtls_sha256_update)(mbedtls_sha256_context *ctx, const unsigned char *input,
                                           size_t ilen)
{
    int status = CURVES_STOCK(mbedtls_sha256_update)(ctx, input, ilen);

    if (ilen > 0 && goes_wrong(CURVES_SHA256))
        ctx->state[3] ^= 1;
    return status;
}

int CURVES_FUNCTION(mbedtls_sha256_finish)(mbedtls_sha256_context *ctx, unsigned char *output)
{
    int status = CURVES_STOCK(mbedtls_sha256_finish)(ctx, output);

    if (goes_wrong(CURVES_SHA256))
        output[31] ^= 1;
    return status;
}

/* mbedTLS's signature is good, and has no fresh bytes in it: another than the one that is waited for. */
int CURVES_FUNCTION(mbedtls_ecdsa_write_signature)(
    mbedtls_ecdsa_context *ctx, mbedtls_md_type_t md_alg, const unsigned char *hash, size_t hlen,
    unsigned char *sig, size_t sig_size, size_t *slen,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
    goes_wrong(CURVES_ECDSA);
    return CURVES_STOCK(mbedtls_ecdsa_write_signature)(ctx, md_alg, hash, hlen, sig, sig_size, slen,
                                                       f_rng, p_rng);
}

int CURVES_FUNCTION(mbedtls_mpi_exp_mod)(mbedtls_mpi *X, const mbedtls_mpi *A, const mbedtls_mpi *E,
                                         const mbedtls_mpi *N, mbedtls_mpi *prec_RR)
{
    int status = CURVES_STOCK(mbedtls_mpi_exp_mod)(X, A, E, N, prec_RR);

    if (goes_wrong(CURVES_EXP_MOD))
        change(X);
    return status;
}

const char *curves_multiply_start(void)
{
    return NULL;
}

/* The self-test of a part in which that call goes wrong. */
static bool passes(bool (*selftest)(void), enum curves_part part, unsigned long call)
{
    wrong_part = part;
    wrong_call = call;
    curves_states[part].calls = 0;
    return selftest();
}

static void assert_every_wrong_call_is_seen(bool (*selftest)(void), enum curves_part part)
{
    unsigned long calls;

    assert_true(passes(selftest, part, 0));
    calls = curves_states[part].calls;
    assert_true(calls > 0);
    for (unsigned long call = 1; call <= calls; call++)
        if (passes(selftest, part, call))
            fail_msg("call %lu of %lu", call, calls);
}

static void a_product_on_p256_that_is_wrong_is_seen(void **state)
{
    (void)state;
    assert_every_wrong_call_is_seen(curves_selftest_p256, CURVES_P256);
}

static void a_product_on_x25519_that_is_wrong_is_seen(void **state)
{
    (void)state;
    assert_every_wrong_call_is_seen(curves_selftest_x25519, CURVES_X25519);
}

static void a_hash_that_is_wrong_is_seen(void **state)
{
    (void)state;
    assert_every_wrong_call_is_seen(curves_selftest_sha256, CURVES_SHA256);
}

static void a_power_that_is_wrong_is_seen(void **state)
{
    (void)state;
    assert_every_wrong_call_is_seen(curves_selftest_exp_mod, CURVES_EXP_MOD);
}

static void a_signature_without_fresh_bytes_is_seen(void **state)
{
    (void)state;
    assert_false(passes(curves_selftest_ecdsa, CURVES_ECDSA, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_on_p256_that_is_wrong_is_seen),
        cmocka_unit_test(a_product_on_x25519_that_is_wrong_is_seen),
        cmocka_unit_test(a_hash_that_is_wrong_is_seen),
        cmocka_unit_test(a_power_that_is_wrong_is_seen),
        cmocka_unit_test(a_signature_without_fresh_bytes_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include "curves_stock.h"
#endif
