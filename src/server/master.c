#include "server/master.h"

#include "common/hash.h"
#include "common/log.h"
#include "server/admin.h"
#include "server/control.h"
#include "server/generation.h"
#include "server/listener.h"
#include "server/notify.h"
#include "server/privileges.h"
#include "server/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DRAIN_MS = 8000,        /* longer than a keeper needs to kill its workers */
    RECHECK_MS = 5000,      /* for a keeper to pass a recheck on */
    READY_MS = 60000,       /* for a candidate to be ready */
    PAUSE_FIRST_MS = 250,   /* before a lost generation's second replacement; doubles */
    PAUSE_MAX_MS = 30000,   /* likewise, at most */
    ANSWER_MS = 2000,       /* for a worker to answer a ping */
    DEGRADED_MS = 60000,    /* between two lines that say that the last good configuration serves */
    REFUSED_MS = 3600000,   /* between two lines that say that the last reload was refused */
    DRAINING_POLL_MAX = 16, /* generations at once: far more than there can be */
    REFUSED_MAX = CONTROL_TEXT_MAX + 64, /* bytes with NUL */
    STATUS_MAX = REFUSED_MAX + 512       /* likewise */
};

#define DEGRADED "degraded: "

/* Every generation is in exactly one of candidate, active and draining. */
static struct {
    const char         *config_path;
    uint8_t             key[HASH_KEY_SIZE];    /* of digests */
    uint8_t             digest[HASH_128_SIZE]; /* of active's inputs */
    struct listener_set held;
    struct generation  *candidate;
    struct generation  *active;   /* NULL before the first is ready, and while stopping */
    struct generation  *draining; /* one by reloads; more only where keepers die as well */
    unsigned            last_number;
    bool                reload;    /* asked for by SIGHUP or mta-stsd -r */
    bool                reloading; /* the candidate was, and the service manager knows */
    bool        replaying;     /* the candidate has active's inputs, and not those of the files */
    bool        rechecking;    /* active's keeper has been sent RECHECK: no answer yet */
    int64_t     recheck_until; /* for its answer: a keeper may hang in a file system */
    bool        lost;          /* active's keeper is gone: a new generation in any case */
    bool        scanned;       /* enough certificates were good once */
    int64_t     retry_at;
    unsigned    retry_pause; /* ms */
    int64_t     ping_until;  /* for a worker's answer; 0: none is waited for */
    int64_t     stop_at;     /* drain_delay is running; 0: it is not */
    bool        stopping;
    bool        failed;               /* the first generation: exit 1 */
    char        ready[STATUS_MAX];    /* one line: the active generation */
    char        refused[REFUSED_MAX]; /* the last reload, or the start, and why; "": it was not */
    const char *instead;              /* what the active generation does then */
    char        status[STATUS_MAX];   /* one of the two, or what is wrong */
    int64_t     remind_at;            /* when to log status again; 0: never */
    unsigned    remind_ms;
    bool        degraded;
} master;

static volatile sig_atomic_t got_hup, got_stop;

/* --- Signals */

static void on_signal(int signal)
{
    if (signal == SIGHUP)
        got_hup = 1;
    else if (signal != SIGCHLD) /* which only has to end the wait */
        got_stop = 1;
}

static void take_signals(void)
{
    static const int signals[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t         all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* before the first fork; ppoll opens it */
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ,
           SIG_IGN); /* a limit of file sizes is an error of write, for a memory file too */
}

/* --- The status: for the service manager, for mta-stsd -s, and now and then for the log */

__attribute__((format(printf, 2, 3))) static void set_status(unsigned remind_ms, const char *format,
                                                             ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(master.status, sizeof(master.status), format, arguments);
    va_end(arguments);
    master.remind_ms = remind_ms;
    master.remind_at = remind_ms != 0 ? process_now_ms() + remind_ms : 0;
}

