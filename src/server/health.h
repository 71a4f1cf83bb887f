/*
 * health: mta-stsd -H ADDRESS:PORT, the liveness probe from another container, or for one listener.
 *
 * It sends a hello for a name that no server has to that address and expects the alert
 * unrecognized_name: a worker had to be there for it, but no certificate, so a server that waits for
 * its first one is alive. A listener without TLS answers otherwise, and is not alive by this probe.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#define HEALTH_NAME "health.invalid" /* RFC 6761 section 6.4: no host ever has it */
enum {
    HEALTH_TIMEOUT_MS = 3000, /* for all of it: connect, say, read */
    HEALTH_ALERT_LEN = 7,     /* bytes of an alert's record */
    HEALTH_USAGE = 2          /* exit status: what was given is no address */
};

/* Prints one line to standard error when it is not alive, nothing when it is. Returns the exit
   status: 0, 1 or HEALTH_USAGE. */
int health_run(const char *text);

/* The whole hello, as it is sent; constant. */
const void *health_hello(size_t *len);

/* Are these HEALTH_ALERT_LEN bytes the fatal alert unrecognized_name (RFC 6066 section 3)? */
bool health_is_expected(const unsigned char *alert);

#endif
