/*
 * certs_cache: the hosts that a worker knows, found by name, and which of them has to go.
 *
 * Those that have a pair and those that failed stand in a ring each, by last use, so that failures
 * push no pair out. While the keeper is asked for a host it is in neither: nothing that is under
 * way or waited for can go.
 */
#ifndef SERVER_CERTS_CACHE_H
#define SERVER_CERTS_CACHE_H

#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct certpair;
struct certs;
struct certs_waiter;
struct policy;

/* A place in a ring that its head closes: older than the head is the youngest, younger than it the
   oldest. */
struct certs_link {
    struct certs_link *younger, *older;
};

/* What tells a file from another that took its place: all of it, since a swapped-in file may
   well be older, and an inode may be used again. */
struct certs_identity {
    dev_t           dev;
    ino_t           ino;
    off_t           size;
    struct timespec mtime, ctime;
};

/* A line of the log about a host. Zeroed: none yet. */
struct certs_logged {
    int64_t  at_ms;
    uint64_t hash; /* of its text */
};

/* A host. The first three are the cache's, and pair is set by certs_cache_give alone. */
struct certs_entry {
    struct certs_link     ring; /* first: an entry is found from it */
    struct certs_entry   *bucket_next;
    size_t                host_len;
    struct certpair      *pair; /* NULL: none that is good was ever found */
    struct certs         *certs;
    const struct policy  *policy;   /* borrowed */
    struct certs_identity files[2]; /* that the pair was read from: certificate, key */
    struct certs_waiter  *waiters;  /* last come, first */
    int64_t               due_ms;   /* from then on it is asked for before use */
    struct certs_logged   failure;  /* logged last */
    time_t                findings_told;
    unsigned              recheck; /* certs->recheck when it was asked for */
    bool                  in_flight;
    char                  host[]; /* with NUL */
};

/* Embedded. */
struct certs_cache {
    size_t               capacity;
    size_t               pairs; /* entries that have one, those in no ring too */
    size_t               failed_count;
    unsigned long        evictions; /* of pairs */
    struct certs_link    good, failed;
    uint8_t              hash_key[HASH_KEY_SIZE];
    size_t               bucket_mask;
    struct certs_entry **buckets;
};

/* capacity: pairs kept, at least one. -1: no memory, or no random numbers; nothing is held then. */
int certs_cache_init(struct certs_cache *cache, size_t capacity);

/* Frees every entry. */
void certs_cache_fini(struct certs_cache *cache);

/* NULL: not there. */
struct certs_entry *certs_cache_find(const struct certs_cache *cache, const char *host, size_t len);

/* A host that is not there: zeroed, without a pair, in no ring. NULL: no memory. */
struct certs_entry *certs_cache_add(struct certs_cache *cache, const char *host, size_t len);

/* The keeper is asked for it: out of its ring, where it is in one. */
void certs_cache_take_out(struct certs_cache *cache, struct certs_entry *entry);

/* Into the ring that is its own now, as the youngest. Others make room for it. */
void certs_cache_put_back(struct certs_cache *cache, struct certs_entry *entry);

/* It has served, with the pair that it has: the youngest again. */
void certs_cache_use(struct certs_cache *cache, struct certs_entry *entry);

/* Its pair from now on, a reference that the entry takes. The entry is in no ring. */
void certs_cache_give(struct certs_cache *cache, struct certs_entry *entry, struct certpair *pair);

#endif
