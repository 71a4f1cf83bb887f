/*
 * curves_both: the same call to mbedTLS twice, once with Nettle's arithmetic under it and once
 * without, and what must be the same. CURVES_TIMES in the environment: how many times as many random
 * cases as usual a test tries; they are the same ones each time.
 */
#ifndef UNIT_CURVES_BOTH_H
#define UNIT_CURVES_BOTH_H

#include "server/curves.h"
#include "server/curves_internal.h"

#include <mbedtls/ecp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Cases */

static inline size_t both_cases(size_t usual)
{
    const char *times = getenv("CURVES_TIMES");

    return times == NULL ? usual : usual * strtoul(times, NULL, 10);
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static inline uint64_t both_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static inline uint64_t both_random(void)
{
    static uint64_t state = 7748;

    return both_next(&state);
}

/* As mbedTLS wants its random generators; state: a uint64_t. */
static inline int both_draw(void *state, unsigned char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)both_next(state);
    return 0;
}

/* Random bytes, every fourth time with long runs of zeros and ones: limbs that carry. */
static inline void both_bytes(uint8_t *out, size_t len)
{
    bool    runs = both_random() % 4 == 0;
    uint8_t run = 0;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)both_random();
    for (size_t i = 0; runs && i < len; i++) {
        if (both_random() % 8 == 0)
            run = (uint8_t)~run;
        if (both_random() % 16 != 0)
            out[i] = run;
    }
}

/* A number in hexadecimal, which may have a sign; in no more words than it needs. */
static inline void both_number(mbedtls_mpi *number, const char *text)
{
    mbedtls_mpi_free(number);
    assert_int_equal(mbedtls_mpi_read_string(number, 16, text), 0);
}

/* --- Both ways */

/* Starts the curves, which have to be as they should be. A group's setup. */
static inline int both_start(void **state)
{
    (void)state;
    curves_start();
    if (curves_trouble() != NULL)
        print_error("%s\n", curves_text());
    return curves_trouble() == NULL ? 0 : -1;
}

/* How a product is asked for; mbedTLS blinds it in the same way each time. */
enum both_call { BOTH_PLAIN, BOTH_RESTARTABLE, BOTH_IN_PLACE, BOTH_CALLS };

static inline int both_call_mul(enum both_call call, mbedtls_ecp_group *group, mbedtls_ecp_point *R,
                                const mbedtls_mpi *m, const mbedtls_ecp_point *P)
{
    uint64_t blinding = 1;

    if (call == BOTH_RESTARTABLE)
        return mbedtls_ecp_mul_restartable(group, R, m, P, both_draw, &blinding, NULL);
    if (call == BOTH_PLAIN)
        return mbedtls_ecp_mul(group, R, m, P, both_draw, &blinding);
    assert_int_equal(mbedtls_ecp_copy(R, P), 0);
    return mbedtls_ecp_mul(group, R, m, R, both_draw, &blinding);
}

/* Not mbedtls_ecp_point_cmp: what Y is where there is none counts, too. */
static inline bool both_same_point(const mbedtls_ecp_point *a, const mbedtls_ecp_point *b)
{
    return mbedtls_mpi_cmp_mpi(&a->X, &b->X) == 0 && mbedtls_mpi_cmp_mpi(&a->Y, &b->Y) == 0 &&
           mbedtls_mpi_cmp_mpi(&a->Z, &b->Z) == 0;
}

static inline void both_show(const char *what, const mbedtls_mpi *number)
{
    char   text[256];
    size_t len;

    if (mbedtls_mpi_write_string(number, 16, text, sizeof(text), &len) == 0)
        print_error("%s = %s\n", what, text);
}

/* m * P, as mbedTLS has it: the same status, the same point, the arguments untouched. Whether it was
   ours to compute is to be as told. product: where it is wanted. Returns the status. */
static inline int both_multiply(enum curves_part part, enum both_call call, bool is_ours,
                                mbedtls_ecp_group *group, mbedtls_ecp_point *product,
                                const mbedtls_mpi *m, const mbedtls_ecp_point *P)
{
    struct curves_state *state = &curves_states[part];
    unsigned long        before = state->calls;
    mbedtls_ecp_point    ours, stock;
    int                  status, stock_status;
    bool                 same;

    mbedtls_ecp_point_init(&ours);
    mbedtls_ecp_point_init(&stock);
    status = both_call_mul(call, group, &ours, m, P);
    same = state->calls == before + is_ours;
    before = state->calls;
    state->on = false;
    stock_status = both_call_mul(call, group, &stock, m, P);
    state->on = true;
    same = same && status == stock_status && state->calls == before &&
           both_same_point(&ours, &stock) && (status == 0 || !is_ours);
    if (!same) {
        both_show("m", m);
        both_show("X", &P->X);
        both_show("Y", &P->Y);
        both_show("Z", &P->Z);
        both_show("our X", &ours.X);
        both_show("stock X", &stock.X);
        fail_msg("call %d: status %d, stock %d; %sours to compute", call, status, stock_status,
                 is_ours ? "" : "not ");
    }
    if (product != NULL)
        assert_int_equal(mbedtls_ecp_copy(product, &ours), 0);
    mbedtls_ecp_point_free(&stock);
    mbedtls_ecp_point_free(&ours);
    return status;
}

#endif
