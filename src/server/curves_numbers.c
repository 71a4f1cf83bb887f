/* How numbers pass between mbedTLS and Nettle: as 32 bytes, in a time that tells nothing of them. */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <string.h>

enum { LEN = CURVES_P256_LEN, LIMBS = CURVES_P256_LIMBS };

void curves_limbs_from_bytes(mp_limb_t limbs[LIMBS], const uint8_t bytes[LEN])
{
    for (size_t i = 0; i < LIMBS; i++) {
        mp_limb_t limb = 0;

        for (size_t j = 0; j < sizeof(limb); j++)
            limb = limb << 8 | bytes[LEN - (i + 1) * sizeof(limb) + j];
        limbs[i] = limb;
    }
}

void curves_bytes_from_limbs(uint8_t bytes[LEN], const mp_limb_t limbs[LIMBS])
{
    for (size_t i = 0; i < LEN; i++)
        bytes[LEN - 1 - i] = (uint8_t)(limbs[i / sizeof(*limbs)] >> i % sizeof(*limbs) * 8);
}

bool curves_write_number(const mbedtls_mpi *number, uint8_t bytes[LEN])
{
    return number->s > 0 && mbedtls_mpi_write_binary(number, bytes, LEN) == 0;
}

/* A "random generator" that gives these bytes first, then 1. */
struct draws {
    const uint8_t *bytes; /* NULL: have been given */
    bool           taken; /* the last draw was these bytes, and there was no other after it */
};

static void draw(void *context, size_t len, uint8_t *out)
{
    struct draws *draws = context;

    draws->taken = draws->bytes != NULL && len == LEN;
    memset(out, 0, len);
    if (draws->taken)
        memcpy(out, draws->bytes, LEN);
    else
        out[len - 1] = 1;
    draws->bytes = NULL;
}

/*
 * Nettle's public way to set a scalar compares it with n as numbers are compared, from the top; its
 * way to draw one takes the bytes, and draws again if they won't do, in a time that tells nothing
 * else.
 */
bool curves_set_scalar(struct ecc_scalar *scalar, const uint8_t bytes[LEN])
{
    struct draws draws = { .bytes = bytes };

    ecc_scalar_random(scalar, &draws, draw);
    return draws.taken;
}

#endif
