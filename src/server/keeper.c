#include "server/keeper.h"

#include "common/config.h"
#include "common/log.h"
#include "server/control.h"
#include "server/crew.h"
#include "server/memory.h"
#include "server/privileges.h"
#include "server/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEEPER_DRAIN_MS = 6000, /* longer than a worker needs to cut what is left */
    KEEPER_KILL_MS = 100,   /* past that: until whoever lives is killed again */
    DESCRIPTORS_MORE = 64,  /* of a worker beside its connections, at most */
    TLS_BYTES = 42000,      /* of a TLS state, about */
    TLS_SHARE = 8,          /* of the memory: one part in so many is for TLS states */
    TLS_MIN = 64            /* states of a worker, however little memory there is */
};

struct keeper {
    const struct keeper_start  *start;
    struct config              *config;
    const struct config_server *server; /* of config */
    struct listener_set         listeners;
    struct privileges           privileges;
    struct crew                 crew;
    int64_t                     drain_until;
};

/* Too large for a stack, and there is one a process. */
static struct keeper keeper;

/* What the keeper waits for, and where it stands in polled: its workers' lines come last. */
enum { MASTER, LEASH, WORKERS };
static struct pollfd polled[WORKERS + CONFIG_WORKERS_MAX];

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    (void)context;
    if (severity == CONFIG_ERROR)
        log_errorx("%s:%u: error: %s", file, line, text);
    else
        log_warnx("%s:%u: warning: %s", file, line, text);
}

static void child_died(int signal)
{
    (void)signal; /* it only has to end the wait */
}

static void close_what_is_not_ours(const struct keeper_start *start)
{
    int    keep[LISTENER_SET_MAX + 3] = { start->control, start->leash_down, start->leash_up };
    size_t count = 3;

    for (size_t i = 0; i < start->held->count; i++)
        keep[count++] = start->held->at[i].fd;
    process_close_others(keep, count);
}

/* fd -1: none goes along. */
static void tell_master(const struct control *control, int fd)
{
    if (control_send(keeper.start->control, control, fd) != 0)
        log_fatal("the master does not listen");
}

static void say(enum control_kind kind)
{
    struct control control;

    control_init(&control, kind);
    tell_master(&control, -1);
}

/* Tells master and log of one socket that this generation uses. */
static void tell_listener(const struct listener *listener, bool fresh)
{
    struct control control;
    char           address[LISTENER_TEXT_MAX];

    control_init(&control, CONTROL_LISTENER);
    memcpy(control.name, listener->name, sizeof(control.name));
    tell_master(&control, fresh ? listener->fd : -1);
    if (keeper.start->digest != NULL && !fresh)
        return; /* logged when it was bound */
    listener_address(listener->fd, address, sizeof(address));
    log_info("listening on %s (%s) for %s", address, listener_kind_name(listener->kind),
             listener->name);
}

/* Opens every listener. Descriptors held by the master and not used here are closed. */
static void open_listeners(void)
{
    const struct listener_set *held = keeper.start->held;
    size_t                     https = 0;

    for (size_t i = 0; i < keeper.server->listener_count; i++) {
        const struct config_listener *wanted = &keeper.server->listeners[i];
        size_t                        before = keeper.listeners.count;
        char                          error[LISTENER_ERROR_MAX];
        bool                          fresh;

        switch (listener_open(wanted, held, &keeper.listeners, &fresh, error)) {
        case LISTENER_FAILED:
            log_errorx("%s:%u: error: %s", wanted->file, wanted->line, error);
            exit(1);
        case LISTENER_SKIPPED:
            log_warnx("%s:%u: warning: %s", wanted->file, wanted->line, error);
            continue;
        case LISTENER_OK:
            break;
        }
        https += wanted->kind == CONFIG_HTTPS;
        for (size_t at = before; at < keeper.listeners.count; at++)
            tell_listener(&keeper.listeners.at[at], fresh);
    }
    if (https == 0) {
        log_errorx("%s:0: error: no HTTPS listener is left on this machine",
                   config_path(keeper.config));
        exit(1);
    }
    for (size_t i = 0; i < held->count; i++)
        if (!listener_set_has_fd(&keeper.listeners, held->at[i].fd))
            close(held->at[i].fd);
}

/*
 * Connections that a worker can have: at its own limit it chooses who has to go, while
 * a worker out of descriptors could only stop accepting.
 */
static unsigned fitting_connections(void)
{
    unsigned wanted = keeper.server->max_connections;
    size_t   more = DESCRIPTORS_MORE + keeper.listeners.count;
    size_t   limit = process_raise_descriptors();

    if (limit == 0 || limit >= wanted + more)
        return wanted;
    log_warnx("max_connections = %u needs %zu descriptors a worker, and the limit is %zu: "
              "raise it (LimitNOFILE=, ulimit -n) or lower max_connections",
              wanted, wanted + more, limit);
    return limit > 2 * more ? (unsigned)(limit - more) : (unsigned)(limit / 2);
}

/*
 * TLS states that a worker may have with max_tls = auto: an eighth of the memory, shared by the
 * workers, and half of what a worker may still map under a limit of its address space.
 */
static unsigned fitting_tls(unsigned max_connections)
{
    uint64_t share = memory_limit("") / TLS_SHARE / keeper.server->workers;
    uint64_t space = memory_address_space() / 2;
    uint64_t states = (share < space ? share : space) / TLS_BYTES;

    if (keeper.server->max_tls != 0)
        states = keeper.server->max_tls;
    else if (states < TLS_MIN)
        states = TLS_MIN;
    if (states > max_connections)
        states = max_connections;
    if (keeper.server->max_tls == 0)
        log_info("max_tls = auto: %u a worker, for which it needs %u MB of memory",
                 (unsigned)states, (unsigned)(states * TLS_BYTES / 1000000));
    return (unsigned)states;
}

