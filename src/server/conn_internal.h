/* conn_internal: what conn.c (lifetime, waiting, limits), conn_states.c (the table of states, and what
   several do), conn_hello.c (up to the handshake) and conn_request.c (requests) share. */
#ifndef SERVER_CONN_INTERNAL_H
#define SERVER_CONN_INTERNAL_H

#include "server/acme.h"
#include "server/answers.h"
#include "server/certs.h"
#include "server/conn.h"
#include "server/deadlines.h"
#include "server/limits.h"
#include "server/transport.h"
#include "wire/clienthello.h"

#include <ev.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum conn_state {
    CONN_HELLO,
    CONN_CERT,
    CONN_HANDSHAKE,
    CONN_REQUEST,
    CONN_TOKEN,
    CONN_RESPONSE,
    CONN_IDLE,
    CONN_LINGER,
    CONN_STATES
};

enum {
    CONN_BUFFER_MIN = 2048,   /* bytes of a buffer's first size, for a hello or a request */
    CONN_REQUESTS_MAX = 1000, /* on one connection, which ends then: others get their turn */
    CONN_REQUESTS_FEW = 8,    /* that many are answered before it may have to make room meanwhile */
    CONN_BURST = 16,          /* steps of one connection before others get their turn */
    CONN_LINGER_READS = 16,   /* reads of what nobody wants, likewise */
    CONN_TLS_EASY = 128       /* TLS states of a worker that may be silent until their deadline */
};

/* What a state's function wants next. */
enum conn_next {
    CONN_GO_ON, /* the function of the state, which may have changed: now, or after others */
    CONN_WAIT_READ,
    CONN_WAIT_WRITE,
    CONN_WAIT_ELSE, /* for the keeper: the socket is not looked at */
    CONN_GONE       /* free it */
};

struct conn {
    struct conns         *conns;
    ev_io                 io;
    enum conn_state       state;
    int                   wants; /* events of io while it is active; 0: waits elsewhere */
    struct deadline       deadline;
    struct limits_counted in_all; /* of the worker's connections, or of those of health listeners */
    struct limits_member  in_tls; /* of its TLS states */
    struct sockaddr_in6   peer;   /* or a sockaddr_in in its place */
    enum config_listener_kind kind;
    const char               *listener;
    int64_t  started; /* process_now_ms of the connection, then of each later request */
    unsigned requests;

    uint8_t *buffer; /* hello or request bytes: used of size */
    size_t   used, size;

    /* From a hello that is ours on */
    struct clienthello *hello; /* until the TLS state is made */
    char               *host;  /* the SNI in lower case: the policy host */
    size_t              host_len;
    struct config_match match; /* its domain may point into host */
    struct certs_waiter waiter;
    struct certpair    *pair; /* found, until the TLS state takes it */

    const struct transport *transport; /* NULL before the TLS state */
    void                   *link;      /* its state */

    struct acme_lookup *lookup;
    bool                is_head;  /* the request that is being answered is a HEAD */
    bool                close;    /* and its connection ends with it */
    size_t              head_len; /* its bytes in buffer */
    struct http_slice   asked;    /* its host and user agent, in buffer, for the log */
    struct http_slice   agent;
    struct answer       answer;
    size_t              answered; /* bytes */
};

struct conns {
    struct conn_services services;
    struct deadlines     deadlines;
    struct limits       *all;    /* but those of health listeners */
    struct limits       *health; /* those */
    struct limits       *tls;
    ev_timer             tick;
    size_t               count;
    bool                 draining;
    bool                 access_log;
    bool                 lacks_certificates; /* for /readyz */
    bool                 stopping;           /* likewise */
    void (*empty)(void *context);
    void *empty_context;
};

/* The connection that a member of it is embedded in. */
#define CONN_OF(pointer, member) \
    ((struct conn *)(void *)(((char *)(pointer)) - offsetof(struct conn, member)))

/* conn.c */
void conn_enter(struct conn *conn, enum conn_state state);
/* The peer has got on within the state: the limits count its silence from now on. The deadline stays. */
void conn_progress(struct conn *conn);
/* Steps the connection until it waits or is gone; conn must not be touched afterwards. */
void conn_run(struct conn *conn);
/* Tells that there is no memory to go on with it, and ends it. */
enum conn_next conn_starve(const struct conn *conn);
/* Makes room for one more TLS state, in the limit and in memory. False: all others are busy. */
bool conn_take_tls(struct conn *conn);
void conn_drop_tls(struct conn *conn); /* frees the transport */

/* conn_states.c */
extern enum conn_next (*const conn_steps[CONN_STATES])(struct conn *conn);
/* The deadline of the state has passed. */
enum conn_next conn_expired(struct conn *conn);
/* What a transport's answer means when it is not IO_DONE. */
enum conn_next conn_wait_for(enum io io);
/* The same behind a read: the peer's end is answered by ours. */
enum conn_next conn_wait_or_end(struct conn *conn, enum io io);
/* Ends our side now: finish, half close, LINGER. */
enum conn_next conn_end(struct conn *conn);
/* Half closes, without a word more of TLS, and lingers. */
enum conn_next conn_linger(struct conn *conn);
/* Makes room for at least one more byte, up to max in all. False: at max already, or no memory. */
bool conn_grow_buffer(struct conn *conn, size_t max);
void conn_drop_buffer(struct conn *conn);

/* conn_hello.c */
enum conn_next conn_state_hello(struct conn *conn);
enum conn_next conn_state_cert(struct conn *conn);
enum conn_next conn_state_handshake(struct conn *conn);
/* Says this fatal alert in the place of a ServerHello. */
enum conn_next conn_refuse_hello(struct conn *conn, uint8_t description);

/* conn_request.c */
enum conn_next conn_state_request(struct conn *conn);
enum conn_next conn_state_token(struct conn *conn);
enum conn_next conn_state_response(struct conn *conn);
enum conn_next conn_state_idle(struct conn *conn);
/* The deadline of REQUEST, TOKEN or RESPONSE has passed. */
enum conn_next conn_request_expired(struct conn *conn);

#endif
