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

/* SIGHUP, SIGTERM and SIGINT are the master's: systemd and terminals signal the whole group.
   And SIGTTOU: to a terminal with tostop set, a generation is a background group that must not log.
   The signal mask stays as it is. */
void process_ignore_master_signals(void);

/* Raises the soft limit of descriptors to the hard one. Returns the limit that is in force, 0
   when it cannot be known. */
size_t process_raise_descriptors(void);

/* Blocks of 128 KB and more are the system's again when they are freed, whatever was freed before:
   what only reading a large configuration takes is then no part of what serves. */
void process_return_large_blocks(void);

#endif
