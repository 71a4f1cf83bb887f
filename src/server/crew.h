/*
 * crew: the workers of one keeper: started, answered, replaced.
 *
 * A worker that dies is replaced at once, and with growing pauses when it keeps
 * dying. Each has its own line to the keeper, on which it asks for files. A worker that sends anything
 * but a well-formed request, closes its line or does not read it is broken: it is killed, and replaced.
 */
#ifndef SERVER_CREW_H
#define SERVER_CREW_H

#include "common/config.h"
#include "server/worker.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CREW_PAUSE_FIRST = 100, /* ms before the second replacement in a row; each doubles it */
    CREW_PAUSE_MAX = 30000, /* ms */
    CREW_END_MS =
        1000, /* for a worker to end once it has closed its line, as it does when it ends */
    CREW_STEADY = 10000 /* ms of life after which a worker's death is the first again */
};

struct crew_worker {
    pid_t    pid;  /* 0: none now */
    int      line; /* the keeper's end; -1: none */
    bool     up;
    int64_t  started; /* process_now_ms */
    int64_t  again;   /* when to start the next one; 0: not waiting */
    int64_t  end_by;  /* when to kill this one, which has closed its line; 0: it has not */
    unsigned pause;   /* ms, of the next replacement */
};

struct crew {
    const struct config *config;
    struct worker_start  start; /* what each is given, but for its own number and broker */
    struct crew_worker   at[CONFIG_WORKERS_MAX];
    size_t               count;
    bool started;  /* set by the keeper: all were up once: from here on, who dies is replaced */
    bool going;    /* GO has been said */
    bool scanned;  /* enough certificates are good for /readyz */
    bool draining; /* set by the keeper: nobody is replaced any more */
};

/* Forks count workers. -1 with errno. In the child it never returns. */
int crew_start(struct crew *crew, size_t count);

/* Reaps who has died. Returns how many were lost before all were up, when that means that the
   generation cannot be. */
size_t crew_reap(struct crew *crew);

/* Starts workers whose pause is over, and kills those that live on without their line. Returns when
   the next one is due, 0 for never. */
int64_t crew_replace(struct crew *crew);

bool   crew_all_up(const struct crew *crew);
size_t crew_alive(const struct crew *crew);
void   crew_go(struct crew *crew);
void   crew_recheck(struct crew *crew);
void   crew_kill(struct crew *crew); /* SIGKILL to all that live */

/* Fills one struct pollfd a worker (fd -1 where none lives). */
void crew_poll(const struct crew *crew, struct pollfd *fds);
/* Reads one message of each that has something to say, and answers it. */
void crew_answer(struct crew *crew, const struct pollfd *fds);

#endif
