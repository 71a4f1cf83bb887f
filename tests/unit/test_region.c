/* region: memory of one lifetime. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/region.h"

static void objects_are_aligned_and_bytes_between_them_cost_no_padding(void **state)
{
    struct region *region = region_new();
    size_t         before;

    (void)state;
    assert_non_null(region_alloc(region, 1));
    before = region_size(region);
    /* 10 KiB of the first 16: padded to objects, the bytes alone would take more than all. */
    for (int i = 0; i < 320; i++) {
        char *bytes = region_bytes(region, 1);
        void *object = region_alloc(region, 24);

        assert_non_null(bytes);
        *bytes = 'x';
        assert_non_null(object);
        assert_int_equal((uintptr_t)object % alignof(max_align_t), 0);
        memset(object, 'o', 24);
    }
    assert_int_equal(region_size(region), before);
    region_free(region);
}

static void nothing_handed_out_overlaps(void **state)
{
    enum { COUNT = 3000 };
    static unsigned char *given[COUNT];
    static size_t         sizes[COUNT];
    struct region        *region = region_new();

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i % 100 == 99 ? 50000 : i * 7 % 113;
        given[i] = i % 2 ? region_alloc(region, sizes[i]) : (void *)region_bytes(region, sizes[i]);
        assert_non_null(given[i]);
        memset(given[i], (int)(i & 0xff), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(given[i][j], i & 0xff);
    }
    region_free(region);
}

static void an_object_larger_than_any_chunk_is_given(void **state)
{
    enum { LARGE = 5 * 1024 * 1024 };
    struct region *region = region_new();
    char          *object = region_alloc(region, LARGE);
    char          *string;
    size_t         size = region_size(region);

    (void)state;
    assert_non_null(object);
    memset(object, 'x', LARGE);
    string = region_string(region, "after", 5);
    assert_string_equal(string, "after");
    assert_true(size >= LARGE && size < LARGE + 1024);
    assert_true(region_size(region) > size);
    region_free(region);
}

static void a_large_object_leaves_the_rest_of_the_chunk_in_use(void **state)
{
    struct region *region = region_new();
    size_t         size;

    (void)state;
    assert_non_null(region_bytes(region, 10));
    assert_non_null(region_alloc(region, 100000));
    size = region_size(region);
    assert_non_null(region_bytes(region, 4000));
    assert_int_equal(region_size(region), size);
    region_free(region);
}

static void a_string_is_a_copy_with_a_nul(void **state)
{
    struct region *region = region_new();
    char          *copy = region_string(region, "abcdef", 3);

    (void)state;
    assert_string_equal(copy, "abc");
    assert_string_equal(region_string(region, NULL, 0), "");
    region_free(region);
}

static void impossible_sizes_are_no_memory(void **state)
{
    struct region *region = region_new();
    size_t         most = SIZE_MAX;

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        assert_null(region_alloc(region, most - i));
        assert_null(region_bytes(region, most - i));
    }
    assert_null(region_string(region, "", most));
    assert_non_null(region_alloc(region, 0));
    region_free(region);
}

static void nothing_is_freed_of_nothing(void **state)
{
    (void)state;
    region_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_aligned_and_bytes_between_them_cost_no_padding),
        cmocka_unit_test(nothing_handed_out_overlaps),
        cmocka_unit_test(an_object_larger_than_any_chunk_is_given),
        cmocka_unit_test(a_large_object_leaves_the_rest_of_the_chunk_in_use),
        cmocka_unit_test(a_string_is_a_copy_with_a_nul),
        cmocka_unit_test(impossible_sizes_are_no_memory),
        cmocka_unit_test(nothing_is_freed_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
