/*
 * SHA-256 and SHA-224 (FIPS 180-4): mbedTLS's context with Nettle's compression, which uses the
 * processor's instructions for it. Both sides can go on with what the other has begun.
 */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <mbedtls/sha256.h>
#include <nettle/sha2.h>

#include <string.h>

enum {
    BLOCK = 64,
    LENGTH = 8,      /* bytes of it, that end the last block */
    STACK_SIZE = 512 /* bytes that Nettle may have used of it */
};

CURVES_SEAM(mbedtls_sha256_update);
CURVES_SEAM(mbedtls_sha256_finish);

static uint64_t total(const mbedtls_sha256_context *ctx)
{
    return (uint64_t)ctx->total[1] << 32 | ctx->total[0];
}

static void absorb(mbedtls_sha256_context *ctx, const uint8_t *input, size_t len)
{
    size_t   held = ctx->total[0] % BLOCK;
    uint64_t new_total = total(ctx) + len;

    ctx->total[0] = (uint32_t)new_total;
    ctx->total[1] = (uint32_t)(new_total >> 32);
    if (held + len >= BLOCK && held > 0) {
        memcpy(ctx->buffer + held, input, BLOCK - held);
        sha256_compress(ctx->state, ctx->buffer);
        input += BLOCK - held;
        len -= BLOCK - held;
        held = 0;
    }
    for (; held + len >= BLOCK; input += BLOCK, len -= BLOCK)
        sha256_compress(ctx->state, input);
    memcpy(ctx->buffer + held, input, len);
}

static void write_big_endian(uint8_t *out, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(number >> 8 * (len - 1 - i));
}

static void finish(mbedtls_sha256_context *ctx, uint8_t *output)
{
    uint8_t  tail[2 * BLOCK] = { 0x80 };
    uint64_t bits = total(ctx) * 8;
    size_t   held = ctx->total[0] % BLOCK;
    size_t   padding = (size_t)(held < BLOCK - LENGTH ? BLOCK : 2 * BLOCK) - LENGTH - held;
    size_t   words = ctx->is224 ? 7 : 8;

    write_big_endian(tail + padding, bits, LENGTH);
    absorb(ctx, tail, padding + LENGTH);
    for (size_t i = 0; i < words; i++)
        write_big_endian(output + 4 * i, ctx->state[i], 4);
}

/* Where the processor has no instructions for it, Nettle leaves there what tells the last block. */
__attribute__((noinline)) static void wipe_stack(void)
{
    uint8_t scrap[STACK_SIZE];

    explicit_bzero(scrap, sizeof(scrap));
}

int CURVES_FUNCTION(mbedtls_sha256_update)(mbedtls_sha256_context *ctx, const unsigned char *input,
                                           size_t ilen)
{
    if (!curves_states[CURVES_SHA256].on || ilen == 0)
        return CURVES_STOCK(mbedtls_sha256_update)(ctx, input, ilen);
    absorb(ctx, input, ilen);
    curves_states[CURVES_SHA256].calls++;
    return 0;
}

int CURVES_FUNCTION(mbedtls_sha256_finish)(mbedtls_sha256_context *ctx, unsigned char *output)
{
    if (!curves_states[CURVES_SHA256].on)
        return CURVES_STOCK(mbedtls_sha256_finish)(ctx, output);
    finish(ctx, output);
    wipe_stack();
    mbedtls_sha256_free(ctx); /* as mbedTLS's own does */
    curves_states[CURVES_SHA256].calls++;
    return 0;
}

#endif
