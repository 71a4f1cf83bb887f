/*
 * curves_sha256: whatever the pieces, and whoever hashed the ones before, the hash is mbedTLS's own;
 * and it is that of FIPS 180-4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "curves_both.h"

#include "child.h"
#include "curves_stack.h"

#include <mbedtls/sha256.h>

enum { BLOCK = 64, MESSAGE_MAX = 5 * BLOCK, HASH = 32, USUAL_CASES = 5000 };

static uint8_t message[MESSAGE_MAX];

static struct curves_state *const sha256 = &curves_states[CURVES_SHA256];

static int set_up(void **state)
{
    if (both_start(state) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)both_random();
    return 0;
}

/* mbedTLS's own hash of the message's start, in one piece. */
static void stock_hash(size_t len, bool is224, uint8_t hash[HASH])
{
    unsigned long          before = sha256->calls;
    mbedtls_sha256_context ctx;

    memset(hash, 0xee, HASH);
    sha256->on = false;
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, is224), 0);
    assert_int_equal(mbedtls_sha256_update(&ctx, message, len), 0);
    assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
    sha256->on = true;
    assert_true(sha256->calls == before);
}

/* The same in three pieces; bit i of ours: who hashes piece i and, 3, who finishes. */
static void pieces_hash(size_t first, size_t second, size_t len, bool is224, unsigned ours,
                        uint8_t hash[HASH])
{
    const size_t           ends[] = { 0, first, second, len };
    mbedtls_sha256_context ctx;

    memset(hash, 0xee, HASH);
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, is224), 0);
    for (int i = 0; i < 3; i++) {
        sha256->on = (ours >> i & 1) != 0;
        assert_int_equal(mbedtls_sha256_update(&ctx, message + ends[i], ends[i + 1] - ends[i]), 0);
    }
    sha256->on = (ours >> 3 & 1) != 0;
    assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
    sha256->on = true;
}

/* Around each border of a block, and around where the length fits into the last one no more. */
static void every_length_and_every_split_is_as_without(void **state)
{
    uint8_t stock[HASH], ours[HASH];

    (void)state;
    for (size_t len = 0; len <= 3 * BLOCK; len++) {
        unsigned long before;
        size_t        splits = 0;

        stock_hash(len, false, stock);
        before = sha256->calls;
        for (size_t split = 0; split <= len; split++, splits++) {
            pieces_hash(split, len, len, false, 0xf, ours);
            assert_memory_equal(ours, stock, HASH);
        }
        /* An empty piece is nothing to compute, and each finish is. */
        assert_true(sha256->calls - before == (len == 0 ? 1 : 2 + 3 * (splits - 2) + 2));
    }
}

static void pieces_at_random_by_whoever_are_as_without(void **state)
{
    uint8_t stock[HASH], ours[HASH];

    (void)state;
    for (size_t i = both_cases(USUAL_CASES); i > 0; i--) {
        size_t len = both_random() % (MESSAGE_MAX + 1);
        size_t second = both_random() % (len + 1);
        size_t first = both_random() % (second + 1);
        bool   is224 = both_random() % 4 == 0;

        stock_hash(len, is224, stock);
        pieces_hash(first, second, len, is224, (unsigned)(both_random() % 16), ours);
        assert_memory_equal(ours, stock, HASH); /* SHA-224 leaves the last four bytes alone */
    }
}

static void a_clone_goes_its_own_way(void **state)
{
    uint8_t expected[HASH], expected_of_clone[HASH], hash[HASH];

    (void)state;
    for (size_t cut = 0; cut <= 2 * BLOCK + 1; cut++) {
        mbedtls_sha256_context ctx, clone;

        stock_hash(cut + 70, false, expected);
        stock_hash(cut, false, expected_of_clone);
        mbedtls_sha256_init(&ctx);
        mbedtls_sha256_init(&clone);
        assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
        assert_int_equal(mbedtls_sha256_update(&ctx, message, cut), 0);
        mbedtls_sha256_clone(&clone, &ctx);
        assert_int_equal(mbedtls_sha256_update(&ctx, message + cut, 70), 0);
        assert_int_equal(mbedtls_sha256_finish(&clone, hash), 0);
        assert_memory_equal(hash, expected_of_clone, HASH);
        assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
        assert_memory_equal(hash, expected, HASH);
    }
}

