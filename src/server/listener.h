/*
 * listener: the listening sockets, which outlive generations.
 *
 * The master holds them; a candidate keeper inherits all, binds what is missing
 * and tells the master which it uses. One socket an address, shared by all workers, not
 * SO_REUSEPORT: closing one of several such sockets resets what waits in its queue.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LISTENER_NAME_MAX = 263, /* bytes: "systemd:" and a name of systemd's, which has at most 255 */
    LISTENER_SET_MAX = 128,  /* systemd may hand over several under one name */
    LISTENER_BACKLOG = 1024,
    LISTENER_ERROR_MAX = 512, /* bytes of an error's text with its NUL */
    LISTENER_TEXT_MAX = 64    /* bytes of an address as text with its NUL */
};

struct listener {
    char                      name[LISTENER_NAME_MAX + 1]; /* as in struct config_listener */
    int                       fd;
    bool                      given; /* came from systemd: kept even when not used */
    enum config_listener_kind kind;  /* what this generation uses it for */
};

struct listener_set {
    struct listener at[LISTENER_SET_MAX];
    size_t          count;
};

/* -1 when full, or when the name is too long. Else the set has the descriptor from then on. */
int listener_set_add(struct listener_set *set, const char *name, int fd, bool given,
                     enum config_listener_kind kind);
/* True when the listener serves this name and kind. Sockets from systemd have no kind of their own.
   A port that is written as a number is one socket for every kind; port 0 is another port for each. */
bool listener_is(const struct listener *listener, const char *name, enum config_listener_kind kind);
bool listener_set_has(const struct listener_set *set, const char *name,
                      enum config_listener_kind kind);
bool listener_set_has_fd(const struct listener_set *set, int fd);
void listener_set_close(struct listener_set *set); /* closes every descriptor, empties it */

/*
 * Takes the sockets that systemd handed over to this process (sd_listen_fds(3)) as
 * "systemd:NAME", "systemd:unknown" where they have no name, and LISTEN_* out of the
 * environment. They become close-on-exec and non-blocking. -1 with a text: one is no
 * listening stream socket, a name is too long, or they are too many.
 */
int listener_from_systemd(struct listener_set *set, char *error);

enum listener_result { LISTENER_OK, LISTENER_SKIPPED, LISTENER_FAILED };

/*
 * Finds or makes the sockets of one configured listener and adds them to used.
 * held is what the master holds: those keep their descriptors (a name may have several),
 * which then stand in both sets. Else binds and listens: close-on-exec, non-blocking,
 * IPv6 only where it is IPv6; accepted sockets inherit TCP_NODELAY.
 * LISTENER_SKIPPED: this machine has no IPv6, worth a warning, with a text. LISTENER_FAILED:
 * error says what and what to do, and begins with the listener's name (an overlap with a held
 * one: "needs a restart"; EACCES: the capability; EADDRINUSE). *fresh is true when a socket
 * was bound now.
 */
enum listener_result listener_open(const struct config_listener *wanted,
                                   const struct listener_set *held, struct listener_set *used,
                                   bool *fresh, char *error);

/* The address the socket is really bound to ("127.0.0.1:8443"), for the log. size is at least
   LISTENER_TEXT_MAX, here and below. */
void listener_address(int fd, char *text, size_t size);

/* "https", "acme" or "health": for the log. */
const char *listener_kind_name(enum config_listener_kind kind);

/* "192.0.2.1:1234", "[2001:db8::1]:1234"; IPv4-mapped IPv6 as IPv4; "unix" for others. */
void listener_peer(const struct sockaddr *peer, char *text, size_t size);

#endif
