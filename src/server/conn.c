/* Lifetime of connections, what they wait for, their deadlines and limits. conn_states.c has the
   states. */
#include "server/conn_internal.h"

#include "common/certpair.h"
#include "server/listener.h"
#include "server/process.h"
#include "server/shortage.h"
#include "server/tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONN_TICK 0.1 /* seconds between looks at the deadlines */

enum {
    TLS_BLOCKS = 4,     /* SHORTAGE_BLOCKs: a TLS state has two, and as much is for other steps */
    CONN_EVICTIONS = 16 /* for the memory of one connection */
};

_Static_assert(CONN_STATES - 1 < DEADLINES_LISTS_MAX, "a list of deadlines a state");

/* Milliseconds in a state, and who goes first when there is no room. What is being answered never
   goes, among the first few requests; in LINGER the answer is out. */
static const struct {
    unsigned         ms;
    enum limits_rank rank;
} states[CONN_STATES] = {
    [CONN_HELLO] = { 5000, LIMITS_OPEN },      [CONN_CERT] = { 1000, LIMITS_OPEN },
    [CONN_HANDSHAKE] = { 10000, LIMITS_OPEN }, [CONN_REQUEST] = { 5000, LIMITS_OPEN },
    [CONN_TOKEN] = { 1500, LIMITS_OPEN }, /* longer than a request to the keeper may take */
    [CONN_RESPONSE] = { 10000, LIMITS_BUSY },  [CONN_IDLE] = { 2000, LIMITS_IDLE },
    [CONN_LINGER] = { 2000, LIMITS_OPEN },
};

/* A sender has one request. Who sends many and reads no answer would be busy for as long as he
   likes. */
static enum limits_rank rank_of(const struct conn *conn)
{
    if (conn->state == CONN_RESPONSE && conn->requests > CONN_REQUESTS_FEW)
        return LIMITS_OPEN;
    return states[conn->state].rank;
}

void conn_enter(struct conn *conn, enum conn_state state)
{
    conn->state = state;
    deadlines_set(&conn->conns->deadlines, &conn->deadline, state,
                  process_now_ms() + states[state].ms);
    conn_progress(conn);
}

static struct limits *limits_of(const struct conn *conn)
{
    return conn->kind == CONFIG_HEALTH ? conn->conns->health : conn->conns->all;
}

void conn_progress(struct conn *conn)
{
    int64_t now = process_now_ms();

    limits_rank_set(limits_of(conn), &conn->in_all.member, rank_of(conn), now);
    limits_rank_set(conn->conns->tls, &conn->in_tls, rank_of(conn), now);
}

static void tell_shortage(const struct sockaddr *peer)
{
    char client[LISTENER_TEXT_MAX];

    listener_peer(peer, client, sizeof(client));
    shortage_tell("the connection from %s is closed", client);
}

enum conn_next conn_starve(const struct conn *conn)
{
    tell_shortage((const struct sockaddr *)&conn->peer);
    return CONN_GONE;
}

void conn_drop_tls(struct conn *conn)
{
    if (conn->transport == &transport_tls && tls_session_starved(conn->link))
        conn_starve(conn);
    if (conn->transport != NULL)
        conn->transport->free(conn->link);
    conn->transport = NULL;
    conn->link = NULL;
    limits_remove(conn->conns->tls, &conn->in_tls);
}

/* The one place where a connection ends. */
static void conn_free(struct conn *conn)
{
    struct conns *conns = conn->conns;

    ev_io_stop(conns->services.loop, &conn->io);
    certs_cancel(&conn->waiter);
    acme_cancel(conn->lookup);
    conn_drop_tls(conn);
    certpair_unref(conn->pair);
    deadlines_remove(&conns->deadlines, &conn->deadline);
    limits_remove(limits_of(conn), &conn->in_all.member);
    close(conn->io.fd);
    free(conn->answer.bytes);
    free(conn->buffer);
    free(conn->hello);
    free(conn->host);
    free(conn);
    if (--conns->count == 0) {
        ev_timer_stop(conns->services.loop, &conns->tick);
        if (conns->empty != NULL)
            conns->empty(conns->empty_context);
    }
}

