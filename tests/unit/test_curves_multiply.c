/*
 * curves_multiply: what is not a plain product of P-256 or X25519 goes to mbedTLS as it came; and a
 * random generator or an allocator that fails is an error, not a key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"
#include "failing_calloc.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/platform.h>

enum { GENERATOR_FAILS = -77 };

static const struct {
    enum curves_part     part;
    mbedtls_ecp_group_id id;
} curves[] = {
    { CURVES_P256, MBEDTLS_ECP_DP_SECP256R1 },
    { CURVES_X25519, MBEDTLS_ECP_DP_CURVE25519 },
};

static unsigned long all_calls(void)
{
    return curves_states[CURVES_P256].calls + curves_states[CURVES_X25519].calls;
}

/* --- One curve, a scalar for it, and a place for the product */

static mbedtls_ecp_group group;
static mbedtls_ecp_point product;
static mbedtls_mpi       scalar;

static void use(mbedtls_ecp_group_id id)
{
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&product);
    mbedtls_mpi_init(&scalar);
    assert_int_equal(mbedtls_ecp_group_load(&group, id), 0);
}

static void set_scalar(size_t size)
{
    uint8_t  bytes[128];
    uint64_t seed = both_random();

    both_draw(&seed, bytes, size);
    bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x3f));
    bytes[size - 1] &= 0xf8;
    assert_int_equal(mbedtls_mpi_read_binary(&scalar, bytes, size), 0);
}

static int drop(void **state)
{
    (void)state;
    mbedtls_mpi_free(&scalar);
    mbedtls_ecp_point_free(&product);
    mbedtls_ecp_group_free(&group);
    return 0;
}

/* --- Who gets it */

static void the_other_curves_are_mbedtlss(void **state)
{
    const mbedtls_ecp_curve_info *known = mbedtls_ecp_curve_list();
    unsigned long                 before = all_calls();
    size_t                        tried = 0;

    (void)state;
    for (; known->grp_id != MBEDTLS_ECP_DP_NONE; known++) {
        uint64_t blinding = 1;

        if (known->grp_id == MBEDTLS_ECP_DP_SECP256R1 ||
            known->grp_id == MBEDTLS_ECP_DP_CURVE25519 || known->grp_id == MBEDTLS_ECP_DP_CURVE448)
            continue;
        use(known->grp_id);
        set_scalar((known->bit_size - 1U) / 8);
        assert_int_equal(mbedtls_ecp_mul(&group, &product, &scalar, &group.G, both_draw, &blinding),
                         0);
        assert_int_equal(mbedtls_ecp_check_pubkey(&group, &product), 0);
        tried++;
        drop(NULL);
    }
    assert_true(tried >= 3); /* P-384 and P-521 among them */
    assert_true(all_calls() == before);
}

/* Which has P-256's numbers, but who knows of which curve they are. */
static void a_group_without_a_name_is_mbedtlss(void **state)
{
    unsigned long before = all_calls();
    uint64_t      blinding = 1;

    (void)state;
    use(MBEDTLS_ECP_DP_SECP256R1);
    group.id = MBEDTLS_ECP_DP_NONE;
    set_scalar(32);
    assert_int_equal(mbedtls_ecp_mul(&group, &product, &scalar, &group.G, both_draw, &blinding), 0);
    assert_true(all_calls() == before);
    group.id = MBEDTLS_ECP_DP_SECP256R1;
}

#ifdef MBEDTLS_ECP_RESTARTABLE
static mbedtls_ecp_restart_ctx slices;
#else
static char slices;
#endif

static void work_in_slices_is_mbedtlss(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        unsigned long before = all_calls();
        uint64_t      blinding = 1;

        use(curves[i].id);
        set_scalar(32);
        assert_int_equal(mbedtls_ecp_mul_restartable(&group, &product, &scalar, &group.G, both_draw,
                                                     &blinding, &slices),
                         0);
        assert_true(all_calls() == before);
        drop(NULL);
    }
}

