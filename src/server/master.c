#include "server/master.h"

#include "common/hash.h"
#include "common/log.h"
#include "server/generation.h"
#include "server/notify.h"
#include "server/privileges.h"
#include "server/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MASTER_RECHECK_MS = 5000,    /* for a keeper to pass a recheck on */
    MASTER_READY_MS = 60000,     /* for a candidate to be ready */
    MASTER_DRAIN_MS = 8000,      /* longer than a keeper needs to kill its workers */
    MASTER_PAUSE_FIRST_MS = 250, /* before a lost generation's second replacement; doubles */
    MASTER_PAUSE_MAX_MS = 30000,
    MASTER_POLL_MAX = 16 /* generations at once: far more than there can be */
};

/* Every generation is in exactly one of the three. */
struct master {
    const char         *config_path;
    uint8_t             key[HASH_KEY_SIZE];    /* of digests */
    uint8_t             digest[HASH_128_SIZE]; /* of active's inputs */
    struct listener_set held;
    struct generation  *candidate;
    struct generation  *active;   /* NULL before the first is ready, and while stopping */
    struct generation  *draining; /* one by reloads; more only where keepers die as well */
    unsigned            last_number;
    bool                reload;        /* asked for by SIGHUP */
    bool                reloading;     /* the candidate was, and the service manager knows */
    bool                rechecking;    /* active's keeper has been told RECHECK: no answer yet */
    int64_t             recheck_until; /* for its answer: a keeper may hang in a file system */
    bool                lost;          /* active's keeper is gone: a new generation in any case */
    int64_t             retry_at;
    unsigned            retry_pause;
    bool                stopping;
    bool                failed; /* the first generation: exit 1 */
};

static struct master master;

static volatile sig_atomic_t got_hup, got_stop;

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
}

/* After each RELOADING=1, whatever came of it. */
static void end_reload(void)
{
    if (master.reloading)
        notify_ready(NULL);
    master.reloading = false;
}

/* The next try, after a pause that grows with each. */
static void plan_retry(void)
{
    master.retry_at = process_now_ms() + master.retry_pause;
    master.retry_pause = master.retry_pause == 0 ? MASTER_PAUSE_FIRST_MS : master.retry_pause * 2;
    if (master.retry_pause > MASTER_PAUSE_MAX_MS)
        master.retry_pause = MASTER_PAUSE_MAX_MS;
}

/* There is no new generation: what that means. */
static void refuse(const char *why)
{
    if (master.active == NULL) {
        log_errorx("cannot start: %s", why);
        master.failed = master.stopping = true;
        return;
    }
    log_errorx("reload refused: %s; generation %u goes on", why, master.active->number);
    if (master.lost)
        plan_retry();
    end_reload();
}

static void start_candidate(void)
{
    const struct keeper_start start = {
        .config_path = master.config_path,
        .generation = master.last_number + 1,
        .digest_key = master.key,
        .digest = master.active != NULL && !master.lost ? master.digest : NULL,
        .held = &master.held,
    };

    if (master.reload && !master.reloading)
        notify_reloading();
    master.reloading |= master.reload;
    master.reload = false;
    master.candidate = generation_start(&start);
    if (master.candidate == NULL) {
        refuse(strerror(errno));
        return;
    }
    master.last_number++;
    master.candidate->deadline = process_now_ms() + MASTER_READY_MS;
}

static void add_draining(struct generation *generation)
{
    generation_drain(generation);
    generation->deadline = process_now_ms() + MASTER_DRAIN_MS;
    generation->next = master.draining;
    master.draining = generation;
}

static void fail_candidate(const char *why)
{
    struct generation *candidate = master.candidate;

    master.candidate = NULL;
    generation_kill(candidate);
    add_draining(candidate); /* until the last of its workers has gone */
    if (!master.stopping)
        refuse(why);
}

/* Held from now on: what the new generation uses, and what can't be had again. */
static void adopt_listeners(struct generation *generation)
{
    struct listener_set kept = { .count = 0 };

    for (size_t i = 0; i < master.held.count; i++) {
        struct listener *listener = &master.held.at[i];

        if (listener->given || generation_uses(generation, listener->name))
            kept.at[kept.count++] = *listener;
        else
            close(listener->fd);
    }
    for (size_t i = 0; i < generation->bound.count; i++)
        kept.at[kept.count++] = generation->bound.at[i]; /* the keeper's set had room for both */
    generation->bound.count = 0;
    master.held = kept;
}

static void commit_candidate(const struct control *ready)
{
    struct generation *candidate = master.candidate;
    struct control     go;
    char               text[CONTROL_TEXT_MAX + 64];

    if (candidate->bound.count + master.held.count > LISTENER_SET_MAX) {
        fail_candidate("too many listening sockets");
        return;
    }
    control_init(&go, CONTROL_GO);
    if (control_send(candidate->control, &go, -1) != 0) {
        fail_candidate("its keeper does not listen");
        return;
    }
    adopt_listeners(candidate);
    memcpy(master.digest, ready->digest, sizeof(master.digest));
    master.candidate = NULL;
    if (master.active != NULL)
        add_draining(master.active);
    master.active = candidate;
    master.lost = false;
    master.retry_at = 0;
    candidate->serving = process_now_ms();
    snprintf(text, sizeof(text), "ready: generation %u, %s", candidate->number, ready->text);
    log_info("%s", text);
    notify_ready(text);
    master.reloading = false;
}

/* The reload ends when the workers have been told, not before: whoever reads the line and comes
   for a renewed certificate gets it. */
