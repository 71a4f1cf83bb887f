/*
 * fast_clock: a monotonic clock that a test may put forward, for the libraries too, so that nobody
 * waits for a time-out.
 */
#ifndef UNIT_FAST_CLOCK_H
#define UNIT_FAST_CLOCK_H

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t fast_clock_ahead; /* seconds */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int status = (int)syscall(SYS_clock_gettime, clock, now);

    if (status == 0 && clock == CLOCK_MONOTONIC)
        now->tv_sec += fast_clock_ahead;
    return status;
}

/* For outside_run: a second passes where nothing happened in a tenth of one. Under valgrind, where the
   server of a test is thirty times slower, it takes three such waits. */
static inline void fast_clock_tick(void *context)
{
    static struct timespec before;
    static unsigned        waits;
    struct timespec        now;
    long                   passed;
    const char            *preloaded = getenv("LD_PRELOAD"); /* by valgrind: vgpreload_core */
    unsigned               needed = preloaded != NULL && strstr(preloaded, "vgpreload") ? 3 : 1;

    (void)context;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    passed = (now.tv_sec - before.tv_sec) * 1000 + (now.tv_nsec - before.tv_nsec) / 1000000;
    waits = before.tv_sec > 0 && passed >= 90 ? waits + 1 : 0;
    if (waits == needed) {
        fast_clock_ahead++;
        waits = 0;
    }
    before = now;
}

#endif
