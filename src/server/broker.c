#include "server/broker.h"

#include "server/process.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Packets read before other watchers get their turn. */
enum { RECEIVE_AT_ONCE = 64 };

/* A request under way. All wait equally long, so the list in order of asking is the list in
   order of deadlines, and one timer serves all. */
struct pending {
    struct pending  *next;
    uint32_t         number;
    bool             token;
    int64_t          deadline_ms;
    broker_callback *callback;
    void            *context;
};

struct broker {
    struct ev_loop      *loop;
    struct broker_events events;
    ev_io                readable;
    ev_timer             overdue;
    int                  socket; /* -1: the keeper is gone */
    uint32_t             number; /* the last one given */
    struct pending      *oldest, **youngest_next;
    size_t               tokens; /* of these */
    struct pending      *spare;
    struct pending       pool[BROKER_PENDING_MAX];
};

static void close_fds(const int *fds, size_t count)
{
    while (count > 0)
        close(fds[--count]);
}

static struct pending **find(struct broker *broker, uint32_t number)
{
    struct pending **at = &broker->oldest;

    while (*at && (*at)->number != number) /* answers come in order: nearly always the first */
        at = &(*at)->next;
    return *at ? at : NULL;
}

static void take_out(struct broker *broker, struct pending **at)
{
    struct pending *pending = *at;

    *at = pending->next;
    if (!*at)
        broker->youngest_next = at;
    broker->tokens -= pending->token;
    pending->next = broker->spare;
    broker->spare = pending;
}

/* Ends the request at *at. Its place is free before the callback runs, which may ask again. */
static void finish(struct broker *broker, struct pending **at, const struct broker_answer *answer)
{
    struct pending *pending = *at;

    take_out(broker, at);
    pending->callback(pending->context, answer);
}

static void fail_oldest(struct broker *broker, int error)
{
    finish(broker, &broker->oldest,
           &(struct broker_answer){ .error = error, .step = MESSAGE_STEP_NONE, .fds = { -1, -1 } });
}

static void wait_for_oldest(struct broker *broker)
{
    ev_timer_stop(broker->loop, &broker->overdue);
    if (!broker->oldest)
        return;
    ev_timer_set(&broker->overdue, (double)process_left_ms(broker->oldest->deadline_ms) / 1000, 0.);
    ev_timer_start(broker->loop, &broker->overdue);
}

static void on_overdue(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct broker *broker = timer->data;

    (void)loop;
    (void)revents;
    while (broker->oldest && process_left_ms(broker->oldest->deadline_ms) <= 0)
        fail_oldest(broker, ETIMEDOUT);
    wait_for_oldest(broker);
}

static void lose(struct broker *broker)
{
    ev_io_stop(broker->loop, &broker->readable);
    close(broker->socket);
    broker->socket = -1; /* from here on broker_ask refuses, so the list below only shrinks */
    if (broker->events.lost)
        broker->events.lost(broker->events.context);
    while (broker->oldest)
        fail_oldest(broker, EPIPE);
    wait_for_oldest(broker);
}

static void take_answer(struct broker *broker, const struct message *message, const int *fds,
                        size_t fd_count)
{
    struct pending     **at = find(broker, message->number);
    struct broker_answer answer = { .error = message->error, .step = message->step };

    if (!at || message->error != 0)
        close_fds(fds, fd_count);
    if (!at)
        return; /* nobody waits for it any more */
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        answer.fds[i] = message->error == 0 && i < fd_count ? fds[i] : -1;
    finish(broker, at, &answer);
}

