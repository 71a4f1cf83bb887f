/*
 * visit: goes to one address of a server as a sender would, by libcurl: to a policy host over HTTPS
 * for its policy, or to an MX host over SMTP for STARTTLS and its certificate.
 *
 * Where a server is refused for its TLS, a second connection that trusts everybody fetches its
 * certificates, only so that one can be told what is wrong; nothing is asked over it.
 */
#ifndef TOOL_VISIT_H
#define TOOL_VISIT_H

#include "tool/chain.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    VISIT_BODY_MAX = 65536, /* bytes of a body that are read; more sets body_over */
    VISIT_CONNECT = 10,     /* seconds to be connected, and for each second look */
    VISIT_SMTP = 30,        /* seconds for a whole SMTP visit */
    VISIT_WHY_MAX = 256
};

enum visit_result {
    VISIT_OK,          /* HTTPS: an answer, of whatever status; SMTP: STARTTLS and a certificate
                           that is trusted */
    VISIT_NO_WAY,      /* this machine has no route to such an address */
    VISIT_DEAD,        /* refused, unreachable, or no answer to the connection in time */
    VISIT_TLS_OLD,     /* the handshake failed: nothing but what is older than TLS 1.2; a library
                           that has no such thing any more makes it VISIT_TLS_FAILED */
    VISIT_TLS_FAILED,  /* the handshake failed otherwise */
    VISIT_UNTRUSTED,   /* the certificate was refused: see chain */
    VISIT_TIMED_OUT,   /* connected, and not done in time */
    VISIT_BROKEN,      /* not well-formed, or cut short */
    VISIT_NO_STARTTLS, /* SMTP: not offered, or refused */
    VISIT_REFUSED,     /* SMTP: it does not talk to this machine: 4xx or 5xx for a greeting, or for
                           EHLO where that does not say that there is no such command */
    VISIT_UNTRIED,     /* others before kept it waiting in vain at this address and port */
    VISIT_NO_MEMORY    /* nor descriptors, nor the file of those that are trusted */
};

/* What came of it. Valid while done runs; texts of a stranger are as they came. */
struct visit {
    enum visit_result result;
    char              why[VISIT_WHY_MAX]; /* in words, where the result is not VISIT_OK */
    struct chain      chain;
    double            seconds; /* from the start of the connection to the last byte */
    /* HTTPS alone */
    unsigned    status;       /* 0: no answer */
    const char *location;     /* NULL: none */
    const char *content_type; /* NULL: none; the first */
    bool        content_type_twice;
    const char *content_encoding; /* NULL: none */
    const char *body;             /* a NUL stands behind it; never decompressed */
    size_t      body_len;         /* at most VISIT_BODY_MAX */
    bool        body_over;
    bool        tls12;      /* asked for with probe_tls12: it speaks TLS 1.2 */
    bool        only_tls13; /* asked for with probe_tls12: it does not speak TLS 1.2 */
};

typedef void visit_done(void *context, const struct visit *visit);

struct visits;

/*
 * Where connections to host and port go, by the connect_to that was given: the first whose
 * HOST1:PORT1 fits (empty fits all). *to is a name or an address, in brackets where it is an IPv6
 * one; host itself where none fits. Copies nothing: *to lives as long as visits or host.
 */
void visits_redirect(const struct visits *visits, const char *host, unsigned port, const char **to,
                     size_t *to_len, unsigned *to_port);

/*
 * Where visits to one address and port, one after the other, have come to nothing because no
 * connection came about or they were not done in time, and none has had an answer since, those that
 * still wait end at once, as VISIT_DEAD or VISIT_UNTRIED.
 */

/* Fetches https://HOST/.well-known/mta-sts.txt at that address and port. One more connection finds
   out whether TLS 1.2 is spoken where probe_tls12 is set and the fetch was good. A host of other
   bytes than letters, digits, ".", "-" and "_" is VISIT_BROKEN, here and by SMTP. */
void visit_policy(struct visits *visits, const char *host, const char *address, unsigned port,
                  bool probe_tls12, visit_done *done, void *context);

/* Says EHLO and STARTTLS to an MX host at that address and port, and goes. */
void visit_smtp(struct visits *visits, const char *host, const char *address, unsigned port,
                visit_done *done, void *context);

/* --- For outside, whose loop it is in. --- */

struct outside_options;
struct pollfd;

/* NULL, with a text in why (OUTSIDE_WHY_MAX bytes): an option is wrong (*usage is true), a file
   cannot be read, or no memory. Copies the options. */
struct visits *visits_new(const struct outside_options *options, bool *usage, char *why);
void           visits_free(struct visits *visits); /* accepts NULL; calls nobody */

/* Is any visit asked for that has not ended? Can one be begun at once? */
bool visits_busy(const struct visits *visits);
bool visits_waiting(const struct visits *visits);

/* Begins what may be begun, goes on with the others, and ends what has come to its end. False:
   there was no memory. */
bool visits_step(struct visits *visits);

/* Waits until a socket of a visit, or one of these, is ready, or so many milliseconds have passed;
   their revents say which. False: there was no memory. */
bool visits_wait(struct visits *visits, struct pollfd *sockets, size_t count, int milliseconds);

#endif