/* Computed after each step, never switched on and off anywhere else. */
static void conn_wait(struct conn *conn, int wants)
{
    struct ev_loop *loop = conn->conns->services.loop;

    if (conn->wants == wants)
        return;
    conn->wants = wants;
    ev_io_stop(loop, &conn->io);
    if (wants != 0) {
        ev_io_set(&conn->io, conn->io.fd, wants);
        ev_io_start(loop, &conn->io);
    }
}

static void conn_follow(struct conn *conn, enum conn_next next)
{
    for (unsigned steps = 0; next == CONN_GO_ON; steps++) {
        /* Bytes may wait in our buffers, where epoll can't see them; but it sees room for an answer.
           (A fed event would be the next one, before all others.) */
        if (steps == CONN_BURST) {
            conn_wait(conn, EV_READ | EV_WRITE);
            return;
        }
        next = conn_steps[conn->state](conn);
    }
    if (next == CONN_GONE)
        conn_free(conn);
    else
        conn_wait(conn, next == CONN_WAIT_READ ? EV_READ : next == CONN_WAIT_WRITE ? EV_WRITE : 0);
}

void conn_run(struct conn *conn)
{
    conn_follow(conn, CONN_GO_ON);
}

static void conn_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    conn_run(watcher->data);
}

static void conns_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct conns    *conns = timer->data;
    int64_t          now = process_now_ms();
    struct deadline *due;

    (void)loop;
    (void)events;
    while ((due = deadlines_due(&conns->deadlines, now)) != NULL) {
        struct conn *conn = CONN_OF(due, deadline);

        conn_follow(conn, conn_expired(conn));
    }
}

/*
 * Evicts connections until there is memory for what the next step allocates, because a step that
 * lacks memory fails the new connection, and the silent ones would keep theirs. Connections with a
 * TLS state go first: they have most of the memory. spared is not evicted.
 */
static void conns_make_memory(struct conns *conns, size_t blocks, const struct conn *spared)
{
    for (unsigned evicted = 0; evicted < CONN_EVICTIONS && !shortage_spare(blocks); evicted++) {
        struct limits_member *victim = limits_oldest(conns->tls);
        struct conn          *conn;

        if (victim != NULL)
            conn = CONN_OF(victim, in_tls);
        else if ((victim = limits_oldest(conns->all)) != NULL)
            conn = CONN_OF(victim, in_all.member);
        else
            return;
        if (conn == spared)
            return;
        tell_shortage((const struct sockaddr *)&conn->peer);
        conn_free(conn);
    }
}

bool conn_take_tls(struct conn *conn)
{
    struct limits        *limits = conn->conns->tls;
    int64_t               now = process_now_ms();
    struct limits_member *victim;
    bool                  full;

    while ((victim = limits_victim(limits, NULL, now, &full)) != NULL)
        conn_free(CONN_OF(victim, in_tls));
    if (full)
        return false;
    conns_make_memory(conn->conns, TLS_BLOCKS, conn);
    return limits_add(limits, &conn->in_tls, rank_of(conn), now) == 0;
}

static bool conns_admit(struct conn *conn)
{
    struct limits        *limits = limits_of(conn);
    int64_t               now = process_now_ms();
    struct limits_address address;
    struct limits_member *victim;
    bool                  full;

    limits_address_of((const struct sockaddr *)&conn->peer, &address);
    while ((victim = limits_victim(limits, &address, now, &full)) != NULL)
        conn_free(CONN_OF(victim, in_all.member));
    if (full)
        return false;
    if (limits_add_counted(limits, &conn->in_all, &address, LIMITS_OPEN, now) == 0)
        return true;
    conn_starve(conn); /* there was room */
    return false;
}

