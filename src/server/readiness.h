/*
 * readiness: what /readyz waits for when ready_requires_certificates is set: so many of the configured
 * hosts have a good certificate.
 *
 * One worker of the first generation looks at them, one after the other, between its connections: at all
 * of them, or at READINESS_HOSTS_MAX that stand evenly among them. It goes by way of certs, so what it
 * finds good is in the cache when the first sender comes. Hosts without a good pair are looked at again
 * until there are enough; after that, never again.
 */
#ifndef SERVER_READINESS_H
#define SERVER_READINESS_H

#include <stdbool.h>

enum {
    READINESS_HOSTS_MAX = 1000,
    READINESS_AGAIN_MS = 2000 /* between two looks at what is missing */
};

struct certs;
struct config;
struct ev_loop;
struct readiness;

/* Calls reached, from the loop, when percent of the hosts are good; at once where the configuration names
   none. It is called once, unless it returns false: then it could not pass that on, and is called again
   later. It must not free. config and certs are borrowed. NULL: no memory. */
struct readiness *readiness_new(struct ev_loop *loop, const struct config *config,
                                struct certs *certs, unsigned         percent,
                                bool (*reached)(void *context), void *context);
void              readiness_free(struct readiness *readiness); /* accepts NULL */

#endif
