/*
 * generation: the master's view of one generation: its keeper, the line to it, its leash.
 *
 * The leash is two pipes. Down: nobody writes; the master closes its end, and that
 * end of file tells keeper and workers to drain. Up: nobody writes either; when the last
 * of them has gone, the master reads its end of file. Pipes, not a socket pair: a worker could
 * shut a socket pair down for all the others.
 *
 * A third pipe leads from the master to the workers, past the keeper, which may hang in a file system. A
 * byte in it is a ping: the worker that reads it answers with a byte in the pipe up. Its end of file means
 * that the server stops, now or after drain_delay: the workers are no longer ready. It stays open while a
 * generation drains after a reload, because the server is ready then.
 */
#ifndef SERVER_GENERATION_H
#define SERVER_GENERATION_H

#include "server/control.h"
#include "server/keeper.h"
#include "server/listener.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct generation {
    struct generation  *next; /* among those that drain */
    unsigned            number;
    pid_t               keeper;  /* 0: has been reaped */
    pid_t               group;   /* of processes: the keeper's and all its workers', once the keeper
                                       has called setsid */
    int                 control; /* -1: closed */
    int                 leash_down; /* the writing end; -1: told to drain */
    int                 leash_up;   /* the reading end */
    int                 ping;       /* the writing end; -1: the server stops */
    int64_t             deadline;   /* candidate: to be ready by; draining: to be gone by */
    int64_t             serving;    /* since when */
    char                since[32];  /* the same as a date and time, for messages */
    char                refusal[CONTROL_TEXT_MAX + 1]; /* candidate: REFUSED's text, or "" */
    int                 snapshot;                      /* of its inputs, from READY on; -1: none */
    unsigned            drain_delay;                   /* seconds, from READY on */
    bool                unkept; /* state_dir could not be written: a reload tries it again */
    struct listener_set bound;  /* the new sockets that it has sent so far */
    struct listener_set uses;   /* all that it uses, by name and kind: every fd is -1 */
};

/*
 * Forks a keeper with everything but control, leashes and ping given in *start.
 * All signals must be blocked. NULL with errno.
 */
struct generation *generation_start(const struct keeper_start *start);

/* Asks for a sign of life of any worker. Answers to earlier pings are forgotten. */
void generation_ping(const struct generation *generation);

/* True when a worker has answered since. */
bool generation_answered(const struct generation *generation);

/* Tells the workers that the server stops, now or soon. */
void generation_unready(struct generation *generation);

/* Closes the leash and the line: whoever is left drains. */
void generation_drain(struct generation *generation);

/* True when keeper and workers have all gone (or have let go of the leash). */
bool generation_gone(const struct generation *generation);

/* SIGKILL to whoever is left, workers without a keeper too. */
void generation_kill(struct generation *generation);

/* Takes a LISTENER message and its descriptor; fd -1: one that is already held. False when there
   are too many; the descriptor is closed then. */
bool generation_listener(struct generation *generation, const char *name,
                         enum config_listener_kind kind, int fd);

/* Closes what is open; nobody of it may be waited for any more. Accepts NULL. */
void generation_free(struct generation *generation);

#endif
