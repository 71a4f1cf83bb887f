/*
 * shortage: tells what was given up because there was no memory for it.
 *
 * Nothing is kept back for such a time: the one connection or certificate that did not get its
 * memory is given up, and everything else goes on. A crowd of strangers may bring it about, so only
 * the first lines of a minute are written, and the next one afterwards says how many were not.
 */
#ifndef SERVER_SHORTAGE_H
#define SERVER_SHORTAGE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SHORTAGE_LINES = 10,        /* a minute, of one process */
    SHORTAGE_BLOCK = 17 * 1024, /* bytes: either buffer of an mbedTLS context */
    SHORTAGE_BLOCKS_MAX = 4
};

/*
 * Whether there is memory for so many blocks of SHORTAGE_BLOCK, at most SHORTAGE_BLOCKS_MAX: true
 * where there is. They are allocated and freed: blocks of this size fit where a freed context was.
 */
bool shortage_spare(size_t blocks);

/* "out of memory: " and what is given up. */
void shortage_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
