#include "server/certs_cache.h"

#include "server/broker.h"
#include "common/certpair.h"
#include "server/certs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* --- Rings */

static void ring_init(struct certs_link *head)
{
    head->younger = head->older = head;
}

static void ring_remove(struct certs_link *link)
{
    link->younger->older = link->older;
    link->older->younger = link->younger;
    ring_init(link);
}

static void ring_add_youngest(struct certs_link *head, struct certs_link *link)
{
    link->younger = head;
    link->older = head->older;
    head->older->younger = link;
    head->older = link;
}

static struct certs_entry *ring_oldest(const struct certs_link *head)
{
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it can't follow drop, which takes out what it frees
    return head->younger == head ? NULL : (struct certs_entry *)(void *)head->younger;
}

/* --- Buckets */

/* Everything there can be, one a bucket. */
static size_t buckets_for(size_t entries)
{
    size_t buckets = 64;

    while (buckets < entries)
        buckets *= 2;
    return buckets;
}

/* Where the entry of this host hangs, or where it would: at the end of its bucket. */
static struct certs_entry **place_of(const struct certs_cache *cache, const char *host, size_t len)
{
    uint64_t             hash = hash_64(cache->hash_key, host, len);
    struct certs_entry **at = &cache->buckets[hash & cache->bucket_mask];

    while (*at && ((*at)->host_len != len || memcmp((*at)->host, host, len) != 0))
        at = &(*at)->bucket_next;
    return at;
}

struct certs_entry *certs_cache_find(const struct certs_cache *cache, const char *host, size_t len)
{
    return *place_of(cache, host, len);
}

struct certs_entry *certs_cache_add(struct certs_cache *cache, const char *host, size_t len)
{
    struct certs_entry *entry = calloc(1, sizeof(*entry) + len + 1);

    if (!entry)
        return NULL;
    ring_init(&entry->ring);
    entry->host_len = len;
    memcpy(entry->host, host, len);
    *place_of(cache, host, len) = entry;
    return entry;
}

/* --- Who stays */

static void drop(struct certs_cache *cache, struct certs_entry *entry)
{
    assert(entry != NULL); /* who counts more than there may be has one to drop */
    *place_of(cache, entry->host, entry->host_len) = entry->bucket_next;
    if (entry->pair)
        cache->pairs--;
    else
        cache->failed_count--;
    ring_remove(&entry->ring);
    certpair_unref(entry->pair);
    free(entry);
}

void certs_cache_take_out(struct certs_cache *cache, struct certs_entry *entry)
{
    bool in_ring = entry->ring.older != &entry->ring;

    if (in_ring && !entry->pair)
        cache->failed_count--;
    ring_remove(&entry->ring);
}

void certs_cache_put_back(struct certs_cache *cache, struct certs_entry *entry)
{
    struct certs_entry *oldest;

    if (entry->pair) {
        ring_add_youngest(&cache->good, &entry->ring);
        while (cache->pairs > cache->capacity && (oldest = ring_oldest(&cache->good)) != entry) {
            drop(cache, oldest);
            cache->evictions++;
        }
    } else {
        ring_add_youngest(&cache->failed, &entry->ring);
        cache->failed_count++;
        while (cache->failed_count > CERTS_FAILED_MAX &&
               (oldest = ring_oldest(&cache->failed)) != entry)
            drop(cache, oldest);
    }
}

void certs_cache_use(struct certs_cache *cache, struct certs_entry *entry)
{
    ring_remove(&entry->ring);
    ring_add_youngest(&cache->good, &entry->ring);
}

void certs_cache_give(struct certs_cache *cache, struct certs_entry *entry, struct certpair *pair)
{
    if (!entry->pair)
        cache->pairs++;
    certpair_unref(entry->pair);
    entry->pair = pair;
}

/* --- The whole */

int certs_cache_init(struct certs_cache *cache, size_t capacity)
{
    size_t buckets = buckets_for(capacity + CERTS_FAILED_MAX + BROKER_PENDING_MAX);

    memset(cache, 0, sizeof(*cache));
    cache->capacity = capacity;
    cache->bucket_mask = buckets - 1;
    ring_init(&cache->good);
    ring_init(&cache->failed);
    if (getrandom(cache->hash_key, HASH_KEY_SIZE, 0) != HASH_KEY_SIZE)
        return -1;
    cache->buckets = calloc(buckets, sizeof(struct certs_entry *));
    return cache->buckets ? 0 : -1;
}

void certs_cache_fini(struct certs_cache *cache)
{
    for (size_t i = 0; i <= cache->bucket_mask; i++) {
        struct certs_entry *entry = cache->buckets[i], *next;

        for (; entry; entry = next) {
            next = entry->bucket_next;
            certpair_unref(entry->pair);
            free(entry);
        }
    }
    free(cache->buckets);
}
