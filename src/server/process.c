#include "server/process.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST_OTHER = STDERR_FILENO + 1,
    LARGE_BLOCK = 64 * 1024 /* bytes */
};

/* The lowest descriptor from `from` on that is to be kept, or -1. */
static int next_kept(const int *keep, size_t count, int from)
{
    int lowest = -1;

    for (size_t i = 0; i < count; i++) {
        if (keep[i] >= from && (lowest < 0 || keep[i] < lowest))
            lowest = keep[i];
    }
    return lowest;
}

/* The highest descriptor that can be open. */
static int highest_open(void)
{
    DIR           *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    struct rlimit  limit;
    int            highest = -1;

    if (folder != NULL) {
        while ((entry = readdir(folder)) != NULL) {
            int fd = (int)strtol(entry->d_name, NULL, 10); /* "." and ".." are 0 */

            if (fd > highest)
                highest = fd;
        }
        closedir(folder);
    } else if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        highest = (int)limit.rlim_cur - 1;
    }
    return highest;
}

/* Linux before 5.9 has no close_range, and the system call filters of old container
   runtimes refuse it. last -1: all from first on. */
static void close_from_to(int first, int last)
{
    if (close_range((unsigned)first, last < 0 ? ~0U : (unsigned)last, 0) == 0)
        return;
    if (last < 0)
        last = highest_open();
    for (int fd = first; fd <= last; fd++)
        close(fd);
}

void process_close_others(const int *keep, size_t count)
{
    int from = FIRST_OTHER;
    int kept;

    while ((kept = next_kept(keep, count, from)) >= 0) {
        if (kept > from)
            close_from_to(from, kept - 1);
        from = kept + 1;
    }
    close_from_to(from, -1);
}

int64_t process_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t process_left_ms(int64_t deadline_ms)
{
    int64_t now;

    if (deadline_ms == 0)
        return -1;
    now = process_now_ms();
    return deadline_ms > now ? deadline_ms - now : 0;
}

void process_ignore_master_signals(void)
{
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

size_t process_raise_descriptors(void)
{
    struct rlimit limit;
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0)
        return limit.rlim_cur;
    return raised.rlim_cur;
}

void process_return_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}
