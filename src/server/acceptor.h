/*
 * acceptor: takes connections from the listening sockets that all workers share.
 *
 * A few at each wake-up, since every worker is woken and each should get its share. When
 * descriptors run out, the listener rests a moment instead of spinning on a
 * socket that stays readable.
 */
#ifndef SERVER_ACCEPTOR_H
#define SERVER_ACCEPTOR_H

#include "server/listener.h"

struct conns;
struct ev_loop;
struct acceptors;

/* Over every listener of the set, which is borrowed; nothing is accepted yet. NULL: no memory. */
struct acceptors *acceptors_new(struct ev_loop *loop, struct conns *conns,
                                struct listener_set *listeners);

void acceptors_start(struct acceptors *acceptors);

/* Stops, closes this process's listening descriptors, frees; accepts NULL. */
void acceptors_free(struct acceptors *acceptors);

#endif
