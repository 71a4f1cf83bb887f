/* SipHash: a fast short-input PRF, Aumasson and Bernstein, 2012; the 128-bit
   variant as in the authors' reference code. */
#include "common/hash.h"

#include <string.h>

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* Written out, for the compiler to see one load in it. */
static uint64_t load_word(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

/* The last word of an input has fewer than 8 bytes. */
static uint64_t load_rest(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void store_le(uint8_t *out, uint64_t word)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(word >> (8 * i));
}

static void rounds(uint64_t v[4], int count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

static void start(struct hash *hash, const uint8_t key[HASH_KEY_SIZE], bool wide)
{
    uint64_t k0 = load_word(key);
    uint64_t k1 = load_word(key + 8);

    hash->v[0] = k0 ^ UINT64_C(0x736f6d6570736575);
    hash->v[1] = k1 ^ UINT64_C(0x646f72616e646f6d);
    hash->v[2] = k0 ^ UINT64_C(0x6c7967656e657261);
    hash->v[3] = k1 ^ UINT64_C(0x7465646279746573);
    if (wide)
        hash->v[1] ^= 0xee;
    hash->total = 0;
    hash->wide = wide;
}

static void feed(struct hash *hash, const uint8_t *bytes, size_t len)
{
    size_t have = hash->total % 8;

    if (len == 0)
        return; /* bytes may be NULL */
    hash->total += len;
    if (have > 0) {
        size_t take = len < 8 - have ? len : 8 - have;

        memcpy(hash->tail + have, bytes, take);
        bytes += take;
        len -= take;
        if (have + take < 8)
            return;
        compress(hash->v, load_word(hash->tail));
    }
    for (; len >= 8; bytes += 8, len -= 8)
        compress(hash->v, load_word(bytes));
    memcpy(hash->tail, bytes, len);
}

static uint64_t finish(struct hash *hash)
{
    uint64_t last = load_rest(hash->tail, hash->total % 8) | hash->total << 56;

    compress(hash->v, last);
    hash->v[2] ^= hash->wide ? 0xee : 0xff;
    rounds(hash->v, 4);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

uint64_t hash_64(const uint8_t key[HASH_KEY_SIZE], const void *bytes, size_t len)
{
    struct hash hash;

    start(&hash, key, false);
    feed(&hash, bytes, len);
    return finish(&hash);
}

void hash_128_init(struct hash *hash, const uint8_t key[HASH_KEY_SIZE])
{
    start(hash, key, true);
}

void hash_128_update(struct hash *hash, const void *bytes, size_t len)
{
    feed(hash, bytes, len);
}

void hash_128_final(struct hash *hash, uint8_t out[HASH_128_SIZE])
{
    store_le(out, finish(hash));
    hash->v[1] ^= 0xdd;
    rounds(hash->v, 4);
    store_le(out + 8, hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3]);
}
