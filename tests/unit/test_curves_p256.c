/*
 * curves_multiply on P-256: whatever it is asked for, the answer is mbedTLS's own, product or error;
 * and it is NIST's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"
#include "curves_vectors.h"

enum { USUAL_CASES = 500, EDGE_POINTS_MAX = 40 };

/* Of SEC 2 section 2.4.2, and n - 1 and so on by it. */
#define N       "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_LESS1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define N_LESS2 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f"
#define N_MORE1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
#define N_HALF  "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8"
#define THE_P   "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

/* Each with whether it is a scalar (1 .. n - 1). */
static const struct {
    const char *text;
    bool        fits;
} edge_scalars[] = {
    { "0", false },
    { "1", true },
    { "2", true },
    { "3", true },
    { N_LESS2, true },
    { N_LESS1, true },
    { N, false },
    { N_MORE1, false },
    { N_HALF, true },
    { THE_P, false },
    { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
    { "10000000000000000000000000000000000000000000000000000000000000000", false },
    { "10000000000000000000000000000000000000000000000000000000000000001", false },
    { "-1", false },
    { "-5", false },
    { "-" N_LESS1, false },
    { "-" N, false },
};

static mbedtls_ecp_group group;

struct edge_point {
    const char       *name;
    bool              fits; /* an affine point of the curve, in numbers below p */
    mbedtls_ecp_point point;
};

static struct edge_point edge_points[EDGE_POINTS_MAX];
static size_t            edge_count;

static struct edge_point *add(const char *name, bool fits, const mbedtls_ecp_point *like)
{
    struct edge_point *edge = &edge_points[edge_count++];

    assert_true(edge_count <= EDGE_POINTS_MAX);
    edge->name = name;
    edge->fits = fits;
    mbedtls_ecp_point_init(&edge->point);
    assert_int_equal(mbedtls_ecp_copy(&edge->point, like), 0);
    return edge;
}

static void set_point(mbedtls_ecp_point *point, const char *x, const char *y, int z)
{
    both_number(&point->X, x);
    both_number(&point->Y, y);
    assert_int_equal(mbedtls_mpi_lset(&point->Z, z), 0);
}

/* Those of the curve: the generator, its negative, twice it, and one with x = 0. */
static void add_good_points(void)
{
    mbedtls_ecp_point *Q;

    add("G", true, &group.G);
    Q = &add("-G", true, &group.G)->point;
    assert_int_equal(mbedtls_mpi_sub_mpi(&Q->Y, &group.P, &Q->Y), 0);
    Q = &add("2 G", true, &group.G)->point;
    set_point(Q, "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
              "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1", 1);
    Q = &add("-2 G", true, Q)->point;
    assert_int_equal(mbedtls_mpi_sub_mpi(&Q->Y, &group.P, &Q->Y), 0);
    Q = &add("x = 0", true, &group.G)->point;
    set_point(Q, "0", "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4", 1);
    Q = &add("G, in long numbers", true, &group.G)->point;
    assert_int_equal(mbedtls_mpi_grow(&Q->X, 9), 0);
    assert_int_equal(mbedtls_mpi_grow(&Q->Y, 12), 0);
    assert_int_equal(mbedtls_mpi_grow(&Q->Z, 3), 0);
}

static void add_other_coordinates(void)
{
    mbedtls_ecp_point *Q;

    Q = &add("infinity", false, &group.G)->point;
    assert_int_equal(mbedtls_ecp_set_zero(Q), 0);
    Q = &add("G with Z = 0", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_lset(&Q->Z, 0), 0);
    Q = &add("G with Z = 2", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_lset(&Q->Z, 2), 0);
    Q = &add("G with Z = -1", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_lset(&Q->Z, -1), 0);
    Q = &add("G with Z = 1 + 2^64", false, &group.G)->point;
    both_number(&Q->Z, "10000000000000001");
    Q = &add("2 G in coordinates with Z = p - 1", false, &edge_points[2].point)->point;
    both_number(&Q->Z, "ffffffff00000001000000000000000000000000fffffffffffffffffffffffe");
}

/* The same point to who reduces it, but not a point of the standards. */
static void add_unreduced_points(void)
{
    mbedtls_ecp_point *Q;

    Q = &add("x = p", false, &edge_points[4].point)->point;
    assert_int_equal(mbedtls_mpi_copy(&Q->X, &group.P), 0);
    Q = &add("x = 5 + p", false, &group.G)->point;
    set_point(Q, "5", "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc", 1);
    assert_int_equal(mbedtls_mpi_add_mpi(&Q->X, &Q->X, &group.P), 0);
    Q = &add("x = G's + 2^256", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_set_bit(&Q->X, 256, 1), 0);
    Q = &add("y = G's + 2^256", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_set_bit(&Q->Y, 256, 1), 0);
    Q = &add("x = G's, negative", false, &group.G)->point;
    Q->X.s = -1;
    Q = &add("y = G's, negative", false, &group.G)->point;
    Q->Y.s = -1;
    Q = &add("y = -p + G's", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_sub_mpi(&Q->Y, &Q->Y, &group.P), 0);
}

static void add_points_off_the_curve(void)
{
    mbedtls_ecp_point *Q;

    Q = &add("(0, 0)", false, &group.G)->point;
    set_point(Q, "0", "0", 1);
    Q = &add("(1, 1)", false, &group.G)->point;
    set_point(Q, "1", "1", 1);
    Q = &add("G, y + 1", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_add_int(&Q->Y, &Q->Y, 1), 0);
    Q = &add("G, x + 1", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_add_int(&Q->X, &Q->X, 1), 0);
    Q = &add("G, y = 0", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_lset(&Q->Y, 0), 0);
    Q = &add("G, x and y exchanged", false, &group.G)->point;
    mbedtls_mpi_swap(&Q->X, &Q->Y);
    Q = &add("(p - 1, p - 1)", false, &group.G)->point;
    assert_int_equal(mbedtls_mpi_sub_int(&Q->X, &group.P, 1), 0);
    assert_int_equal(mbedtls_mpi_copy(&Q->Y, &Q->X), 0);
}

static int set_up(void **state)
{
    if (both_start(state) != 0)
        return -1;
    mbedtls_ecp_group_init(&group);
    assert_int_equal(mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1), 0);
    add_good_points();
    add_other_coordinates();
    add_unreduced_points();
    add_points_off_the_curve();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (edge_count > 0)
        mbedtls_ecp_point_free(&edge_points[--edge_count].point);
    mbedtls_ecp_group_free(&group);
    return 0;
}

