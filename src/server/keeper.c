#include "server/keeper.h"

#include "common/config.h"
#include "common/log.h"
#include "common/streams.h"
#include "server/admin.h"
#include "server/conn.h"
#include "server/control.h"
#include "server/crew.h"
#include "server/memlimit.h"
#include "server/opener.h"
#include "server/privileges.h"
#include "server/process.h"
#include "server/state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    KEEPER_DRAIN_MS = 6000, /* longer than a worker needs to cut what is left */
    KEEPER_KILL_MS = 100,   /* past that: until whoever lives is killed again */
    /* Of a process, beside listeners, connections and lines to workers. The master needs most: its admin
       sockets with ADMIN_CLIENTS_MAX clients, and those of three generations. */
    DESCRIPTORS_MORE = 48,
    CONNECTIONS_LEAST = 16, /* of a worker: with fewer, nothing useful is served */
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
    int                         consoles[ADMIN_CLIENTS_MAX]; /* of mta-stsd -r, until READY */
    size_t                      console_count;
    int                         snapshot; /* of the inputs; -1: none */
    bool degraded; /* the configuration was refused: this is the last good one */
    bool kept;     /* the inputs are written to state_dir, and wait for GO */
    bool scanned;  /* the master knows that the scan has succeeded */
    char error_place[CONFIG_PATH_MAX + 32]; /* FILE:LINE of the first error */
    char state_dir[CONFIG_PATH_MAX + 1];
};

/* Too large for a stack, and there is one a process. */
static struct keeper keeper;

/* What the keeper waits for, and where it stands in polled: its workers' lines come last. */
enum { MASTER, LEASH, WORKERS };
static struct pollfd polled[WORKERS + CONFIG_WORKERS_MAX];

/* To the clients of mta-stsd -r. One that does not read gets no more than this: the reload does not wait
   for it. */
static void send_finding(const char *finding)
{
    size_t left = 0;

    for (size_t i = 0; i < keeper.console_count; i++) {
        int console = keeper.consoles[i];

        if (admin_send_line(console, finding))
            keeper.consoles[left++] = console;
        else
            close(console);
    }
    keeper.console_count = left;
}

/* A finding: to the log, and to the clients of mta-stsd -r. */
static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    char finding[CONFIG_FINDING_MAX];

    (void)context;
    config_finding(severity, file, line, text, finding);
    if (severity != CONFIG_ERROR)
        log_warnx("%s", finding);
    else
        log_errorx("%s", finding);
    if (severity == CONFIG_ERROR && keeper.error_place[0] == '\0')
        snprintf(keeper.error_place, sizeof(keeper.error_place), line > 0 ? "%s:%u" : "%s", file,
                 line);
    send_finding(finding);
}

static void set_log_format(void *context, bool json)
{
    (void)context;
    log_set_json(json);
}

static void child_died(int signal)
{
    (void)signal; /* it only has to end the wait */
}

/* A worker that had the terminal for reading, or in its session, could read and type what root types there. */
static void leave_terminal(void)
{
    if (setsid() < 0)
        log_fatal("setsid");
    if (streams_detach() != 0)
        log_fatal("/dev/null");
}

static void close_what_is_not_ours(const struct keeper_start *start)
{
    int    keep[LISTENER_SET_MAX + ADMIN_CLIENTS_MAX + 6] = { start->control,  start->leash_down,
                                                              start->leash_up, start->ping,
                                                              start->replay,   start->running };
    size_t count = 6;

    for (size_t i = 0; i < start->held->count; i++)
        keep[count++] = start->held->at[i].fd;
    for (size_t i = 0; i < start->console_count; i++)
        keep[count++] = start->consoles[i];
    process_close_others(keep, count);
    admin_forget();
}

/* fd -1: none goes along. */
static void tell_master(const struct control *control, int fd)
{
    /* Once the workers serve, the keeper goes on: a master that stops has closed its end, and they need their
       certificates until they have drained. */
    if (control_send(keeper.start->control, control, fd) != 0 && !keeper.crew.started)
        log_fatal("the master does not read");
}

static void say(enum control_kind kind)
{
    struct control control;

    control_init(&control, kind);
    tell_master(&control, -1);
}

/* Tells the master why there will be no generation, at a place in the configuration or for a reason, which
   is logged already. */
static void say_refused(const char *text)
{
    struct control control;

    control_init(&control, CONTROL_REFUSED);
    snprintf(control.text, sizeof(control.text), "%s", text);
    control.log_json = keeper.config != NULL && config_server(keeper.config)->log_json;
    tell_master(&control, -1);
}

/* After an error of the configuration, which report has been given. */
static void say_refused_at_place(void)
{
    char text[sizeof(keeper.error_place) + 4];

    snprintf(text, sizeof(text), "at %s", keeper.error_place);
    say_refused(text);
}