static void prepare(const struct keeper_start *start)
{
    unsigned max_connections;
    char     error[PRIVILEGES_ERROR_MAX];

    keeper.start = start;
    keeper.config = config_load(start->config_path, start->digest_key, report, NULL);
    if (keeper.config == NULL)
        exit(1);
    if (start->digest != NULL &&
        memcmp(start->digest, config_digest(keeper.config), HASH_128_SIZE) == 0) {
        say(CONTROL_UNCHANGED);
        exit(0);
    }
    keeper.server = config_server(keeper.config);
    if (privileges_prepare(keeper.server->user, &keeper.privileges, error) != 0) {
        if (keeper.server->user != NULL)
            log_errorx("%s:%u: error: %s", config_path(keeper.config), keeper.server->user_line,
                       error);
        else
            log_errorx("%s", error);
        exit(1);
    }
    open_listeners();
    max_connections = fitting_connections();
    keeper.crew.config = keeper.config;
    keeper.crew.start = (struct worker_start){ .config = keeper.config,
                                               .listeners = &keeper.listeners,
                                               .privileges = &keeper.privileges,
                                               .generation = start->generation,
                                               .max_connections = max_connections,
                                               .max_tls = fitting_tls(max_connections),
                                               .leash_down = start->leash_down,
                                               .leash_up = start->leash_up };
    if (crew_start(&keeper.crew, keeper.server->workers) != 0)
        log_fatal("fork");
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void say_ready(void)
{
    size_t         domains = config_domain_count(keeper.config);
    struct control control;

    control_init(&control, CONTROL_READY);
    memcpy(control.digest, config_digest(keeper.config), HASH_128_SIZE);
    snprintf(control.text, sizeof(control.text), "%zu domain%s%s, %zu listener%s, %u worker%s",
             domains, plural(domains), config_any(keeper.config) != NULL ? " and any other" : "",
             keeper.listeners.count, plural(keeper.listeners.count), keeper.server->workers,
             plural(keeper.server->workers));
    tell_master(&control, -1);
    keeper.crew.started = true;
}

static void hear_master(void)
{
    struct control      control;
    int                 fd;
    enum control_result result;

    while ((result = control_receive(keeper.start->control, &control, &fd)) == CONTROL_GOT) {
        if (fd >= 0)
            close(fd);
        if (control.kind == CONTROL_GO)
            crew_go(&keeper.crew);
        else if (control.kind == CONTROL_RECHECK) {
            crew_recheck(&keeper.crew);
            say(CONTROL_RECHECKED);
        }
    }
    if (result == CONTROL_END) /* the leash ends too, and says what to do */
        polled[MASTER].fd = -1;
}

/* The workers go on for a while and may ask for files until the last of them has gone. */
static void drain(void)
{
    keeper.crew.draining = true;
    keeper.drain_until = process_now_ms() + KEEPER_DRAIN_MS;
    listener_set_close(&keeper.listeners);
    polled[LEASH].fd = -1;
}

/* Looked at before anyone is reaped: a worker may have seen its end, and gone, before us. */
static void check_leash(void)
{
    struct pollfd leash = { .fd = polled[LEASH].fd, .events = POLLIN };

    if (leash.fd >= 0 && poll(&leash, 1, 0) == 1)
        drain();
}

static void check_crew(void)
{
    if (crew_reap(&keeper.crew) > 0) /* before it was ready: it can't be */
        exit(1);
    if (keeper.crew.draining) {
        if (crew_alive(&keeper.crew) == 0)
            exit(0);
        if (process_left_ms(keeper.drain_until) == 0)
            crew_kill(&keeper.crew);
    }
}

/* Milliseconds until something has to be done without being asked. */
static int64_t wait_ms(int64_t replacement)
{
    if (!keeper.crew.draining)
        return process_left_ms(replacement);
    if (process_left_ms(keeper.drain_until) > 0)
        return process_left_ms(keeper.drain_until);
    return KEEPER_KILL_MS; /* mostly, the SIGCHLD of the last one comes first */
}

_Noreturn void keeper_run(const struct keeper_start *start)
{
    struct sigaction on_child = { .sa_handler = child_died };
    sigset_t         none;
    char             name[32];

    snprintf(name, sizeof(name), "keeper.%u", start->generation);
    log_set_process(name);
    close_what_is_not_ours(start);
    process_ignore_master_signals();
    privileges_hide_memory();
    sigaction(SIGCHLD, &on_child, NULL);
    sigemptyset(&none);
    prepare(start);
    polled[MASTER] = (struct pollfd){ .fd = start->control, .events = POLLIN };
    polled[LEASH] = (struct pollfd){ .fd = start->leash_down, .events = POLLIN };
    for (;;) {
        int64_t         left;
        struct timespec timeout;

        check_leash();
        check_crew();
        left = wait_ms(crew_replace(&keeper.crew));
        timeout = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
        crew_poll(&keeper.crew, polled + WORKERS);
        if (ppoll(polled, WORKERS + keeper.crew.count, left < 0 ? NULL : &timeout, &none) < 0) {
            if (errno == EINTR)
                continue;
            log_fatal("ppoll");
        }
        if (polled[MASTER].revents != 0)
            hear_master();
        crew_answer(&keeper.crew, polled + WORKERS);
        if (!keeper.crew.started && crew_all_up(&keeper.crew))
            say_ready();
    }
}
