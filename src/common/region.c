#include "common/region.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_FIRST = 16 * 1024, /* bytes; a small configuration fits one */
    CHUNK_MAX = 1024 * 1024  /* bytes; chunks double up to here */
};

/* Objects grow from the low end, bytes from the high end: names of odd lengths
   between objects would cost padding each time. */
struct chunk {
    struct chunk *next;
    size_t        low;  /* bytes used at the start of data */
    size_t        high; /* where the bytes at its end begin */
    alignas(max_align_t) char data[];
};

struct region {
    struct chunk *chunks; /* the newest first; only that one is still filled */
    size_t        chunk_size;
    size_t        taken;
};

struct region *region_new(void)
{
    struct region *region = malloc(sizeof *region);

    if (region == NULL)
        return NULL;
    region->chunks = NULL;
    region->chunk_size = CHUNK_FIRST;
    region->taken = sizeof *region;
    return region;
}

/* A chunk with room for size bytes at any alignment, first in the list unless it
   is one of its own for a large object: the rest of the newest stays in use. */
static struct chunk *chunk_new(struct region *region, size_t size)
{
    bool          own = size > region->chunk_size / 4;
    size_t        room = own ? size : region->chunk_size;
    struct chunk *chunk;

    if (room > SIZE_MAX - sizeof *chunk)
        return NULL;
    chunk = malloc(sizeof *chunk + room);
    if (chunk == NULL)
        return NULL;
    chunk->low = 0;
    chunk->high = room;
    if (own && region->chunks != NULL) {
        chunk->next = region->chunks->next;
        region->chunks->next = chunk;
    } else {
        chunk->next = region->chunks;
        region->chunks = chunk;
    }
    region->taken += sizeof *chunk + room;
    if (!own && region->chunk_size < CHUNK_MAX)
        region->chunk_size *= 2;
    return chunk;
}

void *region_alloc(struct region *region, size_t size)
{
    const size_t  step = alignof(max_align_t);
    struct chunk *chunk = region->chunks;
    void         *object;

    if (size > SIZE_MAX - step)
        return NULL;
    size = (size + step - 1) / step * step;
    if (chunk == NULL || size > chunk->high - chunk->low)
        chunk = chunk_new(region, size);
    if (chunk == NULL)
        return NULL;
    object = chunk->data + chunk->low;
    chunk->low += size;
    return object;
}

char *region_bytes(struct region *region, size_t size)
{
    struct chunk *chunk = region->chunks;

    if (chunk == NULL || size > chunk->high - chunk->low)
        chunk = chunk_new(region, size);
    if (chunk == NULL)
        return NULL;
    chunk->high -= size;
    return chunk->data + chunk->high;
}

char *region_string(struct region *region, const char *bytes, size_t len)
{
    char *copy;

    if (len == SIZE_MAX)
        return NULL;
    copy = region_bytes(region, len + 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

size_t region_size(const struct region *region)
{
    return region->taken;
}

void region_free(struct region *region)
{
    struct chunk *chunk;

    if (region == NULL)
        return;
    while ((chunk = region->chunks) != NULL) {
        region->chunks = chunk->next;
        free(chunk);
    }
    free(region);
}
