/*
 * memlimit: how much memory the server may use, as the system tells it: physical memory, the limits of
 * its control group and of the groups above (version 1 or 2), and the limit of its address space.
 */
#ifndef SERVER_MEMLIMIT_H
#define SERVER_MEMLIMIT_H

#include <stdint.h>

/*
 * Bytes for all processes of the server: the least of physical memory and the limits (memory.max,
 * memory.high, memory.limit_in_bytes) of the control group. root: "" or, for tests, a directory with
 * proc/self/cgroup and sys/fs/cgroup. Files that cannot be read limit nothing.
 */
uint64_t memlimit_total(const char *root);

/* Bytes that this process may still map under RLIMIT_AS; UINT64_MAX: no limit. */
uint64_t memlimit_address_space(void);

#endif
