/*
 * transport: how a connection's bytes travel once requests are read: plain or TLS.
 *
 * The same state machine runs over both; what differs is this table. No call blocks. A new
 * kind of transport is a table of its own, not a branch in conn.
 */
#ifndef SERVER_TRANSPORT_H
#define SERVER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

enum io {
    IO_DONE, /* *count bytes moved, at least one; or, where there is no count, all of it is out */
    IO_WANT_READ,  /* call again when the socket is readable */
    IO_WANT_WRITE, /* call again, with the same bytes, when it is writable */
    IO_END,        /* the peer has ended its side */
    IO_FAILED      /* nothing more can be done with it */
};

struct transport {
    enum io (*read)(void *state, void *bytes, size_t size, size_t *count);
    /* May take less than len, and may keep what it took: flush sends it. */
    enum io (*write)(void *state, const void *bytes, size_t len, size_t *count);
    enum io (*flush)(void *state);
    /* Whether bytes of the peer wait here, where the socket does not show them. */
    bool (*holds)(const void *state);
    /* Says that nothing more will be written (close_notify) and flushes. The socket is not touched. */
    enum io (*finish)(void *state);
    void (*free)(void *state); /* accepts NULL; the socket stays the caller's */
};

/* Over the bare socket: the state is a const int * to its descriptor. */
extern const struct transport transport_plain;

/* recv and send as enum io, for transports: EINTR is tried again, a reset is IO_END. */
enum io transport_receive(int fd, void *bytes, size_t size, size_t *count);
enum io transport_send(int fd, const void *bytes, size_t len, size_t *count);

#endif
