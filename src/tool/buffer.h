/*
 * buffer: bytes that grow, up to a bound of their user's. All zero is an empty one.
 */
#ifndef TOOL_BUFFER_H
#define TOOL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char  *bytes;
    size_t len;  /* bytes in use */
    size_t size; /* and that there is room for */
};

/* Makes room for at least one more byte, and for as many again. False: there is no memory; the
   bytes stay. */
bool buffer_grow(struct buffer *buffer);

/* Appends. False: there is no memory; what was there stays. */
bool buffer_add(struct buffer *buffer, const char *bytes, size_t len);

/* Empty again, and without memory. */
void buffer_fini(struct buffer *buffer);

#endif
