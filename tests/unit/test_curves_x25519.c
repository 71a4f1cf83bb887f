/*
 * curves_multiply on X25519: whatever it is asked for, the answer is mbedTLS's own, product or error;
 * and it is that of RFC 7748.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"

enum { USUAL_CASES = 500, LEN = 32 };

static mbedtls_ecp_group group;

static int set_up(void **state)
{
    if (both_start(state) != 0)
        return -1;
    mbedtls_ecp_group_init(&group);
    return mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_CURVE25519);
}

static int tear_down(void **state)
{
    (void)state;
    mbedtls_ecp_group_free(&group);
    return 0;
}

/* --- Edges */

/* Who multiplies with it: we; mbedTLS alone, if its blinding lets it; nobody. */
enum judgement { OURS, STOCK, NOBODY };

/* RFC 7748 section 5: clamped, or not a scalar. */
static const struct edge {
    const char    *text;
    enum judgement who;
} edge_scalars[] = {
    { "4000000000000000000000000000000000000000000000000000000000000000", OURS },
    { "7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8", OURS },
    { "5555555555555555555555555555555555555555555555555555555555555558", OURS },
    { "4000000000000000000000000000000000000000000000000000000000000001", NOBODY },
    { "4000000000000000000000000000000000000000000000000000000000000002", NOBODY },
    { "4000000000000000000000000000000000000000000000000000000000000004", NOBODY },
    { "3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8", NOBODY },
    { "8000000000000000000000000000000000000000000000000000000000000000", NOBODY },
    { "c000000000000000000000000000000000000000000000000000000000000000", NOBODY },
    { "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8", NOBODY },
    { "14000000000000000000000000000000000000000000000000000000000000000", NOBODY },
    { "0", NOBODY },
    { "1", NOBODY },
    { "8", NOBODY },
    { "-8", NOBODY },
    /* mbedTLS looks at bits, which have no sign. */
    { "-4000000000000000000000000000000000000000000000000000000000000000", STOCK },
};

/* The order-8 points of https://cr.yp.to/ecdh.html#validate, and what is more than p = 2^255 - 19. */
#define ORDER_8_A "b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0"
#define ORDER_8_B "57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f"
#define FF_30     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ZEROS_31  "00000000000000000000000000000000000000000000000000000000000000"

static const struct edge edge_us[] = {
    { "9", OURS },
    { "2", OURS },
    { "7f" FF_30 "eb", OURS }, /* p - 2 */
    /* Of small order: 0, 1, -1 and two more; and the same with p added once and twice. */
    { "0", NOBODY },
    { "1", NOBODY },
    { "7f" FF_30 "ec", NOBODY },
    { ORDER_8_A, NOBODY },
    { ORDER_8_B, NOBODY },
    { "7f" FF_30 "ed", NOBODY },
    { "7f" FF_30 "ee", NOBODY },
    { "ff" FF_30 "d9", NOBODY },
    { "ff" FF_30 "da", NOBODY },
    { "ff" FF_30 "db", NOBODY },
    { "80b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebcd", NOBODY },
    { "d7119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c4c", NOBODY },
    /* The rest of what is not below p, which is reduced; from 2^255 on, no message has it. */
    { "7f" FF_30 "ef", OURS },
    { "7f" FF_30 "f6", OURS }, /* 9 + p */
    { "7f" FF_30 "ff", OURS },
    { "80" ZEROS_31, STOCK },
    { "8000000000000000000000000000000000000000000000000000000000000009", STOCK },
    { "ff" FF_30 "dc", STOCK },
    { "ff" FF_30 "e3", STOCK }, /* 9 + 2 p */
    { "ff" FF_30 "ff", STOCK },
    /* No coordinate at all. */
    { "1" ZEROS_31 "00", NOBODY },
    { "1" ZEROS_31 "09", NOBODY },
    { "-9", NOBODY },
};

static void multiply_edges(enum both_call call, const mbedtls_mpi *m, enum judgement of_m,
                           const mbedtls_ecp_point *point, enum judgement of_u)
{
    bool is_ours = of_m == OURS && of_u == OURS;
    int  status = both_multiply(CURVES_X25519, call, is_ours, &group, NULL, m, point);

    if (is_ours)
        assert_int_equal(status, 0);
    if (of_m == NOBODY || of_u == NOBODY)
        assert_int_equal(status, MBEDTLS_ERR_ECP_INVALID_KEY);
}

