#include "server/crew.h"

#include "common/log.h"
#include "server/message.h"
#include "server/opener.h"
#include "server/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_line(struct crew_worker *worker)
{
    if (worker->line >= 0)
        close(worker->line);
    worker->line = -1;
    worker->up = false;
}

/* Signals stay blocked between fork and the child's own settings, so none is lost or misread. */
static int start_worker(struct crew *crew, size_t index)
{
    struct crew_worker *worker = &crew->at[index];
    int                 line[2];
    pid_t               pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        crew->start.number = (unsigned)index + 1;
        crew->start.broker = line[1];
        crew->start.scanned = crew->scanned;
        worker_run(&crew->start);
    }
    close(line[1]);
    if (pid < 0) {
        int saved = errno;

        close(line[0]);
        errno = saved;
        return -1;
    }
    worker->pid = pid;
    worker->line = line[0];
    worker->up = false;
    worker->again = 0;
    worker->end_by = 0;
    worker->started = process_now_ms();
    return 0;
}

int crew_start(struct crew *crew, size_t count)
{
    crew->count = count;
    for (size_t i = 0; i < count; i++) {
        crew->at[i].line = -1;
        crew->at[i].pause = 0;
    }
    for (size_t i = 0; i < count; i++)
        if (start_worker(crew, i) != 0)
            return -1;
    return 0;
}

/* For a worker that does not do its work any more; crew_reap finds it dead, and plans its replacement. */
static void end(struct crew *crew, struct crew_worker *worker, const char *why)
{
    log_errorx("worker %zu %s; killed", (size_t)(worker - crew->at) + 1, why);
    kill(worker->pid, SIGKILL);
    close_line(worker);
    worker->end_by = 0;
}

/* A worker without a line is about to end, as when the lifetime pipe has ended, or is killed soon. */
static void lose_line(struct crew_worker *worker)
{
    close_line(worker);
    worker->end_by = process_now_ms() + CREW_END_MS;
}

static void say(struct crew *crew, struct crew_worker *worker, enum message_kind kind)
{
    struct message message;

    message_init(&message, kind, 0);
    if (!worker->up || message_send(worker->line, &message, NULL, 0) == 0)
        return;
    if (errno == EAGAIN)
        end(crew, worker, "does not read its line");
    else if (kind == MESSAGE_RECHECK)
        end(crew, worker, "has closed its line");
    else
        lose_line(worker);
}

void crew_go(struct crew *crew)
{
    crew->going = true;
    for (size_t i = 0; i < crew->count; i++)
        say(crew, &crew->at[i], MESSAGE_GO);
}

void crew_recheck(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++) {
        say(crew, &crew->at[i], MESSAGE_RECHECK);
        if (crew->at[i].end_by != 0)
            end(crew, &crew->at[i], "has closed its line");
    }
}

void crew_kill(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        if (crew->at[i].pid > 0)
            kill(crew->at[i].pid, SIGKILL);
}

bool crew_all_up(const struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        if (!crew->at[i].up)
            return false;
    return true;
}

size_t crew_alive(const struct crew *crew)
{
    size_t alive = 0;

    for (size_t i = 0; i < crew->count; i++)
        alive += crew->at[i].pid > 0;
    return alive;
}

static struct crew_worker *find(struct crew *crew, pid_t pid)
{
    for (size_t i = 0; i < crew->count; i++)
        if (crew->at[i].pid == pid)
            return &crew->at[i];
    return NULL;
}

/* The next one comes after the pause; each death soon after the start doubles the next pause. */
static void plan_replacement(struct crew_worker *worker)
{
    int64_t now = process_now_ms();

    if (now - worker->started >= CREW_STEADY)
        worker->pause = 0;
    worker->again = now + worker->pause;
    worker->pause = worker->pause == 0 ? CREW_PAUSE_FIRST : worker->pause * 2;
    if (worker->pause > CREW_PAUSE_MAX)
        worker->pause = CREW_PAUSE_MAX;
}

size_t crew_reap(struct crew *crew)
{
    size_t lost = 0;
    int    status;
    pid_t  pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct crew_worker *worker = find(crew, pid);

        if (worker == NULL)
            continue;
        worker->pid = 0;
        worker->end_by = 0;
        close_line(worker);
        if (crew->draining)
            continue;
        if (WIFSIGNALED(status))
            log_errorx("worker %zu was ended by signal %d (%s)", (size_t)(worker - crew->at) + 1,
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            log_errorx("worker %zu ended with status %d", (size_t)(worker - crew->at) + 1,
                       WEXITSTATUS(status));
        if (!crew->started)
            lost++;
        else
            plan_replacement(worker);
    }
    return lost;
}

static bool is_due(int64_t time, int64_t now)
{
    return time != 0 && time <= now;
}

int64_t crew_replace(struct crew *crew)
{
    int64_t now = process_now_ms(), next = 0;

    if (crew->draining)
        return 0;
    for (size_t i = 0; i < crew->count; i++) {
        struct crew_worker *worker = &crew->at[i];
        int64_t             due;

        if (is_due(worker->end_by, now))
            end(crew, worker, "has closed its line");
        if (is_due(worker->again, now) && start_worker(crew, i) != 0) {
            log_warn("worker %zu cannot be started", i + 1);
            plan_replacement(worker);
        }
        due = worker->end_by != 0 ? worker->end_by
                                  : worker->again; /* it has one of them, or none */
        if (due != 0 && (next == 0 || due < next))
            next = due;
    }
    return next;
}

void crew_poll(const struct crew *crew, struct pollfd *fds)
{
    for (size_t i = 0; i < crew->count; i++)
        fds[i] = (struct pollfd){ .fd = crew->at[i].line, .events = POLLIN };
}

static void answer(struct crew *crew, struct crew_worker *worker, const struct message *request)
{
    struct message reply;
    int            fds[MESSAGE_FDS_MAX];
    size_t         fd_count = 0;

    if (request->kind == MESSAGE_UP) {
        worker->up = true;
        if (crew->going)
            say(crew, worker, MESSAGE_GO);
        if (crew->scanned)
            say(crew, worker, MESSAGE_SCANNED);
        return;
    }
    if (request->kind == MESSAGE_SCANNED) {
        /* The first one counts: a worker that sends many would fill the lines of all others. */
        for (size_t i = 0; !crew->scanned && i < crew->count; i++)
            say(crew, &crew->at[i], MESSAGE_SCANNED);
        crew->scanned = true;
        return;
    }
    opener_answer(crew->config, request, &reply, fds, &fd_count);
    /* A worker that does not read goes without: its own deadline tells it. */
    message_send(worker->line, &reply, fds, fd_count);
    while (fd_count > 0)
        close(fds[--fd_count]);
}

void crew_answer(struct crew *crew, const struct pollfd *fds)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct crew_worker *worker = &crew->at[i];
        char                packet[sizeof(struct message) + 1];
        struct message      request;
        long                len;

        if (fds[i].revents == 0 || fds[i].fd != worker->line || worker->line < 0)
            continue;
        len = message_receive(worker->line, packet, sizeof(packet), NULL, NULL);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (len > 0 && message_request_read(packet, (size_t)len, &request)) {
            answer(crew, worker, &request);
            continue;
        }
        if (len > 0) {
            end(crew, worker, "sent an invalid message");
            continue;
        }
        lose_line(worker);
    }
}
