/*
 * Part of every program in build/coverage: the counters of gcov live in a file that is mapped shared, so they
 * outlast every process whatever its end (_exit, SIGKILL), take no descriptor, and need no file at that end, which a
 * worker in its empty root could not open. The file is named after the program, in COUNTS; tests/coverage.py makes it
 * before the tests, and after them runs each program once more to have its .gcda files written.
 */
#include <errno.h>
#include <fcntl.h>
#include <gcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern char coverage_counters[], coverage_counters_end[]; /* tests/coverage.ld */

void __wrap___gcov_exit(void);

static void stop(const char *what, const char *path)
{
    fprintf(stderr, "coverage: %s: %s: %s\n", what, path, strerror(errno));
    abort();
}

static void share_counters(void)
{
    size_t      size = (size_t)(coverage_counters_end - coverage_counters);
    char        path[4096];
    struct stat file;
    int         fd;

    snprintf(path, sizeof(path), "%s/%s", COUNTS, program_invocation_short_name);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0)
        stop("open", path);
    if (file.st_size < (off_t)size && ftruncate(fd, (off_t)size) != 0)
        stop("ftruncate", path);
    if (mmap(coverage_counters, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
        MAP_FAILED)
        stop("mmap", path);
    close(fd);
}

__attribute__((constructor)) static void begin(void)
{
    share_counters();
    if (getenv("COVERAGE_WRITE") != NULL) {
        __gcov_dump();
        _exit(0);
    }
}

/* What each process does at its exit otherwise. */
void __wrap___gcov_exit(void)
{
}