static void every_edge_is_as_without(void **state)
{
    mbedtls_ecp_point point;
    mbedtls_mpi       m;

    (void)state;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&m);
    assert_int_equal(mbedtls_mpi_lset(&point.Z, 1), 0);
    for (size_t i = 0; i < COUNT(edge_scalars); i++) {
        both_number(&m, edge_scalars[i].text);
        for (size_t j = 0; j < COUNT(edge_us); j++) {
            both_number(&point.X, edge_us[j].text);
            for (enum both_call call = 0; call < BOTH_CALLS; call++)
                multiply_edges(call, &m, edge_scalars[i].who, &point, edge_us[j].who);
        }
    }
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&point);
}

static void other_coordinates_are_as_without(void **state)
{
    static const char *const other_zs[] = { "0", "2", "-1", "10000000000000001" };
    mbedtls_ecp_point        point;
    mbedtls_mpi              m;

    (void)state;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&m);
    both_number(&m, edge_scalars[2].text);
    for (size_t i = 0; i < COUNT(other_zs); i++) {
        assert_int_equal(mbedtls_ecp_copy(&point, &group.G), 0);
        both_number(&point.Z, other_zs[i]);
        assert_int_not_equal(
            both_multiply(CURVES_X25519, BOTH_PLAIN, false, &group, NULL, &m, &point), 0);
    }
    assert_int_equal(mbedtls_ecp_copy(&point, &group.G), 0);
    assert_int_equal(mbedtls_mpi_lset(&point.Y, 77), 0); /* a y, where there is none */
    both_multiply(CURVES_X25519, BOTH_IN_PLACE, true, &group, NULL, &m, &point);
    assert_int_equal(mbedtls_mpi_grow(&point.X, 12), 0);
    assert_int_equal(mbedtls_mpi_grow(&m, 20), 0);
    both_multiply(CURVES_X25519, BOTH_PLAIN, true, &group, NULL, &m, &point);
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&point);
}

/* --- At random */

static void clamp(uint8_t scalar[LEN])
{
    scalar[0] &= 0xf8;
    scalar[LEN - 1] = (uint8_t)((scalar[LEN - 1] & 0x7f) | 0x40);
}

/* Half of all u are on the curve, the others on its twist. Every fourth is the generator, every fourth
   the product before. */
static void random_scalars_and_points_are_as_without(void **state)
{
    mbedtls_ecp_point point;
    mbedtls_mpi       m;
    uint8_t           scalar[LEN], u[LEN];

    (void)state;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&m);
    for (size_t i = both_cases(USUAL_CASES); i > 0; i--) {
        bool is_ours;

        both_bytes(scalar, LEN);
        both_bytes(u, LEN);
        clamp(scalar);
        assert_int_equal(mbedtls_mpi_read_binary_le(&m, scalar, LEN), 0);
        if (i % 4 != 1 || point.Z.p == NULL) {
            assert_int_equal(mbedtls_mpi_read_binary_le(&point.X, u, LEN), 0);
            assert_int_equal(mbedtls_mpi_lset(&point.Z, 1), 0);
        }
        if (i % 4 == 0)
            assert_int_equal(mbedtls_ecp_copy(&point, &group.G), 0);
        is_ours = mbedtls_mpi_bitlen(&point.X) <= 255 &&
                  mbedtls_ecp_check_pubkey(&group, &point) == 0;
        both_multiply(CURVES_X25519, (enum both_call)(i % BOTH_CALLS), is_ours, &group,
                      is_ours && i % 4 == 2 ? &point : NULL, &m, &point);
    }
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&point);
}

/* --- RFC 7748 section 5.2 */

