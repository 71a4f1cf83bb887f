#include "tool/monotonic.h"
#include "tool/outside.h"
#include "tool/resolver_internal.h"

#include "common/region.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An error at its connection makes c-ares give up on whatever else it has asked the same server:
   so what goes by TCP, since it was cut off, has a channel of its own. */
enum way { BY_UDP, BY_TCP, WAYS };

enum { UDP_MAX = 512 /* bytes, RFC 1035 section 2.3.4 */ };

struct question {
    struct question   *next, *before; /* before: of those that are asked */
    struct resolver   *resolver;
    enum resolver_type type;
    enum way           way;
    bool               late; /* nobody answers, it was told; c-ares still holds it */
    resolver_done     *done;
    void              *context;
    int64_t            deadline;
    char               name[];
};

struct line {
    struct question *first, *last;
    size_t           count;
};

struct resolver {
    ares_channel   channels[WAYS];
    struct line    queued; /* to be asked */
    struct line    asked;  /* and not answered; by deadline, since all have the same patience */
    struct pollfd *sockets;
    size_t         count, room;
    size_t         answers;
    bool           no_memory;
};

/* --- Lines of questions --- */

static void append(struct line *line, struct question *question)
{
    question->next = NULL;
    question->before = line->last;
    if (line->last)
        line->last->next = question;
    else
        line->first = question;
    line->last = question;
    line->count++;
}

static void take_out(struct line *line, struct question *question)
{
    if (question->before)
        question->before->next = question->next;
    else
        line->first = question->next;
    if (question->next)
        question->next->before = question->before;
    else
        line->last = question->before;
    line->count--;
}

/* --- The sockets of c-ares --- */

static struct pollfd *socket_of(struct resolver *resolver, int fd)
{
    for (size_t i = 0; i < resolver->count; i++)
        if (resolver->sockets[i].fd == fd)
            return &resolver->sockets[i];
    return NULL;
}

static struct pollfd *add_socket(struct resolver *resolver, int fd)
{
    if (resolver->count == resolver->room) {
        size_t         room = resolver->room > 0 ? 2 * resolver->room : 8;
        struct pollfd *sockets = reallocarray(resolver->sockets, room, sizeof(*sockets));

        if (!sockets)
            return NULL;
        resolver->sockets = sockets;
        resolver->room = room;
    }
    resolver->sockets[resolver->count] = (struct pollfd){ .fd = fd };
    return &resolver->sockets[resolver->count++];
}

