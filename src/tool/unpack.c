#include "tool/unpack.h"

#include <stdint.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 /* the largest, in a gzip's frame (zlib.h on inflateInit2) */ };

bool unpack_is_gzip(const char *bytes, size_t len)
{
    return len >= 2 && (unsigned char)bytes[0] == 0x1f && (unsigned char)bytes[1] == 0x8b;
}

/* One step of inflate, into what room there is. */
static int step(z_stream *stream, struct buffer *out, size_t max)
{
    size_t room = out->size - out->len, allowed = max + 1 - out->len;
    int    status;

    if (room > allowed)
        room = allowed;
    stream->next_out = (Bytef *)out->bytes + out->len;
    stream->avail_out = (uInt)room;
    status = inflate(stream, Z_NO_FLUSH);
    out->len += room - stream->avail_out;
    return status;
}

static enum unpack_result inflate_all(z_stream *stream, size_t max, struct buffer *out)
{
    for (;;) {
        int status;

        if (!buffer_grow(out))
            return UNPACK_NO_MEMORY;
        status = step(stream, out, max);
        if (status == Z_MEM_ERROR)
            return UNPACK_NO_MEMORY;
        if (status != Z_OK && status != Z_STREAM_END)
            return UNPACK_BROKEN;
        if (out->len > max)
            return UNPACK_LARGE;
        if (status == Z_STREAM_END) {
            if (!unpack_is_gzip((const char *)stream->next_in, stream->avail_in))
                return UNPACK_DONE;
            inflateReset(stream);
        }
    }
}

enum unpack_result unpack(const char *bytes, size_t len, size_t max, struct buffer *out)
{
    z_stream stream = { .next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len };
    enum unpack_result result;

    out->len = 0;
    if (!unpack_is_gzip(bytes, len) || len > UINT32_MAX)
        return UNPACK_BROKEN;
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return UNPACK_NO_MEMORY;
    result = inflate_all(&stream, max, out);
    inflateEnd(&stream);
    return result;
}