static void every_edge_is_as_without(void **state)
{
    mbedtls_mpi m;

    (void)state;
    mbedtls_mpi_init(&m);
    for (size_t i = 0; i < COUNT(edge_scalars); i++) {
        both_number(&m, edge_scalars[i].text);
        for (size_t j = 0; j < edge_count; j++) {
            bool is_ours = edge_scalars[i].fits && edge_points[j].fits;

            for (enum both_call call = 0; call < BOTH_CALLS; call++) {
                int status = both_multiply(CURVES_P256, call, is_ours, &group, NULL, &m,
                                           &edge_points[j].point);

                assert_int_equal(status == 0, is_ours);
            }
        }
    }
    mbedtls_mpi_free(&m);
}

/* Which windows, combs and their signs have for their own edges. */
static void every_power_of_two_and_its_neighbours_are_as_without(void **state)
{
    mbedtls_mpi m;

    (void)state;
    mbedtls_mpi_init(&m);
    for (size_t bit = 0; bit < 256; bit++) {
        for (int neighbour = -1; neighbour <= 1; neighbour++) {
            mbedtls_mpi_lset(&m, 0);
            assert_int_equal(mbedtls_mpi_set_bit(&m, bit, 1), 0);
            assert_int_equal(mbedtls_mpi_add_int(&m, &m, neighbour), 0);
            both_multiply(CURVES_P256, BOTH_PLAIN, mbedtls_mpi_cmp_int(&m, 0) != 0, &group, NULL,
                          &m, &edge_points[bit % 2 == 0 ? 0 : 2].point);
        }
    }
    mbedtls_mpi_free(&m);
}

