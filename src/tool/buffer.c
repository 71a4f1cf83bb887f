#include "tool/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 64 * 1024 /* bytes; nearly every report fits */ };

bool buffer_grow(struct buffer *buffer)
{
    size_t size = buffer->size > 0 ? 2 * buffer->size : FIRST;
    char  *bytes;

    if (buffer->len < buffer->size)
        return true;
    bytes = realloc(buffer->bytes, size);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

bool buffer_add(struct buffer *buffer, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room;

        if (!buffer_grow(buffer))
            return false;
        room = buffer->size - buffer->len;
        if (room > len)
            room = len;
        memcpy(buffer->bytes + buffer->len, bytes, room);
        buffer->len += room;
        bytes += room;
        len -= room;
    }
    return true;
}

void buffer_fini(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){ 0 };
}
