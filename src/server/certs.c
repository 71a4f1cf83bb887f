#include "server/certs.h"

#include "common/hash.h"
#include "common/log.h"
#include "server/broker.h"
#include "server/certpair.h"
#include "server/certs_log.h"
#include "server/process.h"
#include "server/shortage.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DAY = 24 * 60 * 60, /* seconds */
    /* What changes with time, and is told each day that a pair is used. */
    FINDINGS_OF_TIME = CERTPAIR_EXPIRED | CERTPAIR_EXPIRES_SOON | CERTPAIR_NOT_YET_VALID
};

/* A ring that its head closes: older than the head is the youngest, younger than it the oldest. */
struct link {
    struct link *younger, *older;
};

/* What tells a file from another that took its place: all of it, since a swapped-in file may
   well be older, and an inode may be used again. */
struct identity {
    dev_t           dev;
    ino_t           ino;
    off_t           size;
    struct timespec mtime, ctime;
};

/* A host. It is in the ring of good or of failed ones, and in none while a request is under way:
   so nothing that is in flight or waited for can be evicted. */
struct entry {
    struct link          ring; /* first: an entry is found from it */
    struct entry        *bucket_next;
    struct certs        *certs;
    struct certpair     *pair;     /* NULL: none that is good was ever found */
    struct identity      files[2]; /* that the pair was read from: certificate, key */
    struct certs_waiter *waiters;  /* last come, first */
    int64_t              due_ms;   /* from then on it is asked for before use */
    int64_t              told_ms;  /* when a failure was logged last */
    time_t               findings_told;
    unsigned             recheck; /* certs->recheck when it was asked for */
    bool                 in_flight;
    size_t               host_len;
    char                 host[]; /* with NUL */
};

struct certs {
    struct broker   *broker;
    size_t           capacity;
    size_t           pairs; /* entries that have one, those in flight too */
    size_t           failed_count;
    struct link      good, failed;
    unsigned         recheck;
    unsigned long    hits, misses;
    struct certs_log log;
    uint8_t          hash_key[HASH_KEY_SIZE];
    size_t           bucket_mask;
    struct entry   **buckets;
};

/* --- Rings and buckets --- */

static void ring_init(struct link *head)
{
    head->younger = head->older = head;
}

static void ring_remove(struct link *link)
{
    link->younger->older = link->older;
    link->older->younger = link->younger;
    ring_init(link);
}

static void ring_add_youngest(struct link *head, struct link *link)
{
    link->younger = head;
    link->older = head->older;
    head->older->younger = link;
    head->older = link;
}

static struct entry *ring_oldest(const struct link *head)
{
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it can't follow drop, which takes out what it frees
    return head->younger == head ? NULL : (struct entry *)(void *)head->younger;
}

static struct entry **find(const struct certs *certs, const char *host, size_t len)
{
    uint64_t       hash = hash_64(certs->hash_key, host, len);
    struct entry **at = &certs->buckets[hash & certs->bucket_mask];

    while (*at && ((*at)->host_len != len || memcmp((*at)->host, host, len) != 0))
        at = &(*at)->bucket_next;
    return at;
}

static struct entry *add(struct certs *certs, struct entry **at, const char *host, size_t len)
{
    struct entry *entry = calloc(1, sizeof(*entry) + len + 1);

    if (!entry)
        return NULL;
    ring_init(&entry->ring);
    entry->certs = certs;
    entry->told_ms = process_now_ms() - CERTS_LOG_MINUTE_MS;
    entry->host_len = len;
    memcpy(entry->host, host, len);
    *at = entry;
    return entry;
}

static void drop(struct certs *certs, struct entry *entry)
{
    assert(entry != NULL); /* who counts more than there may be has one to drop */
    *find(certs, entry->host, entry->host_len) = entry->bucket_next;
    if (entry->pair)
        certs->pairs--;
    else
        certs->failed_count--;
    ring_remove(&entry->ring);
    certpair_unref(entry->pair);
    free(entry);
}