static void a_scalar_in_many_limbs_is_the_same_scalar(void **state)
{
    mbedtls_mpi m;

    (void)state;
    mbedtls_mpi_init(&m);
    both_number(&m, "123456789abcdef");
    assert_int_equal(mbedtls_mpi_grow(&m, 20), 0);
    both_multiply(CURVES_P256, BOTH_PLAIN, true, &group, NULL, &m, &group.G);
    mbedtls_mpi_free(&m);
}

/* Each point is the product before it; every fourth is the generator. */
static void random_scalars_and_points_are_as_without(void **state)
{
    mbedtls_ecp_point point;
    mbedtls_mpi       m;
    uint8_t           bytes[32];

    (void)state;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&m);
    assert_int_equal(mbedtls_ecp_copy(&point, &group.G), 0);
    for (size_t i = both_cases(USUAL_CASES); i > 0; i--) {
        bool fits;

        both_bytes(bytes, sizeof(bytes));
        assert_int_equal(mbedtls_mpi_read_binary(&m, bytes, sizeof(bytes)), 0);
        fits = mbedtls_ecp_check_privkey(&group, &m) == 0;
        both_multiply(CURVES_P256, (enum both_call)(i % BOTH_CALLS), fits, &group,
                      fits && i % 4 != 0 ? &point : NULL, &m, i % 4 == 0 ? &group.G : &point);
    }
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&point);
}

static void nists_key_exchanges_come_out_as_published(void **state)
{
    mbedtls_ecp_point Q;
    mbedtls_mpi       m, z;

    (void)state;
    mbedtls_ecp_point_init(&Q);
    mbedtls_mpi_init(&m);
    mbedtls_mpi_init(&z);
    for (size_t i = 0; i < COUNT(nist_cdh); i++) {
        both_number(&m, nist_cdh[i].d);
        both_number(&z, nist_cdh[i].z);
        set_point(&Q, nist_cdh[i].x, nist_cdh[i].y, 1);
        both_multiply(CURVES_P256, BOTH_PLAIN, true, &group, &Q, &m, &Q);
        assert_int_equal(mbedtls_mpi_cmp_mpi(&Q.X, &z), 0);
    }
    mbedtls_mpi_free(&z);
    mbedtls_mpi_free(&m);
    mbedtls_ecp_point_free(&Q);
}

/* mbedTLS adds without what is replaced here. */
static void products_add_up(void **state)
{
    mbedtls_ecp_point product, sum;
    mbedtls_mpi       k, one;

    (void)state;
    mbedtls_ecp_point_init(&product);
    mbedtls_ecp_point_init(&sum);
    mbedtls_mpi_init(&k);
    mbedtls_mpi_init(&one);
    assert_int_equal(mbedtls_mpi_lset(&one, 1), 0);
    assert_int_equal(mbedtls_ecp_copy(&sum, &group.G), 0);
    for (int i = 1; i <= 40; i++) {
        assert_int_equal(mbedtls_mpi_lset(&k, i), 0);
        both_multiply(CURVES_P256, BOTH_PLAIN, true, &group, &product, &k, &group.G);
        assert_true(both_same_point(&product, &sum));
        assert_int_equal(mbedtls_ecp_muladd(&group, &sum, &one, &sum, &one, &group.G), 0);
    }
    mbedtls_mpi_free(&one);
    mbedtls_mpi_free(&k);
    mbedtls_ecp_point_free(&sum);
    mbedtls_ecp_point_free(&product);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_edge_is_as_without),
        cmocka_unit_test(every_power_of_two_and_its_neighbours_are_as_without),
        cmocka_unit_test(a_scalar_in_many_limbs_is_the_same_scalar),
        cmocka_unit_test(random_scalars_and_points_are_as_without),
        cmocka_unit_test(nists_key_exchanges_come_out_as_published),
        cmocka_unit_test(products_add_up),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#else
#include "curves_stock.h"
#endif
