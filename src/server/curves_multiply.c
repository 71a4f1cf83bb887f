/*
 * A scalar times a point, on P-256 and X25519: what a key exchange is, and the larger part of an
 * ECDSA signature. Coordinates and scalars travel as 32 bytes: big endian for P-256 (SEC 1), little
 * endian for X25519 (RFC 7748).
 */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <mbedtls/ecp.h>
#include <nettle/curve25519.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#ifdef CURVES_SODIUM
#include <sodium.h>
#endif

#include <string.h>

enum { LEN = CURVES_P256_LEN, LIMBS = CURVES_P256_LIMBS }; /* and of X25519 */

CURVES_SEAM(mbedtls_ecp_mul);
CURVES_SEAM(mbedtls_ecp_mul_restartable);
CURVES_SEAM(mbedtls_ecp_check_pub_priv);

/* The generator of P-256, whose multiples cost half (SEC 2 section 2.4.2). */
static const uint8_t generator_p256[2 * LEN] = {
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

static const uint8_t generator_x25519[LEN] = { 9 };

/* --- P-256 */

/* False: not a point of the curve. */
static bool set_point(struct ecc_point *point, const uint8_t bytes[2 * LEN])
{
    mp_limb_t x_limbs[LIMBS], y_limbs[LIMBS];
    mpz_t     x, y;

    curves_limbs_from_bytes(x_limbs, bytes);
    curves_limbs_from_bytes(y_limbs, bytes + LEN);
    return ecc_point_set(point, mpz_roinit_n(x, x_limbs, LIMBS), mpz_roinit_n(y, y_limbs, LIMBS));
}

/* The product, x and y. False: one of the two is not what it should be. Bytes may be the product. */
static bool multiply_p256(uint8_t product[2 * LEN], const uint8_t scalar_bytes[LEN],
                          const uint8_t point_bytes[2 * LEN])
{
    const struct ecc_curve *curve = nettle_get_secp_256r1();
    struct ecc_scalar       scalar;
    struct ecc_point        point;
    bool                    done;

    ecc_scalar_init(&scalar, curve);
    ecc_point_init(&point, curve);
    done = curves_set_scalar(&scalar, scalar_bytes);
    if (done && memcmp(point_bytes, generator_p256, sizeof(generator_p256)) == 0) {
        ecc_point_mul_g(&point, &scalar);
    } else if (done) {
        done = set_point(&point, point_bytes);
        if (done)
            ecc_point_mul(&point, &scalar, &point);
    }
    if (done) {
        curves_bytes_from_limbs(product, point.p);
        curves_bytes_from_limbs(product + LEN, point.p + LIMBS);
    }
    curves_memory_wipe(); /* clears the two as well */
    return done;
}

/* False: mbedTLS is to decide. Else *result is the outcome. */
static bool mul_p256(int *result, mbedtls_ecp_point *R, const mbedtls_mpi *m,
                     const mbedtls_ecp_point *P)
{
    uint8_t scalar[LEN], point[2 * LEN];
    bool    done = curves_write_number(m, scalar) && curves_write_number(&P->X, point) &&
                curves_write_number(&P->Y, point + LEN) && multiply_p256(point, scalar, point);

    explicit_bzero(scalar, sizeof(scalar));
    if (done) {
        *result = mbedtls_mpi_read_binary(&R->X, point, LEN);
        if (*result == 0)
            *result = mbedtls_mpi_read_binary(&R->Y, point + LEN, LEN);
        if (*result == 0)
            *result = mbedtls_mpi_lset(&R->Z, 1);
    }
    explicit_bzero(point, sizeof(point));
    return done;
}

/* --- X25519 */

/* RFC 7748 section 5. mbedTLS's scalars are clamped when they are made; another is not a scalar. */
static bool is_clamped(const uint8_t scalar[LEN])
{
    return (scalar[0] & 7) == 0 && (scalar[LEN - 1] & 0xc0) == 0x40;
}

/* The u that a point of small order has for a product, whoever asks: whether it is that is no secret. */
static bool is_zero(const uint8_t product[LEN])
{
    uint8_t bits = 0;
    bool    zero;

    for (size_t i = 0; i < LEN; i++)
        bits |= product[i];
    zero = bits == 0;
    CURVES_PUBLIC(&zero, sizeof(zero));
    return zero;
}

static bool write_number_le(const mbedtls_mpi *number, uint8_t bytes[LEN])
{
    return number->s > 0 && mbedtls_mpi_write_binary_le(number, bytes, LEN) == 0;
}

#ifdef CURVES_SODIUM

const char *curves_multiply_start(void)
{
    if (sodium_init() < 0) /* it chooses what fits the processor; unchosen, it is right, and slow */
        return NULL;
    return sodium_version_string();
}

/* A point's multiple takes libsodium two thirds of what it takes Nettle. */
static void multiply_point(uint8_t product[LEN], const uint8_t scalar[LEN], const uint8_t u[LEN])
{
    int status = crypto_scalarmult_curve25519(product, scalar, u);

    CURVES_PUBLIC(&status, sizeof(status)); /* whether it is zero, or u of small order */
    if (status != 0)
        memset(product, 0, LEN);
}

#else

const char *curves_multiply_start(void)
{
    return NULL;
}

static void multiply_point(uint8_t product[LEN], const uint8_t scalar[LEN], const uint8_t u[LEN])
{
    curve25519_mul(product, scalar, u);
}

#endif

static bool multiply_x25519(uint8_t product[LEN], const uint8_t scalar[LEN], const uint8_t u[LEN])
{
    /* From 2^255 on, both would drop the top bit, and mbedTLS reduces. */
    if (!is_clamped(scalar) || (u[LEN - 1] & 0x80) != 0)
        return false;
    if (memcmp(u, generator_x25519, LEN) == 0)
        curve25519_mul_g(product, scalar);
    else
        multiply_point(product, scalar, u);
    curves_memory_wipe();
    return !is_zero(product);
}

static bool mul_x25519(int *result, mbedtls_ecp_point *R, const mbedtls_mpi *m,
                       const mbedtls_ecp_point *P)
{
    uint8_t scalar[LEN], u[LEN], product[LEN];
    bool    done = write_number_le(m, scalar) && write_number_le(&P->X, u) &&
                multiply_x25519(product, scalar, u);

    explicit_bzero(scalar, sizeof(scalar));
    if (done) {
        *result = mbedtls_mpi_read_binary_le(&R->X, product, LEN);
        if (*result == 0)
            *result = mbedtls_mpi_lset(&R->Z, 1);
        mbedtls_mpi_free(&R->Y); /* there is none */
    }
    explicit_bzero(product, sizeof(product));
    return done;
}

/* --- In mbedTLS's place */

static bool multiply(int *result, const mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
                     const mbedtls_mpi *m, const mbedtls_ecp_point *P)
{
    enum curves_part part = grp->id == MBEDTLS_ECP_DP_SECP256R1 ? CURVES_P256 : CURVES_X25519;
    bool             done;

    if (grp->id != MBEDTLS_ECP_DP_SECP256R1 && grp->id != MBEDTLS_ECP_DP_CURVE25519)
        return false;
    if (!curves_states[part].on || mbedtls_mpi_cmp_int(&P->Z, 1) != 0)
        return false;
    done = part == CURVES_P256 ? mul_p256(result, R, m, P) : mul_x25519(result, R, m, P);
    if (done && *result != 0)
        mbedtls_ecp_point_free(R); /* no half of a product */
    curves_states[part].calls += done;
    return done;
}

/* Nettle draws nothing at random, but who gives mbedTLS no generator is refused. */
int CURVES_FUNCTION(mbedtls_ecp_mul)(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
                                     const mbedtls_mpi *m, const mbedtls_ecp_point       *P,
                                     int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
    int result;

    if (f_rng != NULL && multiply(&result, grp, R, m, P))
        return result;
    return CURVES_STOCK(mbedtls_ecp_mul)(grp, R, m, P, f_rng, p_rng);
}

/* A context asks for the work in slices, which only mbedTLS's own code knows to do. */
int CURVES_FUNCTION(mbedtls_ecp_mul_restartable)(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
                                                 const mbedtls_mpi *m, const mbedtls_ecp_point *P,
                                                 int (*f_rng)(void *, unsigned char *, size_t),
                                                 void *p_rng, mbedtls_ecp_restart_ctx *rs_ctx)
{
    int result;

    if (f_rng != NULL && rs_ctx == NULL && multiply(&result, grp, R, m, P))
        return result;
    return CURVES_STOCK(mbedtls_ecp_mul_restartable)(grp, R, m, P, f_rng, p_rng, rs_ctx);
}

/* Whether the private number makes the point that both keys have. False: no, or mbedTLS is to decide. */
static bool is_pair_p256(const mbedtls_ecp_keypair *pub, const mbedtls_ecp_keypair *prv)
{
    uint8_t scalar[LEN], product[2 * LEN], point[2 * LEN];
    bool    is = curves_states[CURVES_P256].on && pub->grp.id == MBEDTLS_ECP_DP_SECP256R1 &&
              prv->grp.id == MBEDTLS_ECP_DP_SECP256R1 &&
              mbedtls_ecp_point_cmp(&pub->Q, &prv->Q) == 0 &&
              mbedtls_mpi_cmp_int(&pub->Q.Z, 1) == 0 && curves_write_number(&pub->Q.X, point) &&
              curves_write_number(&pub->Q.Y, point + LEN) && curves_write_number(&prv->d, scalar) &&
              multiply_p256(product, scalar, generator_p256);

    CURVES_PUBLIC(product, sizeof(product)); /* it is the public key */
    is = is && memcmp(product, point, sizeof(point)) == 0;
    curves_states[CURVES_P256].calls += is;
    explicit_bzero(scalar, sizeof(scalar));
    return is;
}

/* A static mbedTLS multiplies inside this one, where the linker can't come between. */
int CURVES_FUNCTION(mbedtls_ecp_check_pub_priv)(const mbedtls_ecp_keypair *pub,
                                                const mbedtls_ecp_keypair *prv,
                                                int (*f_rng)(void *, unsigned char *, size_t),
                                                void *p_rng)
{
    if (f_rng != NULL && is_pair_p256(pub, prv))
        return 0;
    return CURVES_STOCK(mbedtls_ecp_check_pub_priv)(pub, prv, f_rng, p_rng);
}

#endif
