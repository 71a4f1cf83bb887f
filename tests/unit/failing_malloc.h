/*
 * failing_malloc: malloc, calloc and realloc, of which one call fails when a test says so: a call of
 * the program's own, since libraries have their own ways to end for want of memory. Under valgrind,
 * which has its own, none of them is seen. It takes the place of common/memory, whose calloc this is then.
 */
#ifndef UNIT_FAILING_MALLOC_H
#define UNIT_FAILING_MALLOC_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/memory.h"

static long mallocs_until_failure; /* 0: none fails */

/* Apart from the others, since those are called before ASan is ready for a Dl_info. */
__attribute__((noinline)) static bool malloc_fails(const void *caller)
{
    Dl_info own, theirs;

    if (dladdr(caller, &theirs) == 0 || dladdr(&mallocs_until_failure, &own) == 0 ||
        own.dli_fbase != theirs.dli_fbase)
        return false;
    mallocs_until_failure--;
    if (mallocs_until_failure > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "malloc");
    return mallocs_until_failure > 0 && malloc_fails(__builtin_return_address(0)) ? NULL
                                                                                  : next(size);
}

static unsigned long failed_callocs;

unsigned long memory_failures(void)
{
    return failed_callocs;
}

void *calloc(size_t count, size_t size)
{
    static void *(*next)(size_t, size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "calloc");
    if (mallocs_until_failure > 0 && malloc_fails(__builtin_return_address(0))) {
        failed_callocs++;
        return NULL;
    }
    return next(count, size);
}

void *realloc(void *block, size_t size)
{
    static void *(*next)(void *, size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "realloc");
    return mallocs_until_failure > 0 && malloc_fails(__builtin_return_address(0))
               ? NULL
               : next(block, size);
}

#endif