/* Named anew when a generation has been replaced: the configuration is the one before all the same. */
static void set_status_refused(void)
{
    set_status(master.degraded ? DEGRADED_MS : REFUSED_MS, "%s%s; generation %u (of %s) %s",
               master.degraded ? DEGRADED : "", master.refused, master.active->number,
               master.active->since, master.instead);
}

static void remind(void)
{
    if (master.remind_at == 0 || process_left_ms(master.remind_at) != 0)
        return;
    master.remind_at = process_now_ms() + master.remind_ms;
    log_errorx("%s", master.status);
}

/* --- The end of a generation */

static void drain(struct generation *generation)
{
    generation_drain(generation);
    generation->deadline = process_now_ms() + DRAIN_MS;
    generation->next = master.draining;
    master.draining = generation;
}

/* Frees those that have gone, and ends what is left of those that should have. */
static void sweep_draining(void)
{
    struct generation **at = &master.draining;

    while (*at != NULL) {
        struct generation *generation = *at;

        if (generation->keeper == 0 && generation_gone(generation)) {
            *at = generation->next;
            generation_free(generation);
            continue;
        }
        if (process_left_ms(generation->deadline) == 0) {
            log_warnx("generation %u does not end: killing it", generation->number);
            generation_kill(generation);
            generation->deadline = process_now_ms() + DRAIN_MS;
        }
        at = &generation->next;
    }
}

/* --- A reload, or the replacement of a lost generation: candidate, then active or nothing */

/* Each reload ends here, for the service manager and for the clients that asked for it. */
static void end_reload(int exit_status, const char *text)
{
    notify_ready(master.status);
    master.reloading = false;
    admin_end_reload(exit_status, text);
}

/* The next attempt, after a pause that grows with each. */
static void plan_retry(void)
{
    master.retry_at = process_now_ms() + master.retry_pause;
    master.retry_pause = master.retry_pause == 0 ? PAUSE_FIRST_MS : master.retry_pause * 2;
    if (master.retry_pause > PAUSE_MAX_MS)
        master.retry_pause = PAUSE_MAX_MS;
}

/* why is "at FILE:LINE", where the configuration is at fault, or a reason. */
static bool is_place(const char *why)
{
    return strncmp(why, "at ", 3) == 0;
}

/* There is no new generation: what that means. */
static void refuse(const char *why)
{
    const struct generation *active = master.active;

    if (active == NULL) {
        log_errorx("cannot start: %s%s", is_place(why) ? "the configuration is refused " : "", why);
        master.failed = master.stopping = true;
        return;
    }
    if (master.replaying) {
        set_status(0, "generation %u could not be replaced%s %s", active->number,
                   is_place(why) ? ", its configuration is refused" : ":", why);
        log_errorx("%s", master.status);
        notify_ready(master.status);
    } else {
        snprintf(master.refused, sizeof(master.refused), "reload refused%s %s",
                 is_place(why) ? "" : ":", why);
        master.instead = "goes on";
        set_status_refused();
        log_errorx("%s", master.status + (master.degraded ? strlen(DEGRADED) : 0));
        end_reload(1, master.status);
    }
    if (master.lost)
        plan_retry();
}

/* From the files, when a reload was asked for or nothing else is known; else, to replace a lost
   generation, from the inputs that it was made from: what is on disk now was not asked for. */
