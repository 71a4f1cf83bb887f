/*
 * keeper: one generation: its configuration, its workers, its hand on the files.
 *
 * The master forks it as a candidate. It parses, compares its inputs with those of the
 * generation that serves, binds what is missing, starts its workers, reports ready
 * and waits for GO; any failure before that is its exit, and nobody else has noticed. Then it
 * opens files for its workers and replaces those that die, until its leash ends.
 *
 * It keeps the user the server was started as, and reads nothing from strangers.
 */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include "common/hash.h"
#include "server/listener.h"

#include <stdbool.h>

struct keeper_start {
    const char    *config_path;
    int            replay;   /* a snapshot, whose inputs take the place of the files; -1: none */
    int            running;  /* the snapshot of the generation that serves; -1: none */
    bool           forced;   /* max_removed does not count */
    bool           scanned;  /* enough certificates are known to be good: no scan for /readyz */
    bool           starting; /* no generation serves yet */
    unsigned       generation;
    const uint8_t *digest_key;
    const uint8_t *digest;           /* of the generation that serves; NULL: go on in any case */
    const struct listener_set *held; /* what the master holds */
    const int                 *consoles; /* sockets of mta-stsd -r, which get the findings */
    size_t                     console_count;
    int                        control;    /* its end of the line to the master */
    int                        leash_down; /* reads as ended: drain */
    int                        leash_up;   /* held while anyone of the generation lives */
    int                        ping;       /* for the workers alone: see generation.h */
};

/* In the forked child, with all signals blocked. Never returns. */
_Noreturn void keeper_run(const struct keeper_start *start);

#endif
