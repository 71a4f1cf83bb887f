/*
 * curves_multiply: whether a private key is a public one's, as mbedTLS has it: what fits is ours to
 * say, and whatever does not is refused by mbedTLS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"

enum { CASES = 40 };

static mbedtls_ecp_keypair public, private;

static int drop(void **state)
{
    (void)state;
    mbedtls_ecp_keypair_free(&public);
    mbedtls_ecp_keypair_free(&private);
    return 0;
}

/* The public one has no private number, as one that comes from a certificate. */
static void make_pair(mbedtls_ecp_group_id id)
{
    uint64_t seed = both_random();

    mbedtls_ecp_keypair_init(&public);
    mbedtls_ecp_keypair_init(&private);
    assert_int_equal(mbedtls_ecp_gen_key(id, &private, both_draw, &seed), 0);
    assert_int_equal(mbedtls_ecp_group_load(&public.grp, id), 0);
    assert_int_equal(mbedtls_ecp_copy(&public.Q, &private.Q), 0);
}

static int make_p256(void **state)
{
    (void)state;
    make_pair(MBEDTLS_ECP_DP_SECP256R1);
    return 0;
}

/* With Nettle and without: the same status, which is returned. */
static int check(void)
{
    uint64_t blinding = 1;
    int      with, without;

    with = mbedtls_ecp_check_pub_priv(&public, &private, both_draw, &blinding);
    curves_states[CURVES_P256].on = false;
    without = mbedtls_ecp_check_pub_priv(&public, &private, both_draw, &blinding);
    curves_states[CURVES_P256].on = true;
    assert_int_equal(with, without);
    return with;
}

static void assert_refused(void)
{
    assert_int_not_equal(check(), 0);
}

static void add(mbedtls_mpi *number, int more)
{
    assert_int_equal(mbedtls_mpi_add_int(number, number, more), 0);
}

static void keys_that_fit_are_ours_to_say_so(void **state)
{
    (void)state;
    for (size_t i = both_cases(CASES); i > 0; i--) {
        unsigned long before;

        make_p256(NULL);
        before = curves_states[CURVES_P256].calls;
        assert_int_equal(check(), 0);
        assert_true(curves_states[CURVES_P256].calls == before + 1);
        drop(NULL);
    }
}

static void keys_at_random_do_not_fit(void **state)
{
    (void)state;
    for (size_t i = both_cases(CASES); i > 0; i--) {
        uint64_t seed = both_random();

        make_p256(NULL);
        assert_int_equal(mbedtls_ecp_gen_privkey(&private.grp, &private.d, both_draw, &seed), 0);
        assert_refused();
        drop(NULL);
    }
}

static void the_next_number_does_not_fit(void **state)
{
    (void)state;
    add(&private.d, 1);
    assert_refused();
}

/* Its product has the same X. */
static void the_opposite_number_does_not_fit(void **state)
{
    (void)state;
    assert_int_equal(mbedtls_mpi_sub_mpi(&private.d, &private.grp.N, &private.d), 0);
    assert_refused();
}

static void numbers_out_of_range_do_not_fit(void **state)
{
    mbedtls_mpi d;

    (void)state;
    mbedtls_mpi_init(&d);
    assert_int_equal(mbedtls_mpi_copy(&d, &private.d), 0);
    assert_int_equal(mbedtls_mpi_add_mpi(&private.d, &d, &private.grp.N), 0);
    assert_refused();
    assert_int_equal(mbedtls_mpi_copy(&private.d, &private.grp.N), 0);
    assert_refused();
    assert_int_equal(mbedtls_mpi_lset(&private.d, 0), 0);
    assert_refused();
    assert_int_equal(mbedtls_mpi_sub_mpi(&private.d, &private.d, &d), 0); /* negative */
    assert_refused();
    mbedtls_mpi_free(&d);
}

static void both_have_to_have_the_point(void **state)
{
    (void)state;
    add(&public.Q.Y, 1);
    assert_refused();
    add(&private.Q.Y, 1); /* the same one, which is not the product */
    assert_refused();
    add(&public.Q.Y, -1);
    assert_refused();
    add(&private.Q.Y, -1);
    assert_int_equal(check(), 0);
}

static void points_in_other_coordinates_are_judged_as_by_mbedtls(void **state)
{
    (void)state;
    assert_int_equal(mbedtls_mpi_lset(&public.Q.Z, 2), 0);
    check();
    assert_int_equal(mbedtls_mpi_lset(&private.Q.Z, 2), 0);
    check();
    assert_int_equal(mbedtls_ecp_set_zero(&public.Q), 0);
    assert_int_equal(mbedtls_ecp_set_zero(&private.Q), 0);
    check();
}

static void keys_of_two_curves_do_not_fit(void **state)
{
    (void)state;
    mbedtls_ecp_group_free(&public.grp);
    assert_int_equal(mbedtls_ecp_group_load(&public.grp, MBEDTLS_ECP_DP_SECP256K1), 0);
    assert_refused();
}

static void another_curves_keys_are_mbedtlss(void **state)
{
    unsigned long before = curves_states[CURVES_P256].calls;

    (void)state;
    make_pair(MBEDTLS_ECP_DP_SECP384R1);
    assert_int_equal(check(), 0);
    add(&private.d, 1);
    assert_refused();
    assert_true(curves_states[CURVES_P256].calls == before);
}

static void without_a_generator_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(mbedtls_ecp_check_pub_priv(&public, &private, NULL, NULL),
                     MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_p256, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_fit_are_ours_to_say_so),
        cmocka_unit_test(keys_at_random_do_not_fit),
        TEST(the_next_number_does_not_fit),
        TEST(the_opposite_number_does_not_fit),
        TEST(numbers_out_of_range_do_not_fit),
        TEST(both_have_to_have_the_point),
        TEST(points_in_other_coordinates_are_judged_as_by_mbedtls),
        TEST(keys_of_two_curves_do_not_fit),
        cmocka_unit_test_teardown(another_curves_keys_are_mbedtlss, drop),
        TEST(without_a_generator_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, both_start, NULL);
}

#else
#include "curves_stock.h"
#endif
