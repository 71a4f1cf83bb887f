#include "server/acceptor.h"

#include "common/log.h"
#include "server/conn.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ACCEPTS_MAX = 4 /* connections a wake-up */ };
#define ACCEPT_REST 0.2 /* seconds without accepting when descriptors or memory have run out */

struct acceptor {
    ev_io             io;
    ev_timer          rest;
    struct acceptors *all;
    struct listener  *listener;
    bool              told; /* that it rests: once until it has accepted again */
};

struct acceptors {
    struct ev_loop      *loop;
    struct conns        *conns;
    struct listener_set *listeners;
    struct acceptor      at[];
};

static void rest(struct acceptor *acceptor)
{
    struct ev_loop *loop = acceptor->all->loop;

    if (!acceptor->told)
        log_warn("%s: cannot accept, and tries again every %.1f s", acceptor->listener->name,
                 ACCEPT_REST);
    acceptor->told = true;
    ev_io_stop(loop, &acceptor->io);
    ev_timer_set(&acceptor->rest, ACCEPT_REST, 0.);
    ev_timer_start(loop, &acceptor->rest);
}

static void rested(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct acceptor *acceptor = timer->data;

    (void)events;
    ev_io_start(loop, &acceptor->io);
}

static void readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct acceptor *acceptor = watcher->data;

    (void)loop;
    (void)events;
    for (unsigned accepted = 0; accepted < ACCEPTS_MAX; accepted++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t               len = sizeof(peer);
        int fd = accept4(watcher->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            /* Nothing there, another worker was first, or the client has gone (accept(2) lists
               network errors that belong to the one connection). */
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ||
                errno == EINVAL) /* it does not listen any more: somebody has shut it down */
                rest(acceptor);
            return;
        }
        acceptor->told = false;
        conns_accept(acceptor->all->conns, fd, acceptor->listener->kind, acceptor->listener->name,
                     (const struct sockaddr *)&peer);
    }
}

struct acceptors *acceptors_new(struct ev_loop *loop, struct conns *conns,
                                struct listener_set *listeners)
{
    struct acceptors *acceptors = calloc(1, sizeof(*acceptors) +
                                                listeners->count * sizeof(acceptors->at[0]));

    if (acceptors == NULL)
        return NULL;
    acceptors->loop = loop;
    acceptors->conns = conns;
    acceptors->listeners = listeners;
    for (size_t i = 0; i < listeners->count; i++) {
        struct acceptor *acceptor = &acceptors->at[i];

        acceptor->all = acceptors;
        acceptor->listener = &listeners->at[i];
        ev_io_init(&acceptor->io, readable, acceptor->listener->fd, EV_READ);
        /* Behind the leash in one wake-up: who connects after it has ended is the next generation's. */
        ev_set_priority(&acceptor->io, EV_MINPRI);
        acceptor->io.data = acceptor;
        ev_timer_init(&acceptor->rest, rested, 0., 0.);
        acceptor->rest.data = acceptor;
    }
    return acceptors;
}

void acceptors_start(struct acceptors *acceptors)
{
    for (size_t i = 0; i < acceptors->listeners->count; i++)
        ev_io_start(acceptors->loop, &acceptors->at[i].io);
}

void acceptors_free(struct acceptors *acceptors)
{
    if (acceptors == NULL)
        return;
    for (size_t i = 0; i < acceptors->listeners->count; i++) {
        ev_io_stop(acceptors->loop, &acceptors->at[i].io);
        ev_timer_stop(acceptors->loop, &acceptors->at[i].rest);
    }
    listener_set_close(acceptors->listeners);
    free(acceptors);
}