/* An error at a line that could be read, but cannot be done. */
_Noreturn static void refuse_at(const char *file, unsigned line, const char *text)
{
    report(NULL, CONFIG_ERROR, file, line, text);
    say_refused_at_place();
    exit(1);
}

/* Tells master and log of one socket that this generation uses. */
static void tell_listener(const struct listener *listener, bool fresh)
{
    struct control control;
    char           address[LISTENER_TEXT_MAX];

    control_init(&control, CONTROL_LISTENER);
    memcpy(control.name, listener->name, sizeof(control.name));
    control.listener = listener->kind;
    tell_master(&control, fresh ? listener->fd : -1);
    if (!keeper.start->starting && !fresh)
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
            refuse_at(wanted->file, wanted->line, error);
        case LISTENER_SKIPPED:
            report(NULL, CONFIG_WARNING, wanted->file, wanted->line, error);
            continue;
        case LISTENER_OK:
            break;
        }
        https += wanted->kind == CONFIG_HTTPS;
        for (size_t at = before; at < keeper.listeners.count; at++)
            tell_listener(&keeper.listeners.at[at], fresh);
    }
    if (https == 0)
        refuse_at(config_path(keeper.config), 0, "no HTTPS listener is left on this machine");
    for (size_t i = 0; i < held->count; i++)
        if (!listener_set_has_fd(&keeper.listeners, held->at[i].fd))
            close(held->at[i].fd);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Held or configured: as many as there may be in the master during a reload. */
static size_t most_listeners(void)
{
    const struct listener_set *held = keeper.start->held;
    size_t                     most = held->count + keeper.server->listener_count;

    for (size_t i = 0; i < keeper.server->listener_count; i++) {
        size_t at = 0;

        while (at < held->count && strcmp(held->at[at].name, keeper.server->listeners[i].name) != 0)
            at++;
        most -= at < held->count; /* counted twice */
    }
    return most;
}

/* Of health listeners, beside max_connections. */
static size_t health_connections(void)
{
    for (size_t i = 0; i < keeper.server->listener_count; i++)
        if (keeper.server->listeners[i].kind == CONFIG_HEALTH)
            return CONN_HEALTH_MAX;
    return 0;
}

/*
 * Connections that a worker can have: at its own limit it chooses which one is closed, while
 * a worker out of descriptors could only stop accepting. Exits when there are too few descriptors for
 * the processes: the keeper needs one a worker, too.
 */
static unsigned fitting_connections(void)
{
    unsigned wanted = keeper.server->max_connections, workers = keeper.server->workers;
    size_t   listeners = most_listeners();
    size_t   more = DESCRIPTORS_MORE + listeners + health_connections();
    size_t   least = wanted < CONNECTIONS_LEAST ? wanted : CONNECTIONS_LEAST;
    size_t   limit = process_raise_descriptors();
    char     text[256];

    if (least < workers)
        least = workers;
    if (limit != 0 && limit < more + least) {
        snprintf(
            text, sizeof(text),
            "each process needs %zu descriptors (%zu listener%s, %u worker%s), and the limit is "
            "%zu: raise it (LimitNOFILE=, ulimit -n)",
            more + least, listeners, plural(listeners), workers, plural(workers), limit);
        refuse_at(config_path(keeper.config), 0, text);
    }
    if (limit == 0 || limit >= wanted + more)
        return wanted;
    log_warnx("max_connections = %u needs %zu descriptors a worker, and the limit is %zu: "
              "raise it (LimitNOFILE=, ulimit -n) or lower max_connections",
              wanted, wanted + more, limit);
    return (unsigned)(limit - more);
}

/*
 * TLS states that a worker may have with max_tls = auto: an eighth of the memory, shared by the
 * workers, and half of what a worker may still map under a limit of its address space.
 */
static unsigned fitting_tls(unsigned max_connections)
{
    uint64_t share = memlimit_total("") / TLS_SHARE / keeper.server->workers;
    uint64_t space = memlimit_address_space() / 2;
    uint64_t states = (share < space ? share : space) / TLS_BYTES;

    if (keeper.server->max_tls != 0)
        states = keeper.server->max_tls;
    else if (states < TLS_MIN)
        states = TLS_MIN;
    if (states > max_connections)
        states = max_connections;
    if (keeper.server->max_tls == 0 && keeper.start->starting)
        log_info("max_tls = auto: %u a worker, for which it needs %u MB of memory",
                 (unsigned)states, (unsigned)(states * TLS_BYTES / 1000000));
    return (unsigned)states;
}

static void judge_acme(void)
{
    char text[OPENER_TEXT_MAX];

    if (!opener_judge_acme(keeper.server, text))
        report(NULL, CONFIG_WARNING, config_path(keeper.config), keeper.server->acme_line, text);
}

