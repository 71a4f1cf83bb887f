/*
 * acme: answers to ACME HTTP-01 challenges (RFC 8555 section 8.3), for any ACME client.
 *
 * GET /.well-known/acme-challenge/TOKEN is answered with the token's file when
 * there is one, else with TOKEN.THUMBPRINT when a thumbprint is configured
 * (stateless answers), else not at all. Files are opened by the keeper.
 */
#ifndef SERVER_ACME_H
#define SERVER_ACME_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>

#define ACME_PREFIX "/.well-known/acme-challenge/"

struct broker;
struct acme_lookup;

enum { ACME_ANSWER_MAX = 4096 };

/* The answer of one lookup: len bytes, or len 0 for "no such token": 404. bytes NULL:
   it can't be had for want of memory, which has been told: 503. Called once. */
typedef void acme_callback(void *context, const char *bytes, size_t len);

/*
 * path is the request's, without the query. False: no challenge path, no valid token, nothing
 * configured to answer it from, or no memory: 404 at once, the callback is not called. True: the
 * callback is called, now or later; *lookup is NULL when it has been, else what acme_cancel takes.
 */
bool acme_find(const struct config_server *server, struct broker *broker, const char *path,
               size_t len, acme_callback *callback, void *context, struct acme_lookup **lookup);

/* The callback will not be called any more. Accepts NULL. A lookup ends with its callback:
   not to be cancelled after that, nor inside it. */
void acme_cancel(struct acme_lookup *lookup);

#endif
