#include "server/master_internal.h"

#include "common/log.h"
#include "server/notify.h"
#include "server/privileges.h"
#include "server/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MASTER_DRAIN_MS = 8000, /* longer than a keeper needs to kill its workers */
    MASTER_POLL_MAX = 16    /* generations at once: far more than there can be */
};

struct master master;

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

void master_drain(struct generation *generation)
{
    generation_drain(generation);
    generation->deadline = process_now_ms() + MASTER_DRAIN_MS;
    generation->next = master.draining;
    master.draining = generation;
}

static void reap(void)
{
    int   status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (master.active != NULL && master.active->keeper == pid) {
            master.active->keeper = 0;
            master_lose_active("keeper");
        } else if (master.candidate != NULL && master.candidate->keeper == pid) {
            master_hear_candidate(); /* its last words: UNCHANGED is said on the way out */
            if (master.candidate != NULL && master.candidate->keeper == pid) {
                master.candidate->keeper = 0;
                master_fail_candidate("the new generation ended before it was ready");
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
        master_fail_candidate("stopping");
    if (master.active != NULL)
        master_drain(master.active);
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
    master_hear_candidate();
    master_hear_active();
    reap();
    if (master.active != NULL && !master.lost && generation_gone(master.active))
        master_lose_active("processes");
    sweep_draining();
    master_give_up_overdue();
    if (master.stopping || master.candidate != NULL || master.rechecking)
        return;
    if ((master.reload && master.draining == NULL && master.active != NULL) ||
        (master.lost && process_left_ms(master.retry_at) == 0)) {
        master.retry_at = 0;
        master_start_candidate();
    }
}

static void begin(const char *config_path)
{
    char error[LISTENER_ERROR_MAX];

    master.config_path = config_path;
    process_return_large_blocks();
    process_raise_descriptors(); /* of every generation's keeper, too, which asks whether it is enough */
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
    master_start_candidate();
    while (!master.stopping || master.draining != NULL) {
        wait_for_something(&open);
        look_around();
    }
    if (!master.failed)
        log_info("stopped");
    return master.failed ? 1 : 0;
}
