/*
 * hash: SipHash-2-4 as others compute it. The vectors are of key 00 01 .. 0f and
 * messages 00 01 02 ..; they agree with the authors' reference and with OpenSSL's SipHash MAC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    size_t      len;
    uint64_t    narrow;
    const char *wide;
} vectors[] = {
    { 0, UINT64_C(0x726fdb47dd0e0e31), "a3817f04ba25a8e66df67214c7550293" },
    { 1, UINT64_C(0x74f839c593dc67fd), "da87c1d86b99af44347659119b22fc45" },
    { 7, UINT64_C(0xab0200f58b01d137), "a1f1ebbed8dbc153c0b84aa61ff08239" },
    { 8, UINT64_C(0x93f5f5799a932462), "3b62a9ba6258f5610f83e264f31497b4" },
    { 9, UINT64_C(0x9e0082df0ba9e4b0), "264499060ad9baabc47f8b02bb6d71ed" },
    { 15, UINT64_C(0xa129ca6149be45e5), "5493e99933b0a8117e08ec0f97cfc3d9" },
    { 16, UINT64_C(0x3f2acc7f57c29bdb), "6ee2a4ca67b054bbfd3315bf85230577" },
    { 17, UINT64_C(0x699ae9f52cbe4794), "473d06e8738db89854c066c47ae47740" },
    { 31, UINT64_C(0x32d892fad841c342), "2939b0183223fafc1723de4f52c43d35" },
    { 63, UINT64_C(0x958a324ceb064572), "5150d1772f50834a503e069a973fbd7c" },
};

static uint8_t key[HASH_KEY_SIZE];
static uint8_t message[64];

static int count_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    return 0;
}

static void to_hex(const uint8_t bytes[HASH_128_SIZE], char hex[2 * HASH_128_SIZE + 1])
{
    for (size_t i = 0; i < HASH_128_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void the_narrow_hash_is_siphash_2_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++)
        assert_true(hash_64(key, message, vectors[i].len) == vectors[i].narrow);
}

static void the_wide_hash_is_siphash_2_4_128(void **state)
{
    struct hash hash;
    uint8_t     digest[HASH_128_SIZE];
    char        hex[2 * HASH_128_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        hash_128_init(&hash, key);
        hash_128_update(&hash, message, vectors[i].len);
        hash_128_final(&hash, digest);
        to_hex(digest, hex);
        assert_string_equal(hex, vectors[i].wide);
    }
}

static void pieces_make_the_same_hash_as_the_whole(void **state)
{
    struct hash hash;
    uint8_t     whole[HASH_128_SIZE], pieces[HASH_128_SIZE];

    (void)state;
    hash_128_init(&hash, key);
    hash_128_update(&hash, message, sizeof message);
    hash_128_final(&hash, whole);
    for (size_t first = 0; first <= sizeof message; first++) {
        for (size_t second = first; second <= sizeof message; second++) {
            hash_128_init(&hash, key);
            hash_128_update(&hash, message, first);
            hash_128_update(&hash, message + first, second - first);
            hash_128_update(&hash, NULL, 0);
            hash_128_update(&hash, message + second, sizeof message - second);
            hash_128_final(&hash, pieces);
            assert_memory_equal(pieces, whole, sizeof whole);
        }
    }
}

static void every_bit_of_the_key_counts(void **state)
{
    uint64_t hash = hash_64(key, message, 20);

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        uint8_t other[HASH_KEY_SIZE];

        memcpy(other, key, sizeof other);
        other[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_true(hash_64(other, message, 20) != hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrow_hash_is_siphash_2_4),
        cmocka_unit_test(the_wide_hash_is_siphash_2_4_128),
        cmocka_unit_test(pieces_make_the_same_hash_as_the_whole),
        cmocka_unit_test(every_bit_of_the_key_counts),
    };

    return cmocka_run_group_tests(tests, count_up, NULL);
}
