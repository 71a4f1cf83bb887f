/* unpack: gzips that are whole, and those that are not; buffer with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "tool/unpack.h"

enum { MAX = 300000 /* bytes */ };

/* A gzip of the bytes; its length to *packed_len. The caller's to free. */
static char *packed(const char *bytes, size_t len, size_t *packed_len)
{
    z_stream stream = { 0 };
    size_t   room = len + 1000;
    char    *out = malloc(room);

    assert_non_null(out);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (z_const Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *packed_len = stream.total_out;
    deflateEnd(&stream);
    return out;
}

static void assert_unpacks(size_t len, enum unpack_result expected)
{
    char         *bytes = malloc(len + 1), *gzip;
    struct buffer out = { 0 };
    size_t        gzip_len;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * i >> 3);
    gzip = packed(bytes, len, &gzip_len);
    assert_int_equal(unpack(gzip, gzip_len, MAX, &out), expected);
    if (expected == UNPACK_DONE) {
        assert_int_equal(out.len, len);
        assert_true(len == 0 || memcmp(out.bytes, bytes, len) == 0);
    }
    assert_true(out.size <= 2 * (size_t)MAX);
    buffer_fini(&out);
    free(gzip);
    free(bytes);
}

static void what_was_packed_comes_out_up_to_the_bound(void **state)
{
    static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, MAX - 1, MAX };

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
        assert_unpacks(lengths[i], UNPACK_DONE);
    assert_unpacks(MAX + 1, UNPACK_LARGE);
    assert_unpacks(100 * (size_t)MAX, UNPACK_LARGE);
}

static void a_gzip_that_is_cut_anywhere_is_broken(void **state)
{
    static const char text[] = "{\"policies\":[]}";
    struct buffer     out = { 0 };
    size_t            len;
    char             *gzip = packed(text, strlen(text), &len);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        char *copy = malloc(cut + 1);

        assert_non_null(copy);
        memcpy(copy, gzip, cut);
        assert_int_equal(unpack(copy, cut, MAX, &out), UNPACK_BROKEN);
        free(copy);
    }
    for (size_t at = len - 8; at < len; at++) { /* the sum, and the length */
        gzip[at] ^= 1;
        assert_int_equal(unpack(gzip, len, MAX, &out), UNPACK_BROKEN);
        gzip[at] ^= 1;
    }
    assert_int_equal(unpack(gzip, len, MAX, &out), UNPACK_DONE);
    buffer_fini(&out);
    free(gzip);
}

static void members_are_one_and_what_follows_is_passed_over(void **state)
{
    struct buffer all = { 0 }, out = { 0 };
    size_t        len;
    char         *gzip = packed("abc", 3, &len);

    (void)state;
    assert_true(buffer_add(&all, gzip, len) && buffer_add(&all, gzip, len));
    assert_true(buffer_add(&all, "\0\0\0", 3));
    assert_int_equal(unpack(all.bytes, all.len, MAX, &out), UNPACK_DONE);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.bytes, "abcabc", 6);
    assert_int_equal(unpack(all.bytes, 2 * len - 1, MAX, &out), UNPACK_BROKEN);
    assert_int_equal(unpack(all.bytes, 2 * len, 5, &out), UNPACK_LARGE);
    buffer_fini(&all);
    buffer_fini(&out);
    free(gzip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_comes_out_up_to_the_bound),
        cmocka_unit_test(a_gzip_that_is_cut_anywhere_is_broken),
        cmocka_unit_test(members_are_one_and_what_follows_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