/* An entry that nothing is in flight for takes its place, and others make room for it. */
static void settle(struct certs *certs, struct entry *entry)
{
    struct entry *oldest;

    if (entry->pair) {
        ring_add_youngest(&certs->good, &entry->ring);
        while (certs->pairs > certs->capacity && (oldest = ring_oldest(&certs->good)) != entry)
            drop(certs, oldest);
    } else {
        ring_add_youngest(&certs->failed, &entry->ring);
        certs->failed_count++;
        while (certs->failed_count > CERTS_FAILED_MAX &&
               (oldest = ring_oldest(&certs->failed)) != entry)
            drop(certs, oldest);
    }
}

/* --- From the keeper's answer to a pair --- */

/* Whatever failed, the last good pair serves, where there is one. */
static void fail(struct certs *certs, struct entry *entry, const char *why)
{
    entry->due_ms = process_now_ms() + CERTS_RETRY_MS;
    if (why)
        certs_log_failure(&certs->log, entry->host, why, entry->pair != NULL, &entry->told_ms);
}

static void fail_with(struct certs *certs, struct entry *entry, enum message_step step, int error)
{
    char why[CERTPAIR_ERROR_MAX];

    fail(certs, entry, certs_log_reason(step, error, why, sizeof(why)) ? why : NULL);
}

static void tell_findings(struct certs *certs, struct entry *entry, unsigned mask, time_t now)
{
    entry->findings_told = now;
    certs_log_findings(&certs->log, entry->host, entry->pair, mask, now);
}

/* What time alone brings about is told again while it is in use, however rarely that is. */
static void tell_daily(struct certs *certs, struct entry *entry)
{
    time_t now = time(NULL);

    if (entry->pair && now - entry->findings_told >= DAY)
        tell_findings(certs, entry, FINDINGS_OF_TIME, now);
}