static void what_is_off_is_mbedtlss(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        unsigned long before = all_calls();
        uint64_t      blinding = 1;

        use(curves[i].id);
        set_scalar(32);
        curves_states[curves[i].part].on = false;
        assert_int_equal(mbedtls_ecp_mul(&group, &product, &scalar, &group.G, both_draw, &blinding),
                         0);
        curves_states[curves[i].part].on = true;
        assert_true(all_calls() == before);
        drop(NULL);
    }
}

/* --- Random generators */

static void without_a_generator_there_is_no_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        unsigned long before = all_calls();

        use(curves[i].id);
        set_scalar(32);
        assert_int_equal(mbedtls_ecp_mul(&group, &product, &scalar, &group.G, NULL, NULL),
                         MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
        assert_int_equal(
            mbedtls_ecp_mul_restartable(&group, &product, &scalar, &group.G, NULL, NULL, NULL),
            MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
        assert_int_equal(mbedtls_mpi_cmp_int(&product.X, 0), 0);
        assert_true(all_calls() == before);
        drop(NULL);
    }
}

/* Says that what it gives is nothing. */
static int fail_to_draw(void *context, unsigned char *out, size_t len)
{
    (void)context;
    memset(out, 1, len);
    return GENERATOR_FAILS;
}

static void a_generator_that_fails_makes_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        unsigned long before = all_calls();
        int           with, without;

        use(curves[i].id);
        with = mbedtls_ecdh_gen_public(&group, &scalar, &product, fail_to_draw, NULL);
        curves_states[curves[i].part].on = false;
        without = mbedtls_ecdh_gen_public(&group, &scalar, &product, fail_to_draw, NULL);
        curves_states[curves[i].part].on = true;
        assert_int_not_equal(with, 0);
        assert_int_equal(with, without);
        assert_int_equal(mbedtls_mpi_cmp_int(&product.X, 0), 0);
        assert_true(all_calls() == before);
        drop(NULL);
    }
}

/* mbedTLS would blind with it. We draw nothing, and all that a product tells is the product. */
static void a_product_needs_no_random_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(curves); i++) {
        use(curves[i].id);
        set_scalar(32);
        assert_int_equal(mbedtls_ecp_mul(&group, &product, &scalar, &group.G, fail_to_draw, NULL),
                         0);
        drop(NULL);
    }
}

/* --- Memory */

static int multiply_without_memory(int allocation)
{
    uint64_t blinding = 1;

    set_scalar(32);
    mbedtls_ecp_point_free(&product);
    allocations_until_failure = allocation;
    return mbedtls_ecp_mul(&group, &product, &scalar, &group.G, both_draw, &blinding);
}

/* Each allocation in turn, until there is no further one. */
static void an_allocation_that_fails_is_told(void **state)
{
    (void)state;
    free(mbedtls_calloc(1, 1));
    if (!allocation_was_seen)
        skip(); /* valgrind puts its own calloc in the place of all others */
    for (size_t i = 0; i < COUNT(curves); i++) {
        int failed = 0;

        use(curves[i].id);
        while (multiply_without_memory(failed + 1) != 0) {
            assert_int_equal(allocations_until_failure, 0);
            assert_null(product.X.p); /* no half of a product */
            assert_null(product.Y.p);
            failed++;
        }
        assert_int_equal(allocations_until_failure, 1); /* which there was not */
        allocations_until_failure = 0;
        assert_true(failed >= 2); /* at least X and Z */
        assert_int_equal(mbedtls_ecp_check_pubkey(&group, &product), 0);
        drop(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_curves_are_mbedtlss),
        cmocka_unit_test_teardown(a_group_without_a_name_is_mbedtlss, drop),
        cmocka_unit_test(work_in_slices_is_mbedtlss),
        cmocka_unit_test(what_is_off_is_mbedtlss),
        cmocka_unit_test(without_a_generator_there_is_no_product),
        cmocka_unit_test(a_generator_that_fails_makes_no_key),
        cmocka_unit_test(a_product_needs_no_random_bytes),
        cmocka_unit_test(an_allocation_that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, both_start, NULL);
}

#else
#include "curves_stock.h"
#endif
