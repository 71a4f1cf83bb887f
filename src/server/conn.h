/*
 * conn: the connections of one worker, from accept to the last byte.
 *
 *        accept
 *          |
 *        HELLO       whole hello, read by wire/clienthello; no TLS state yet
 *          |         not our SNI: alert, to LINGER
 *         CERT       from the cache, or by way of the keeper
 *          |
 *      HANDSHAKE     an mbedTLS context exists from here on
 *          |
 *       REQUEST <----------.      a plain listener enters here
 *          |               |
 *        (TOKEN)           |      an ACME token is being fetched from the keeper
 *          |               |
 *       RESPONSE --keep--> IDLE
 *          |
 *        LINGER      our side is closed; reads to the peer's end, so that no answer
 *          |         is lost to a reset
 *        (gone)
 *
 * One absolute deadline a state; one function a state; one function that frees. Whoever has to go
 * when there is no room is limits' choice.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { CONN_HEALTH_MAX = 32 /* connections of health listeners; they count in no other limit */ };

struct ev_loop;
struct broker;
struct certs;
struct tls;
struct conns; /* all connections of a worker, and what they share */

/* All of it is the caller's and outlives the connections. */
struct conn_services {
    struct ev_loop      *loop;
    const struct config *config;
    struct broker       *broker;
    struct certs        *certs;
    struct tls          *tls;
    size_t               max_connections;
    size_t               max_tls; /* of them with a TLS state */
};

/* hash_key: secret, for the table of addresses. NULL when there is no memory. */
struct conns *conns_new(const struct conn_services *services,
                        const uint8_t               hash_key[HASH_KEY_SIZE]);

/* Cuts every connection that is left. */
void conns_free(struct conns *conns);

/*
 * Takes an accepted socket, non-blocking, and its peer's address. name is
 * the listener's, for the log, and outlives the connection. At a limit another connection
 * goes, or, when none may, this one.
 */
void conns_accept(struct conns *conns, int fd, enum config_listener_kind kind, const char *name,
                  const struct sockaddr *peer);

/* No more keep-alive: idle connections end now, the others after their answer. Calls empty once,
   when the last of them has gone: at once where there is none. */
void conns_drain(struct conns *conns, void (*empty)(void *context), void *context);

/* What /readyz says: not ready while certificates are missing that it is to wait for, nor once the server
   will stop soon. */
void conns_set_certificates(struct conns *conns, bool enough);
void conns_set_stopping(struct conns *conns);

size_t conns_count(const struct conns *conns);

#endif
