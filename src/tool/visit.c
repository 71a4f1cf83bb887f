#include "tool/monotonic.h"
#include "tool/outside.h"
#include "tool/visit_internal.h"

#include "common/region.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    OPEN_MAX_ALL = 1000, /* connections at once */
    SILENT_MAX = 8       /* visits to a server, one after the other, that came to nothing */
};

/* One address and port, while it is visited, or is to be, or its last visit came to nothing. */
struct visit_server {
    struct visit_server *next;
    struct trip         *first, *last; /* that wait */
    unsigned             open;
    unsigned             silent; /* visits without an answer, since the last that had one */
    bool                 dead;   /* no connection to it came about, the last time */
    char                 why[VISIT_WHY_MAX]; /* then */
    unsigned             port;
    char                 address[];
};

/* --- Asking --- */

static struct visit_server *find_server(struct visits *visits, const char *address, unsigned port)
{
    struct visit_server *server = visits->servers;
    size_t               size = strlen(address) + 1;

    while (server && (server->port != port || strcmp(server->address, address) != 0))
        server = server->next;
    if (server)
        return server;
    server = calloc(1, sizeof(*server) + size);
    if (!server)
        return NULL;
    server->port = port;
    memcpy(server->address, address, size);
    server->next = visits->servers;
    visits->servers = server;
    return server;
}

static struct trip *new_trip(struct visits *visits, const char *host, const char *address,
                             unsigned port)
{
    struct visit_server *server = find_server(visits, address, port);
    size_t               size = strlen(host) + 1;
    struct trip         *trip = server ? calloc(1, sizeof(*trip) + size) : NULL;

    if (!trip) {
        visits->no_memory = true;
        return NULL;
    }
    trip->visits = visits;
    trip->server = server;
    trip->host = memcpy(trip + 1, host, size);
    trip->address = server->address;
    trip->port = port;
    trip->fd = trip->also = -1;
    trip->visit.body = "";
    if (server->last)
        server->last->next = trip;
    else
        server->first = trip;
    server->last = trip;
    return trip;
}

void visit_policy(struct visits *visits, const char *host, const char *address, unsigned port,
                  bool probe_tls12, visit_done *done, void *context)
{
    struct trip *trip = new_trip(visits, host, address, port);

    if (!trip)
        return;
    trip->probe_tls12 = probe_tls12;
    trip->done = done;
    trip->context = context;
}

void visit_smtp(struct visits *visits, const char *host, const char *address, unsigned port,
                visit_done *done, void *context)
{
    struct trip *trip = new_trip(visits, host, address, port);

    if (!trip)
        return;
    trip->smtp = true;
    trip->done = done;
    trip->context = context;
}

/* --- From the queues to the end --- */

static bool may_begin(const struct visits *visits, const struct visit_server *server)
{
    return server->first && server->open < OUTSIDE_PER_SERVER && visits->open < visits->open_max;
}

/* Else a server that keeps everybody waiting holds up whoever looks at a thousand domains that are
   there, for hours: four visits at once have a minute each. */
static void give_up(struct trip *trip)
{
    const struct visit_server *server = trip->server;

    trip->stage = VISIT_OVER;
    trip->untried = true;
    trip->visit.result = server->dead ? VISIT_DEAD : VISIT_UNTRIED;
    if (server->dead)
        memcpy(trip->visit.why, server->why, VISIT_WHY_MAX);
    else
        snprintf(trip->visit.why, VISIT_WHY_MAX,
                 "not tried: %d visits to this address before were not done in time", SILENT_MAX);
}

static void begin_trips(struct visits *visits)
{
    for (struct visit_server *server = visits->servers; server; server = server->next) {
        while (may_begin(visits, server)) {
            struct trip *trip = server->first;

            server->first = trip->next;
            if (!server->first)
                server->last = NULL;
            server->open++;
            visits->open++;
            trip->next = visits->trips;
            visits->trips = trip;
            if (server->silent < SILENT_MAX)
                visit_begin(trip);
            else
                give_up(trip);
        }
    }
}

static void free_trip(struct trip *trip)
{
    if (trip->easy)
        curl_multi_remove_handle(trip->visits->multi, trip->easy);
    curl_easy_cleanup(trip->easy);
    curl_easy_cleanup(trip->answer);
    curl_slist_free_all(trip->to);
    if (trip->fd >= 0)
        close(trip->fd);
    if (trip->also >= 0)
        close(trip->also);
    free(trip->body);
    free(trip);
}

static void remember(struct visit_server *server, const struct trip *trip)
{
    const struct visit *visit = &trip->visit;

    if (trip->untried)
        return;
    server->dead = visit->result == VISIT_DEAD;
    server->silent = server->dead || visit->result == VISIT_TIMED_OUT ? server->silent + 1 : 0;
    memcpy(server->why, visit->why, VISIT_WHY_MAX);
}

