/*
 * http_request_read on any bytes: no state between calls, slices inside the
 * buffer, and no verdict that more bytes would change.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http.h"

enum {
    EVERY_PREFIX_UP_TO = 300,                    /* bytes; of longer inputs, some prefixes */
    SHORTEST = sizeof "G / HTTP/1.0\r\n\r\n" - 1 /* a head: any method, and 1.0 needs no field */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Each read finds other dirt in *request, and exactly len bytes in its buffer. */
static enum http_result read_copy(const uint8_t *data, size_t len, int dirt,
                                  struct http_request *request, char **copy)
{
    *copy = malloc(len > 0 ? len : 1);
    require(*copy != NULL);
    memcpy(*copy, data, len);
    memset(request, dirt, sizeof *request);
    return http_request_read(*copy, len, request);
}

static void require_inside(struct http_slice slice, const char *bytes, size_t len)
{
    if (slice.at == NULL) {
        require(slice.len == 0);
        return;
    }
    require(slice.at >= bytes && slice.at <= bytes + len);
    require(slice.len <= (size_t)(bytes + len - slice.at));
}

static void require_same_slice(struct http_slice a, const char *in_a, struct http_slice b,
                               const char *in_b)
{
    require(a.len == b.len && (a.at == NULL) == (b.at == NULL));
    require(a.at == NULL || a.at - in_a == b.at - in_b);
}

static void require_good(const struct http_request *r, const char *bytes, size_t len)
{
    require(r->head_len >= SHORTEST && r->head_len <= len && r->head_len <= HTTP_HEAD_MAX);
    require(memcmp(bytes + r->head_len - 4, "\r\n\r\n", 4) == 0);
    require_inside(r->path, bytes, r->head_len);
    require_inside(r->host, bytes, r->head_len);
    require_inside(r->user_agent, bytes, r->head_len);
    require(r->path.len > 0 && r->has_host == (r->host.len > 0));
    require(r->method == HTTP_OTHER || r->path.at[0] == '/');
    require(r->status == 0);
}

/* The same verdict on the same bytes, with more behind them or not. */
static void require_same(const uint8_t *data, size_t a_len, size_t b_len)
{
    struct http_request a, b;
    char               *a_bytes, *b_bytes;
    enum http_result    result = read_copy(data, a_len, 0x00, &a, &a_bytes);

    require(result == read_copy(data, b_len, 0xff, &b, &b_bytes));
    if (result == HTTP_BAD)
        require(a.status == b.status);
    if (result == HTTP_OK) {
        require(a.method == b.method && a.head_len == b.head_len);
        require(a.has_host == b.has_host && a.keep_alive == b.keep_alive);
        require(a.has_body == b.has_body);
        require_same_slice(a.path, a_bytes, b.path, b_bytes);
        require_same_slice(a.host, a_bytes, b.host, b_bytes);
        require_same_slice(a.user_agent, a_bytes, b.user_agent, b_bytes);
    }
    free(a_bytes);
    free(b_bytes);
}

static void check_prefix(const uint8_t *data, size_t len, size_t size)
{
    struct http_request request;
    char               *bytes;
    enum http_result    result = read_copy(data, len, 0x5a, &request, &bytes);

    if (result == HTTP_OK)
        require_good(&request, bytes, len);
    if (result == HTTP_BAD)
        require(request.status == 400 || request.status == 414 || request.status == 431);
    if (result == HTTP_MORE)
        require(len < HTTP_HEAD_MAX);
    free(bytes);
    if (result == HTTP_MORE)
        return;
    require_same(data, len, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              step = size > EVERY_PREFIX_UP_TO ? size / 16 : 1;
    struct http_request request;
    char               *bytes;

    require_same(data, size, size);
    for (size_t len = 0; len < size; len += step)
        check_prefix(data, len, size);
    check_prefix(data, size, size);

    /* A head is whole with its last byte, and not before. */
    if (read_copy(data, size, 0xa5, &request, &bytes) == HTTP_OK) {
        size_t head_len = request.head_len;
        free(bytes);
        require(read_copy(data, head_len - 1, 0xa5, &request, &bytes) == HTTP_MORE);
        require_same(data, head_len, size);
    }
    free(bytes);
    return 0;
}
