/*
 * admin: the socket on which mta-stsd -H, -r and -s ask the running server.
 *
 * The master listens on it. The address is made from the name of the configuration file alone
 * (instance.h), so a command finds the server although the file is broken or gone:
 *
 *   $RUNTIME_DIRECTORY/INSTANCE.sock   where that variable is set; one directory of it
 *   "\0mta-stsd/INSTANCE"              always: an abstract address needs no directory, but exists once
 *                                      in each network namespace, and any local user may take it first
 *
 * So both ends ask the kernel for the user of the other (SO_PEERCRED): a server takes requests from
 * root and from its own user, a command believes a server of root or of its own user. The server's own
 * user is the one that started it; its workers run as another and cannot reload.
 *
 * SOCK_SEQPACKET. A client sends one packet of one byte, enum admin_request. The server answers with
 * any number of packets "L" and a line of text, then one packet "E", the exit status ('0' or '1') and
 * a line of text, which may be empty.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum admin_request {
    ADMIN_HEALTH = 'H',
    ADMIN_RELOAD = 'R',
    ADMIN_RELOAD_FORCED = 'F', /* whatever max_removed says */
    ADMIN_STATUS = 'S'
};

enum {
    ADMIN_CLIENTS_MAX = 16,
    ADMIN_POLL_MAX = 2 + ADMIN_CLIENTS_MAX, /* of admin_poll */
    ADMIN_LINE_MAX = 8192,                  /* bytes of a packet; a longer text ends in "..." */
    ADMIN_REQUEST_MS = 2000,                /* for a client to send its request */
    ADMIN_LINE_MS = 1000,                   /* for a client to take a line */
    ADMIN_RETRY_MS = 10000                  /* until an address that was taken is tried again */
};

/* --- The addresses */

/* Both are filled in from the configuration file's name and the environment; len is 0 for an address that
   there is not. */
struct admin_address {
    struct sockaddr_un address;
    socklen_t          len;
};

/* addresses[0] is the file's, addresses[1] the abstract one. -1 with errno: the directory of the
   configuration file cannot be found, and there is neither; or the name in RUNTIME_DIRECTORY is too long,
   and there is only the abstract one. */
int admin_addresses(const char *config_path, struct admin_address addresses[2]);

/* --- The server's end, in the master */

/* Listens; an address that is taken is a warning, and is tried again later. */
void admin_open(const char *config_path);

/* Closes everything: clients that wait see the end. */
void admin_close(void);

/* In a child: forgets what the master holds, whose descriptors the child has closed. */
void admin_forget(void);

/* Fills what to poll for; returns how many. */
size_t admin_poll(struct pollfd fds[ADMIN_POLL_MAX]);

/* When something is due without an event (milliseconds of process_now_ms); 0: never. */
int64_t admin_deadline(void);

/* Accepts, reads requests, ends clients that are too slow. Calls asked for each request; a client
   stays until admin_answer. fds is as admin_poll filled it. */
void admin_work(const struct pollfd *fds, size_t count, void (*asked)(enum admin_request request));

/* Ends all clients with this request (both kinds of reload are one) that are not part of a reload
   that has begun. */
void admin_answer(enum admin_request request, int exit_status, const char *text);

/* A reload begins: all clients that have asked for one until now are a part of it. True when one of them
   asked for a forced one. */
bool admin_begin_reload(void);

/* The sockets of the clients that are part of the reload: for the new generation's findings. */
size_t admin_reload_sockets(int sockets[ADMIN_CLIENTS_MAX]);

/* The reload that has begun has ended: so do its clients. */
void admin_end_reload(int exit_status, const char *text);

/* --- What both a master and a keeper send */

/* One "L" packet, for which it waits ADMIN_LINE_MS at most. False: the client does not take it; but there
   is room for one more packet in any case, so that the last one, "E", arrives. */
bool admin_send_line(int socket, const char *text);

#endif
