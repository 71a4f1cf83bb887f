/* curves_internal: what the parts of curves share. They are empty in a build without Nettle. */
#ifndef SERVER_CURVES_INTERNAL_H
#define SERVER_CURVES_INTERNAL_H

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
#define CURVES_STOCK(f)    ((__typeof__(&f))curves_behind(&stock_##f, #f))
#define CURVES_SEAM(f)     static void *stock_##f
#endif

/* *stock; looked up under this name if it is NULL. */
void *curves_behind(void **stock, const char *name);

enum curves_part { CURVES_P256, CURVES_X25519, CURVES_SHA256, CURVES_PARTS };

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

/* --- Known answers, asked for through mbedTLS: curves_selftest.c */

bool curves_selftest_p256(void);
bool curves_selftest_x25519(void);
bool curves_selftest_sha256(void);

#endif