static void keep_unchanged(void)
{
    struct control recheck;

    add_draining(master.candidate);
    master.candidate = NULL;
    control_init(&recheck, CONTROL_RECHECK);
    if (control_send(master.active->control, &recheck, -1) == 0) {
        master.rechecking = true;
        master.recheck_until = process_now_ms() + MASTER_RECHECK_MS;
        return;
    }
    log_error("reload refused: generation %u does not listen", master.active->number);
    end_reload();
}

static void hear_active(void)
{
    struct control control;
    int            fd;

    while (master.active != NULL && master.rechecking &&
           control_receive(master.active->control, &control, &fd) == CONTROL_GOT) {
        if (fd >= 0)
            close(fd);
        if (control.kind != CONTROL_RECHECKED)
            continue;
        log_info("reload unchanged: generation %u goes on and looks at its certificates again",
                 master.active->number);
        master.rechecking = false;
        end_reload();
    }
}

static bool is_held(const char *name)
{
    for (size_t i = 0; i < master.held.count; i++)
        if (strcmp(master.held.at[i].name, name) == 0)
            return true;
    return false;
}

static void hear_candidate(void)
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
            if (fd < 0 && !is_held(control.name))
                fail_candidate("there are not enough descriptors for its listening sockets");
            else if (!generation_listener(master.candidate, control.name, fd))
                fail_candidate("too many listening sockets");
            continue;
        }
        if (fd >= 0)
            close(fd);
        if (control.kind == CONTROL_READY)
            commit_candidate(&control);
        else if (control.kind == CONTROL_UNCHANGED && master.active != NULL)
            keep_unchanged();
    }
}

/* The first replacement comes at once; only one that follows soon waits. */
static void lose_active(const char *what)
{
    if (master.lost || master.stopping)
        return;
    log_errorx("generation %u has lost its %s: starting the next one", master.active->number, what);
    master.lost = true;
    master.rechecking = false; /* the next generation looks at every certificate anyway */
    if (process_now_ms() - master.active->serving > MASTER_PAUSE_MAX_MS)
        master.retry_pause = 0;
    plan_retry();
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
            hear_candidate(); /* its last words: UNCHANGED is said on the way out */
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
            generation->deadline = process_now_ms() + MASTER_DRAIN_MS;
        }
        at = &generation->next;
    }
}

static void stop(void)
{
    master.stopping = true;
    log_info("stopping: finishing what is in flight");
    notify_stopping();
    if (master.candidate != NULL)
        fail_candidate("stopping");
    if (master.active != NULL)
        add_draining(master.active);
    master.active = NULL;
    master.rechecking = false;
    listener_set_close(&master.held);
}

static void sooner(int64_t *left, int64_t deadline)
{
    int64_t other = process_left_ms(deadline);

    if (other >= 0 && (*left < 0 || other < *left))
        *left = other;
}

/* The one wait. With no events asked for, a leash wakes us at its end alone. */
static void wait_for_something(const sigset_t *open)
{
    struct pollfd   polled[MASTER_POLL_MAX + 3];
    size_t          count = 0;
    int64_t         left = -1;
    struct timespec timeout;

    for (struct generation *at = master.draining; at != NULL && count < MASTER_POLL_MAX;
         at = at->next) {
        polled[count++] = (struct pollfd){ .fd = at->leash_up };
        sooner(&left, at->deadline);
    }
    if (master.candidate != NULL) {
        polled[count++] = (struct pollfd){ .fd = master.candidate->control, .events = POLLIN };
        sooner(&left, master.candidate->deadline);
    } else {
        sooner(&left, master.retry_at);
    }
    if (master.active != NULL && !master.lost)
        polled[count++] = (struct pollfd){ .fd = master.active->leash_up };
    if (master.active != NULL && master.rechecking) {
        polled[count++] = (struct pollfd){ .fd = master.active->control, .events = POLLIN };
        sooner(&left, master.recheck_until);
    }
    timeout = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
    if (ppoll(polled, count, left < 0 ? NULL : &timeout, open) < 0 && errno != EINTR)
        log_fatal("ppoll");
}

/* What is due, once the wait has ended. */
static void look_around(void)
{
    if (got_stop && !master.stopping)
        stop();
    if (got_hup)
        master.reload = true;
    got_hup = 0;
    hear_candidate();
    hear_active();
    reap();
    if (master.active != NULL && !master.lost && generation_gone(master.active))
        lose_active("processes");
    sweep_draining();
    if (master.candidate != NULL && process_left_ms(master.candidate->deadline) == 0)
        fail_candidate("the new generation was not ready in time");
    if (master.rechecking && process_left_ms(master.recheck_until) == 0) {
        log_errorx("reload refused: the keeper of generation %u does not answer",
                   master.active->number);
        master.rechecking = false;
        end_reload();
    }
    if (master.stopping || master.candidate != NULL || master.rechecking)
        return;
    if ((master.reload && master.draining == NULL && master.active != NULL) ||
        (master.lost && process_left_ms(master.retry_at) == 0)) {
        master.retry_at = 0;
        start_candidate();
    }
}

static void begin(const char *config_path)
{
    char error[LISTENER_ERROR_MAX];

    master.config_path = config_path;
    take_signals();
    notify_init();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) /* workers whose keeper died are reaped here */
        log_warn("prctl(PR_SET_CHILD_SUBREAPER)");
    privileges_hide_memory();
    if (getrandom(master.key, sizeof(master.key), 0) != (ssize_t)sizeof(master.key))
        log_fatal("getrandom");
    if (listener_from_systemd(&master.held, error) != 0)
        log_fatalx("%s", error);
}

int master_run(const char *config_path)
{
    sigset_t open;

    begin(config_path);
    sigemptyset(&open);
    start_candidate();
    while (!master.stopping || master.draining != NULL) {
        wait_for_something(&open);
        look_around();
    }
    if (!master.failed)
        log_info("stopped");
    return master.failed ? 1 : 0;
}
