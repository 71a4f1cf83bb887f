/*
 * check_gather: asks all that there is to ask about a domain, at once where it can.
 */
#ifndef TOOL_CHECK_GATHER_H
#define TOOL_CHECK_GATHER_H

#include "common/region.h"
#include "tool/check_exchangers.h"

/*
 * Looks at a domain (canonical), and then calls done, never from within this, with facts that live
 * in the region; so does all that is kept meanwhile. exchangers NULL: MX hosts are not visited.
 * False: there was no memory, and done is never called.
 */
bool check_gather(struct outside *outside, struct check_exchangers *exchangers,
                  struct region *region, const char *domain, const struct policy *configured,
                  void (*done)(void *context, const struct check_facts *facts), void *context);

#endif
