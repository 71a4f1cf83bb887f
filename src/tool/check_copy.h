/*
 * check_copy: answers outlive the call that brought them. Copies go into a region; *lost is set
 * where there is no memory, and then the copy is one of nothing.
 */
#ifndef TOOL_CHECK_COPY_H
#define TOOL_CHECK_COPY_H

#include "common/region.h"
#include "tool/check_facts.h"

void check_copy_answer(struct region *region, const struct resolver_answer *from,
                       struct resolver_answer *to, bool *lost);
void check_copy_visit(struct region *region, const struct visit *from, struct visit *to,
                      bool *lost);

#endif
