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

/* Prints one line when it is not alive, nothing when it is. Returns the exit status: 0 or 1. */
int health_run(const char *config_path);

#endif
