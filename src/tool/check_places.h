/*
 * check_places: finds the addresses of a host, and visits each.
 */
#ifndef TOOL_CHECK_PLACES_H
#define TOOL_CHECK_PLACES_H

#include "common/region.h"
#include "tool/check_facts.h"
#include "tool/outside.h"

enum check_visit { CHECK_POLICY_HOST, CHECK_MX_HOST };

/*
 * Fills places, all of which lives in the region, and then calls done, never from within this.
 * host, places and lost stay where they are until then; *lost is set where there is no memory.
 * False: there was none to begin with, and done is never called.
 */
bool check_places_look(struct outside *outside, struct region *region, const char *host,
                       enum check_visit visit, struct check_places *places, bool *lost,
                       void (*done)(void *context), void *context);

#endif
