/*
 * control: what master and keeper say to each other. Both are trusted and of one binary; the
 * master still takes nothing whose shape is wrong.
 *
 *   keeper -> master   LISTENER, name, kind    this generation uses it; with a descriptor: bound anew
 *                      READY, digest, text, fd all workers are up: waiting for GO; the descriptor is the
 *                                              snapshot of its inputs
 *                      UNCHANGED               the inputs are those of the generation that serves
 *                      RECHECKED               RECHECK has been sent to the workers
 *                      REFUSED, text           there will be no generation; the keeper has logged why
 *                      SCANNED                 enough hosts have a good certificate for /readyz
 *   master -> keeper   GO                      accept; the generation before is told to drain
 *                      RECHECK                 look at every certificate again
 *
 * After REFUSED, and when it has to give up without a word, a keeper exits with 1.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "common/hash.h"
#include "server/listener.h"

#include <stdbool.h>

enum control_kind {
    CONTROL_LISTENER = 1,
    CONTROL_READY,
    CONTROL_UNCHANGED,
    CONTROL_RECHECKED,
    CONTROL_REFUSED,
    CONTROL_SCANNED,
    CONTROL_GO,
    CONTROL_RECHECK
};

enum { CONTROL_TEXT_MAX = CONFIG_PATH_MAX + 255 /* a place in a file, and some words */ };

struct control {
    enum control_kind         kind;
    enum config_listener_kind listener;                    /* LISTENER: what it is used for */
    uint8_t                   digest[HASH_128_SIZE];       /* READY: of the inputs */
    char                      name[LISTENER_NAME_MAX + 1]; /* LISTENER */
    /* READY: what follows "ready: generation N, ", such as "3 domains".
       REFUSED: "at FILE:LINE", where the configuration is at fault, or the reason. */
    char     text[CONTROL_TEXT_MAX + 1];
    unsigned drain_delay; /* READY: seconds */
    bool     degraded;    /* READY: the configuration was refused: this is the last good one */
    bool     unkept;      /* READY: state_dir could not be written */
    bool     log_json;    /* READY, REFUSED */
};

void control_init(struct control *control, enum control_kind kind);

/* fd -1: none. 0, or -1 with errno. */
int control_send(int socket, const struct control *control, int fd);

enum control_result { CONTROL_GOT, CONTROL_NOTHING, CONTROL_END };

/* Never blocks. *fd is -1, or the caller's. CONTROL_END: the peer is gone, or speaks nonsense. */
enum control_result control_receive(int socket, struct control *control, int *fd);

#endif
