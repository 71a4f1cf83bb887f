"""A clock that a test can move: minutes pass in the server without anybody waiting for them."""

import mmap
import os
import struct
import subprocess

# The offset is mapped before main, so that a worker in its empty root still sees it.
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("TEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *memory = fd >= 0 ? mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (memory == MAP_FAILED)
        abort();
    offset = memory;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result == 0 && offset != NULL)
        now->tv_sec += *offset;
    return result;
}

time_t time(time_t *now)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (now != NULL)
        *now = t.tv_sec;
    return t.tv_sec;
}
"""


def build(folder):
    """Compiles the library once; gives its path."""
    library = folder / "test-clock.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-x", "c", "-",
                    "-o", str(library), "-ldl"],
                   input=_SOURCE.encode(), check=True, timeout=60)
    return library


class Clock:
    """One server's clock: Server(site, env=clock.environment()), then clock.advance(61)."""

    def __init__(self, library, folder):
        self._library = library
        self._path = folder / "clock"
        self._path.write_bytes(bytes(8))
        with open(self._path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def environment(self):
        # A sanitizer's own library comes second then, which it accepts only when told.
        asan = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": str(self._library), "TEST_CLOCK": str(self._path),
                "ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0"}

    def advance(self, seconds):
        """From now on it is so much later. What sleeps notices at its next event."""
        now, = struct.unpack("q", self._memory[:8])
        self._memory[:8] = struct.pack("q", now + seconds)
