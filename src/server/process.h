/*
 * process: the small change of processes: descriptors, the clock, signals, memory.
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* Closes every descriptor above standard error but those in keep (count of them; -1s are
   skipped): every child first closes what isn't its own. */
void process_close_others(const int *keep, size_t count);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t process_now_ms(void);

/* Milliseconds until a deadline of that clock, for ppoll: 0 when it is past. 0 as a
   deadline means none: -1. */
int64_t process_left_ms(int64_t deadline_ms);

/* SIGHUP, SIGTERM and SIGINT are the master's: systemd signals every process. The signal mask stays as it is. */
void process_ignore_master_signals(void);

/* Raises the soft limit of descriptors to the hard one. Returns the limit that is in force, 0
   when it cannot be known. */
size_t process_raise_descriptors(void);

/* In this process and its children, blocks of 64 KB and more are the system's again as soon as they
   are freed (glibc's own limit is 128 KB, and rises with each such block). So what only reading a
   configuration takes is no part of what serves, and the master holds nothing of a generation that
   has gone. */
void process_return_large_blocks(void);

#endif