/* False: the line makes no sense any more. */
static bool take(struct broker *broker, const void *packet, size_t len, const int *fds,
                 size_t fd_count)
{
    struct message message;
    bool           good = message_reply_read(packet, len, &message);

    if (good && message.kind == MESSAGE_ANSWER) {
        take_answer(broker, &message, fds, fd_count);
        return true;
    }
    close_fds(fds, fd_count);
    if (good && message.kind == MESSAGE_GO && broker->events.go)
        broker->events.go(broker->events.context);
    if (good && message.kind == MESSAGE_RECHECK && broker->events.recheck)
        broker->events.recheck(broker->events.context);
    if (good && message.kind == MESSAGE_SCANNED && broker->events.scanned)
        broker->events.scanned(broker->events.context);
    return good;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
    struct broker *broker = watcher->data;
    char           packet[sizeof(struct message) + 1];

    (void)loop;
    (void)revents;
    for (int i = 0; i < RECEIVE_AT_ONCE; i++) {
        int    fds[MESSAGE_FDS_MAX];
        size_t fd_count;
        long   len = message_receive(broker->socket, packet, sizeof(packet), fds, &fd_count);

        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (len <= 0 || !take(broker, packet, (size_t)len, fds, fd_count)) {
            lose(broker);
            return;
        }
    }
    wait_for_oldest(broker);
}

struct broker *broker_new(struct ev_loop *loop, int socket, const struct broker_events *events)
{
    struct broker *broker = calloc(1, sizeof(*broker));

    if (!broker)
        return NULL;
    broker->loop = loop;
    broker->socket = socket;
    broker->events = *events;
    broker->youngest_next = &broker->oldest;
    for (size_t i = 0; i < BROKER_PENDING_MAX; i++) {
        broker->pool[i].next = broker->spare;
        broker->spare = &broker->pool[i];
    }
    ev_io_init(&broker->readable, on_readable, socket, EV_READ);
    /* Before any connection of the same wake-up: what the keeper said first must hold for it. */
    ev_set_priority(&broker->readable, EV_MAXPRI);
    ev_timer_init(&broker->overdue, on_overdue, 0., 0.);
    broker->readable.data = broker;
    broker->overdue.data = broker;
    ev_io_start(loop, &broker->readable);
    return broker;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    ev_io_stop(broker->loop, &broker->readable);
    ev_timer_stop(broker->loop, &broker->overdue);
    if (broker->socket >= 0)
        close(broker->socket);
    free(broker);
}

/* A keeper that is gone is told by the loop, when the watcher sees the end, and only there. */
static int send_to_keeper(struct broker *broker, const struct message *message)
{
    if (broker->socket < 0) {
        errno = EPIPE;
        return -1;
    }
    if (message_send(broker->socket, message, NULL, 0) == 0)
        return 0;
    if (errno == ECONNRESET || errno == ENOTCONN)
        errno = EPIPE;
    else if (errno != EPIPE)
        errno = EAGAIN; /* no room, no memory: may pass */
    return -1;
}

int broker_say(struct broker *broker, enum message_kind kind)
{
    struct message message;

    message_init(&message, kind, 0);
    return send_to_keeper(broker, &message);
}

int broker_ask(struct broker *broker, enum message_kind kind, const char *name, size_t len,
               broker_callback *callback, void *context)
{
    struct pending *pending = broker->spare;
    struct message  message;

    message_init(&message, kind, ++broker->number);
    if (!message_set_name(&message, name, len)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (!pending || (kind == MESSAGE_TOKEN && broker->tokens == BROKER_TOKENS_MAX)) {
        errno = EAGAIN;
        return -1;
    }
    if (send_to_keeper(broker, &message) != 0)
        return -1;
    broker->spare = pending->next;
    pending->next = NULL;
    pending->number = message.number;
    pending->token = kind == MESSAGE_TOKEN;
    broker->tokens += pending->token;
    pending->deadline_ms = process_now_ms() + BROKER_TIMEOUT_MS;
    pending->callback = callback;
    pending->context = context;
    *broker->youngest_next = pending;
    broker->youngest_next = &pending->next;
    if (broker->oldest == pending)
        wait_for_oldest(broker);
    return 0;
}

void broker_cancel(struct broker *broker, const void *context)
{
    struct pending **at = &broker->oldest;

    while (*at)
        if ((*at)->context == context)
            take_out(broker, at);
        else
            at = &(*at)->next;
    wait_for_oldest(broker);
}
