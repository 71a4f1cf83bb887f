/*
 * unpack: what is in a gzip (RFC 1952), up to a bound.
 */
#ifndef TOOL_UNPACK_H
#define TOOL_UNPACK_H

#include "tool/buffer.h"

enum unpack_result {
    UNPACK_DONE,
    UNPACK_BROKEN, /* it is no gzip, or not whole, or its sum is wrong */
    UNPACK_LARGE,  /* there is more in it than max */
    UNPACK_NO_MEMORY
};

/* Whether the bytes begin as a gzip does. */
bool unpack_is_gzip(const char *bytes, size_t len);

/*
 * Puts what is in the len bytes into out, instead of what was there: at most max bytes, and memory
 * for twice as many. Members that follow each other are one; what follows the last is passed over,
 * as gzip(1) does. Unless UNPACK_DONE, out holds nothing of use.
 */
enum unpack_result unpack(const char *bytes, size_t len, size_t max, struct buffer *out);

#endif
