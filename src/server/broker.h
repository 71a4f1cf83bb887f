/*
 * broker: the worker's end of its line to the keeper.
 *
 * Requests are numbered and asynchronous, bounded in number and each in time; an
 * answer to a number that no one waits for any more is dropped and its descriptors
 * closed. When the keeper is gone, every request fails at once and the worker goes on from
 * its caches.
 */
#ifndef SERVER_BROKER_H
#define SERVER_BROKER_H

#include "server/message.h"

#include <stddef.h>

enum {
    BROKER_PENDING_MAX = 512, /* requests under way */
    BROKER_TOKENS_MAX = 128,  /* of them for tokens: strangers ask for those as fast as they are
                                 answered, and must leave room for certificates */
    BROKER_TIMEOUT_MS = 800   /* from asking to ETIMEDOUT: below the second that a connection waits
                                 in CERT, so that a last good pair still gets its chance */
};

struct ev_loop;
struct broker;

struct broker_answer {
    int               error; /* 0, or an errno value; ETIMEDOUT, EPIPE: no answer came */
    enum message_step step;  /* with an error that the keeper told */
    int               fds[MESSAGE_FDS_MAX]; /* -1 where none, and with an error; else the
                                               callback must close them */
};

typedef void broker_callback(void *context, const struct broker_answer *answer);

struct broker_events {
    void (*go)(void *context);      /* the keeper said: accept */
    void (*recheck)(void *context); /* the keeper said: look at certificates again */
    void (*scanned)(void *context); /* the keeper said: enough certificates are good */
    void (*lost)(void *context);    /* the keeper is gone; before the pending are failed */
    void *context;
};

/* Takes the socket, unless it returns NULL: no memory. events is copied. A packet that no
   keeper sends counts as its end. */
struct broker *broker_new(struct ev_loop *loop, int socket, const struct broker_events *events);
/* Accepts NULL. Pending callbacks are not called. Not from inside a callback or an event. */
void broker_free(struct broker *broker);

/* Sends a message without a name (UP, SCANNED). -1 with errno. */
int broker_say(struct broker *broker, enum message_kind kind);

/*
 * Asks. The callback is called exactly once, later, from the loop, unless -1 is
 * returned: EAGAIN, as many as there may be are under way or the keeper does not
 * read; EPIPE, it is gone; ENAMETOOLONG.
 */
int broker_ask(struct broker *broker, enum message_kind kind, const char *name, size_t len,
               broker_callback *callback, void *context);

/* The callback of each request under way with this context will not be called any more. */
void broker_cancel(struct broker *broker, const void *context);

#endif