static const struct {
    uint8_t scalar[LEN], u[LEN], product[LEN];
} rfc7748[] = {
    { { 0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
        0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
        0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4 },
      { 0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
        0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
        0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c },
      { 0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
        0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
        0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52 } },
    { { 0x4b, 0x66, 0xe9, 0xd4, 0xd1, 0xb4, 0x67, 0x3c, 0x5a, 0xd2, 0x26,
        0x91, 0x95, 0x7d, 0x6a, 0xf5, 0xc1, 0x1b, 0x64, 0x21, 0xe0, 0xea,
        0x01, 0xd4, 0x2c, 0xa4, 0x16, 0x9e, 0x79, 0x18, 0xba, 0x0d },
      { 0xe5, 0x21, 0x0f, 0x12, 0x78, 0x68, 0x11, 0xd3, 0xf4, 0xb7, 0x95,
        0x9d, 0x05, 0x38, 0xae, 0x2c, 0x31, 0xdb, 0xe7, 0x10, 0x6f, 0xc0,
        0x3c, 0x3e, 0xfc, 0x4c, 0xd5, 0x49, 0xc7, 0x15, 0xa4, 0x93 },
      { 0x95, 0xcb, 0xde, 0x94, 0x76, 0xe8, 0x90, 0x7d, 0x7a, 0xad, 0xe4,
        0x5c, 0xb4, 0xb8, 0x73, 0xf8, 0x8b, 0x59, 0x5a, 0x68, 0x79, 0x9f,
        0xa1, 0x52, 0xe6, 0xf8, 0xf7, 0x64, 0x7a, 0xac, 0x79, 0x57 } },
};

static const uint8_t after_1[LEN] = {
    0x42, 0x2c, 0x8e, 0x7a, 0x62, 0x27, 0xd7, 0xbc, 0xa1, 0x35, 0x0b, 0x3e, 0x2b, 0xb7, 0x27, 0x9f,
    0x78, 0x97, 0xb8, 0x7b, 0xb6, 0x85, 0x4b, 0x78, 0x3c, 0x60, 0xe8, 0x03, 0x11, 0xae, 0x30, 0x79,
};
static const uint8_t after_1000[LEN] = {
    0x68, 0x4c, 0xf5, 0x9b, 0xa8, 0x33, 0x09, 0x55, 0x28, 0x00, 0xef, 0x56, 0x6f, 0x2f, 0x4d, 0x3c,
    0x1c, 0x38, 0x87, 0xc4, 0x93, 0x60, 0xe3, 0x87, 0x5f, 0x2e, 0xb9, 0x4d, 0x99, 0x53, 0x2c, 0x51,
};

/* The RFC's function, whose decoding clamps the scalar and drops the top bit of u. */
static void x25519(uint8_t product[LEN], const uint8_t scalar[LEN], const uint8_t u[LEN])
{
    mbedtls_ecp_point point;
    mbedtls_mpi       m;
    uint8_t           clamped[LEN], below_2_255[LEN];
    uint64_t          blinding = 1;

    memcpy(clamped, scalar, LEN);
    clamp(clamped);
    memcpy(below_2_255, u, LEN);
    below_2_255[LEN - 1] &= 0x7f;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&m);
    assert_int_equal(mbedtls_mpi_read_binary_le(&m, clamped, LEN), 0);
    assert_int_equal(mbedtls_mpi_read_binary_le(&point.X, below_2_255, LEN), 0);
    assert_int_equal(mbedtls_mpi_lset(&point.Z, 1), 0);
    assert_int_equal(mbedtls_ecp_mul(&group, &point, &m, &point, both_draw, &blinding), 0);
    assert_int_equal(mbedtls_mpi_write_binary_le(&point.X, product, LEN), 0);
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&point);
}

static void the_products_of_rfc_7748_come_out(void **state)
{
    unsigned long before = curves_states[CURVES_X25519].calls;
    uint8_t       product[LEN];

    (void)state;
    for (size_t i = 0; i < COUNT(rfc7748); i++) {
        x25519(product, rfc7748[i].scalar, rfc7748[i].u);
        assert_memory_equal(product, rfc7748[i].product, LEN);
    }
    assert_true(curves_states[CURVES_X25519].calls == before + COUNT(rfc7748));
}

static void a_thousand_products_of_products_come_out(void **state)
{
    unsigned long before = curves_states[CURVES_X25519].calls;
    uint8_t       scalar[LEN] = { 9 }, u[LEN] = { 9 }, product[LEN];

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        x25519(product, scalar, u);
        memcpy(u, scalar, LEN);
        memcpy(scalar, product, LEN);
        if (i == 1)
            assert_memory_equal(scalar, after_1, LEN);
    }
    assert_memory_equal(scalar, after_1000, LEN);
    assert_true(curves_states[CURVES_X25519].calls == before + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_as_without),
        cmocka_unit_test(other_coordinates_are_as_without),
        cmocka_unit_test(random_scalars_and_points_are_as_without),
        cmocka_unit_test(the_products_of_rfc_7748_come_out),
        cmocka_unit_test(a_thousand_products_of_products_come_out),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#else
#include "curves_stock.h"
#endif
