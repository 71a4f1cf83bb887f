/*
 * hash: SipHash-2-4, the one keyed hash of this project.
 *
 * 64 bits with a secret key for hash tables: whoever chooses domain names can't
 * choose collisions. 128 bits with a secret key for "are these inputs the same
 * bytes as before", and with a published key for the policy id, where
 * the only one who could profit from a collision is the domain's owner.
 * It is no replacement for a cryptographic digest anywhere else.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_KEY_SIZE = 16, HASH_128_SIZE = 16 };

/* Streaming state; the caller's, on the stack. */
struct hash {
    uint64_t v[4];
    uint64_t total;   /* bytes fed */
    uint8_t  tail[8]; /* the last total % 8 of them */
    bool     wide;    /* 128 bits wanted */
};

uint64_t hash_64(const uint8_t key[HASH_KEY_SIZE], const void *bytes, size_t len);

void hash_128_init(struct hash *hash, const uint8_t key[HASH_KEY_SIZE]);
void hash_128_update(struct hash *hash, const void *bytes, size_t len);
void hash_128_final(struct hash *hash, uint8_t out[HASH_128_SIZE]);

#endif
