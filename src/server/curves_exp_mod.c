/*
 * X = A^E mod N: the two halves of an RSA signature. Padding, blinding, the Chinese remainders and
 * the check of the result against faults stay mbedTLS's. GMP's mpn_sec_powm reads memory and takes
 * time as the sizes say, not the numbers, but that it looks up the modulus's first and last few bits
 * in tables (tests/secrets/curves.supp).
 */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <gmp.h>
#include <mbedtls/bignum.h>

#include <stdlib.h>
#include <string.h>

CURVES_SEAM(mbedtls_mpi_exp_mod);

_Static_assert(sizeof(mbedtls_mpi_uint) == sizeof(mp_limb_t),
               "both count in the processor's words");

enum { LIMBS_MAX = 8192 / (8 * sizeof(mp_limb_t)) };

/* An odd modulus without empty words on top, a positive exponent, a base that may exceed the modulus. */
static bool is_plain(const mbedtls_mpi *A, const mbedtls_mpi *E, const mbedtls_mpi *N)
{
    return N->s > 0 && N->n > 0 && N->n <= LIMBS_MAX && N->p[N->n - 1] != 0 && (N->p[0] & 1) != 0 &&
           E->n <= LIMBS_MAX && mbedtls_mpi_cmp_int(E, 0) > 0 && A->s > 0 && A->n <= LIMBS_MAX;
}

/*
 * As many as are stored, as mbedTLS takes them: their number says nothing of E. But what fits into
 * a word is a public exponent, with which mbedTLS checks each signature: its length is no secret,
 * and 65537 has 17 bits of 64.
 */
static mp_bitcnt_t exponent_bits(const mbedtls_mpi *E)
{
    return E->n == 1 ? mbedtls_mpi_bitlen(E) : (mp_bitcnt_t)E->n * 8 * sizeof(mp_limb_t);
}

/* Each of X, A, E and N may be another of them. */
static int exp_mod(mbedtls_mpi *X, const mbedtls_mpi *A, const mbedtls_mpi *E, const mbedtls_mpi *N)
{
    mp_size_t   n = (mp_size_t)N->n, base_len = A->n > 0 ? (mp_size_t)A->n : 1;
    mp_bitcnt_t bits = exponent_bits(E);
    size_t      len = (size_t)(base_len + n + mpn_sec_powm_itch(base_len, bits, n));
    mp_limb_t  *base = calloc(len, sizeof(*base));
    mp_limb_t  *power, *scratch;
    int         result;

    if (base == NULL)
        return MBEDTLS_ERR_MPI_ALLOC_FAILED;
    power = base + base_len;
    scratch = power + n;
    if (A->n > 0)
        memcpy(base, A->p, A->n * sizeof(*base));
    mpn_sec_powm(power, base, base_len, (const mp_limb_t *)E->p, bits, (const mp_limb_t *)N->p, n,
                 scratch);
    result = mbedtls_mpi_grow(X, (size_t)n);
    if (result == 0) {
        memset(X->p, 0, X->n * sizeof(*X->p));
        memcpy(X->p, power, (size_t)n * sizeof(*power));
        X->s = 1;
    }
    explicit_bzero(base, len * sizeof(*base));
    free(base);
    curves_memory_wipe(); /* the stack */
    return result;
}

/* prec_RR is mbedTLS's own, for the next time that it computes; it fills it when it first does. */
int CURVES_FUNCTION(mbedtls_mpi_exp_mod)(mbedtls_mpi *X, const mbedtls_mpi *A, const mbedtls_mpi *E,
                                         const mbedtls_mpi *N, mbedtls_mpi *prec_RR)
{
    struct curves_state *state = &curves_states[CURVES_EXP_MOD];

    if (!state->on || !is_plain(A, E, N))
        return CURVES_STOCK(mbedtls_mpi_exp_mod)(X, A, E, N, prec_RR);
    state->calls++;
    return exp_mod(X, A, E, N);
}

#endif