/* --- The configuration: from the files, from a snapshot, or from the state that was written */

/* A last good configuration for what isolate leaves out, where no generation serves yet. */
static int find_last_good(void *context, const char *state_dir)
{
    char error[STATE_ERROR_MAX];
    int  fd;

    (void)context;
    if (state_dir == NULL)
        return -1;
    if (state_open(state_dir, keeper.start->config_path, &fd, error) == 0)
        return fd;
    if (error[0] != '\0')
        log_warnx("no last good policy can be kept: %s", error);
    return -1;
}

/* False when the loader could not write it, which it has reported. */
static bool is_recorded(int record)
{
    return record >= 0 && lseek(record, 0, SEEK_END) > 0;
}

static struct config *load(int replay)
{
    const struct keeper_start *start = keeper.start;
    struct config_source       source = {
              .key = start->digest_key,
              .report = report,
              .log_format = set_log_format,
              .replay = replay,
              .last_good = start->running,
              .find_last_good = start->running < 0 ? find_last_good : NULL,
              .record = memfd_create("mta-stsd: inputs", MFD_CLOEXEC),
              .state_dir = keeper.state_dir,
    };
    struct config *config;

    if (source.record < 0)
        log_warn("no memory file for the inputs: a lost keeper will be replaced from the files");
    config = config_load_from(start->config_path, &source);
    if (config != NULL && is_recorded(source.record))
        keeper.snapshot = source.record;
    else if (source.record >= 0)
        close(source.record);
    return config;
}

/* -1: there is none, or it is not usable, which is a warning. */
static int open_state_in(const char *dir)
{
    char error[STATE_ERROR_MAX];
    int  fd;

    if (state_open(dir, keeper.start->config_path, &fd, error) == 0)
        return fd;
    if (error[0] != '\0')
        log_warnx("no last good configuration: %s", error);
    return -1;
}

/* Without a generation that serves, a refused configuration is one for which the last good one may stand
   in. It is looked for in state_dir, which the loader may have read all the same; where it has not, in the
   directory "state" below those that systemd has made. */
static int open_state(void)
{
    const char *list = getenv("STATE_DIRECTORY"); /* systemd.exec(5): with colons */
    int         fd = -1;

    if (keeper.state_dir[0] != '\0')
        return open_state_in(keeper.state_dir);
    while (fd < 0 && list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");

        snprintf(keeper.state_dir, sizeof(keeper.state_dir), "%.*s/state", (int)len, list);
        fd = open_state_in(keeper.state_dir);
        list += len + (list[len] == ':');
    }
    return fd;
}

static void load_last_good(void)
{
    int fd;

    say_refused_at_place();
    fd = keeper.start->starting ? open_state() : -1;
    if (fd < 0)
        exit(1);
    keeper.config = load(fd);
    close(fd);
    if (keeper.config == NULL)
        exit(1);
    keeper.degraded = true;
    log_errorx("the configuration is refused at %s: serving the last good one from %s",
               keeper.error_place, keeper.state_dir);
}

/* A reload that takes most domains away is more often half an export than meant. */
static void check_removal(void)
{
    struct config_removal removal;
    char                  text[256];

    if (keeper.start->running < 0 || keeper.start->replay >= 0 || keeper.start->forced ||
        config_removal(keeper.config, keeper.start->running, &removal) != 0 || !removal.refused)
        return;
    snprintf(text, sizeof(text),
             "%zu of %zu domains would be removed, and max_removed is %u%s: if this is meant, "
             "mta-stsd -r --force",
             removal.removed, removal.running, removal.limit.number,
             removal.limit.percent ? "%" : "");
    say_refused(text);
    exit(1);
}

/* A warning at the line of state_dir: the next start will not find these inputs. */
static void report_unkept(const char *error)
{
    char text[STATE_ERROR_MAX + 64];

    snprintf(text, sizeof(text), "the last good configuration is not kept: %s", error);
    report(NULL, CONFIG_WARNING, config_path(keeper.config), keeper.server->state_dir_line, text);
}

/* Where the inputs are kept for the next start. It is checked before anything is bound. */
static void check_state_dir(void)
{
    char error[STATE_ERROR_MAX];

    if (keeper.server->state_dir != NULL && state_check(keeper.server->state_dir, true, error) != 0)
        refuse_at(config_path(keeper.config), keeper.server->state_dir_line, error);
}

/* What the master accepts is what the next start finds: it is whole on disk before READY, and takes the
   place of the one before with GO. False when it could not be written. */