void conns_accept(struct conns *conns, int fd, enum config_listener_kind kind, const char *name,
                  const struct sockaddr *peer)
{
    struct conn *conn;

    conns_make_memory(conns, 1, NULL);
    conn = calloc(1, sizeof(*conn));
    if (conn == NULL) {
        tell_shortage(peer);
        close(fd);
        return;
    }
    if (peer->sa_family == AF_INET6)
        memcpy(&conn->peer, peer, sizeof(struct sockaddr_in6));
    else if (peer->sa_family == AF_INET)
        memcpy(&conn->peer, peer, sizeof(struct sockaddr_in));
    conn->conns = conns;
    conn->kind = kind;
    if (!conns_admit(conn)) {
        close(fd);
        free(conn);
        return;
    }
    conn->listener = name;
    conn->started = process_now_ms();
    ev_io_init(&conn->io, conn_ready, fd, EV_READ);
    conn->io.data = conn;
    if (conns->count++ == 0)
        ev_timer_again(conns->services.loop, &conns->tick);
    if (kind != CONFIG_HTTPS) {
        conn->transport = &transport_plain;
        conn->link = &conn->io.fd;
        conn_enter(conn, CONN_REQUEST);
    } else {
        conn_enter(conn, CONN_HELLO);
    }
    conn_run(conn);
}

/*
 * Connections of one address: as configured, but no more than half of the TLS states; otherwise one
 * address could take all of them, faster than a real sender completes, where there are few.
 */
static size_t per_address(const struct conn_services *services)
{
    size_t configured = config_server(services->config)->max_connections_per_ip;
    size_t half = services->max_tls > 1 ? services->max_tls / 2 : 1;

    return configured < half ? configured : half;
}

struct conns *conns_new(const struct conn_services *services, const uint8_t hash_key[HASH_KEY_SIZE])
{
    const struct config_server *server = config_server(services->config);
    const struct limits_bounds  all = { .total = services->max_connections,
                                        .easy = services->max_connections,
                                        .per_address = per_address(services) };
    const struct limits_bounds  tls = { .total = services->max_tls, .easy = CONN_TLS_EASY };
    const struct limits_bounds  health = { .total = CONN_HEALTH_MAX, .easy = CONN_HEALTH_MAX };
    struct conns               *conns = calloc(1, sizeof(*conns));

    if (conns == NULL)
        return NULL;
    conns->services = *services;
    conns->access_log = server->access_log;
    deadlines_init(&conns->deadlines);
    conns->all = limits_new(&all, hash_key);
    conns->tls = limits_new(&tls, hash_key);
    conns->health = limits_new(&health, hash_key);
    ev_timer_init(&conns->tick, conns_tick, CONN_TICK, CONN_TICK);
    conns->tick.data = conns;
    if (conns->all == NULL || conns->tls == NULL || conns->health == NULL) {
        conns_free(conns);
        return NULL;
    }
    return conns;
}

/* Calls visit for each connection there is; visit may free it or move it to LINGER. */
static void conns_each(struct conns *conns, unsigned list, void (*visit)(struct conn *conn))
{
    struct deadline *at = conns->deadlines.first[list];

    while (at != NULL) {
        struct deadline *next = at->next;

        visit(CONN_OF(at, deadline));
        at = next;
    }
}

void conns_free(struct conns *conns)
{
    if (conns == NULL)
        return;
    conns->empty = NULL;
    for (unsigned list = 0; list < CONN_STATES; list++)
        conns_each(conns, list, conn_free);
    limits_free(conns->all);
    limits_free(conns->tls);
    limits_free(conns->health);
    free(conns);
}

static void end_idle(struct conn *conn)
{
    conn_follow(conn, conn_end(conn));
}

void conns_drain(struct conns *conns, void (*empty)(void *context), void *context)
{
    conns->draining = true;
    conns_each(conns, CONN_IDLE, end_idle);
    conns->empty = empty;
    conns->empty_context = context;
    if (conns->count == 0)
        empty(context);
}

void conns_set_certificates(struct conns *conns, bool enough)
{
    conns->lacks_certificates = !enough;
}

void conns_set_stopping(struct conns *conns)
{
    conns->stopping = true;
}

size_t conns_count(const struct conns *conns)
{
    return conns->count;
}
