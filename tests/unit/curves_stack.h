/*
 * curves_stack: what an operation has left on the stack. stack_paint, the operation, stack_read; then
 * stack_found is what was below the caller.
 */
#ifndef UNIT_CURVES_STACK_H
#define UNIT_CURVES_STACK_H

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { STACK_SEARCHED = 128 * 1024 };

static uint8_t stack_found[STACK_SEARCHED];

/* Or what wipes the stack wipes another, which AddressSanitizer has for locals since gcc 13. */
// NOLINTNEXTLINE(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): AddressSanitizer's own name
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}

/* Nothing that was there before, and all of it reached, so that it can be read. */
__attribute__((noinline)) static void stack_paint(void)
{
    uint8_t paint[STACK_SEARCHED + 32];

    memset(paint, 0xa5, sizeof(paint));
    __asm__ volatile("" : : "r"(paint) : "memory");
}

/* By way of the kernel, since neither compilers nor valgrind like a program to look there. */
__attribute__((noinline)) static void stack_read(void)
{
    /* a local may be elsewhere, with AddressSanitizer */
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    int       memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    assert_true(memory >= 0);
    assert_int_equal(pread(memory, stack_found, STACK_SEARCHED, (off_t)(here - STACK_SEARCHED)),
                     STACK_SEARCHED);
    close(memory);
}

static inline bool stack_has(const void *bytes, size_t len)
{
    return memmem(stack_found, STACK_SEARCHED, bytes, len) != NULL;
}

#endif
