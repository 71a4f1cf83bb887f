/* curves_exp_mod: whatever the numbers, the power is mbedTLS's own, and so is every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"
#include "failing_calloc.h"

#include <mbedtls/rsa.h>

enum { USUAL_CASES = 300, SIZE_MAX_BITS = 2048 };

static struct curves_state *const exp_mod = &curves_states[CURVES_EXP_MOD];

enum { BASE, EXPONENT, MODULUS, NUMBERS };

static mbedtls_mpi numbers[NUMBERS], result;

static int set_up(void **state)
{
    for (int i = 0; i < NUMBERS; i++)
        mbedtls_mpi_init(&numbers[i]);
    mbedtls_mpi_init(&result);
    return both_start(state);
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < NUMBERS; i++)
        mbedtls_mpi_free(&numbers[i]);
    mbedtls_mpi_free(&result);
    return 0;
}

/* --- Both ways */

/* base ^ exponent modulo modulus. in_place: the base becomes the power; the other two never may. */
static int raise(mbedtls_mpi *power, bool in_place)
{
    if (!in_place)
        return mbedtls_mpi_exp_mod(power, &numbers[BASE], &numbers[EXPONENT], &numbers[MODULUS],
                                   NULL);
    assert_int_equal(mbedtls_mpi_copy(power, &numbers[BASE]), 0);
    return mbedtls_mpi_exp_mod(power, power, &numbers[EXPONENT], &numbers[MODULUS], NULL);
}

static int raise_both_ways(bool in_place, bool is_ours)
{
    unsigned long before = exp_mod->calls;
    mbedtls_mpi   ours, stock;
    int           status, stock_status;

    mbedtls_mpi_init(&ours);
    mbedtls_mpi_init(&stock);
    assert_int_equal(mbedtls_mpi_lset(&ours, -12345), 0);
    status = raise(&ours, in_place);
    assert_true(exp_mod->calls == before + is_ours);
    exp_mod->on = false;
    stock_status = raise(&stock, in_place);
    exp_mod->on = true;
    if (status != stock_status || (status == 0 && mbedtls_mpi_cmp_mpi(&ours, &stock) != 0)) {
        both_show("base", &numbers[BASE]);
        both_show("exponent", &numbers[EXPONENT]);
        both_show("modulus", &numbers[MODULUS]);
        both_show("ours", &ours);
        both_show("stock", &stock);
        fail_msg("in place %d: status %d, stock %d", in_place, status, stock_status);
    }
    mbedtls_mpi_free(&stock);
    mbedtls_mpi_free(&ours);
    return status;
}

/* --- Edges */

static bool is_plain(const mbedtls_mpi *base, const mbedtls_mpi *exponent,
                     const mbedtls_mpi *modulus)
{
    return mbedtls_mpi_cmp_int(modulus, 0) > 0 && mbedtls_mpi_get_bit(modulus, 0) == 1 &&
           mbedtls_mpi_cmp_int(exponent, 0) > 0 && mbedtls_mpi_cmp_int(base, 0) >= 0;
}

static void every_edge_is_as_without(void **state)
{
    static const char *const edges[] = {
        "0",
        "1",
        "2",
        "3",
        "10001",
        "ffffffffffffffff",
        "10000000000000000",
        "10000000000000001",
        "ffffffffffffffffffffffffffffffffffffffffffffffff",
        "8000000000000000000000000000000000000000000000000000000000000001",
        "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543213",
        "-1",
        "-2",
        "-fedcba9876543210fedcba9876543210fedcba9876543213",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(edges); i++) {
        both_number(&numbers[BASE], edges[i]);
        for (size_t j = 0; j < COUNT(edges); j++) {
            both_number(&numbers[EXPONENT], edges[j]);
            for (size_t k = 0; k < COUNT(edges); k++) {
                both_number(&numbers[MODULUS], edges[k]);
                for (int in_place = 0; in_place < 2; in_place++)
                    raise_both_ways(
                        in_place, is_plain(&numbers[BASE], &numbers[EXPONENT], &numbers[MODULUS]));
            }
        }
    }
}