static void start_candidate(void)
{
    struct generation *active = master.active;
    int                sockets[ADMIN_CLIENTS_MAX];
    int                snapshot = active != NULL ? active->snapshot : -1;
    bool               replay = !master.reload && snapshot >= 0;
    bool               forced = master.reload && admin_begin_reload();

    struct keeper_start start = {
        .config_path = master.config_path,
        .replay = replay ? snapshot : -1,
        .running = snapshot,
        .forced = forced,
        .scanned = master.scanned,
        .generation = master.last_number + 1,
        .starting = active == NULL,
        .digest_key = master.key,
        .digest = active != NULL && !master.lost && !master.degraded && !active->unkept
                      ? master.digest
                      : NULL,
        .held = &master.held,
        .consoles = sockets,
        .console_count = admin_reload_sockets(sockets),
    };
    int64_t deadline = process_now_ms() + READY_MS; /* from before it is there to be seen */

    if (master.reload && !master.reloading)
        notify_reloading();
    master.reloading |= master.reload;
    master.reload = false;
    master.replaying = replay;
    master.candidate = generation_start(&start);
    if (master.candidate == NULL) {
        refuse(strerror(errno));
        return;
    }
    master.last_number++;
    master.candidate->deadline = deadline;
}

/* It will not be: rollback. Nothing is logged of it while the master stops. */
static void fail_candidate(const char *why)
{
    struct generation *candidate = master.candidate;
    const char        *refusal = candidate->refusal;

    master.candidate = NULL;
    generation_kill(candidate);
    drain(candidate); /* until the last of its workers has gone */
    if (!master.stopping && master.stop_at == 0)
        refuse(refusal[0] != '\0' ? refusal : why);
}

/* Held from now on: what the new generation uses, and what can't be had again. */
static void adopt_listeners(struct generation *generation)
{
    struct listener_set *held = &master.held;
    size_t               kept = 0;

    for (size_t i = 0; i < held->count; i++) {
        struct listener *listener = &held->at[i];

        if (listener->given || listener_set_has(&generation->uses, listener->name, listener->kind))
            held->at[kept++] = *listener;
        else
            close(listener->fd);
    }
    for (size_t i = 0; i < generation->bound.count; i++)
        held->at[kept++] = generation->bound.at[i]; /* the keeper's set had room for both */
    generation->bound.count = 0;
    held->count = kept;
}

