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
    const char                *config_path;
    unsigned                   generation;
    const uint8_t             *digest_key;
    const uint8_t             *digest;  /* of the generation that serves; NULL: go on in any case */
    const struct listener_set *held;    /* what the master holds */
    int                        control; /* its end of the line to the master */
    int                        leash_down; /* reads as ended: drain */
    int                        leash_up;   /* held while anyone of the generation lives */
};

/* In the forked child, with all signals blocked. Never returns. */
_Noreturn void keeper_run(const struct keeper_start *start);

#endif
