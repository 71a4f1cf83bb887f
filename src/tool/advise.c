/* mta-sts advise: the next safe step of a domain, from nothing to enforce, and out again. */
#include "tool/advise_see.h"
#include "tool/advise_text.h"
#include "tool/check_options.h"
#include "tool/command.h"
#include "tool/datetime.h"
#include "tool/mail.h"
#include "tool/report_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: mta-sts advise [-c FILE] [--reports PATH]... [--state FILE]\n"
    "                      [--resolver ADDR[:PORT]] [--ca FILE] [--connect-to FROM:TO]...\n"
    "                      [--no-smtp] [--timeout SECONDS] [--jobs N] DOMAIN... | --all\n"
    "\n"
    "Looks at each DOMAIN as mta-sts check does, reads what senders have reported, and says\n"
    "which step is the next safe one: from no policy to mode testing, to enforce, to a longer\n"
    "max_age, and the way out again; why, and what is missing for it. Prints what is to be\n"
    "pasted into the configuration and into DNS; changes neither. Enforce is advised after 14\n"
    "days of reports from two senders or more, without a failure that is not explained.\n"
    "\n"
    "  -c, --config FILE\n"
    "                   the server's configuration (default: " COMMAND_CONFIG ")\n"
    "  --all            every domain of it\n"
    "  --reports PATH   TLS reports, as for mta-sts report; repeatable\n"
    "  --state FILE     remember what was seen: since when a policy is served, and the longest\n"
    "                   max_age that ever was; without it, 31557600 seconds are assumed\n"
    "And as for mta-sts check:\n"
    "  --resolver ADDR  whom to ask\n"
    "  --ca FILE        whom to trust\n"
    "  --connect-to HOST1:PORT1:HOST2:PORT2\n"
    "                   where to connect; repeatable\n"
    "  --no-smtp        leave the MX hosts alone: then enforce is not advised\n"
    "  --timeout SECONDS\n"
    "                   for a policy\n"
    "  --jobs N         domains at once\n"
    "\n"
    "Exit status: 0, the next step of each is told; 1, something has to be mended first; 2, how\n"
    "it was called; 3, it could not look, or not read or write the state.\n";

enum { REPORTS = CHECK_OPTION_OWN, STATE };

struct advise {
    struct check_options      options;
    const char               *state_path; /* NULL: none is kept */
    struct advise_state      *state;
    struct report_reader      reader;
    const struct report_sums *sums; /* NULL: none were given */
    const struct config      *config;
    size_t                    told;
    bool                      stopped; /* something has to be mended, of any */
    bool                      unseen;  /* one could not be looked at */
    bool                      lost;    /* there was no memory for one */
};

static int out_of_memory(void)
{
    command_tell("out of memory");
    return COMMAND_UNABLE;
}

/* The one place where the time comes from. */
static int64_t now(void)
{
    return time(NULL);
}

/* --- Options */

static int take_report(struct advise *advise, const char *path)
{
    if (advise->reader.counter == NULL) {
        struct report_wanted all = { .since = TLSRPT_NO_TIME };

        advise->reader.counter = report_counter_new(&all);
        if (advise->reader.counter == NULL)
            return out_of_memory();
        mail_start();
    }
    report_read(&advise->reader, path);
    return advise->reader.out_of_memory ? out_of_memory() : COMMAND_FINE;
}

static int take_state(struct advise *advise, const char *path)
{
    if (advise->state_path != NULL)
        return command_misused(&advise_command, "there is one --state, not two");
    advise->state_path = path;
    return COMMAND_FINE;
}

/* Reports are read in a second go, when it is known that it was called rightly. */
static int take_options(struct advise *advise, int argc, char **argv, bool read)
{
    static const struct option options[] = { CHECK_OPTIONS_LONG,
                                             { "reports", required_argument, NULL, REPORTS },
                                             { "state", required_argument, NULL, STATE },
                                             { NULL, 0, NULL, 0 } };
    int                        option, result = COMMAND_FINE;

    opterr = 0;
    optind = 0; /* from the start */
    while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
        if (option == REPORTS && read)
            result = take_report(advise, optarg);
        else if (read || option == REPORTS)
            continue;
        else if (option == STATE)
            result = take_state(advise, optarg);
        else
            result = check_options_take(&advise->options, &advise_command, option, optarg,
                                        argv[optind - 1]);
        if (result != COMMAND_FINE)
            return result;
    }
    return read ? COMMAND_FINE
                : check_options_end(&advise->options, &advise_command, argc - optind);
}

/* --- One domain */

static struct advise_evidence weigh(const struct advise           *advise,
                                    const struct advise_situation *situation, const char *domain)
{
    struct advise_wanted   wanted = { .domain = domain,
                                      .today = datetime_day(situation->now),
                                      .since = advise_evidence_since(situation->seen) };
    struct advise_evidence evidence;

    /* Before its id is out, hardly a sender has seen it enforced: then testing speaks for it. */
    wanted.enforced = situation->served && situation->mode == POLICY_ENFORCE && !situation->stale;
    advise_evidence(advise->sums, &wanted, &evidence);
    evidence.unread = advise->reader.refused;
    return evidence;
}

