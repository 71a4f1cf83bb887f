#include "tool/monotonic.h"
#include "tool/visit_internal.h"

#include "common/hostname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr     any;
    struct sockaddr_in  v4;
    struct sockaddr_in6 v6;
};

static socklen_t read_address(const char *text, unsigned port, union address *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)port);
        return sizeof(address->v4);
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        return sizeof(address->v6);
    }
    return 0;
}

static enum visit_result result_of(int error)
{
    switch (error) {
    case ENETUNREACH:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
        return VISIT_NO_WAY;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        return VISIT_NO_MEMORY;
    default:
        return VISIT_DEAD;
    }
}

/* It goes into a URL. Underscores are in use, whatever hostname says of them. */
static bool is_host(const char *name)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    return *name && strlen(name) <= HOSTNAME_MAX && name[strspn(name, bytes)] == '\0';
}

static void connect_trip(struct trip *trip)
{
    union address address;
    socklen_t     len = read_address(trip->address, trip->port, &address);

    trip->stage = VISIT_CONNECTING;
    if (!is_host(trip->host)) {
        visit_came_to(trip, VISIT_BROKEN, "that is no name of a host");
        return;
    }
    if (len == 0) {
        visit_came_to(trip, VISIT_NO_WAY, "that is no address");
        return;
    }
    trip->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (trip->fd < 0 || (connect(trip->fd, &address.any, len) != 0 && errno != EINPROGRESS))
        visit_came_to(trip, result_of(errno), "%s", strerror(errno));
}

static void begin_connection(struct trip *trip, enum visit_aim aim, unsigned seconds)
{
    unsigned connect = seconds < VISIT_CONNECT ? seconds : VISIT_CONNECT;

    trip->aim = aim;
    trip->started = monotonic_ms();
    trip->connect_by = trip->started + (int64_t)connect * 1000;
    trip->end_by = trip->started + (int64_t)seconds * 1000;
    connect_trip(trip);
}

void visit_begin(struct trip *trip)
{
    begin_connection(trip, VISIT_AIM_REAL, trip->smtp ? VISIT_SMTP : trip->visits->timeout);
}

static void has_connected(struct trip *trip)
{
    int       error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(trip->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        visit_came_to(trip, result_of(error), "%s", strerror(error));
    else if (trip->smtp)
        visit_talk(trip);
    else
        visit_transfer(trip);
}

void visit_ready(struct trip *trip)
{
    trip->revents = 0;
    if (trip->stage == VISIT_CONNECTING)
        has_connected(trip);
    else
        visit_hear(trip);
}

void visit_check_time(struct trip *trip, int64_t now)
{
    if (trip->stage == VISIT_CONNECTING && now >= trip->connect_by) {
        visit_came_to(trip, VISIT_DEAD, "no answer in %lld seconds",
                      (long long)(trip->connect_by - trip->started) / 1000);
    } else if (trip->stage != VISIT_OVER && now >= trip->end_by) {
        if (trip->stage == VISIT_TRANSFER)
            visit_read_response(trip);
        visit_came_to(trip, VISIT_TIMED_OUT, "not done in %lld seconds",
                      (long long)(trip->end_by - trip->started) / 1000);
    }
}

/* --- What comes next --- */

static void end_connection(struct trip *trip)
{
    visit_end_transfer(trip);
    if (trip->fd >= 0)
        close(trip->fd);
    trip->fd = -1;
}

static void after_real(struct trip *trip)
{
    trip->visit.seconds = (double)(monotonic_ms() - trip->started) / 1000;
    switch (trip->visit.result) {
    case VISIT_UNTRUSTED:
        begin_connection(trip, VISIT_AIM_CHAIN, VISIT_CONNECT);
        break;
    case VISIT_TLS_FAILED:
        begin_connection(trip, VISIT_AIM_OLD, VISIT_CONNECT);
        break;
    case VISIT_OK:
        if (trip->probe_tls12)
            begin_connection(trip, VISIT_AIM_TLS12, VISIT_CONNECT);
        else
            trip->stage = VISIT_OVER;
        break;
    default:
        trip->stage = VISIT_OVER;
    }
}

static void after_probe(struct trip *trip, enum visit_result result)
{
    if (result == VISIT_NO_MEMORY) {
        trip->visit.result = result;
        snprintf(trip->visit.why, VISIT_WHY_MAX, "out of memory");
    }
    if (trip->aim == VISIT_AIM_OLD && result == VISIT_OK) {
        trip->visit.result = VISIT_TLS_OLD;
        snprintf(trip->visit.why, VISIT_WHY_MAX, "it speaks nothing newer than TLS 1.1");
    }
    if (trip->aim == VISIT_AIM_TLS12)
        trip->visit.tls12 = result == VISIT_OK;
    if (trip->aim == VISIT_AIM_TLS12 && result == VISIT_TLS_FAILED)
        trip->visit.only_tls13 = true;
    trip->stage = VISIT_OVER;
}

void visit_came_to(struct trip *trip, enum visit_result result, const char *format, ...)
{
    const bool real = trip->aim == VISIT_AIM_REAL;
    va_list    arguments;

    if (real && result != VISIT_OK) { /* before the texts' owner ends */
        va_start(arguments, format);
        vsnprintf(trip->visit.why, VISIT_WHY_MAX, format, arguments);
        va_end(arguments);
    }
    end_connection(trip);
    if (real) {
        trip->visit.result = result;
        after_real(trip);
    } else {
        after_probe(trip, result);
    }
}