/* Over the borders of 2^29 and 2^32 bytes, where bits and bytes need a second word, and of 2^61. */
static void long_messages_are_counted_as_without(void **state)
{
    static const uint32_t counts[][2] = {
        { 0x1fffffc0, 0 },          { 0x3fffffc0, 0 },          { 0xffffffc0, 0 },
        { 0xffffffc0, 0x1fffffff }, { 0xffffffc0, 0xffffffff },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        for (size_t len = 1; len <= 2 * BLOCK; len++) {
            mbedtls_sha256_context ctx[2];
            uint8_t                hash[2][HASH];

            for (int is_ours = 0; is_ours < 2; is_ours++) {
                sha256->on = is_ours;
                mbedtls_sha256_init(&ctx[is_ours]);
                assert_int_equal(mbedtls_sha256_starts(&ctx[is_ours], 0), 0);
                memcpy(ctx[is_ours].total, counts[i], sizeof(counts[i]));
                assert_int_equal(mbedtls_sha256_update(&ctx[is_ours], message, len), 0);
                assert_int_equal(mbedtls_sha256_update(&ctx[is_ours], message, 3), 0);
                assert_int_equal(mbedtls_sha256_finish(&ctx[is_ours], hash[is_ours]), 0);
            }
            assert_memory_equal(hash[1], hash[0], HASH);
        }
    }
}

static void a_million_times_a_is_as_published(void **state)
{
    static const uint8_t known[HASH] = {
        0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7,
        0xe2, 0x84, 0xd7, 0x3e, 0x67, 0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97,
        0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0,
    };
    mbedtls_sha256_context ctx;
    uint8_t                as[1000], hash[HASH];

    (void)state;
    memset(as, 'a', sizeof(as));
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(mbedtls_sha256_update(&ctx, as, sizeof(as)), 0);
    assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
    assert_memory_equal(hash, known, HASH);
}

/* As mbedTLS's own does: what was hashed may have been a secret. */
static void nothing_is_left_in_the_context(void **state)
{
    mbedtls_sha256_context ctx, empty;
    uint8_t                hash[HASH];

    (void)state;
    memset(&empty, 0, sizeof(empty));
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    assert_int_equal(mbedtls_sha256_update(&ctx, message, 100), 0);
    assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
    assert_memory_equal(&ctx, &empty, sizeof(ctx));
}

static uint32_t rotated(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

/* FIPS 180-4 section 6.2.2: the last sixteen words that a block becomes, from which it can be told. */
static void schedule(uint32_t last[16], const uint8_t block[BLOCK])
{
    uint32_t words[64];

    for (size_t i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];

        words[i] = (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10) + words[i - 7] +
                   (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 16];
    }
    memcpy(last, words + 48, 16 * sizeof(*last));
}

static void nothing_is_left_on_the_stack(void **state)
{
    mbedtls_sha256_context ctx;
    uint8_t                hash[HASH], block[BLOCK] = { 0 };
    uint32_t               last[16];

    (void)state;
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    stack_paint();
    assert_int_equal(mbedtls_sha256_update(&ctx, message, HASH), 0);
    assert_int_equal(mbedtls_sha256_finish(&ctx, hash), 0);
    stack_read();
    memcpy(block, message, HASH);
    block[HASH] = 0x80;
    block[BLOCK - 2] = 8 * HASH >> 8;
    schedule(last, block);
    for (size_t i = 0; i < 16; i += 2)
        assert_false(stack_has(&last[i], 2 * sizeof(*last)));
}

/* What Nettle takes for the processor's features; "none" is none that it knows. */
#define FEATURES "NETTLE_FAT_OVERRIDE"

static const char *own_path;

static void run_again_with_no_features(void)
{
    CHECK(setenv(FEATURES, "none", 1) == 0);
    CHECK(freopen("/dev/null", "w", stdout) != NULL);
    execl(own_path, own_path, NULL);
    CHECK(false);
}

/* All of the tests above, by Nettle's other code. */
static void a_processor_without_instructions_for_it_is_as_good(void **state)
{
    char said[CHILD_SAID_MAX];

    (void)state;
    if (getenv(FEATURES) == NULL)
        assert_int_equal(child_run(run_again_with_no_features, said), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_every_split_is_as_without),
        cmocka_unit_test(pieces_at_random_by_whoever_are_as_without),
        cmocka_unit_test(a_clone_goes_its_own_way),
        cmocka_unit_test(long_messages_are_counted_as_without),
        cmocka_unit_test(a_million_times_a_is_as_published),
        cmocka_unit_test(nothing_is_left_in_the_context),
        cmocka_unit_test(nothing_is_left_on_the_stack),
        cmocka_unit_test(a_processor_without_instructions_for_it_is_as_good),
    };

    own_path = argc > 0 ? argv[0] : "";
    return cmocka_run_group_tests(tests, set_up, NULL);
}

#else
#include "curves_stock.h"
#endif
