/*
 * curves_memory: what GMP and Nettle take is there, and nothing of a secret is left, in it or on the
 * stack. The module is included, for what it keeps to itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "server/curves_memory.c" // NOLINT(bugprone-suspicious-include): its own is what is tested

#include "child.h"
#include "curves_both.h"
#include "curves_stack.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/psa_util.h>

enum { LEN = CURVES_P256_LEN, WORD = 8 };

static size_t most; /* bytes ever taken for one operation */

static void *take_and_count(size_t size)
{
    void *piece = take(size);

    if (used > most)
        most = used;
    return piece;
}

static void *take_another_and_count(void *piece, size_t size, size_t new_size)
{
    void *another = take_another(piece, size, new_size);

    if (used > most)
        most = used;
    return another;
}

static int set_up(void **state)
{
    if (both_start(state) != 0)
        return -1;
    mp_set_memory_functions(take_and_count, take_another_and_count, give_back);
    return 0;
}

/* --- Pieces */

static void pieces_are_aligned_and_apart(void **state)
{
    uint8_t *first, *second;

    (void)state;
    first = take(1);
    second = take(17);
    assert_true(is_ours(first) && is_ours(second) && second >= first + 1);
    assert_int_equal((uintptr_t)second % alignof(max_align_t), 0);
    assert_true((uint8_t *)take(1) >= second + 17);
    curves_memory_wipe();
    assert_ptr_equal(take(1), first);
    curves_memory_wipe();
}

static void a_larger_piece_has_what_was_in_the_smaller(void **state)
{
    char *piece;

    (void)state;
    piece = take(6);
    memcpy(piece, "limbs", 6);
    piece = take_another(piece, 6, 600);
    assert_string_equal(piece, "limbs");
    piece = take_another(piece, 600, 4);
    assert_memory_equal(piece, "limb", 4);
    curves_memory_wipe();
}

static void the_whole_block_can_be_taken(void **state)
{
    (void)state;
    assert_true(is_ours(take(BLOCK_SIZE)));
    assert_false(curves_memory_exceeded());
    curves_memory_wipe();
}

/* malloc gives none of this size; a sanitizer's ends the process itself. */
static void ask_for_what_nobody_has(void)
{
    *(volatile uint8_t *)take(SIZE_MAX / 2) = 1;
}

static void a_piece_that_nobody_has_ends_the_process(void **state)
{
    char said[CHILD_SAID_MAX];

    (void)state;
    assert_int_not_equal(child_run(ask_for_what_nobody_has, said), 0);
}

/* The last test: it is not forgotten. */
static void what_does_not_fit_is_mallocs_and_told(void **state)
{
    char *piece;

    (void)state;
    take(BLOCK_SIZE - 100);
    assert_false(curves_memory_exceeded());
    piece = take(101);
    assert_false(is_ours(piece));
    assert_true(curves_memory_exceeded());
    memcpy(piece, "limbs", 6);
    piece = take_another(piece, 101, 200); /* frees the first: LeakSanitizer looks */
    assert_false(is_ours(piece));
    assert_string_equal(piece, "limbs");
    give_back(piece, 200);
    curves_memory_wipe();
    assert_true(curves_memory_exceeded());
    assert_true(is_ours(take(101)));
    curves_memory_wipe();
}

/* --- What an operation has in its hands: none of it is on the stack */

static mbedtls_ecp_group group;
static mbedtls_ecp_point point, product;
static mbedtls_mpi       scalar;
static uint8_t           scalar_bytes[LEN];

/* 2^254 <= scalar < n, and clamped. */
static void draw_scalar(void)
{
    for (size_t i = 0; i < LEN; i++)
        scalar_bytes[i] = (uint8_t)both_random();
    scalar_bytes[0] = (uint8_t)(0x40 | (scalar_bytes[0] & 0x3f));
    scalar_bytes[LEN - 1] &= 0xf8;
    assert_int_equal(mbedtls_mpi_read_binary(&scalar, scalar_bytes, LEN), 0);
}

static void use_group(mbedtls_ecp_group_id id)
{
    mbedtls_ecp_point_free(&product);
    mbedtls_ecp_group_free(&group);
    mbedtls_ecp_group_init(&group);
    assert_int_equal(mbedtls_ecp_group_load(&group, id), 0);
    draw_scalar();
    assert_int_equal(both_call_mul(BOTH_PLAIN, &group, &point, &scalar, &group.G), 0);
}

static int drop_numbers(void **state)
{
    (void)state;
    mbedtls_mpi_free(&scalar);
    mbedtls_ecp_point_free(&product);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
    return 0;
}

