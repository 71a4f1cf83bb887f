#include "server/worker.h"

#include "common/log.h"
#include "common/memory.h"
#include "server/acceptor.h"
#include "server/broker.h"
#include "common/certpair.h"
#include "server/certs.h"
#include "server/conn.h"
#include "server/process.h"
#include "server/readiness.h"
#include "server/shortage.h"
#include "server/tls.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

struct worker {
    struct ev_loop   *loop;
    struct broker    *broker;
    struct certs     *certs;
    struct tls       *tls;
    struct conns     *conns;
    struct acceptors *acceptors;
    struct readiness *readiness; /* while it scans */
    ev_io             leash;
    ev_io             ping;
    int               leash_up;
    ev_timer          cut;
    bool              draining;
};

static void go(void *context)
{
    struct worker *worker = context;

    if (!worker->draining)
        acceptors_start(worker->acceptors);
}

static void recheck(void *context)
{
    struct worker *worker = context;

    certs_recheck(worker->certs);
}

/* All workers and later generations know it by way of the keeper; this one comes back, too. */
static bool certificates_reached(void *context)
{
    struct worker *worker = context;

    if (broker_say(worker->broker, MESSAGE_SCANNED) == 0)
        return true;
    if (errno == EAGAIN)
        return false;
    conns_set_certificates(worker->conns, true); /* the keeper is gone: this worker at least */
    return true;
}

static void scanned(void *context)
{
    struct worker *worker = context;

    conns_set_certificates(worker->conns, true);
    readiness_free(worker->readiness);
    worker->readiness = NULL;
}

/* Each ping is read by one of the workers. */
static void pinged(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct worker *worker = watcher->data;
    char           pings[64];
    ssize_t        count = read(watcher->fd, pings, sizeof(pings));

    (void)events;
    if (count == 0) {
        ev_io_stop(loop, watcher);
        conns_set_stopping(worker->conns);
    } else if (count > 0 && write(worker->leash_up, "", 1) < 0) {
        return; /* the pipe is full of answers */
    }
}

static void keeper_lost(void *context)
{
    struct worker *worker = context;

    if (!worker->draining)
        log_warnx("the keeper is gone: serving what is in memory until the next one");
}

static void drained(void *context)
{
    struct worker *worker = context;

    ev_break(worker->loop, EVBREAK_ALL);
}

static void cut(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *worker = timer->data;

    (void)events;
    log_warnx("not ended in %.0f s and cut, connections: %zu", WORKER_DRAIN,
              conns_count(worker->conns));
    ev_break(loop, EVBREAK_ALL);
}

/* The leash is a pipe that nobody writes to: readable means that its other end is closed. */
static void leash_ended(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct worker *worker = watcher->data;

    (void)events;
    worker->draining = true;
    ev_io_stop(loop, watcher);
    readiness_free(worker->readiness);
    worker->readiness = NULL;
    acceptors_free(worker->acceptors);
    worker->acceptors = NULL;
    ev_timer_start(loop, &worker->cut);
    conns_drain(worker->conns, drained, worker);
}

static void drop_everything(const struct worker_start *start)
{
    int    keep[LISTENER_SET_MAX + 5] = { start->broker, start->leash_down, start->leash_up,
                                          start->ping, start->privileges->empty_fd };
    size_t count = 5;
    char   error[PRIVILEGES_ERROR_MAX];

    for (size_t i = 0; i < start->listeners->count; i++)
        keep[count++] = start->listeners->at[i].fd;
    process_close_others(keep, count);
    if (privileges_drop(start->privileges, error) != 0)
        log_fatalx("%s", error);
    privileges_hide_memory();
}

static void start_tls(struct worker *worker)
{
    unsigned long failures = memory_failures();
    char          error[TLS_ERROR_MAX];

    if (certpair_init() != 0)
        log_fatalx(memory_failures() != failures
                       ? "out of memory: mbedTLS cannot start its cryptography"
                       : "mbedTLS has no random numbers");
    worker->tls = tls_new(error);
    if (worker->tls == NULL)
        log_fatalx("%s", error);
}

