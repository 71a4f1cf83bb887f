/*
 * resolver: DNS, by c-ares. It asks a resolver (a stub has no other way), and gives what came back
 * as what it was: a name that is not there is no failure, and a failure is not a name that is not
 * there.
 *
 * Neither a search list nor a hosts file is used. The first of the system's resolvers that says
 * anything is believed, a failure included. Of an answer, the records count that belong to the name
 * or to where its CNAMEs lead.
 */
#ifndef TOOL_RESOLVER_H
#define TOOL_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    RESOLVER_TRIES = 6,
    RESOLVER_TIMEOUT = 3,      /* seconds for the first try, as long as nothing is known of the
                                  resolver; newer c-ares go by what its answers took */
    RESOLVER_PATIENCE = 9,     /* seconds for all tries together */
    RESOLVER_AT_ONCE = 100,    /* questions: a small resolver refuses more (dnsmasq, from 150 on) */
    RESOLVER_CNAMES_MAX = 16,  /* of an answer, one after the other */
    RESOLVER_RECORDS_MAX = 256 /* of an answer; what is beyond is told by more */
};

enum resolver_type { RESOLVER_TXT, RESOLVER_MX, RESOLVER_A, RESOLVER_AAAA };

enum resolver_result {
    RESOLVER_OK,      /* at least one record */
    RESOLVER_NO_NAME, /* NXDOMAIN */
    RESOLVER_NO_DATA, /* the name is there, such a record is not */
    RESOLVER_FAILED,  /* SERVFAIL, REFUSED, an answer that cannot be read, ... */
    RESOLVER_SILENT   /* no answer in time, or nobody there */
};

struct resolver_record {
    const char *text;       /* TXT: its strings joined, any byte; MX: the host, as written, without
                               the final dot ("" is "."); A, AAAA: the address as text. A NUL
                               stands behind it */
    size_t      len;        /* bytes of text */
    unsigned    strings;    /* TXT: how many */
    unsigned    preference; /* MX */
};

struct resolver_answer {
    enum resolver_result          result;
    const char                   *why;     /* _FAILED, _SILENT: in words, such as "SERVFAIL" */
    const struct resolver_record *records; /* in the order of the answer; MX by preference */
    size_t                        count;
    bool                          more;
};

typedef void resolver_done(void *context, const struct resolver_answer *answer);

struct resolver;

/* Asks for the records of a name (no final dot). done is called once, with an answer that is valid
   for that call; it is never called from within this. */
void resolver_ask(struct resolver *resolver, const char *name, enum resolver_type type,
                  resolver_done *done, void *context);

/* Answers of any kind so far but silence: 0 means that the resolver itself is out of reach. */
size_t resolver_answers(const struct resolver *resolver);

/* --- For outside, whose loop it is in. --- */

struct pollfd;

/* server: the one to ask, as in struct outside_options; NULL: the system's. NULL, with a text in
   why (OUTSIDE_WHY_MAX bytes): no such server can be (*usage is true), or no memory. */
struct resolver *resolver_new(const char *server, bool *usage, char *why);
void             resolver_free(struct resolver *resolver); /* accepts NULL; calls nobody */

/* Is anything asked that is not answered? */
bool resolver_busy(const struct resolver *resolver);

/* Asks what is to be asked, and answers what has waited too long. False: there was no memory. */
bool resolver_step(struct resolver *resolver);

/* The sockets to wait for, valid until one of the others is called, and how many milliseconds to
   wait at most: max or less. */
size_t resolver_sockets(struct resolver *resolver, const struct pollfd **sockets);
int    resolver_wait(struct resolver *resolver, int max);

/* Takes in what has come at a socket; fd -1: only that time has passed. */
void resolver_ready(struct resolver *resolver, int fd, short events);

#endif
