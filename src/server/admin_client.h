/*
 * admin_client: mta-stsd -H, -r and -s: asks the running server over its admin socket.
 *
 * Nothing of the configuration file is read; its name alone leads to the server (admin.h).
 */
#ifndef SERVER_ADMIN_CLIENT_H
#define SERVER_ADMIN_CLIENT_H

#include "server/admin.h"

enum {
    ADMIN_CLIENT_MS = 3000, /* for -H and -s */
    ADMIN_CLIENT_RELOAD_MS =
        180000 /* for -r: a reload under way, one drain, the reload asked for */
};

/* Sends the request and prints what comes back: lines to standard output, the last one to standard error
   when the exit status is 1. Returns the exit status: 1 too when no server answers in time. */
int admin_client_run(const char *config_path, enum admin_request request);

#endif