static bool write_state(void)
{
    char error[STATE_ERROR_MAX];

    if (keeper.server->state_dir == NULL || keeper.degraded || keeper.start->replay >= 0)
        return true;
    if (keeper.snapshot < 0)
        return false; /* reported when the inputs were read */
    keeper.kept = state_write(keeper.server->state_dir, keeper.start->config_path, keeper.snapshot,
                              error) == 0;
    if (!keeper.kept)
        report_unkept(error);
    return keeper.kept;
}

static void commit_state(void)
{
    char error[STATE_ERROR_MAX];

    if (keeper.kept &&
        state_commit(keeper.server->state_dir, keeper.start->config_path, error) != 0)
        report_unkept(error);
    keeper.kept = false;
}

static void load_configuration(void)
{
    const struct keeper_start *start = keeper.start;

    keeper.config = load(start->replay);
    if (keeper.config == NULL)
        load_last_good();
    keeper.server = config_server(keeper.config);
    if (start->digest != NULL &&
        memcmp(start->digest, config_digest(keeper.config), HASH_128_SIZE) == 0) {
        say(CONTROL_UNCHANGED);
        exit(0);
    }
    check_removal();
    check_state_dir();
}

static void find_user(void)
{
    char error[PRIVILEGES_ERROR_MAX];

    if (privileges_prepare(keeper.server->user, &keeper.privileges, error) == 0)
        return;
    if (keeper.server->user != NULL)
        refuse_at(config_path(keeper.config), keeper.server->user_line, error);
    log_errorx("%s", error);
    say_refused(error);
    exit(1);
}

static void prepare(const struct keeper_start *start)
{
    unsigned connections;

    load_configuration();
    find_user();
    judge_acme();
    connections = fitting_connections();
    open_listeners();
    keeper.crew.config = keeper.config;
    keeper.crew.scanned = start->scanned;
    keeper.crew.start = (struct worker_start){ .config = keeper.config,
                                               .listeners = &keeper.listeners,
                                               .privileges = &keeper.privileges,
                                               .generation = start->generation,
                                               .max_connections = connections,
                                               .max_tls = fitting_tls(connections),
                                               .leash_down = start->leash_down,
                                               .leash_up = start->leash_up,
                                               .ping = start->ping };
    if (crew_start(&keeper.crew, keeper.server->workers) != 0)
        log_fatal("fork");
}

/* --- Being a generation */

/* The master has the snapshot now, and goes on with the clients. */
static void close_inputs(void)
{
    const int fds[] = { keeper.snapshot, keeper.start->replay, keeper.start->running };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    for (size_t i = 0; i < keeper.console_count; i++)
        close(keeper.consoles[i]);
    keeper.console_count = 0;
}

static void say_ready(void)
{
    size_t         domains = config_domain_count(keeper.config);
    size_t         isolated = config_isolated_count(keeper.config);
    struct control control;
    char           more[48] = "";

    if (isolated > 0)
        snprintf(more, sizeof(more), ", %zu isolated", isolated);
    control_init(&control, CONTROL_READY);
    control.unkept = !write_state();
    memcpy(control.digest, config_digest(keeper.config), HASH_128_SIZE);
    snprintf(control.text, sizeof(control.text), "%zu domain%s%s%s, %zu listener%s, %u worker%s",
             domains, plural(domains), config_any(keeper.config) != NULL ? " and any other" : "",
             more, keeper.listeners.count, plural(keeper.listeners.count), keeper.server->workers,
             plural(keeper.server->workers));
    control.drain_delay = keeper.server->drain_delay;
    control.degraded = keeper.degraded;
    control.log_json = keeper.server->log_json;
    tell_master(&control, keeper.snapshot);
    keeper.crew.started = true;
    close_inputs();
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

static void hear_master(void)
{
    struct control      control;
    int                 fd;
    enum control_result result;

    check_leash(); /* workers that drain take no message any more */
    while ((result = control_receive(keeper.start->control, &control, &fd)) == CONTROL_GOT) {
        if (fd >= 0)
            close(fd);
        if (control.kind == CONTROL_GO)
            commit_state();
        if (keeper.crew.draining)
            continue;
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

static void check_crew(void)
{
    if (crew_reap(&keeper.crew) > 0) /* before it was ready: it can't be */
        exit(1);
    if (keeper.crew.draining) {
        if (crew_alive(&keeper.crew) == 0) {
            hear_master(); /* GO may be unread, and the inputs have to become the last good ones */
            exit(0);
        }
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
    leave_terminal();
    keeper.start = start;
    keeper.console_count = start->console_count;
    for (size_t i = 0; i < start->console_count; i++)
        keeper.consoles[i] = start->consoles[i];
    keeper.snapshot = -1;
    keeper.scanned = start->scanned;
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
        if (keeper.crew.scanned && !keeper.scanned && polled[MASTER].fd >= 0)
            say(CONTROL_SCANNED);
        keeper.scanned = keeper.crew.scanned;
    }
}
