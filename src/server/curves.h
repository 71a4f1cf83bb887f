/*
 * curves: GNU Nettle's arithmetic under mbedTLS, and libsodium's.
 *
 * Of a fetch's CPU time, mbedTLS's own curves take four fifths. Nettle's are ten times as fast. So
 * the program defines a few of mbedTLS's functions itself, and mbedTLS calls these:
 *
 *   P-256, X25519   mbedtls_ecp_mul, mbedtls_ecp_mul_restartable,
 *                   mbedtls_ecp_check_pub_priv                        curves_multiply.c
 *   SHA-256         mbedtls_sha256_update, mbedtls_sha256_finish      curves_sha256.c
 *   ECDSA           mbedtls_ecdsa_write_signature, P-256 only         curves_ecdsa.c
 *   RSA             mbedtls_mpi_exp_mod                               curves_exp_mod.c
 *
 * An X25519 product with another's point is libsodium's where that is there: it takes two thirds of
 * Nettle's time, and with the key pair's half, which is Nettle's, a fifteenth of a fetch less.
 *
 * Where mbedTLS is a shared library, the definitions in the program take the place of the library's
 * (symbol interposition: it calls itself through its PLT), and the system's updates of it go on
 * being used. Where it is static, the linker puts them there (--wrap). curves_internal.h has both.
 *
 * Why this is safe
 *
 * - The library's own function stays, and decides everything but the plain case. Ours looks whether
 *   its arguments are exactly what it knows, computes, and succeeds; else it hands the call on as it
 *   came. So every refusal, every error and every other curve is mbedTLS's. In particular a point
 *   of small order (RFC 7748 section 6.1, RFC 8422 section 5.11), a point that is not on the curve
 *   and a scalar out of range are refused by who always refused them.
 * - Nothing is believed. Each part is off until curves_start has seen, through mbedTLS's own
 *   interface, that it is reached and that it knows the answers of the standards. One that is not
 *   stays off: mbedTLS goes on by itself, and the log and -V say so.
 * - Secrets meet only code whose time and memory accesses depend on sizes alone: Nettle's (its
 *   manual, "Side-channel silence"), libsodium's, and a few lines of ours, which the tests run under valgrind
 *   with the secrets marked undefined. What Nettle does not do is mbedTLS's blinding of coordinates,
 *   which is against those who can measure the machine's current, not its time.
 * - The nonce of a signature has fresh random bytes in it, which are drawn and looked at first, and
 *   would be RFC 6979's without them: neither a bad generator nor a fault tells the key.
 * - Memory that held secrets is wiped, the stack, too. What Nettle and GMP take of it is not
 *   malloc's, which could fail: GMP ends the process then (curves_memory.c).
 *
 * Whom to trust: mbedTLS for the protocol, all checks, and what is around an RSA power (padding,
 * blinding, remainders, the check against faults); Nettle, GMP and libsodium for products, powers,
 * SHA-256 blocks and the signature's arithmetic; this module for nonces, and for passing numbers on.
 *
 * Without it: make CURVES=stock. That is also what is built where there is no Nettle >= 3.10 (older
 * ones have no sha256_compress, and branch on secrets in assertions), and with mbedTLS 4, where
 * these functions are not called.
 */
#ifndef SERVER_CURVES_H
#define SERVER_CURVES_H

/*
 * Proves each part and switches it on. Once, before mbedTLS is used and before any fork; children
 * have what their parent had. It cannot fail: what does not hold stays mbedTLS's.
 */
void curves_start(void);

/* For -V: "Nettle 3.10: P-256, X25519, SHA-256, ECDSA, RSA; with libsodium 1.0.18", what does not
   hold and why, or "stock". */
const char *curves_text(void);

/* Why not all of it is on though it was built in; NULL: all is, or it was not built in. */
const char *curves_trouble(void);

#endif