/* --- The stack */

/* Any eight of its bytes, as bytes or as limbs. */
static bool is_found(const uint8_t *secret, size_t len)
{
    for (size_t i = 0; i + WORD <= len; i += WORD) {
        uint8_t reversed[WORD];

        for (size_t j = 0; j < WORD; j++)
            reversed[j] = secret[i + WORD - 1 - j];
        if (stack_has(secret + i, WORD) || stack_has(reversed, WORD))
            return true;
    }
    return false;
}

/* Right after an operation, which was the first since stack_paint. */
static void assert_memory_is_clean(void)
{
    assert_int_equal(used, 0);
    for (size_t i = 0; i < BLOCK_SIZE; i++)
        assert_int_equal(block[i], 0);
    assert_false(curves_memory_exceeded());
    assert_true(most <= BLOCK_SIZE / 4); /* GMP of another processor may take some more */
}

/* Its lower part, which nothing called since can have reached: a sanitizer's functions take some. */
static void assert_stack_is_wiped(void)
{
    for (size_t i = STACK_SEARCHED - STACK_SIZE + 1024; i < STACK_SEARCHED - STACK_SIZE / 2; i++)
        assert_int_equal(stack_found[i], 0);
}

/* --- Operations */

static void multiply_and_look(enum curves_part part, const mbedtls_ecp_point *by, int expected)
{
    unsigned long calls = curves_states[part].calls + (expected == 0);
    uint8_t       bytes[LEN];

    draw_scalar();
    stack_paint();
    assert_int_equal(both_call_mul(BOTH_PLAIN, &group, &product, &scalar, by), expected);
    stack_read();
    assert_memory_is_clean();
    assert_true(curves_states[part].calls == calls);
    assert_false(is_found(scalar_bytes, LEN));
    if (expected == 0) {
        assert_stack_is_wiped();
        assert_int_equal(mbedtls_mpi_write_binary(&product.X, bytes, LEN), 0);
        assert_false(is_found(bytes, LEN));
    }
}

static void no_secret_is_left_of_a_product_on_p256(void **state)
{
    (void)state;
    use_group(MBEDTLS_ECP_DP_SECP256R1);
    multiply_and_look(CURVES_P256, &group.G, 0);
    multiply_and_look(CURVES_P256, &point, 0);
    assert_int_equal(mbedtls_mpi_add_int(&point.Y, &point.Y, 1), 0);
    multiply_and_look(CURVES_P256, &point, MBEDTLS_ERR_ECP_INVALID_KEY);
}

static void no_secret_is_left_of_a_product_on_x25519(void **state)
{
    (void)state;
    use_group(MBEDTLS_ECP_DP_CURVE25519);
    multiply_and_look(CURVES_X25519, &group.G, 0);
    multiply_and_look(CURVES_X25519, &point, 0);
    assert_int_equal(mbedtls_mpi_lset(&point.X, 1), 0);
    multiply_and_look(CURVES_X25519, &point, MBEDTLS_ERR_ECP_INVALID_KEY);
}

/* k = (hash + r d) / s modulo n (FIPS 186-5 section 6.4.1), of this hash. */
static void find_nonce(uint8_t nonce[LEN], const uint8_t rs[2 * LEN], const uint8_t of[LEN])
{
    mbedtls_mpi r, s, k;

    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    mbedtls_mpi_init(&k);
    assert_int_equal(mbedtls_mpi_read_binary(&r, rs, LEN), 0);
    assert_int_equal(mbedtls_mpi_read_binary(&s, rs + LEN, LEN), 0);
    assert_int_equal(mbedtls_mpi_read_binary(&k, of, LEN), 0);
    assert_int_equal(mbedtls_mpi_mul_mpi(&r, &r, &scalar), 0);
    assert_int_equal(mbedtls_mpi_add_mpi(&k, &k, &r), 0);
    assert_int_equal(mbedtls_mpi_inv_mod(&s, &s, &group.N), 0);
    assert_int_equal(mbedtls_mpi_mul_mpi(&k, &k, &s), 0);
    assert_int_equal(mbedtls_mpi_mod_mpi(&k, &k, &group.N), 0);
    assert_int_equal(mbedtls_mpi_write_binary(&k, nonce, LEN), 0);
    assert_int_equal(both_call_mul(BOTH_PLAIN, &group, &product, &k, &group.G), 0);
    assert_int_equal(mbedtls_mpi_read_binary(&r, rs, LEN), 0);
    assert_int_equal(mbedtls_mpi_cmp_mpi(&product.X, &r), 0); /* so it is the nonce */
    mbedtls_mpi_free(&k);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
}

