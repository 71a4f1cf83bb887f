/*
 * health: mta-stsd -H, the liveness probe of container runtimes, which have no
 * curl in such an image.
 *
 * It says a hello for a name that is nobody's to the running server's first HTTPS listener and
 * expects the alert unrecognized_name: master, keeper and a worker had to be
 * there for it, but no certificate; a server that waits for its first one is alive.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#define HEALTH_NAME "health.invalid" /* RFC 6761 section 6.4: nobody's, ever */
enum {
    HEALTH_TIMEOUT_MS = 3000, /* for all of it: connect, say, read */
    HEALTH_ALERT_LEN = 7      /* bytes of an alert's record */
};

/* Prints one line to standard error when it is not alive, nothing when it is. Returns the exit
   status: 0 or 1. */
int health_run(const char *config_path);

/* The whole hello, as it is sent; constant. */
const void *health_hello(size_t *len);

/* Are these HEALTH_ALERT_LEN bytes the fatal alert unrecognized_name (RFC 6066 section 3)? */
bool health_is_expected(const unsigned char *alert);

#endif