static void set_since(struct generation *generation)
{
    time_t    now = time(NULL);
    struct tm utc;

    generation->serving = process_now_ms();
    if (gmtime_r(&now, &utc) != NULL)
        strftime(generation->since, sizeof(generation->since), "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* A generation that replaces a lost one changes nothing of what is degraded or was refused. */
static void set_status_of_active(const struct control *ready)
{
    const struct generation *active = master.active;

    snprintf(master.ready, sizeof(master.ready), "ready: generation %u, %s", active->number,
             ready->text);
    log_info("%s", master.ready);
    if (!master.replaying) {
        master.degraded = ready->degraded;
        master.refused[0] = '\0';
    }
    if (ready->degraded) {
        snprintf(master.refused, sizeof(master.refused), "the configuration is refused %s",
                 active->refusal);
        master.instead = "serves the last good one";
    }
    if (master.refused[0] != '\0')
        set_status_refused();
    else
        set_status(0, "%s", master.ready);
    end_reload(0, master.ready);
}

static void commit_candidate(const struct control *ready, int snapshot)
{
    struct generation *candidate = master.candidate;
    struct control     go;

    candidate->snapshot = snapshot;
    candidate->drain_delay = ready->drain_delay;
    candidate->unkept = ready->unkept;
    if (candidate->bound.count + master.held.count > LISTENER_SET_MAX) {
        fail_candidate("too many listening sockets");
        return;
    }
    control_init(&go, CONTROL_GO);
    if (control_send(candidate->control, &go, -1) != 0) {
        fail_candidate("its keeper does not read");
        return;
    }
    adopt_listeners(candidate);
    memcpy(master.digest, ready->digest, sizeof(master.digest));
    master.candidate = NULL;
    if (master.active != NULL)
        drain(master.active);
    master.active = candidate;
    if (master.ping_until !=
        0) /* the workers of the generation before are not looked at any more */
        generation_ping(candidate);
    master.lost = false;
    master.retry_at = 0;
    log_set_json(ready->log_json);
    set_since(candidate);
    set_status_of_active(ready);
}

/* The reload ends when RECHECK has been sent to the workers, not before: a client that reads the line and
   then fetches gets a renewed certificate. */
static void keep_unchanged(void)
{
    struct control recheck;

    drain(master.candidate);
    master.candidate = NULL;
    if (master.lost) { /* meanwhile: the inputs are to be read for a generation of their own */
        master.reload = true;
        return;
    }
    control_init(&recheck, CONTROL_RECHECK);
    if (control_send(master.active->control, &recheck, -1) == 0) {
        master.rechecking = true;
        master.recheck_until = process_now_ms() + RECHECK_MS;
        return;
    }
    refuse("the keeper of the generation that serves does not read");
}

static void end_recheck(void)
{
    char text[128];

    snprintf(text, sizeof(text),
             "reload unchanged: generation %u goes on and looks at its certificates again",
             master.active->number);
    log_info("%s", text);
    master.rechecking = false;
    master.refused[0] = '\0';
    set_status(0, "%s", master.ready);
    end_reload(0, text);
}

static void read_candidate(void)
{
    struct control control;
    int            fd;

    while (master.candidate != NULL) {
        switch (control_receive(master.candidate->control, &control, &fd)) {
        case CONTROL_NOTHING:
            return;
        case CONTROL_END:
            fail_candidate("the new generation ended before it was ready");
            return;
        case CONTROL_GOT:
            break;
        }
        if (control.kind == CONTROL_LISTENER) {
            /* With no descriptor free, the kernel leaves out the one that came. */
            if (fd < 0 && !listener_set_has(&master.held, control.name, control.listener))
                fail_candidate("there are not enough descriptors for its listening sockets");
            else if (!generation_listener(master.candidate, control.name, control.listener, fd))
                fail_candidate("too many listening sockets");
            continue;
        }
        if (control.kind == CONTROL_READY) {
            commit_candidate(&control, fd);
            continue;
        }
        if (fd >= 0)
            close(fd);
        if (control.kind == CONTROL_SCANNED) {
            master.scanned = true; /* its scan may end before it is ready */
        } else if (control.kind == CONTROL_REFUSED) {
            strcpy(master.candidate->refusal, control.text); /* control has measured it */
            if (master.active == NULL)
                log_set_json(control.log_json);
        } else if (control.kind == CONTROL_UNCHANGED && master.active != NULL) {
            keep_unchanged();
        }
    }
}

static void read_active(void)
{
    struct control control;
    int            fd;

    while (master.active != NULL && !master.lost &&
           control_receive(master.active->control, &control, &fd) == CONTROL_GOT) {
        if (fd >= 0)
            close(fd);
        if (control.kind == CONTROL_RECHECKED && master.rechecking)
            end_recheck();
        else if (control.kind == CONTROL_SCANNED)
            master.scanned = true;
    }
}

/* The first replacement comes at once; only one that follows soon waits. */
static void lose_active(const char *what)
{
    if (master.lost || master.stopping)
        return;
    master.lost = true;
    if (master.stop_at != 0) {
        log_errorx("generation %u has lost its %s and is not replaced: the server is stopping",
                   master.active->number, what);
        return;
    }
    set_status(0, "generation %u has lost its %s: starting the next one", master.active->number,
               what);
    log_errorx("%s", master.status);
    if (master.rechecking) /* the next generation looks at every certificate anyway */
        master.reload = true;
    master.rechecking = false;
    if (process_now_ms() - master.active->serving > PAUSE_MAX_MS)
        master.retry_pause = 0;
    plan_retry();
}

/* Gives up what has taken too long: a candidate, an answer of the active generation's keeper. */
static void give_up_overdue(void)
{
    if (master.candidate != NULL && process_left_ms(master.candidate->deadline) == 0)
        fail_candidate("the new generation was not ready in time");
    if (master.rechecking && process_left_ms(master.recheck_until) == 0) {
        master.rechecking = false;
        refuse("the keeper of the generation that serves does not answer");
    }
}

static void reap(void)
{
    int   status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (master.active != NULL && master.active->keeper == pid) {
            master.active->keeper = 0;
            lose_active("keeper");
        } else if (master.candidate != NULL && master.candidate->keeper == pid) {
            read_candidate(); /* its last words: UNCHANGED and REFUSED come on the way out */
            if (master.candidate != NULL && master.candidate->keeper == pid) {
                master.candidate->keeper = 0;
                fail_candidate("the new generation ended before it was ready");
            }
        }
        for (struct generation *at = master.draining; at != NULL; at = at->next)
            if (at->keeper == pid)
                at->keeper = 0;
    }
}

/* --- The end of the server */

static void stop(void)
{
    master.stopping = true;
    log_info("stopping: finishing what is in flight");
    if (master.stop_at == 0) /* else it knows */
        notify_stopping();
    master.stop_at = 0;
    if (master.candidate != NULL)
        fail_candidate("stopping");
    if (master.active != NULL) {
        generation_unready(master.active);
        drain(master.active);
    }
    master.active = NULL;
    master.rechecking = false;
    admin_answer(ADMIN_RELOAD, 1, "the server is stopping");
    admin_end_reload(1, "the server is stopping");
    admin_close();
    listener_set_close(&master.held);
}

/* With drain_delay, the first SIGTERM makes the server not ready; the second one, or the time, stops it. */
static void stop_or_wait(void)
{
    unsigned delay = master.active != NULL ? master.active->drain_delay : 0;

    got_stop = 0;
    if (delay == 0 || master.stop_at != 0) {
        stop();
        return;
    }
    master.stop_at = process_now_ms() + (int64_t)delay * 1000;
    master.rechecking =
        false; /* what ends a reload would tell the service manager that it is ready */
    generation_unready(master.active);
    set_status(0, "stopping: not ready any more, and accepting for another %u s", delay);
    log_info("%s", master.status);
    notify_stopping();
    if (master.candidate != NULL)
        fail_candidate("stopping");
    admin_answer(ADMIN_RELOAD, 1, master.status);
    admin_end_reload(1, master.status);
}

/* --- mta-stsd -H, -r and -s */

static void asked(enum admin_request request)
{
    switch (request) {
    case ADMIN_HEALTH:
        if (master.active == NULL) {
            admin_answer(request, 1, "the server is starting");
        } else if (master.stop_at != 0) {
            admin_answer(request, 0, ""); /* its workers take no ping any more, and no harm */
        } else if (master.ping_until == 0) {
            generation_ping(master.active);
            master.ping_until = process_now_ms() + ANSWER_MS;
        }
        break;
    case ADMIN_STATUS:
        admin_answer(request, 0, master.status);
        break;
    case ADMIN_RELOAD:
    case ADMIN_RELOAD_FORCED:
        if (master.stop_at != 0)
            admin_answer(request, 1, master.status);
        else
            master.reload = true;
        break;
    }
}

/* A master that answers is not enough: senders are served by workers. */
static void judge_ping(void)
{
    if (master.ping_until == 0)
        return;
    if (master.active != NULL && generation_answered(master.active))
        admin_answer(ADMIN_HEALTH, 0, "");
    else if (master.active == NULL || generation_gone(master.active) ||
             process_left_ms(master.ping_until) == 0)
        admin_answer(ADMIN_HEALTH, 1, "no worker answers");
    else
        return;
    master.ping_until = 0;
}

/* --- The loop */

static void sooner(int64_t *left, int64_t deadline)
{
    int64_t other = process_left_ms(deadline);

    if (other >= 0 && (*left < 0 || other < *left))
        *left = other;
}

/* A reload waits until the generation before the last has gone. */
static bool reload_is_due(void)
{
    return master.reload && master.draining == NULL && master.active != NULL;
}

static int64_t next_deadline(void)
{
    int64_t left = -1;

    for (struct generation *at = master.draining; at != NULL; at = at->next)
        sooner(&left, at->deadline);
    if (master.candidate != NULL)
        sooner(&left, master.candidate->deadline);
    else if (master.stop_at == 0) /* with drain_delay running, nothing is started any more */
        sooner(&left, master.retry_at);
    if (master.rechecking)
        sooner(&left, master.recheck_until);
    sooner(&left, master.ping_until);
    sooner(&left, master.stop_at);
    sooner(&left, master.remind_at);
    sooner(&left, admin_deadline());
    return left;
}

/* The one wait. With no events asked for, a pipe up wakes us at its end alone; answers to pings are waited
   for only while there is one. */
static void wait_and_work(const sigset_t *open)
{
    struct pollfd   polled[ADMIN_POLL_MAX + DRAINING_POLL_MAX + 4];
    size_t          admin_count = admin_poll(polled);
    size_t          count = admin_count;
    int64_t         left = next_deadline();
    struct timespec timeout = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };

    for (struct generation *at = master.draining;
         at != NULL && count < admin_count + DRAINING_POLL_MAX; at = at->next)
        polled[count++] = (struct pollfd){ .fd = at->leash_up };
    if (master.candidate != NULL)
        polled[count++] = (struct pollfd){ .fd = master.candidate->control, .events = POLLIN };
    if (master.active != NULL && !master.lost) {
        polled[count++] = (struct pollfd){ .fd = master.active->leash_up };
        polled[count++] = (struct pollfd){ .fd = master.active->control, .events = POLLIN };
    }
    if (master.active != NULL && master.ping_until != 0)
        polled[count++] = (struct pollfd){ .fd = master.active->leash_up, .events = POLLIN };
    if (ppoll(polled, count, left < 0 ? NULL : &timeout, open) < 0) {
        if (errno != EINTR)
            log_fatal("ppoll");
        admin_count = 0; /* nothing is known of its descriptors */
    }
    admin_work(polled, admin_count, asked);
}

