/*
 * failing_calloc: a calloc, which is where mbedTLS's numbers come from, that fails when a test says
 * so. Under valgrind, which has its own, none of it is seen.
 */
#ifndef UNIT_FAILING_CALLOC_H
#define UNIT_FAILING_CALLOC_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

static int  allocations_until_failure; /* 0: none fails */
static bool allocation_was_seen;

void *calloc(size_t count, size_t size)
{
    static void *(*next)(size_t, size_t);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "calloc");
    allocation_was_seen = true;
    if (allocations_until_failure > 0) {
        allocations_until_failure--;
        if (allocations_until_failure == 0)
            return NULL;
    }
    return next(count, size);
}

#endif
