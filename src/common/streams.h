/*
 * streams: descriptors 0 to 2 of a process.
 *
 * A descriptor that a program finds closed is given to the next file, pipe or socket that it opens: a log line then
 * goes to a client, or a child inherits a pipe as its standard output. So both programs open the three before anything
 * else.
 */
#ifndef COMMON_STREAMS_H
#define COMMON_STREAMS_H

/* Opens on /dev/null those of the three that are closed. Each of these opposes its use: a read of standard input or a
   write to the others fails with EBADF, as it does while they are closed. -1 with errno: /dev/null cannot be opened. */
int streams_open(void);

/* Puts /dev/null in the place of standard input and output. -1 with errno. */
int streams_detach(void);

#endif