/* False: there was no memory. */
static bool remember(struct advise *advise, const struct check_facts *facts,
                     const struct check_judgement *judgement, struct advise_situation *situation)
{
    struct advise_seen *seen;
    struct advise_look  look;

    if (advise->state == NULL || !situation->looked)
        return true;
    seen = advise_state_of(advise->state, facts->domain);
    if (seen == NULL || !advise_see_look(facts, judgement, situation, &look))
        return false;
    situation->stale |= advise_state_is_same_id(seen, &look);
    advise_state_note(seen, &look);
    situation->seen = seen;
    return true;
}

static void tell(void *context, const struct check_facts *facts,
                 const struct check_judgement *judgement)
{
    struct advise          *advise = context;
    struct advise_situation situation;
    struct advise_evidence  evidence;
    struct advice           advice;
    struct advise_case      of = { .config = advise->config,
                                   .config_path = advise->options.config_path,
                                   .facts = facts,
                                   .judgement = judgement,
                                   .situation = &situation,
                                   .advice = &advice };

    advise_see(facts, judgement, now(), &situation);
    if (facts->lost || judgement->lost || !remember(advise, facts, judgement, &situation)) {
        advise->lost = true;
        return;
    }
    evidence = weigh(advise, &situation, facts->domain);
    situation.evidence = &evidence;
    advice = advise_next(&situation);
    if (advise->told++ > 0)
        putchar('\n');
    advise->lost |= !advise_text(&of);
    fflush(stdout);
    advise->stopped |= advice.step == ADVISE_MEND || advice.step == ADVISE_FAILURES;
    advise->unseen |= advice.step == ADVISE_LOOK_AGAIN;
}

/* --- All of them */

static int keep_state(const struct advise *advise)
{
    char why[ADVISE_STATE_WHY_MAX];

    if (advise->state == NULL ||
        advise_state_write(advise->state, advise->state_path, why) == ADVISE_STATE_FINE)
        return COMMAND_FINE;
    command_tell("%s", why);
    return COMMAND_UNABLE;
}

static int look(struct advise *advise, const struct domain_list *domains)
{
    char              why[OUTSIDE_WHY_MAX];
    enum check_looked looked = check_run(&advise->options.run, domains, why);

    if (looked == CHECK_MISUSED)
        return command_misused(&advise_command, "%s", why);
    if (looked == CHECK_UNABLE || advise->lost) {
        command_tell("%s", looked == CHECK_UNABLE ? why : "out of memory: not all is told");
        return COMMAND_UNABLE;
    }
    if (keep_state(advise) != COMMAND_FINE || advise->unseen)
        return COMMAND_UNABLE;
    return advise->stopped ? COMMAND_PROBLEMS : COMMAND_FINE;
}

static int look_at_typed(struct advise *advise, char **typed, size_t count)
{
    struct domain_list domains = { 0 };
    int                result = advise->options.all
                                    ? domain_list_all(&domains, advise->config)
                                    : domain_list_typed(&domains, &advise_command, typed, count, NULL);

    if (result == COMMAND_FINE)
        result = look(advise, &domains);
    domain_list_free(&domains);
    return result;
}

static int read_state(struct advise *advise)
{
    char                     why[ADVISE_STATE_WHY_MAX];
    enum advise_state_result result;

    if (advise->state_path == NULL)
        return COMMAND_FINE;
    result = advise_state_read(advise->state_path, &advise->state, why);
    if (result == ADVISE_STATE_NO_MEMORY)
        return out_of_memory();
    if (result == ADVISE_STATE_FINE)
        return COMMAND_FINE;
    command_tell("%s", why);
    return COMMAND_UNABLE;
}

/* A domain may be without a configuration yet, if none is named. */
static int read_config(struct advise *advise, struct config **config)
{
    const char *path = advise->options.config_path;

    *config = NULL;
    if (path == NULL) {
        advise->options.config_path = COMMAND_CONFIG;
        if (access(COMMAND_CONFIG, F_OK) != 0 && errno == ENOENT)
            return COMMAND_FINE;
    }
    *config = command_load_config_with_places(advise->options.config_path);
    return *config == NULL ? COMMAND_PROBLEMS : COMMAND_FINE;
}

static int read_reports(struct advise *advise, int argc, char **argv)
{
    int result = take_options(advise, argc, argv, true);

    if (result != COMMAND_FINE || advise->reader.counter == NULL)
        return result;
    mail_end();
    advise->sums = report_counter_sums(advise->reader.counter);
    return advise->sums == NULL ? out_of_memory() : COMMAND_FINE;
}

static int run(int argc, char **argv)
{
    struct advise  advise = { .state_path = NULL };
    struct config *config = NULL;
    int            result;

    check_options_init(&advise.options);
    result = take_options(&advise, argc, argv, false);
    if (result == COMMAND_FINE)
        result = read_state(&advise);
    if (result == COMMAND_FINE)
        result = read_config(&advise, &config);
    if (result == COMMAND_FINE)
        result = read_reports(&advise, argc, argv);
    if (result == COMMAND_FINE) {
        advise.config = advise.options.run.config = config;
        advise.options.run.tell = tell;
        advise.options.run.context = &advise;
        result = look_at_typed(&advise, argv + optind, (size_t)(argc - optind));
    }
    report_reader_fini(&advise.reader);
    report_counter_free(advise.reader.counter);
    advise_state_free(advise.state);
    config_free(config);
    return command_printed() ? result : COMMAND_UNABLE;
}

const struct command advise_command = {
    .name = "advise",
    .summary = "the next safe step towards enforce, or out, and why",
    .help = help,
    .run = run,
};
