/*
 * monotonic: the clock that nobody sets, for deadlines.
 */
#ifndef TOOL_MONOTONIC_H
#define TOOL_MONOTONIC_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some time. */
static inline int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
