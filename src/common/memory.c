#include "common/memory.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_ulong failures;

unsigned long memory_failures(void)
{
    return atomic_load_explicit(&failures, memory_order_relaxed);
}

/* Not libc's by name: AddressSanitizer and the tests have a calloc in front of it. */
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): libc's are reserved
void *calloc(size_t count, size_t size)
{
    static void *(*next)(size_t, size_t);
    void *block;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "calloc");
    block = next(count, size);
    if (block == NULL)
        atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    return block;
}
