/* master_internal: what master.c (signals, waiting, the generations that end) and master_reload.c (how
   one generation follows another) share. */
#ifndef SERVER_MASTER_INTERNAL_H
#define SERVER_MASTER_INTERNAL_H

#include "common/hash.h"
#include "server/generation.h"
#include "server/listener.h"
#include "server/master.h"

#include <stdbool.h>
#include <stdint.h>

/* Every generation is in exactly one of the three. */
struct master {
    const char         *config_path;
    uint8_t             key[HASH_KEY_SIZE];    /* of digests */
    uint8_t             digest[HASH_128_SIZE]; /* of active's inputs */
    struct listener_set held;
    struct generation  *candidate;
    struct generation  *active;   /* NULL before the first is ready, and while stopping */
    struct generation  *draining; /* one by reloads; more only where keepers die as well */
    unsigned            last_number;
    bool                reload;        /* asked for by SIGHUP */
    bool                reloading;     /* the candidate was, and the service manager knows */
    bool                rechecking;    /* active's keeper has been told RECHECK: no answer yet */
    int64_t             recheck_until; /* for its answer: a keeper may hang in a file system */
    bool                lost;          /* active's keeper is gone: a new generation in any case */
    int64_t             retry_at;
    unsigned            retry_pause; /* ms */
    bool                stopping;
    bool                failed; /* the first generation: exit 1 */
};

extern struct master master;

/* --- master.c */

/* Puts a generation among those that drain, and tells it to. The caller takes it from where it was. */
void master_drain(struct generation *generation);

/* --- master_reload.c */

/* Forks the next generation. There is no candidate yet. */
void master_start_candidate(void);

/* Takes what the candidate's keeper has said, and acts on it: at the end there may be no candidate
   any more, but an active generation. */
void master_hear_candidate(void);

/* It will not be: rollback. Nothing is said of it while the master stops. */
void master_fail_candidate(const char *why);

/* Takes the answer of the active generation's keeper to RECHECK, which ends the reload. */
void master_hear_active(void);

/* What (keeper, processes) of the active generation is gone: the next one is planned. */
void master_lose_active(const char *what);

/* Gives up what has taken too long: a candidate, an answer of the active generation's keeper. */
void master_give_up_overdue(void);

#endif
