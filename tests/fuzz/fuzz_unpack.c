/*
 * unpack on any bytes: no more than its bound, and the same whatever the buffer held before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tool/unpack.h"

enum { MAX = 200000 /* bytes; a few steps of the buffer */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static enum unpack_result unpack_copy(const uint8_t *data, size_t size, size_t max,
                                      struct buffer *out)
{
    char              *copy = malloc(size > 0 ? size : 1);
    enum unpack_result result;

    require(copy != NULL);
    memcpy(copy, data, size);
    result = unpack(copy, size, max, out);
    free(copy);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer      first = { 0 }, second = { 0 };
    enum unpack_result result = unpack_copy(data, size, MAX, &first);

    require(buffer_add(&second, (const char *)data, size));
    require(unpack_copy(data, size, MAX, &second) == result && result != UNPACK_NO_MEMORY);
    require(first.size <= 2 * (size_t)MAX);
    if (result == UNPACK_DONE) {
        require(first.len <= MAX && first.len == second.len);
        require(first.len == 0 || memcmp(first.bytes, second.bytes, first.len) == 0);
        require(unpack_copy(data, size, first.len, &second) == UNPACK_DONE);
        if (first.len > 0)
            require(unpack_copy(data, size, first.len - 1, &second) == UNPACK_LARGE);
    }
    buffer_fini(&first);
    buffer_fini(&second);
    return 0;
}
