/*
 * How one generation follows another: by SIGHUP, or because the active one is lost. The candidate is
 * started, heard, and then committed, called off, or found to be what already serves.
 */
#include "server/master_internal.h"

#include "common/log.h"
#include "server/control.h"
#include "server/notify.h"
#include "server/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MASTER_RECHECK_MS = 5000,    /* for a keeper to pass a recheck on */
    MASTER_READY_MS = 60000,     /* for a candidate to be ready */
    MASTER_PAUSE_FIRST_MS = 250, /* before a lost generation's second replacement; doubles */
    MASTER_PAUSE_MAX_MS = 30000
};

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

void master_start_candidate(void)
{
    const struct keeper_start start = {
        .config_path = master.config_path,
        .generation = master.last_number + 1,
        .digest_key = master.key,
        .digest = master.active != NULL && !master.lost ? master.digest : NULL,
        .held = &master.held,
    };
    int64_t deadline = process_now_ms() + MASTER_READY_MS; /* from before it is there to be seen */

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
    master.candidate->deadline = deadline;
}

void master_fail_candidate(const char *why)
{
    struct generation *candidate = master.candidate;

    master.candidate = NULL;
    generation_kill(candidate);
    master_drain(candidate); /* until the last of its workers has gone */
    if (!master.stopping)
        refuse(why);
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

static void commit_candidate(const struct control *ready)
{
    struct generation *candidate = master.candidate;
    struct control     go;
    char               text[CONTROL_TEXT_MAX + 64];

    if (candidate->bound.count + master.held.count > LISTENER_SET_MAX) {
        master_fail_candidate("too many listening sockets");
        return;
    }
    control_init(&go, CONTROL_GO);
    if (control_send(candidate->control, &go, -1) != 0) {
        master_fail_candidate("its keeper does not listen");
        return;
    }
    adopt_listeners(candidate);
    memcpy(master.digest, ready->digest, sizeof(master.digest));
    master.candidate = NULL;
    if (master.active != NULL)
        master_drain(master.active);
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

    master_drain(master.candidate);
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

void master_hear_active(void)
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

void master_hear_candidate(void)
{
    struct control control;
    int            fd;

    while (master.candidate != NULL) {
        switch (control_receive(master.candidate->control, &control, &fd)) {
        case CONTROL_NOTHING:
            return;
        case CONTROL_END:
            master_fail_candidate("the new generation ended before it was ready");
            return;
        case CONTROL_GOT:
            break;
        }
        if (control.kind == CONTROL_LISTENER) {
            /* With no descriptor free, the kernel leaves out the one that came. */
            if (fd < 0 && !listener_set_has(&master.held, control.name, control.listener))
                master_fail_candidate("there are not enough descriptors for its listening sockets");
            else if (!generation_listener(master.candidate, control.name, control.listener, fd))
                master_fail_candidate("too many listening sockets");
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
void master_lose_active(const char *what)
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

void master_give_up_overdue(void)
{
    if (master.candidate != NULL && process_left_ms(master.candidate->deadline) == 0)
        master_fail_candidate("the new generation was not ready in time");
    if (master.rechecking && process_left_ms(master.recheck_until) == 0) {
        log_errorx("reload refused: the keeper of generation %u does not answer",
                   master.active->number);
        master.rechecking = false;
        end_reload();
    }
}
