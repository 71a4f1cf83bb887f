#include "tool/check_exchangers.h"

#include "common/hostname.h"
#include "tool/check_places.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A domain that waits for an MX host. */
struct waiter {
    struct waiter *next;
    void (*done)(void *context);
    void *context;
};

struct visited {
    struct check_exchanger exchanger; /* first: what a search compares */
    bool                   known;
    struct waiter         *waiters;
};

struct check_exchangers {
    struct outside *outside;
    struct region  *region;
    void           *tree; /* of struct visited, by host (search.h) */
    bool            lost;
};

struct check_exchangers *check_exchangers_new(struct outside *outside)
{
    struct check_exchangers *exchangers = calloc(1, sizeof(*exchangers));

    if (exchangers == NULL)
        return NULL;
    exchangers->outside = outside;
    exchangers->region = region_new();
    if (exchangers->region != NULL)
        return exchangers;
    free(exchangers);
    return NULL;
}

static void leave(void *visited)
{
    (void)visited; /* it is the region's */
}

void check_exchangers_free(struct check_exchangers *exchangers)
{
    if (exchangers == NULL)
        return;
    tdestroy(exchangers->tree, leave);
    region_free(exchangers->region);
    free(exchangers);
}

bool check_exchangers_lost(const struct check_exchangers *exchangers)
{
    return exchangers->lost;
}

static int compare(const void *a, const void *b)
{
    const struct check_exchanger *one = a, *other = b;

    return strcmp(one->host, other->host);
}

static void on_known(void *context)
{
    struct visited *visited = context;
    struct waiter  *waiter = visited->waiters;

    visited->known = true;
    visited->waiters = NULL;
    for (; waiter != NULL; waiter = waiter->next)
        waiter->done(waiter->context);
}

/* Names are compared in lower case; a name that no host could have keeps what it is. */
static char *canonical(struct region *region, const char *host)
{
    size_t len = strlen(host);
    char  *name = region_string(region, host, len);
    char   out[HOSTNAME_MAX + 1];

    if (name != NULL && hostname_canonical(host, len, HOSTNAME_MAX, out) == HOSTNAME_OK)
        memcpy(name, out, strlen(out) + 1); /* it is never longer */
    return name;
}

static struct visited *begin(struct check_exchangers *exchangers, const char *host)
{
    struct visited *visited = region_alloc(exchangers->region, sizeof(*visited));

    if (visited == NULL)
        return NULL;
    *visited = (struct visited){ .exchanger.host = host };
    if (tsearch(visited, &exchangers->tree, compare) == NULL)
        return NULL;
    if (check_places_look(exchangers->outside, exchangers->region, host, CHECK_MX_HOST,
                          &visited->exchanger.places, &exchangers->lost, on_known, visited))
        return visited;
    tdelete(visited, &exchangers->tree, compare);
    return NULL;
}

static struct visited *find_or_begin(struct check_exchangers *exchangers, const char *host)
{
    char                  *name = canonical(exchangers->region, host);
    struct check_exchanger key = { .host = name };
    struct visited *const *found;

    if (name == NULL)
        return NULL;
    found = tfind(&key, &exchangers->tree, compare);
    return found != NULL ? *found : begin(exchangers, name);
}

const struct check_exchanger *check_exchangers_visit(struct check_exchangers *exchangers,
                                                     const char *host, bool            *known,
                                                     void (*done)(void *context), void *context)
{
    struct visited *visited = find_or_begin(exchangers, host);
    struct waiter  *waiter;

    *known = visited != NULL && visited->known;
    if (visited == NULL || *known)
        return visited == NULL ? NULL : &visited->exchanger;
    waiter = region_alloc(exchangers->region, sizeof(*waiter));
    if (waiter == NULL)
        return NULL;
    *waiter = (struct waiter){ visited->waiters, done, context };
    visited->waiters = waiter;
    return &visited->exchanger;
}
