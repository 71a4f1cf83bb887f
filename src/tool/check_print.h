/*
 * check_print: tells of a judgement: as text for a person, or as JSON for a program.
 */
#ifndef TOOL_CHECK_PRINT_H
#define TOOL_CHECK_PRINT_H

#include "tool/check_judge.h"

/* How much text there is to be. */
enum check_detail {
    CHECK_PROBLEMS_ONLY, /* a line, and what is worse than a note */
    CHECK_ALL_STEPS
};

struct check_printer {
    bool              json;
    bool              color;
    enum check_detail detail;
    size_t            printed;                  /* domains so far */
    size_t            verdicts[CHECK_VERDICTS]; /* how many had each */
    bool              lost;                     /* there was no memory to print one */
};

/* All print to standard output. */
void check_print(struct check_printer *printer, const struct check_facts *facts,
                 const struct check_judgement *judgement);
void check_print_end(struct check_printer *printer);

/* The JSON of one domain, on one line, without what separates it; false: there was no memory. */
bool check_print_json(const struct check_facts *facts, const struct check_judgement *judgement);

#endif