/* fd -1: no such file, which is an identity as well. */
static int identify(int fd, struct identity *identity)
{
    struct stat status;

    memset(identity, 0, sizeof(*identity));
    if (fd < 0)
        return 0;
    if (fstat(fd, &status) != 0)
        return -1;
    *identity = (struct identity){ .dev = status.st_dev,
                                   .ino = status.st_ino,
                                   .size = status.st_size,
                                   .mtime = status.st_mtim,
                                   .ctime = status.st_ctim };
    return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct identity *a, const struct identity *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

static void adopt(struct certs *certs, struct entry *entry, struct certpair *pair)
{
    bool renewed = entry->pair != NULL;

    if (!renewed)
        certs->pairs++;
    certpair_unref(entry->pair);
    entry->pair = pair;
    if (renewed)
        certs_log_renewed(&certs->log, entry->host, pair);
    tell_findings(certs, entry, ~0U, time(NULL));
}

static void take_files(struct certs *certs, struct entry *entry, const int fds[2])
{
    struct identity  files[2];
    struct certpair *pair;
    char             error[CERTPAIR_ERROR_MAX];

    /* Before the reading: what is written later than this is found by the next check. */
    if (fds[0] < 0 || identify(fds[0], &files[0]) != 0 || identify(fds[1], &files[1]) != 0) {
        fail(certs, entry, "the keeper sent no file");
        return;
    }
    if (!entry->pair || !same_file(&files[0], &entry->files[0]) ||
        !same_file(&files[1], &entry->files[1])) {
        certs->misses++;
        pair = certpair_load(fds[0], fds[1], entry->host, error);
        if (!pair) {
            fail(certs, entry, error);
            return;
        }
        memcpy(entry->files, files, sizeof(files));
        adopt(certs, entry, pair);
    }
    entry->due_ms = process_now_ms() + CERTS_CHECK_MS;
}

/* --- Those who wait --- */

static void wait_in(struct certs_waiter **list, struct certs_waiter *waiter)
{
    waiter->next = *list;
    waiter->prev = list;
    if (waiter->next)
        waiter->next->prev = &waiter->next;
    *list = waiter;
}

void certs_cancel(struct certs_waiter *waiter)
{
    if (!waiter->prev)
        return;
    *waiter->prev = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    waiter->next = NULL;
    waiter->prev = NULL;
}

/*
 * Calls all that wait, in the order in which they came. Each may ask for this or
 * another host again, or cancel any other: so they are taken off the entry
 * first, which may be gone before the last of them is called.
 */
static void call_waiters(struct entry *entry)
{
    struct certs_waiter *queue = NULL, *waiter;
    struct certpair     *pair = entry->pair ? certpair_ref(entry->pair) : NULL;

    while ((waiter = entry->waiters)) {
        certs_cancel(waiter);
        wait_in(&queue, waiter);
    }
    while ((waiter = queue)) {
        certs_cancel(waiter);
        waiter->done(waiter, pair ? certpair_ref(pair) : NULL);
    }
    certpair_unref(pair);
}

static void on_answer(void *context, const struct broker_answer *answer)
{
    struct entry *entry = context;
    struct certs *certs = entry->certs;

    entry->in_flight = false;
    if (answer->error == 0)
        take_files(certs, entry, answer->fds);
    else
        fail_with(certs, entry, answer->step, answer->error);
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        if (answer->fds[i] >= 0)
            close(answer->fds[i]);
    tell_daily(certs, entry);
    settle(certs, entry);
    call_waiters(entry);
}

/* --- The outside --- */

static size_t buckets_for(size_t entries)
{
    size_t buckets = 64;

    while (buckets < entries)
        buckets *= 2;
    return buckets;
}

struct certs *certs_new(struct broker *broker, size_t capacity)
{
    size_t        buckets = buckets_for(capacity + CERTS_FAILED_MAX + BROKER_PENDING_MAX);
    struct certs *certs = calloc(1, sizeof(*certs));

    if (!certs)
        return NULL;
    certs->broker = broker;
    certs->capacity = capacity;
    certs->bucket_mask = buckets - 1;
    certs->buckets = calloc(buckets, sizeof(*certs->buckets));
    ring_init(&certs->good);
    ring_init(&certs->failed);
    if (!certs->buckets || getrandom(certs->hash_key, HASH_KEY_SIZE, 0) != HASH_KEY_SIZE) {
        certs_free(certs);
        return NULL;
    }
    return certs;
}

void certs_free(struct certs *certs)
{
    if (!certs)
        return;
    certs_log_rest(&certs->log);
    for (size_t i = 0; certs->buckets && i <= certs->bucket_mask; i++) {
        struct entry *entry = certs->buckets[i], *next;

        for (; entry; entry = next) {
            next = entry->bucket_next;
            certpair_unref(entry->pair);
            free(entry);
        }
    }
    free(certs->buckets);
    free(certs);
}

static enum certs_result give(const struct entry *entry, struct certpair **pair)
{
    if (!entry->pair)
        return CERTS_FAILED;
    *pair = certpair_ref(entry->pair);
    return CERTS_READY;
}

/* Asks the keeper, and waits; or goes on with what there is when it can't be asked. */
static enum certs_result ask(struct certs *certs, struct entry *entry, struct certs_waiter *waiter,
                             struct certpair **pair)
{
    entry->recheck = certs->recheck;
    if (!entry->pair && entry->ring.older != &entry->ring)
        certs->failed_count--;
    ring_remove(&entry->ring);
    if (broker_ask(certs->broker, MESSAGE_CERTIFICATE, entry->host, entry->host_len, on_answer,
                   entry) == 0) {
        entry->in_flight = true;
        wait_in(&entry->waiters, waiter);
        return CERTS_WAIT;
    }
    fail_with(certs, entry, MESSAGE_STEP_NONE, errno);
    settle(certs, entry);
    return give(entry, pair);
}

enum certs_result certs_get(struct certs *certs, const char *host, size_t len,
                            struct certs_waiter *waiter, struct certpair **pair)
{
    struct entry **at = find(certs, host, len);
    struct entry  *entry = *at ? *at : add(certs, at, host, len);

    if (!entry) {
        shortage_tell("no certificate for %.*s", (int)len, host);
        return CERTS_FAILED;
    }
    if (entry->in_flight) {
        wait_in(&entry->waiters, waiter);
        return CERTS_WAIT;
    }
    if (entry->due_ms == 0 || entry->recheck != certs->recheck || process_now_ms() >= entry->due_ms)
        return ask(certs, entry, waiter, pair);
    if (entry->pair) {
        certs->hits++;
        ring_remove(&entry->ring);
        ring_add_youngest(&certs->good, &entry->ring);
        tell_daily(certs, entry);
    }
    return give(entry, pair);
}

void certs_recheck(struct certs *certs)
{
    certs->recheck++;
}

void certs_counters(const struct certs *certs, unsigned long *hits, unsigned long *misses)
{
    *hits = certs->hits;
    *misses = certs->misses;
}
