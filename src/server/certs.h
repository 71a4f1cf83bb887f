/*
 * certs: the worker's certificates: loaded when first asked for, kept in a
 * bounded least-recently-used cache, looked at again before use.
 *
 *   absent --ask--> loading --good--> good --a minute old, or recheck--> checking
 *                      |                ^                                 |
 *                      +--bad--> failed |   same file, good new pair: good|
 *                       (for 1 s)       +---anything else: the last good pair serves
 *
 * An entry last checked over CERTS_CHECK_MS ago is checked *before* it is used: the files'
 * dev, inode, size, mtime and ctime, since a swapped-in file may well be older.
 * One request a host is in flight at a time; all who want the host wait for it.
 * Failures live in a small list of their own, so that names that have no
 * certificate (with [*], any stranger's choice) never push a good pair out.
 */
#ifndef SERVER_CERTS_H
#define SERVER_CERTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CERTS_CHECK_MS = 60 * 1000, /* after which a pair is checked before use */
    CERTS_RETRY_MS = 1000,      /* for which a failure, or a failed check, is remembered */
    CERTS_FAILED_MAX = 256,     /* hosts whose failure is remembered */
    CERTS_LOG_PER_MINUTE = 60   /* failure lines of all hosts together; the rest are counted */
};

struct broker;
struct certpair;
struct policy;
struct certs;

enum certs_result { CERTS_READY, CERTS_FAILED, CERTS_WAIT };

/* Embedded in whoever waits. done is called once, from the loop, with the pair (a
   reference that is the callee's) or NULL. */
struct certs_waiter {
    void (*done)(struct certs_waiter *waiter, struct certpair *pair);
    struct certs_waiter *next, **prev; /* private; prev is NULL when not waiting */
};

/* capacity: good pairs kept. NULL when there is no memory. */
struct certs *certs_new(struct broker *broker, size_t capacity);
void          certs_free(struct certs *certs); /* accepts NULL; nobody may be waiting */

/*
 * The pair for a canonical policy host of the configuration and its policy, which must live as long
 * as certs: the log names the files that it configures. CERTS_READY: *pair is a
 * reference that is the caller's. CERTS_FAILED: there is none, and the log has said
 * why. CERTS_WAIT: waiter->done will be called.
 */
enum certs_result certs_get(struct certs *certs, const struct policy *policy, const char *host,
                            size_t len, struct certs_waiter *waiter, struct certpair **pair);

/* Stops waiting; accepts a waiter that is not waiting. */
void certs_cancel(struct certs_waiter *waiter);

/* Every pair is checked before its next use. */
void certs_recheck(struct certs *certs);

/* How a worker's cache has done since its start. */
struct certs_counters {
    unsigned long hits;      /* the pair in memory served; those who wait for one answer are one */
    unsigned long misses;    /* files were read: of a new host, or renewed ones, good or not */
    unsigned long evictions; /* a pair made room for another */
};

struct certs_counters certs_counters(const struct certs *certs);

#endif
