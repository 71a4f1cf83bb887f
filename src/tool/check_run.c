#include "tool/check_run.h"

#include "tool/check_gather.h"
#include "tool/progress.h"

#include <stdio.h>
#include <stdlib.h>

/* Domains that may have been looked at and wait to be told of, for each one at work: one that takes
   long holds up those behind it, and their memory. */
enum { AHEAD = 10 };

/* One domain from its first question until it is told of. */
struct job {
    struct work              *work;
    struct region            *region;
    const struct check_facts *facts; /* NULL: there are none yet */
};

struct work {
    const struct check_run   *run;
    const struct domain_list *domains;
    struct outside           *outside;
    struct check_exchangers  *exchangers; /* NULL: they are left alone */
    struct job               *jobs;       /* one for each domain */
    size_t                    started;    /* domains that were asked about */
    size_t                    running;    /* of these, without an answer so far */
    size_t                    told;
    struct progress           progress;
    bool                      lost; /* there was no memory for something */
};

/* --- Telling */

static void tell(struct work *work, struct job *job)
{
    struct check_judgement judgement;

    check_judge(job->region, job->facts, time(NULL), &judgement);
    work->lost |= judgement.lost;
    progress_clear(&work->progress);
    work->run->tell(work->run->context, job->facts, &judgement);
    region_free(job->region);
    job->region = NULL;
}

static void tell_ready(struct work *work)
{
    while (work->told < work->started && work->jobs[work->told].facts != NULL)
        tell(work, &work->jobs[work->told++]);
}

/* --- Looking */

static void start_more(struct work *work);

static void on_facts(void *context, const struct check_facts *facts)
{
    struct job  *job = context;
    struct work *work = job->work;

    job->facts = facts;
    work->running--;
    work->progress.done++;
    tell_ready(work);
    start_more(work);
}

static bool start(struct work *work, const char *domain, struct job *job)
{
    job->work = work;
    job->region = region_new();
    return job->region != NULL &&
           check_gather(work->outside, work->exchangers, job->region, domain,
                        domain_list_policy(work->run->config, domain), on_facts, job);
}

static void start_more(struct work *work)
{
    const struct domain_list *domains = work->domains;
    size_t                    jobs = work->run->jobs;

    while (!work->lost && work->running < jobs && work->started < domains->count &&
           work->started - work->told < AHEAD * jobs) {
        size_t next = work->started++;

        work->lost |= !start(work, domains->names[next], &work->jobs[next]);
        work->running++;
    }
}

static void on_tick(void *context)
{
    struct work *work = context;

    progress_draw(&work->progress);
}

static void look(struct work *work)
{
    progress_begin(&work->progress, work->domains->count);
    start_more(work);
    work->lost |= !outside_run(work->outside, on_tick, work);
    progress_clear(&work->progress);
    work->lost |= work->told < work->domains->count ||
                  (work->exchangers != NULL && check_exchangers_lost(work->exchangers));
}

/* --- All of it */

static bool prepare(struct work *work)
{
    work->jobs = calloc(work->domains->count, sizeof(*work->jobs));
    if (work->run->outside.smtp)
        work->exchangers = check_exchangers_new(work->outside);
    return work->jobs != NULL && (work->exchangers != NULL || !work->run->outside.smtp);
}

static void forget(struct work *work)
{
    outside_free(work->outside); /* after this nobody calls back into a region */
    check_exchangers_free(work->exchangers);
    for (size_t i = 0; work->jobs != NULL && i < work->domains->count; i++)
        region_free(work->jobs[i].region);
    free(work->jobs);
}

enum check_looked check_run(const struct check_run *run, const struct domain_list *domains,
                            char *why)
{
    struct work       work = { .run = run, .domains = domains };
    bool              misused = false;
    enum check_looked looked = CHECK_LOOKED;

    if (domains->count == 0)
        return CHECK_LOOKED; /* a configuration with nothing but [*] */
    work.outside = outside_new(&run->outside, &misused, why);
    if (work.outside == NULL)
        return misused ? CHECK_MISUSED : CHECK_UNABLE;
    if (prepare(&work))
        look(&work);
    else
        work.lost = true;
    if (work.lost)
        snprintf(why, OUTSIDE_WHY_MAX, "out of memory: not all was looked at");
    else if (resolver_answers(outside_resolver(work.outside)) == 0)
        snprintf(why, OUTSIDE_WHY_MAX, "the resolver does not answer: nothing could be looked at");
    if (work.lost || resolver_answers(outside_resolver(work.outside)) == 0)
        looked = CHECK_UNABLE;
    forget(&work);
    return looked;
}
