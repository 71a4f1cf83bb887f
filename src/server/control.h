/*
 * control: what master and keeper say to each other. Both are trusted and of one binary; the
 * master still takes nothing whose shape is wrong.
 *
 *   keeper -> master   LISTENER, name, kind    this generation uses it; with a descriptor: bound anew
 *                      READY, digest, text     all workers are up: waiting for GO
 *                      UNCHANGED               the inputs are those of the generation that serves
 *                      RECHECKED               the workers have been told
 *   master -> keeper   GO                      accept; the generation before is told to drain
 *                      RECHECK                 look at every certificate again
 *
 * A keeper that has to give up says why in the log and exits with 1.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "common/hash.h"
#include "server/listener.h"

enum control_kind {
    CONTROL_LISTENER = 1,
    CONTROL_READY,
    CONTROL_UNCHANGED,
    CONTROL_RECHECKED,
    CONTROL_GO,
    CONTROL_RECHECK
};

enum { CONTROL_TEXT_MAX = 127 };

struct control {
    enum control_kind         kind;
    enum config_listener_kind listener;                    /* LISTENER: what it is used for */
    uint8_t                   digest[HASH_128_SIZE];       /* READY: of the inputs */
    char                      name[LISTENER_NAME_MAX + 1]; /* LISTENER */
    char text[CONTROL_TEXT_MAX + 1]; /* READY: for the log, such as "3 domains" */
};

void control_init(struct control *control, enum control_kind kind);

/* fd -1: none. 0, or -1 with errno. */
int control_send(int socket, const struct control *control, int fd);

enum control_result { CONTROL_GOT, CONTROL_NOTHING, CONTROL_END };

/* Never blocks. *fd is -1, or the caller's. CONTROL_END: the peer is gone, or speaks nonsense. */
enum control_result control_receive(int socket, struct control *control, int *fd);

#endif
