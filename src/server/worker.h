/*
 * worker: the process that meets strangers.
 *
 * It gives away every privilege first, holds no right to any file, asks its keeper
 * for descriptors, and serves. It ends when its leash does (after finishing what is in
 * flight), never because its keeper is gone: then it goes on from its caches.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "common/config.h"
#include "server/listener.h"
#include "server/privileges.h"

#include <stdbool.h>

#define WORKER_DRAIN 5.0 /* seconds for what is in flight, once the leash has ended */

struct worker_start {
    const struct config     *config;
    struct listener_set     *listeners;
    const struct privileges *privileges;
    unsigned                 generation, number; /* for the log: worker.GENERATION.NUMBER */
    unsigned                 max_connections;    /* as configured, or as descriptors allow */
    unsigned                 max_tls;            /* as configured, or as memory allows */
    int                      broker;             /* its end of the line to the keeper */
    int                      leash_down;         /* reads as ended: drain */
    int                      leash_up;           /* held while it lives; answers to pings */
    int                      ping;               /* see generation.h */
    bool                     scanned;            /* no scan of certificates is needed any more */
};

/* In the forked child. Never returns. */
_Noreturn void worker_run(const struct worker_start *start);

#endif
