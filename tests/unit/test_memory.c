/* memory: it counts the allocations that failed, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/memory.h"

/* What AddressSanitizer asks for its options; without this one it ends a process that asks for too much. */
const char *__asan_default_options(
    void); // NOLINT(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): its name

// NOLINTNEXTLINE(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): AddressSanitizer's own name
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Valgrind puts its own calloc in the place of the program's. */
static bool is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

static void an_allocation_that_fails_is_counted(void **state)
{
    volatile size_t most = PTRDIFF_MAX / 2;
    unsigned long   before = memory_failures();

    (void)state;
    if (is_under_valgrind())
        skip();
    assert_null(calloc(most, 1));
    assert_int_equal(memory_failures(), before + 1);
    assert_null(calloc(most, 4)); /* the product is too large */
    assert_int_equal(memory_failures(), before + 2);
}

/* As glibc's brk leaves it when mmap has the memory. */
static void errno_is_not_asked(void **state)
{
    unsigned long before = memory_failures();
    char         *block;

    (void)state;
    errno = ENOMEM;
    block = calloc(2, 8);
    assert_non_null(block);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(block[i], 0);
    free(block);
    assert_int_equal(memory_failures(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_that_fails_is_counted),
        cmocka_unit_test(errno_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