static uint8_t hash[LEN], signature[MBEDTLS_ECDSA_MAX_SIG_LEN(256)];

static void no_secret_is_left_of_a_signatures_numbers(void **state)
{
    static uint8_t fresh[CURVES_FRESH_LEN];
    uint8_t        nonce[LEN];

    (void)state;
    use_group(MBEDTLS_ECP_DP_SECP256R1);
    both_bytes(hash, LEN);
    both_bytes(fresh, sizeof(fresh));
    stack_paint();
    assert_true(curves_ecdsa_sign(signature, scalar_bytes, hash, fresh, sizeof(fresh)));
    stack_read();
    assert_memory_is_clean();
    assert_stack_is_wiped();
    find_nonce(nonce, signature, hash);
    assert_false(is_found(nonce, LEN));
    assert_false(is_found(scalar_bytes, LEN));
}

static void no_secret_is_left_of_a_signature(void **state)
{
    static mbedtls_ecdsa_context key;
    unsigned long                calls = curves_states[CURVES_ECDSA].calls + 1;
    uint64_t                     seed = 1;
    uint8_t                      rs[2 * LEN], nonce[LEN];
    size_t                       len;

    (void)state;
    use_group(MBEDTLS_ECP_DP_SECP256R1);
    mbedtls_ecdsa_init(&key);
    assert_int_equal(mbedtls_ecp_group_load(&key.grp, MBEDTLS_ECP_DP_SECP256R1), 0);
    assert_int_equal(mbedtls_mpi_copy(&key.d, &scalar), 0);
    both_bytes(hash, LEN);
    stack_paint();
    assert_int_equal(mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, LEN, signature,
                                                   sizeof(signature), &len, both_draw, &seed),
                     0);
    stack_read();
    assert_memory_is_clean();
    assert_true(curves_states[CURVES_ECDSA].calls == calls);
    assert_int_equal(mbedtls_ecdsa_der_to_raw(256, signature, len, rs, sizeof(rs), &len), 0);
    find_nonce(nonce, rs, hash);
    assert_false(is_found(nonce, LEN));
    assert_false(is_found(scalar_bytes, LEN));
    mbedtls_ecdsa_free(&key);
}

static void no_secret_is_left_of_an_rsa_power(void **state)
{
    enum { BYTES = 128 };
    static uint8_t     bytes[BYTES];
    static mbedtls_mpi base, exponent, modulus;
    unsigned long      calls = curves_states[CURVES_EXP_MOD].calls + 1;

    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)both_random();
    mbedtls_mpi_init(&base);
    mbedtls_mpi_init(&exponent);
    mbedtls_mpi_init(&modulus);
    assert_int_equal(mbedtls_mpi_read_binary(&modulus, bytes, BYTES), 0);
    assert_int_equal(mbedtls_mpi_set_bit(&modulus, 0, 1), 0);
    both_bytes(bytes, BYTES);
    assert_int_equal(mbedtls_mpi_read_binary(&base, bytes, BYTES), 0);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)both_random();
    assert_int_equal(mbedtls_mpi_read_binary(&exponent, bytes, BYTES), 0);
    stack_paint();
    assert_int_equal(mbedtls_mpi_exp_mod(&base, &base, &exponent, &modulus, NULL), 0);
    stack_read();
    assert_memory_is_clean();
    assert_stack_is_wiped();
    assert_true(curves_states[CURVES_EXP_MOD].calls == calls);
    assert_false(is_found(bytes, BYTES));
    assert_int_equal(mbedtls_mpi_write_binary(&base, bytes, BYTES), 0);
    assert_false(is_found(bytes, BYTES));
    mbedtls_mpi_free(&modulus);
    mbedtls_mpi_free(&exponent);
    mbedtls_mpi_free(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(a_larger_piece_has_what_was_in_the_smaller),
        cmocka_unit_test(the_whole_block_can_be_taken),
        cmocka_unit_test(no_secret_is_left_of_a_product_on_p256),
        cmocka_unit_test(no_secret_is_left_of_a_product_on_x25519),
        cmocka_unit_test(no_secret_is_left_of_a_signatures_numbers),
        cmocka_unit_test(no_secret_is_left_of_a_signature),
        cmocka_unit_test(no_secret_is_left_of_an_rsa_power),
        cmocka_unit_test(a_piece_that_nobody_has_ends_the_process),
        cmocka_unit_test(what_does_not_fit_is_mallocs_and_told),
    };

    return cmocka_run_group_tests(tests, set_up, drop_numbers);
}

#else
#include "curves_stock.h"
#endif
