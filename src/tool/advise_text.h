/*
 * advise_text: the next step of a domain in plain words, with what is to be pasted.
 */
#ifndef TOOL_ADVISE_TEXT_H
#define TOOL_ADVISE_TEXT_H

#include "tool/advise_lines.h"
#include "tool/check_judge.h"

/* A domain, and what is to be told of it. */
struct advise_case {
    const struct config           *config; /* loaded with places; NULL: there is none */
    const char                    *config_path;
    const struct check_facts      *facts;
    const struct check_judgement  *judgement;
    const struct advise_situation *situation;
    const struct advice           *advice;
};

/* To standard output. False: there was no memory. */
bool advise_text(const struct advise_case *of);

#endif