/* In more words than they need; a modulus like that is left to mbedTLS. */
static void numbers_with_empty_words_are_as_without(void **state)
{
    (void)state;
    for (int wide = BASE; wide < NUMBERS; wide++) {
        both_number(&numbers[BASE], "123456789abcdef0123456789abcdef");
        both_number(&numbers[EXPONENT], "fedcba9876543210f");
        both_number(&numbers[MODULUS], "fedcba9876543210fedcba9876543213");
        assert_int_equal(mbedtls_mpi_grow(&numbers[wide], 20), 0);
        raise_both_ways(false, wide != MODULUS);
        mbedtls_mpi_free(&numbers[wide]);
    }
}

/* Numbers of no word at all, as init leaves them, and of more than mbedTLS takes. */
static void empty_and_huge_numbers_are_as_without(void **state)
{
    (void)state;
    for (int odd = BASE; odd < NUMBERS; odd++) {
        both_number(&numbers[BASE], "123456789abcdef");
        both_number(&numbers[EXPONENT], "3");
        both_number(&numbers[MODULUS], "fedcba9876543213");
        mbedtls_mpi_free(&numbers[odd]);
        raise_both_ways(false, odd == BASE);
        assert_int_equal(mbedtls_mpi_set_bit(&numbers[odd], 8192, 1), 0);
        assert_int_equal(mbedtls_mpi_set_bit(&numbers[odd], 0, 1), 0);
        raise_both_ways(false, false);
    }
}

/* --- At random */

static void draw_number(mbedtls_mpi *number, size_t bits_max)
{
    uint8_t bytes[SIZE_MAX_BITS / 8];
    size_t  len = both_random() % (bits_max / 8) + 1;

    both_bytes(bytes, len);
    bytes[0] |= 1; /* no empty word on top */
    mbedtls_mpi_free(number);
    assert_int_equal(mbedtls_mpi_read_binary(number, bytes, len), 0);
}

static void random_powers_are_as_without(void **state)
{
    (void)state;
    for (size_t i = both_cases(USUAL_CASES); i > 0; i--) {
        size_t bits = i % 50 == 0 ? SIZE_MAX_BITS : 512;

        draw_number(&numbers[BASE], bits); /* above the modulus every other time */
        draw_number(&numbers[EXPONENT], i % 2 == 0 ? bits : 64);
        draw_number(&numbers[MODULUS], bits);
        if (i % 8 != 0)
            assert_int_equal(mbedtls_mpi_set_bit(&numbers[MODULUS], 0, 1), 0);
        raise_both_ways(i % 3 == 0,
                        is_plain(&numbers[BASE], &numbers[EXPONENT], &numbers[MODULUS]));
    }
}

/* --- What keys ask for, of all sizes: GMP computes in other ways as numbers grow */

static void draw_odd(mbedtls_mpi *number, size_t bits)
{
    uint8_t bytes[MBEDTLS_MPI_MAX_SIZE];

    both_bytes(bytes, bits / 8);
    bytes[0] |= 0x80;
    bytes[bits / 8 - 1] |= 1;
    assert_int_equal(mbedtls_mpi_read_binary(number, bytes, bits / 8), 0);
}

static void the_powers_of_keys_are_as_without(void **state)
{
    enum { EXPONENT_BLINDING = 224 /* bits that mbedTLS adds to a secret exponent */ };
    static const size_t sizes[] = { 1024, 2048, 3072, 4096, 8192 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        draw_odd(&numbers[BASE], sizes[i]);
        draw_odd(&numbers[MODULUS], sizes[i]);
        both_number(&numbers[EXPONENT], "10001");
        raise_both_ways(true, true);
        draw_odd(&numbers[MODULUS], sizes[i] / 2);
        draw_odd(&numbers[EXPONENT],
                 sizes[i] <= 4096 ? sizes[i] / 2 + EXPONENT_BLINDING : 64 /* or it takes long */);
        raise_both_ways(false, true);
    }
}

/* --- mbedTLS's own helper value */

