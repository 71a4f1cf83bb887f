/*
 * advise_see: what a look from outside says of a domain's situation.
 */
#ifndef TOOL_ADVISE_SEE_H
#define TOOL_ADVISE_SEE_H

#include "tool/advise_step.h"
#include "tool/check_judge.h"

/* Fills in all but evidence and seen. */
void advise_see(const struct check_facts *facts, const struct check_judgement *judgement,
                int64_t now, struct advise_situation *situation);

/* The same look, to be remembered. False: there was no memory. */
bool advise_see_look(const struct check_facts *facts, const struct check_judgement *judgement,
                     const struct advise_situation *situation, struct advise_look *look);

/* Is it one of those that stop a step, and not a step of its own? */
bool advise_is_problem(const struct check_finding *finding);

#endif
