#include "server/readiness.h"

#include "common/certpair.h"
#include "common/config.h"
#include "common/hostname.h"
#include "common/log.h"
#include "server/certs.h"

#include <ev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct readiness {
    struct ev_loop     *loop;
    struct certs       *certs;
    struct certs_waiter waiter;
    ev_timer            next;
    unsigned            percent;
    size_t              good;
    size_t              at;      /* the next of missing to be looked at */
    size_t              bad;     /* of those before at: they stand at the start of missing */
    size_t              missing; /* hosts not known to be good */
    size_t              all;
    bool (*reached)(void *context);
    void *context;
    struct {
        const char          *domain;
        const struct policy *policy;
    } hosts[READINESS_HOSTS_MAX];
};

/* Chooses every n-th domain, so that each file has its part. */
struct choice {
    struct readiness *readiness;
    size_t            seen, count;
};

static bool choose(void *context, const char *domain, const struct policy *policy)
{
    struct choice    *choice = context;
    struct readiness *readiness = choice->readiness;

    if (choice->seen++ * readiness->all / choice->count == readiness->missing) {
        readiness->hosts[readiness->missing].domain = domain;
        readiness->hosts[readiness->missing++].policy = policy;
    }
    return readiness->missing < readiness->all;
}

static void look_again(struct readiness *readiness, double seconds)
{
    ev_timer_stop(readiness->loop, &readiness->next);
    ev_timer_set(&readiness->next, seconds, 0.);
    ev_timer_start(readiness->loop, &readiness->next);
}

static void take(struct readiness *readiness, struct certpair *pair)
{
    if (pair != NULL)
        readiness->good++;
    else
        readiness->hosts[readiness->bad++] = readiness->hosts[readiness->at];
    certpair_unref(pair);
    readiness->at++;
    look_again(readiness, 0.);
}

static void pair_done(struct certs_waiter *waiter, struct certpair *pair)
{
    take((struct readiness *)(void *)((char *)waiter - offsetof(struct readiness, waiter)), pair);
}

/* One host a turn of the loop: connections come first. */
static void look(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct readiness *readiness = timer->data;
    struct certpair  *pair = NULL;
    char              host[HOSTNAME_MAX + 1];
    int               len;

    (void)loop;
    (void)events;
    if (readiness->good * 100 >= readiness->all * readiness->percent) {
        if (readiness->reached(readiness->context))
            log_info("ready_requires_certificates: %zu of %zu hosts have a good certificate",
                     readiness->good, readiness->all);
        else
            look_again(readiness, READINESS_AGAIN_MS / 1000.);
        return;
    }
    if (readiness->at == readiness->missing) {
        readiness->missing = readiness->bad;
        readiness->at = readiness->bad = 0;
        look_again(readiness, READINESS_AGAIN_MS / 1000.);
        return;
    }
    len = snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s",
                   readiness->hosts[readiness->at].domain);
    if (certs_get(readiness->certs, readiness->hosts[readiness->at].policy, host, (size_t)len,
                  &readiness->waiter, &pair) != CERTS_WAIT)
        take(readiness, pair);
}

struct readiness *readiness_new(struct ev_loop *loop, const struct config *config,
                                struct certs *certs, unsigned         percent,
                                bool (*reached)(void *context), void *context)
{
    struct readiness *readiness = calloc(1, sizeof(*readiness));
    struct choice     choice = { .readiness = readiness, .count = config_domain_count(config) };

    if (readiness == NULL)
        return NULL;
    readiness->loop = loop;
    readiness->certs = certs;
    readiness->percent = percent;
    readiness->reached = reached;
    readiness->context = context;
    readiness->waiter.done = pair_done;
    readiness->all = choice.count < READINESS_HOSTS_MAX ? choice.count : READINESS_HOSTS_MAX;
    if (readiness->all > 0)
        config_each_domain(config, choose, &choice);
    ev_timer_init(&readiness->next, look, 0., 0.);
    readiness->next.data = readiness;
    look_again(readiness, 0.);
    return readiness;
}

void readiness_free(struct readiness *readiness)
{
    if (readiness == NULL)
        return;
    ev_timer_stop(readiness->loop, &readiness->next);
    certs_cancel(&readiness->waiter);
    free(readiness);
}
