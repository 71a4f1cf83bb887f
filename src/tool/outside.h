/*
 * outside: the loop that looks at the world from outside: DNS by tool/resolver, HTTPS and SMTP by
 * tool/visit, as many at once as may be, in one thread.
 *
 * Whoever asks gets called when there is an answer, always from within outside_run and never from
 * within the question. An answer may ask for more.
 */
#ifndef TOOL_OUTSIDE_H
#define TOOL_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    OUTSIDE_TIMEOUT = 60,   /* seconds for a policy: RFC 8461 section 3.3 suggests a minute */
    OUTSIDE_PER_SERVER = 4, /* connections to one address at once */
    OUTSIDE_WHY_MAX = 256
};

struct outside_options {
    const char        *resolver;   /* ADDR, ADDR:PORT, [ADDR6]:PORT; NULL: the system's */
    const char        *ca;         /* PEM file of those that are trusted; NULL: the system's */
    const char *const *connect_to; /* HOST1:PORT1:HOST2:PORT2, as curl has them; see visit.h */
    size_t             connect_to_count;
    unsigned           timeout; /* seconds for a policy, look-up not included; 0: OUTSIDE_TIMEOUT */
    bool               smtp;    /* false: nobody will be visited by SMTP */
};

struct outside;

/* NULL, with a text in why (OUTSIDE_WHY_MAX bytes): an option is wrong (*usage is true), or a
   library has no memory, or a file cannot be read. */
struct outside *outside_new(const struct outside_options *options, bool *usage, char *why);
void            outside_free(struct outside *outside); /* accepts NULL; nobody is called any more */

struct resolver *outside_resolver(struct outside *outside);
struct visits   *outside_visits(struct outside *outside);

/*
 * Runs until nothing is asked any more. tick is called at least every 100 ms. False: there was no
 * memory to go on; what was asked for is then never answered.
 */
bool outside_run(struct outside *outside, void (*tick)(void *context), void *context);

#endif
