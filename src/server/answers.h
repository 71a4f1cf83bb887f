/*
 * answers: the bytes of every HTTP response this server gives.
 *
 * What is answered is decided here from a read request and a matched policy;
 * how it reaches the client is conn's affair. RFC 8461 section 3.3: no redirects,
 * ever; status 200 only for the one path.
 */
#ifndef SERVER_ANSWERS_H
#define SERVER_ANSWERS_H

#include "common/config.h"
#include "wire/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define ANSWERS_POLICY_PATH "/.well-known/mta-sts.txt"

/* One whole response, head and body, in one allocation. */
struct answer {
    unsigned status;
    bool     close; /* "Connection: close" stands in it */
    size_t   len;   /* bytes */
    char    *bytes; /* malloc'ed, the caller's; NULL: no memory */
};

/*
 * The answer to a request on a TLS listener. match and sni are of the name that
 * the certificate was shown for (sni canonical). close: the connection ends
 * with this answer, which conn has decided. now: for Date.
 *
 * In this order, so that a request for another host learns nothing about this one, and a
 * method is judged only where there is something to apply it to:
 *   Host differs from sni (without Host, in HTTP/1.0, sni decides): 421; another path: 403
 *   with a page; another method: 405 with Allow; else 200 with the policy.
 */
void answers_policy(const struct http_request *request, const struct config_match *match,
                    const char *sni, size_t sni_len, bool close, time_t now, struct answer *answer);

/* A bare status with a line of text (400, 404, 408, 414, 421, 431, 503 ...). head: no body, as
   for HEAD. */
void answers_status(unsigned status, bool head, bool close, time_t now, struct answer *answer);

/* 200 with an ACME answer of len bytes, as application/octet-stream. */
void answers_token(const char *bytes, size_t len, bool head, bool close, time_t now,
                   struct answer *answer);

/*
 * The answer on a health listener, for any Host: /livez is 200, since the worker that writes it lives;
 * /readyz is 200, or 503 when unready, the reason, is not NULL. Another method: 405; another path: 404.
 */
void answers_health(const struct http_request *request, const char *unready, bool close, time_t now,
                    struct answer *answer);

#endif
