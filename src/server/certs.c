#include "server/certs.h"

#include "common/log.h"
#include "server/broker.h"
#include "common/certpair.h"
#include "server/certs_cache.h"
#include "server/certs_log.h"
#include "server/process.h"
#include "server/shortage.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DAY = 24 * 60 * 60, /* seconds */
    /* What changes with time, and is told each day that a pair is used. */
    FINDINGS_OF_TIME = CERTPAIR_EXPIRED | CERTPAIR_EXPIRES_SOON | CERTPAIR_NOT_YET_VALID
};

struct certs {
    struct broker     *broker;
    struct certs_cache cache;
    unsigned           recheck;
    unsigned long      hits, misses; /* as in struct certs_counters */
    struct certs_log   log;
};

/* --- From the keeper's answer to a pair --- */

/* Whatever failed, the last good pair serves, where there is one. */
static void fail(struct certs *certs, struct certs_entry *entry, const char *why)
{
    entry->due_ms = process_now_ms() + CERTS_RETRY_MS;
    if (why)
        certs_log_failure(&certs->log, entry, why);
}

static void fail_with(struct certs *certs, struct certs_entry *entry, enum message_step step,
                      int error)
{
    char why[CERTS_LOG_REASON_MAX];

    fail(certs, entry, certs_log_reason(entry, step, error, why) ? why : NULL);
}

static void tell_findings(struct certs *certs, struct certs_entry *entry, unsigned mask, time_t now)
{
    entry->findings_told = now;
    certs_log_findings(&certs->log, entry, mask, now);
}

/* What time alone brings about is told again while it is in use, however rarely that is. */
static void tell_daily(struct certs *certs, struct certs_entry *entry)
{
    time_t now = time(NULL);

    if (entry->pair && now - entry->findings_told >= DAY)
        tell_findings(certs, entry, FINDINGS_OF_TIME, now);
}

/* fd -1: no such file, which is an identity as well. */
static int identify(int fd, struct certs_identity *identity)
{
    struct stat status;

    memset(identity, 0, sizeof(*identity));
    if (fd < 0)
        return 0;
    if (fstat(fd, &status) != 0)
        return -1;
    *identity = (struct certs_identity){ .dev = status.st_dev,
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

static bool same_file(const struct certs_identity *a, const struct certs_identity *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

static void adopt(struct certs *certs, struct certs_entry *entry, struct certpair *pair)
{
    bool renewed = entry->pair != NULL;

    certs_cache_give(&certs->cache, entry, pair);
    if (renewed)
        certs_log_renewed(&certs->log, entry->host, pair);
    tell_findings(certs, entry, ~0U, time(NULL));
}

static void take_files(struct certs *certs, struct certs_entry *entry, const int fds[2])
{
    struct certs_identity files[2];
    struct certpair      *pair;
    char                  error[CERTPAIR_ERROR_MAX];

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
static void call_waiters(struct certs_entry *entry)
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
    struct certs_entry *entry = context;
    struct certs       *certs = entry->certs;
    unsigned long       misses = certs->misses;

    entry->in_flight = false;
    if (answer->error == 0)
        take_files(certs, entry, answer->fds);
    else
        fail_with(certs, entry, answer->step, answer->error);
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        if (answer->fds[i] >= 0)
            close(answer->fds[i]);
    if (entry->pair && certs->misses == misses)
        certs->hits++;
    tell_daily(certs, entry);
    certs_cache_put_back(&certs->cache, entry);
    call_waiters(entry);
}

/* --- The outside --- */

struct certs *certs_new(struct broker *broker, size_t capacity)
{
    struct certs *certs = calloc(1, sizeof(*certs));

    if (!certs)
        return NULL;
    certs->broker = broker;
    if (certs_cache_init(&certs->cache, capacity) != 0) {
        free(certs);
        return NULL;
    }
    return certs;
}

struct certs_counters certs_counters(const struct certs *certs)
{
    return (struct certs_counters){ .hits = certs->hits,
                                    .misses = certs->misses,
                                    .evictions = certs->cache.evictions };
}

void certs_free(struct certs *certs)
{
    if (!certs)
        return;
    certs_log_rest(&certs->log);
    certs_cache_fini(&certs->cache);
    free(certs);
}

static enum certs_result give(const struct certs_entry *entry, struct certpair **pair)
{
    if (!entry->pair)
        return CERTS_FAILED;
    entry->certs->hits++;
    *pair = certpair_ref(entry->pair);
    return CERTS_READY;
}

static struct certs_entry *add(struct certs *certs, const struct policy *policy, const char *host,
                               size_t len)
{
    struct certs_entry *entry = certs_cache_add(&certs->cache, host, len);

    if (entry) {
        entry->certs = certs;
        entry->policy = policy;
    }
    return entry;
}

/* Asks the keeper, and waits; or goes on with what there is when it can't be asked. */
static enum certs_result ask(struct certs *certs, struct certs_entry *entry,
                             struct certs_waiter *waiter, struct certpair **pair)
{
    entry->recheck = certs->recheck;
    certs_cache_take_out(&certs->cache, entry);
    if (broker_ask(certs->broker, MESSAGE_CERTIFICATE, entry->host, entry->host_len, on_answer,
                   entry) == 0) {
        entry->in_flight = true;
        wait_in(&entry->waiters, waiter);
        return CERTS_WAIT;
    }
    fail_with(certs, entry, MESSAGE_STEP_NONE, errno);
    certs_cache_put_back(&certs->cache, entry);
    return give(entry, pair);
}

enum certs_result certs_get(struct certs *certs, const struct policy *policy, const char *host,
                            size_t len, struct certs_waiter *waiter, struct certpair **pair)
{
    struct certs_entry *entry = certs_cache_find(&certs->cache, host, len);

    if (!entry)
        entry = add(certs, policy, host, len);
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
        certs_cache_use(&certs->cache, entry);
        tell_daily(certs, entry);
    }
    return give(entry, pair);
}

void certs_recheck(struct certs *certs)
{
    certs->recheck++;
}
