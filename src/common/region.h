/*
 * region: memory of one lifetime, freed at once.
 *
 * A generation's configuration lives in one region: built by the keeper, read
 * by its workers, never changed after the fork, gone with the process.
 */
#ifndef COMMON_REGION_H
#define COMMON_REGION_H

#include <stddef.h>

struct region;

/* NULL when there is no memory. */
struct region *region_new(void);

/* size bytes, aligned for any object, not cleared; NULL when there is no memory.
   Valid until region_free; a size of 0 gives a pointer that is not to be read. */
void *region_alloc(struct region *region, size_t size);

/* The same, without padding for alignment: for names and other bytes. */
char *region_bytes(struct region *region, size_t size);

/* A copy of len bytes with a NUL behind them; NULL when there is no memory. */
char *region_string(struct region *region, const char *bytes, size_t len);

/* Bytes taken from the system so far. */
size_t region_size(const struct region *region);

void region_free(struct region *region); /* accepts NULL */

#endif
