/*
 * check_exchangers: the MX hosts of all domains, each looked up and visited once, however many
 * domains have it.
 */
#ifndef TOOL_CHECK_EXCHANGERS_H
#define TOOL_CHECK_EXCHANGERS_H

#include "tool/check_facts.h"
#include "tool/outside.h"

struct check_exchangers;

/* NULL: no memory. */
struct check_exchangers *check_exchangers_new(struct outside *outside);
void                     check_exchangers_free(struct check_exchangers *exchangers);

/*
 * The MX host of that name, whose places are known when done has been called, which is never from
 * within this; or already, and then *known is true and done is never called. NULL: no memory, and
 * done is never called. It lives as long as exchangers.
 */
const struct check_exchanger *check_exchangers_visit(struct check_exchangers *exchangers,
                                                     const char *host, bool            *known,
                                                     void (*done)(void *context), void *context);

/* Was there no memory for all that was seen? */
bool check_exchangers_lost(const struct check_exchangers *exchangers);

#endif
