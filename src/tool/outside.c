#include "tool/outside.h"

#include "tool/resolver.h"
#include "tool/visit.h"

#include <ares.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK = 100 /* ms */ };

struct outside {
    struct resolver *resolver;
    struct visits   *visits;
    struct pollfd   *sockets; /* a copy of the resolver's, which changes while they are looked at */
    size_t           room;
};

/* --- Options --- */

static bool holds_certificate(FILE *file)
{
    char line[128];

    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "-----BEGIN ", 11) == 0 && strstr(line, "CERTIFICATE-----"))
            return true;
    return false;
}

/* Said once here, instead of by every visit. */
static bool can_trust(const char *path, char *why)
{
    FILE *file = fopen(path, "re");
    bool  found = file && holds_certificate(file);

    if (!file)
        snprintf(why, OUTSIDE_WHY_MAX, "%.150s: %s", path, strerror(errno));
    else if (!found)
        snprintf(why, OUTSIDE_WHY_MAX, "%.150s: holds no certificate", path);
    if (file)
        fclose(file);
    return found;
}

static bool start_libraries(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS)
        return true;
    curl_global_cleanup();
    return false;
}

static const char *system_ca(void)
{
    return curl_version_info(CURLVERSION_NOW)->cainfo;
}

struct outside *outside_new(const struct outside_options *options, bool *usage, char *why)
{
    struct outside        *outside = NULL;
    struct outside_options chosen = *options;

    *usage = false;
    /* Named, the system's file is read once; left to libcurl, anew for every connection, together
       with the folder of the same certificates. */
    if (!chosen.ca)
        chosen.ca = system_ca();
    if (chosen.ca && !can_trust(chosen.ca, why))
        return NULL;
    outside = calloc(1, sizeof(*outside));
    if (!outside || !start_libraries()) {
        snprintf(why, OUTSIDE_WHY_MAX, "out of memory");
        free(outside);
        return NULL;
    }
    outside->resolver = resolver_new(options->resolver, usage, why);
    if (outside->resolver)
        outside->visits = visits_new(&chosen, usage, why);
    if (!outside->visits) {
        outside_free(outside);
        return NULL;
    }
    return outside;
}

void outside_free(struct outside *outside)
{
    if (!outside)
        return;
    visits_free(outside->visits);
    resolver_free(outside->resolver);
    free(outside->sockets);
    free(outside);
    ares_library_cleanup();
    curl_global_cleanup();
}

struct resolver *outside_resolver(struct outside *outside)
{
    return outside->resolver;
}

struct visits *outside_visits(struct outside *outside)
{
    return outside->visits;
}

/* --- The loop --- */

static bool copy_sockets(struct outside *outside, size_t *count)
{
    const struct pollfd *sockets;

    *count = resolver_sockets(outside->resolver, &sockets);
    if (*count > outside->room) {
        struct pollfd *copy = reallocarray(outside->sockets, *count, sizeof(*copy));

        if (!copy)
            return false;
        outside->sockets = copy;
        outside->room = *count;
    }
    if (*count > 0)
        memcpy(outside->sockets, sockets, *count * sizeof(*sockets));
    return true;
}

static bool wait_for_news(struct outside *outside)
{
    int    most = visits_waiting(outside->visits) ? 0 : resolver_wait(outside->resolver, TICK);
    size_t count;

    if (!copy_sockets(outside, &count) ||
        !visits_wait(outside->visits, outside->sockets, count, most))
        return false;
    for (size_t i = 0; i < count; i++)
        if (outside->sockets[i].revents)
            resolver_ready(outside->resolver, outside->sockets[i].fd, outside->sockets[i].revents);
    resolver_ready(outside->resolver, -1, 0);
    return true;
}

static bool is_busy(const struct outside *outside)
{
    return resolver_busy(outside->resolver) || visits_busy(outside->visits);
}

/* Whoever hangs up must not end the program: not every library sees to that by itself. */
bool outside_run(struct outside *outside, void (*tick)(void *context), void *context)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    bool             on;

    sigaction(SIGPIPE, &ignore, &before);
    while ((on = resolver_step(outside->resolver) && visits_step(outside->visits)) &&
           is_busy(outside) && (on = wait_for_news(outside)))
        tick(context);
    sigaction(SIGPIPE, &before, NULL);
    return on;
}
