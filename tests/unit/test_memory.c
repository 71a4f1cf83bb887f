/* memory: it counts the allocations that failed, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include "common/memory.h"

/* Without this option, AddressSanitizer ends a process that asks for too much. */
// NOLINTNEXTLINE(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): AddressSanitizer's own name
const char *__asan_default_options(void);

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

/* AddressSanitizer warns of each on standard error. */
static void allocate_too_much(void)
{
    volatile size_t most = PTRDIFF_MAX / 2;
    unsigned long   before = memory_failures();

    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    CHECK(calloc(most, 1) == NULL);
    CHECK(memory_failures() == before + 1);
    CHECK(calloc(most, 4) == NULL); /* the product is too large */
    CHECK(memory_failures() == before + 2);
}

static void an_allocation_that_fails_is_counted(void **state)
{
    (void)state;
    if (is_under_valgrind())
        skip();
    assert_child_passes(allocate_too_much);
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
