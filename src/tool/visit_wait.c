/* Until something happens: at what libcurl waits for, and at the sockets beside it. */
#include "tool/visit_internal.h"

#include <poll.h>
#include <stdlib.h>

static short own_events(const struct trip *trip)
{
    if (trip->stage == VISIT_CONNECTING)
        return POLLOUT;
    return trip->stage == VISIT_TALKING ? POLLIN : 0;
}

static bool make_room(struct visits *visits, size_t count)
{
    struct curl_waitfd *waits;
    struct pollfd      *polls;

    if (count <= visits->room)
        return true;
    waits = reallocarray(visits->waits, count, sizeof(*waits));
    if (waits)
        visits->waits = waits;
    polls = reallocarray(visits->polls, count, sizeof(*polls));
    if (polls)
        visits->polls = polls;
    if (waits && polls)
        visits->room = count;
    return waits && polls;
}

static size_t list_sockets(struct visits *visits, const struct pollfd *sockets, size_t count)
{
    size_t n = 0;

    for (; n < count; n++)
        visits->polls[n] = sockets[n];
    for (const struct trip *trip = visits->trips; trip; trip = trip->next)
        if (own_events(trip))
            visits->polls[n++] = (struct pollfd){ .fd = trip->fd, .events = own_events(trip) };
    for (size_t i = 0; i < n; i++) {
        short events = visits->polls[i].events;

        visits->waits[i] = (struct curl_waitfd){
            .fd = visits->polls[i].fd,
            .events = (short)((events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                              (events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
        };
    }
    return n;
}

/* libcurl wakes up for an error at a socket, as of UDP where nobody listens, and does not tell: so
   the sockets are looked at again. */
bool visits_wait(struct visits *visits, struct pollfd *sockets, size_t count, int milliseconds)
{
    size_t n;

    if (!make_room(visits, count + visits->open))
        return false;
    n = list_sockets(visits, sockets, count);
    if (curl_multi_poll(visits->multi, visits->waits, (unsigned)n, milliseconds, NULL) != CURLM_OK)
        return false;
    (void)poll(visits->polls, n, 0);
    for (n = 0; n < count; n++)
        sockets[n].revents = visits->polls[n].revents;
    for (struct trip *trip = visits->trips; trip; trip = trip->next)
        if (own_events(trip))
            trip->revents = visits->polls[n++].revents;
    return true;
}