static void its_helper_value_serves_whoever_computes(void **state)
{
    mbedtls_mpi helper, again;

    (void)state;
    mbedtls_mpi_init(&helper);
    mbedtls_mpi_init(&again);
    both_number(&numbers[BASE], "123456789abcdef0123456789abcdef");
    both_number(&numbers[EXPONENT], "fedcba9876543210f");
    both_number(&numbers[MODULUS], "fedcba9876543210fedcba9876543213");
    for (unsigned on = 0; on < 16; on++) {
        if (on % 8 == 0)
            mbedtls_mpi_free(&helper);
        exp_mod->on = (on & 1) != 0;
        assert_int_equal(mbedtls_mpi_exp_mod(&again, &numbers[BASE], &numbers[EXPONENT],
                                             &numbers[MODULUS], &helper),
                         0);
        if (on == 0)
            assert_int_equal(mbedtls_mpi_copy(&result, &again), 0);
        assert_int_equal(mbedtls_mpi_cmp_mpi(&again, &result), 0);
    }
    exp_mod->on = true;
    mbedtls_mpi_free(&again);
    mbedtls_mpi_free(&helper);
}

/* --- Memory that fails */

static void an_allocation_that_fails_is_told(void **state)
{
    int failed = 0;

    (void)state;
    mbedtls_mpi_free(&result);
    assert_int_equal(mbedtls_mpi_grow(&result, 1), 0);
    if (!allocation_was_seen)
        skip(); /* valgrind puts its own calloc in the place of all others */
    both_number(&numbers[BASE], "123456789abcdef0123456789abcdef");
    both_number(&numbers[EXPONENT], "fedcba9876543210f");
    both_number(&numbers[MODULUS], "fedcba9876543210fedcba9876543213");
    for (;; failed++) {
        int status;

        mbedtls_mpi_free(&result);
        allocations_until_failure = failed + 1;
        status = mbedtls_mpi_exp_mod(&result, &numbers[BASE], &numbers[EXPONENT], &numbers[MODULUS],
                                     NULL);
        if (status == 0)
            break;
        assert_int_equal(status, MBEDTLS_ERR_MPI_ALLOC_FAILED);
    }
    allocations_until_failure = 0;
    assert_int_equal(failed, 2); /* the workspace and the result */
}

/* --- What it is for */

static void an_rsa_key_signs_and_its_faults_are_seen(void **state)
{
    uint8_t             hash[32] = { 5 }, signature[128], other[128];
    uint64_t            seed = 1;
    mbedtls_rsa_context rsa;
    unsigned long       before;

    (void)state;
    mbedtls_rsa_init(&rsa);
    assert_int_equal(mbedtls_rsa_gen_key(&rsa, both_draw, &seed, 1024, 65537), 0);
    before = exp_mod->calls;
    assert_int_equal(mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, both_draw, &seed, MBEDTLS_MD_SHA256,
                                                       sizeof(hash), hash, signature),
                     0);
    assert_true(exp_mod->calls >= before + 2);
    exp_mod->on = false;
    assert_int_equal(mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, both_draw, &seed, MBEDTLS_MD_SHA256,
                                                       sizeof(hash), hash, other),
                     0);
    assert_memory_equal(signature, other, sizeof(other));
    assert_int_equal(
        mbedtls_rsa_rsassa_pkcs1_v15_verify(&rsa, MBEDTLS_MD_SHA256, sizeof(hash), hash, signature),
        0);
    exp_mod->on = true;
    assert_int_equal(mbedtls_mpi_add_int(&rsa.DP, &rsa.DP, 2), 0); /* one half goes wrong */
    assert_int_not_equal(mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, both_draw, &seed,
                                                           MBEDTLS_MD_SHA256, sizeof(hash), hash,
                                                           signature),
                         0);
    mbedtls_rsa_free(&rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_as_without),
        cmocka_unit_test(numbers_with_empty_words_are_as_without),
        cmocka_unit_test(empty_and_huge_numbers_are_as_without),
        cmocka_unit_test(random_powers_are_as_without),
        cmocka_unit_test(the_powers_of_keys_are_as_without),
        cmocka_unit_test(its_helper_value_serves_whoever_computes),
        cmocka_unit_test(an_allocation_that_fails_is_told),
        cmocka_unit_test(an_rsa_key_signs_and_its_faults_are_seen),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#else
#include "curves_stock.h"
#endif
