/*
 * check_run: looks at many domains, as many at once as may be, and tells of them in the order given.
 */
#ifndef TOOL_CHECK_RUN_H
#define TOOL_CHECK_RUN_H

#include "common/config.h"
#include "tool/check_judge.h"
#include "tool/domain_list.h"
#include "tool/outside.h"

enum { CHECK_JOBS_DEFAULT = 50, CHECK_JOBS_MAX = 1000 };

struct check_run {
    struct outside_options outside;
    size_t                 jobs;   /* domains at once */
    const struct config   *config; /* what it is held against; NULL: nothing */
    /* Called for each domain in turn; facts and judgement are valid for that call. */
    void (*tell)(void *context, const struct check_facts *facts,
                 const struct check_judgement *judgement);
    void *context;
};

enum check_looked {
    CHECK_LOOKED,  /* at all of them */
    CHECK_MISUSED, /* an option of outside is wrong: why (OUTSIDE_WHY_MAX bytes) says which */
    CHECK_UNABLE   /* no memory, or nobody there to ask: why says so; some may have been told */
};

/* With a progress bar on standard error where that is a terminal. */
enum check_looked check_run(const struct check_run *run, const struct domain_list *domains,
                            char *why);

#endif