/* What is due, once the wait has ended. */
static void look_around(void)
{
    if ((got_stop || (master.stop_at != 0 && process_left_ms(master.stop_at) == 0)) &&
        !master.stopping)
        stop_or_wait();
    if (got_hup && master.stop_at == 0)
        master.reload = true;
    got_hup = 0;
    read_candidate();
    read_active();
    judge_ping();
    reap();
    if (master.active != NULL && !master.lost && generation_gone(master.active))
        lose_active("processes");
    sweep_draining();
    give_up_overdue();
    remind();
    if (master.stopping || master.stop_at != 0 || master.candidate != NULL || master.rechecking)
        return;
    if (reload_is_due() || (master.lost && process_left_ms(master.retry_at) == 0)) {
        master.retry_at = 0;
        start_candidate();
    }
}

static void begin(const char *config_path)
{
    char error[LISTENER_ERROR_MAX];

    master.config_path = config_path;
    process_return_large_blocks();
    process_raise_descriptors(); /* each keeper inherits it, and asks whether it is enough */
    take_signals();
    notify_init();
    set_status(0, "starting");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) /* workers whose keeper died are reaped here */
        log_warn("prctl(PR_SET_CHILD_SUBREAPER)");
    privileges_hide_memory();
    if (getrandom(master.key, sizeof(master.key), 0) != (ssize_t)sizeof(master.key))
        log_fatal("getrandom");
    if (listener_from_systemd(&master.held, error) != 0)
        log_fatalx("%s", error);
    admin_open(config_path);
}

int master_run(const char *config_path)
{
    sigset_t open;

    begin(config_path);
    sigemptyset(&open);
    start_candidate();
    while (!master.stopping || master.draining != NULL) {
        wait_and_work(&open);
        look_around();
    }
    admin_close();
    if (!master.failed)
        log_info("stopped");
    return master.failed ? 1 : 0;
}