/* libev's own would abort, with a line that no log knows. */
static void *allocate(void *block, long size)
{
    void *larger;

    if (size == 0) {
        free(block);
        return NULL;
    }
    larger = realloc(block, (size_t)size);
    if (larger == NULL)
        log_fatal("the event loop cannot grow, and this worker ends");
    return larger;
}

static void nothing(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

/* libev makes some of its arrays when a timer first fires: here, where a lack of memory harms no fetch. */
static struct ev_loop *loop_new(void)
{
    struct ev_loop *loop;
    ev_timer        first;

    ev_set_allocator(allocate);
    loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
    if (loop == NULL)
        log_fatalx("libev cannot make an event loop on epoll");
    ev_timer_init(&first, nothing, 0., 0.);
    ev_timer_start(loop, &first);
    ev_run(loop, EVRUN_ONCE);
    return loop;
}

static void *need(void *made, const char *what)
{
    if (made == NULL)
        log_fatal("this worker cannot start without its %s", what);
    return made;
}

/* The first worker scans for all of them. */
static void start_readiness(struct worker *worker, const struct worker_start *start)
{
    unsigned percent = config_server(start->config)->ready_percent;

    if (start->scanned || percent == 0)
        return;
    conns_set_certificates(worker->conns, false);
    if (start->number == 1)
        worker->readiness = need(readiness_new(worker->loop, start->config, worker->certs, percent,
                                               certificates_reached, worker),
                                 "scan of certificates");
}

static void prepare(struct worker *worker, const struct worker_start *start)
{
    const struct broker_events events = {
        .go = go, .recheck = recheck, .scanned = scanned, .lost = keeper_lost, .context = worker
    };
    struct conn_services services;
    uint8_t              hash_key[HASH_KEY_SIZE];

    if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key))
        log_fatal("getrandom");
    start_tls(worker);
    worker->loop = loop_new();
    worker->broker = need(broker_new(worker->loop, start->broker, &events), "line to the keeper");
    worker->certs = need(certs_new(worker->broker, config_server(start->config)->cert_cache),
                         "cache of certificates");
    services = (struct conn_services){ .loop = worker->loop,
                                       .config = start->config,
                                       .broker = worker->broker,
                                       .certs = worker->certs,
                                       .tls = worker->tls,
                                       .max_connections = start->max_connections,
                                       .max_tls = start->max_tls };
    worker->conns = need(conns_new(&services, hash_key), "table of connections");
    worker->acceptors = need(acceptors_new(worker->loop, worker->conns, start->listeners),
                             "acceptors");
    start_readiness(worker, start);
    worker->leash_up = start->leash_up;
    ev_io_init(&worker->ping, pinged, start->ping, EV_READ);
    worker->ping.data = worker;
    ev_io_start(worker->loop, &worker->ping);
    ev_io_init(&worker->leash, leash_ended, start->leash_down, EV_READ);
    worker->leash.data = worker;
    ev_io_start(worker->loop, &worker->leash);
    ev_timer_init(&worker->cut, cut, WORKER_DRAIN, 0.);
    worker->cut.data = worker;
}

_Noreturn void worker_run(const struct worker_start *start)
{
    struct worker worker = { 0 };
    char          name[32];

    snprintf(name, sizeof(name), "worker.%u.%u", start->generation, start->number);
    log_set_process(name);
    process_ignore_master_signals();
    drop_everything(start);
    prepare(&worker, start);
    if (broker_say(worker.broker, MESSAGE_UP) !=
        0) { /* as when a start or a reload is called off */
        log_warn("the keeper is gone before this worker was up");
        exit(1);
    }
    ev_run(worker.loop, 0);

    /* Freed as if it mattered, so that a leak of anything else stands out. */
    readiness_free(worker.readiness);
    conns_free(worker.conns);
    acceptors_free(worker.acceptors);
    certs_free(worker.certs);
    broker_free(worker.broker);
    tls_free(worker.tls);
    ev_loop_destroy(worker.loop);
    exit(0);
}
