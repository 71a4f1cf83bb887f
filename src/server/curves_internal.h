/* curves_internal: what the parts of curves share. They are empty in a build without Nettle. */
#ifndef SERVER_CURVES_INTERNAL_H
#define SERVER_CURVES_INTERNAL_H

/* The shapes of its numbers, points and contexts. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <gmp.h>
#include <mbedtls/bignum.h>
#include <nettle/ecc.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * CURVES_FUNCTION(f) is the name under which ours takes the place of mbedTLS's f, CURVES_STOCK(f)
 * is mbedTLS's, and CURVES_SEAM(f) declares both. A static library's are linked by name (--wrap);
 * a shared one's is what the dynamic linker finds behind ours.
 */
#ifdef CURVES_WRAPPED
#define CURVES_FUNCTION(f) __wrap_##f
#define CURVES_STOCK(f)    __real_##f
#define CURVES_SEAM(f)     extern __typeof__(f) __wrap_##f, __real_##f
#else
#define CURVES_FUNCTION(f) f
#define CURVES_STOCK(f)    ((__typeof__(f) *)curves_behind(&stock_##f, #f))
#define CURVES_SEAM(f)     static void *stock_##f
#endif

/* *stock; looked up under this name if it is NULL. */
void *curves_behind(void **stock, const char *name);

/*
 * Here a secret becomes public: what is behind data may be branched on from now on. For the reader,
 * and for tests/secrets, where valgrind reports whatever else branches on a secret.
 */
#ifdef CURVES_SECRETS
#include <valgrind/memcheck.h>
#define CURVES_PUBLIC(data, len) VALGRIND_MAKE_MEM_DEFINED(data, len)
#else
#define CURVES_PUBLIC(data, len) ((void)0)
#endif

/* clang-format off */
enum curves_part {
    CURVES_P256,
    CURVES_X25519,
    CURVES_SHA256,
    CURVES_ECDSA,
    CURVES_EXP_MOD,
    CURVES_PARTS
};
/* clang-format on */

struct curves_state {
    const char   *name;
    bool          on;
    unsigned long calls;   /* that were ours to compute; the others were mbedTLS's */
    const char   *trouble; /* why it is off for good, or NULL */
};

extern struct curves_state curves_states[CURVES_PARTS];

/* --- Memory for GMP and Nettle: curves_memory.c */

void curves_memory_start(void);

/* Whether it was ever too small, and malloc had to help, which GMP does not survive when it can't. */
bool curves_memory_exceeded(void);

/*
 * After each use of Nettle on secrets: all memory that it has taken is free again, and that and the
 * stack below the caller are wiped.
 */
void curves_memory_wipe(void);

/* --- Products: curves_multiply.c */

/* libsodium's version, or NULL where it is not used. */
const char *curves_multiply_start(void);

/* --- Numbers, as 32 bytes, big endian: curves_numbers.c */

enum {
    CURVES_P256_LEN = 32,
    CURVES_P256_LIMBS = CURVES_P256_LEN / sizeof(mp_limb_t),
    CURVES_FRESH_LEN = 32 /* random bytes of a signature */
};

void curves_limbs_from_bytes(mp_limb_t     limbs[CURVES_P256_LIMBS],
                             const uint8_t bytes[CURVES_P256_LEN]);
void curves_bytes_from_limbs(uint8_t         bytes[CURVES_P256_LEN],
                             const mp_limb_t limbs[CURVES_P256_LIMBS]);

/* False: it does not fit, or is negative. */
bool curves_write_number(const mbedtls_mpi *number, uint8_t bytes[CURVES_P256_LEN]);

/* A scalar of P-256. False: not in 1 .. n - 1. */
bool curves_set_scalar(struct ecc_scalar *scalar, const uint8_t bytes[CURVES_P256_LEN]);

/* --- The signature, r and s: curves_ecdsa.c */

/*
 * fresh: up to CURVES_FRESH_LEN random bytes; without any it is RFC 6979's to the letter, which the
 * tests compare. False: the key is not in 1 .. n - 1.
 */
bool curves_ecdsa_sign(uint8_t signature[2 * CURVES_P256_LEN], const uint8_t key[CURVES_P256_LEN],
                       const uint8_t hash[CURVES_P256_LEN], const uint8_t *fresh, size_t fresh_len);

/* --- Known answers, asked for through mbedTLS: curves_selftest.c */

bool curves_selftest_p256(void);
bool curves_selftest_x25519(void);
bool curves_selftest_sha256(void);
bool curves_selftest_ecdsa(void);
bool curves_selftest_exp_mod(void);

#endif
