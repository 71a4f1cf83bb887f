/*
 * Part of every program in build/sanitized. LeakSanitizer looks at a process by way of /proc, and
 * ends it with an error where there is none: in the empty root of a worker. The workers of a server
 * that is not started as root keep their root; their leaks are found.
 */
#include <sanitizer/lsan_interface.h>
#include <unistd.h>

// NOLINTNEXTLINE(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): LeakSanitizer's own name
int __lsan_is_turned_off(void)
{
    return access("/proc/self/task", F_OK) != 0;
}