/* c-ares: what a socket is waited for from now on; nothing: it is about to be closed. */
static void socket_changes(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = context;
    struct pollfd   *known = socket_of(resolver, fd);

    if (!readable && !writable) {
        if (known)
            *known = resolver->sockets[--resolver->count];
        return;
    }
    if (!known && !(known = add_socket(resolver, fd))) {
        resolver->no_memory = true;
        return;
    }
    known->events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

/* --- Answers --- */

static void tell(struct question *question, const struct resolver_answer *answer)
{
    if (answer->result != RESOLVER_SILENT)
        question->resolver->answers++;
    question->done(question->context, answer);
}

/* What c-ares says where it has no message. */
static struct resolver_answer answer_without_message(int status)
{
    struct resolver_answer none = { .result = RESOLVER_FAILED };

    switch (status) {
    case ARES_ETIMEOUT:
        none.result = RESOLVER_SILENT;
        none.why = "no answer in time";
        break;
    case ARES_ECONNREFUSED:
        none.result = RESOLVER_SILENT;
        none.why = "nobody answers there";
        break;
    case ARES_EBADNAME:
        none.why = "that is no name that can be asked for";
        break;
    default:
        none.why = "the answer can't be read";
    }
    return none;
}

static bool answer_with(struct question *question, const unsigned char *message, int len)
{
    struct region         *region = region_new();
    struct resolver_answer answer;
    bool                   read = region &&
                resolver_read_answer(message, len, question->name, question->type, region, &answer);

    if (read)
        tell(question, &answer);
    region_free(region);
    return read;
}

static void has_ended(void *context, int status, int timeouts, unsigned char *message, int len);

static void send_question(struct question *question, enum way way)
{
    static const int types[] = {
        [RESOLVER_TXT] = 16, [RESOLVER_MX] = 15, [RESOLVER_A] = 1, [RESOLVER_AAAA] = 28
    };

    question->way = way;
    ares_query(question->resolver->channels[way], question->name, 1, types[question->type],
               has_ended, question);
}

static void answer(struct question *question, int status, const unsigned char *message, int len)
{
    struct resolver_answer none = answer_without_message(status);

    if (status == ARES_ENOMEM || (message && !answer_with(question, message, len)))
        question->resolver->no_memory = true;
    else if (!message)
        tell(question, &none);
}

/* By whoever sent it (RFC 1035 section 4.1.1: TC), or by c-ares, of which nothing tells. */
static bool is_cut_off(const unsigned char *message, int len)
{
    return message && len > 2 && (message[2] & 2 || len >= UDP_MAX);
}

/* c-ares: each question has ended in some way. */
static void has_ended(void *context, int status, int timeouts, unsigned char *message, int len)
{
    struct question *question = context;

    (void)timeouts;
    if (!question->late && status != ARES_EDESTRUCTION) {
        if (question->way == BY_UDP && is_cut_off(message, len)) {
            send_question(question, BY_TCP);
            return;
        }
        take_out(&question->resolver->asked, question);
        answer(question, status, message, len);
    }
    free(question);
}

/* --- Asking --- */

void resolver_ask(struct resolver *resolver, const char *name, enum resolver_type type,
                  resolver_done *done, void *context)
{
    size_t           size = strlen(name) + 1;
    struct question *question = malloc(sizeof(*question) + size);

    if (!question) {
        resolver->no_memory = true;
        return;
    }
    *question = (struct question){
        .resolver = resolver, .type = type, .done = done, .context = context
    };
    memcpy(question->name, name, size);
    append(&resolver->queued, question);
}

static void ask_next(struct resolver *resolver)
{
    struct question *question = resolver->queued.first;

    take_out(&resolver->queued, question);
    append(&resolver->asked, question);
    question->deadline = monotonic_ms() + (int64_t)RESOLVER_PATIENCE * 1000;
    send_question(question, BY_UDP);
}

/* c-ares goes on asking; its answer will come too late. */
static void end_patience(struct resolver *resolver)
{
    static const struct resolver_answer silent = { .result = RESOLVER_SILENT,
                                                   .why = "no answer in time" };
    struct question                    *question;

    while ((question = resolver->asked.first) && question->deadline <= monotonic_ms()) {
        take_out(&resolver->asked, question);
        question->late = true;
        tell(question, &silent);
    }
}

static bool may_ask(const struct resolver *resolver)
{
    return resolver->queued.first && resolver->asked.count < RESOLVER_AT_ONCE;
}

bool resolver_step(struct resolver *resolver)
{
    end_patience(resolver);
    while (may_ask(resolver) && !resolver->no_memory)
        ask_next(resolver);
    return !resolver->no_memory;
}

bool resolver_busy(const struct resolver *resolver)
{
    return resolver->queued.first || resolver->asked.first;
}

size_t resolver_answers(const struct resolver *resolver)
{
    return resolver->answers;
}

/* --- The loop --- */

size_t resolver_sockets(struct resolver *resolver, const struct pollfd **sockets)
{
    *sockets = resolver->sockets;
    return resolver->count;
}

int resolver_wait(struct resolver *resolver, int max)
{
    if (may_ask(resolver))
        return 0;
    for (int way = 0; way < WAYS; way++) {
        struct timeval  most = { max / 1000, (suseconds_t)(max % 1000) * 1000 }, room;
        struct timeval *wait = ares_timeout(resolver->channels[way], &most, &room);

        max = (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000);
    }
    return max;
}

void resolver_ready(struct resolver *resolver, int fd, short events)
{
    const bool in = events & (POLLIN | POLLERR | POLLHUP), out = events & POLLOUT;

    for (int way = 0; way < WAYS; way++) /* to the other, the socket is a stranger's */
        ares_process_fd(resolver->channels[way], in ? fd : ARES_SOCKET_BAD,
                        out ? fd : ARES_SOCKET_BAD);
}

/* --- Its life --- */

/* Each question by a socket, and from a port, of its own, where c-ares can do that (1.20): when
   garbage comes, it gives up on all that it has asked by that socket. */
#ifdef ARES_OPT_UDP_MAX_QUERIES
static int set_own_sockets(struct ares_options *options)
{
    options->udp_max_queries = 1;
    return ARES_OPT_UDP_MAX_QUERIES;
}
#else
static int set_own_sockets(struct ares_options *options)
{
    (void)options;
    return 0;
}
#endif

static int open_channel(struct resolver *resolver, enum way way, const char *server)
{
    char                lookups[] = "b"; /* no hosts file */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
                 (way == BY_TCP ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC),
        .timeout = RESOLVER_TIMEOUT * 1000,
        .tries = RESOLVER_TRIES,
        .lookups = lookups,
        .sock_state_cb = socket_changes,
        .sock_state_cb_data = resolver,
    };
    ares_channel *channel = &resolver->channels[way];
    int           status = ares_init_options(channel, &options,
                                             set_own_sockets(&options) | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS |
                                                 ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_NOROTATE |
                                                 ARES_OPT_SOCK_STATE_CB);

    if (status != ARES_SUCCESS) {
        *channel = NULL;
        return status;
    }
    return server ? ares_set_servers_ports_csv(*channel, server) : ARES_SUCCESS;
}

static int open_channels(struct resolver *resolver, const char *server)
{
    int status = ARES_SUCCESS;

    for (int way = 0; way < WAYS && status == ARES_SUCCESS; way++)
        status = open_channel(resolver, (enum way)way, server);
    return status;
}

struct resolver *resolver_new(const char *server, bool *usage, char *why)
{
    char             whom[RESOLVER_SERVER_MAX];
    struct resolver *resolver;
    int              status;

    *usage = false;
    if (server && !resolver_read_server(server, whom)) {
        *usage = true;
        snprintf(why, OUTSIDE_WHY_MAX,
                 "--resolver %.100s: an address is expected, as 192.0.2.1, 192.0.2.1:5353 or "
                 "[2001:db8::1]:53",
                 server);
        return NULL;
    }
    resolver = calloc(1, sizeof(*resolver));
    status = resolver ? open_channels(resolver, server ? whom : NULL) : ARES_ENOMEM;
    if (status != ARES_SUCCESS) {
        snprintf(why, OUTSIDE_WHY_MAX, "no way to ask a resolver: %s", ares_strerror(status));
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    for (int way = 0; way < WAYS; way++)
        if (resolver->channels[way])
            ares_destroy(resolver->channels[way]); /* ends every question that it has */
    for (struct question *at = resolver->queued.first, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    free(resolver->sockets);
    free(resolver);
}
