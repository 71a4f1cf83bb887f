/*
 * shortage: tells what was given up because there was no memory for it.
 *
 * Nothing is kept back for such a time: the one connection or certificate that did not get its
 * memory is given up, and everything else goes on. A crowd of strangers may bring it about, so only
 * the first lines of a minute are written, and the next one afterwards says how many were not.
 */
#ifndef SERVER_SHORTAGE_H
#define SERVER_SHORTAGE_H

enum { SHORTAGE_LINES = 10 /* a minute, of one process */ };

/* "out of memory: " and what is given up. */
void shortage_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