static bool is_visited(const struct visit_server *server)
{
    return server->open > 0 || server->first;
}

static void forget_servers(struct visits *visits)
{
    struct visit_server **at = &visits->servers;

    while (*at) {
        struct visit_server *server = *at;

        if (is_visited(server) || server->silent > 0) {
            at = &server->next;
        } else {
            *at = server->next;
            free(server);
        }
    }
}

/* Each is out of the list before it is told of, since whoever is told may ask for more. */
static void end_trips(struct visits *visits)
{
    struct trip **at = &visits->trips;

    while (*at) {
        struct trip *trip = *at;

        if (trip->stage != VISIT_OVER) {
            at = &trip->next;
            continue;
        }
        *at = trip->next;
        trip->server->open--;
        remember(trip->server, trip);
        visits->open--;
        trip->done(trip->context, &trip->visit);
        free_trip(trip);
    }
    forget_servers(visits);
}

static void take_messages(struct visits *visits)
{
    const CURLMsg *message;
    int            left;

    while ((message = curl_multi_info_read(visits->multi, &left))) {
        CURLcode     code = message->data.result;
        char        *context = NULL;
        struct trip *trip;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        trip = (struct trip *)(void *)context;
        visit_transferred(trip, code);
    }
}

bool visits_step(struct visits *visits)
{
    int64_t now;
    int     running;

    begin_trips(visits);
    for (struct trip *trip = visits->trips; trip; trip = trip->next)
        if (trip->revents)
            visit_ready(trip);
    if (curl_multi_perform(visits->multi, &running) != CURLM_OK)
        visits->no_memory = true;
    take_messages(visits);
    now = monotonic_ms();
    for (struct trip *trip = visits->trips; trip; trip = trip->next)
        visit_check_time(trip, now);
    end_trips(visits);
    return !visits->no_memory;
}

bool visits_busy(const struct visits *visits)
{
    for (const struct visit_server *server = visits->servers; server; server = server->next)
        if (is_visited(server))
            return true;
    return false;
}

bool visits_waiting(const struct visits *visits)
{
    for (const struct visit_server *server = visits->servers; server; server = server->next)
        if (may_begin(visits, server))
            return true;
    return false;
}

/* --- Their life --- */

/* A quarter of the descriptors there may be: each is one of libcurl's and one of ours, and the
   resolver's sockets, and files, are others. */
static size_t connections_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur / 4 < OPEN_MAX_ALL ? limit.rlim_cur / 4 : OPEN_MAX_ALL;
}

static bool read_redirects(struct visits *visits, const struct outside_options *options,
                           bool *usage, char *why)
{
    size_t count = options->connect_to_count;

    visits->redirects = region_alloc(visits->region, count * sizeof(*visits->redirects));
    for (size_t i = 0; visits->redirects && i < count; i++) {
        const char *text = options->connect_to[i];

        text = region_string(visits->region, text, strlen(text));
        if (!text)
            return false;
        if (!visit_read_redirect(text, &visits->redirects[i])) {
            *usage = true;
            snprintf(why, OUTSIDE_WHY_MAX,
                     "--connect-to %.100s: HOST1:PORT1:HOST2:PORT2 is expected, each of which may "
                     "be empty",
                     text);
            return false;
        }
    }
    visits->redirects_count = count;
    return visits->redirects != NULL;
}

struct visits *visits_new(const struct outside_options *options, bool *usage, char *why)
{
    struct visits *visits = calloc(1, sizeof(*visits));

    *usage = false;
    snprintf(why, OUTSIDE_WHY_MAX, "out of memory");
    if (!visits)
        return NULL;
    visits->timeout = options->timeout > 0 ? options->timeout : OUTSIDE_TIMEOUT;
    visits->open_max = connections_max();
    visits->multi = curl_multi_init();
    visits->region = region_new();
    if (!visits->multi || !visits->region || !read_redirects(visits, options, usage, why))
        goto refuse;
    if (options->ca) {
        visits->ca = region_string(visits->region, options->ca, strlen(options->ca));
        if (!visits->ca)
            goto refuse;
    }
    return visits;
refuse:
    visits_free(visits);
    return NULL;
}

void visits_free(struct visits *visits)
{
    if (!visits)
        return;
    for (struct trip *at = visits->trips, *next; at; at = next) {
        next = at->next;
        free_trip(at);
    }
    for (struct visit_server *server = visits->servers, *after; server; server = after) {
        for (struct trip *at = server->first, *next; at; at = next) {
            next = at->next;
            free_trip(at);
        }
        after = server->next;
        free(server);
    }
    curl_multi_cleanup(visits->multi);
    region_free(visits->region);
    free(visits->waits);
    free(visits->polls);
    free(visits);
}
