#include "tool/advise_text.h"

#include "tool/advise_see.h"
#include "tool/datetime.h"
#include "tool/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *day_text(int64_t seconds, char out[DATETIME_DAY_SIZE])
{
    return datetime_day_text(datetime_day(seconds), out);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* --- Where it stands */

static void print_standing(const struct advise_situation *situation)
{
    char age[ADVISE_AGE_TEXT];

    if (!situation->looked)
        return;
    if (situation->served)
        printf("  Served is mode %s, max_age %" PRIu32 " (%s); ", policy_mode_name(situation->mode),
               situation->max_age, advise_age_text(situation->max_age, age));
    else
        printf("  No policy is served; ");
    if (!situation->published)
        puts("there is no record.");
    else
        puts(situation->stale ? "the record has another id than the configured policy."
                              : "the record is there.");
}

static void print_failure(const struct advise_evidence *evidence)
{
    char day[DATETIME_DAY_SIZE];

    printf("  %" PRIu32 " failure%s not explained, the last ", evidence->failures,
           plural(evidence->failures));
    if (evidence->example.day != REPORT_NO_DAY)
        printf("on %s ", datetime_day_text(evidence->example.day, day));
    fputs("by ", stdout);
    printable_put(evidence->example.sender, stdout);
    fputs(": ", stdout);
    printable_put(evidence->example.type[0] != '\0' ? evidence->example.type : "of no type",
                  stdout);
    if (evidence->example.host[0] != '\0') {
        fputs(" at ", stdout);
        printable_put(evidence->example.host, stdout);
    }
    puts(".");
}

static void print_evidence(const struct advise_situation *situation)
{
    const struct advise_evidence *evidence = situation->evidence;
    char                          day[DATETIME_DAY_SIZE];

    if (!evidence->given || !situation->looked || !situation->published)
        return;
    printf("  Reports of the last %d days: %" PRIu32 " day%s count%s, from %" PRIu32
           " sender%s, with %" PRIu64 " session%s",
           ADVISE_WINDOW, evidence->days, plural(evidence->days), evidence->days == 1 ? "s" : "",
           evidence->senders, plural(evidence->senders), evidence->worked,
           plural(evidence->worked));
    if (evidence->last_day != REPORT_NO_DAY)
        printf(", the last of %s", datetime_day_text(evidence->last_day, day));
    puts(".");
    if (evidence->older > 0)
        printf("  %" PRIu32
               " more day%s not: from before this policy or these MX hosts, or too old.\n",
               evidence->older, evidence->older == 1 ? " does" : "s do");
    if (evidence->explained > 0)
        printf("  %" PRIu32
               " failure%s explained: mended %d days ago or more, and delivered to since.\n",
               evidence->explained, plural(evidence->explained), ADVISE_DAYS);
    if (evidence->failures > 0)
        print_failure(evidence);
}

/* --- What is missing */

static void print_missing(const struct advise_situation *situation, unsigned missing)
{
    const struct advise_evidence *evidence = situation->evidence;

    if (missing == 0)
        return;
    puts("  What is missing:");
    if (missing & ADVISE_MISSING_REPORTS)
        printf(
            "  - the reports that senders sent: --reports PATH; %d days of them, from %d senders\n",
            ADVISE_DAYS, ADVISE_SENDERS);
    if (missing & ADVISE_MISSING_DAYS)
        printf("  - days with reports under this policy: %" PRIu32 " of %d\n", evidence->days,
               ADVISE_DAYS);
    if (missing & ADVISE_MISSING_SENDERS)
        printf("  - senders that report: %" PRIu32 " of %d\n", evidence->senders, ADVISE_SENDERS);
    if (missing & ADVISE_MISSING_FRESH)
        printf("  - a report of the last %d days\n", ADVISE_FRESH);
    if (missing & ADVISE_MISSING_UNREAD)
        printf("  - the reports that could not be read: %" PRIu32
               ", told beside; one may be of a failure\n",
               evidence->unread);
    if (missing & ADVISE_MISSING_MX_LOOK)
        puts("  - a look at the MX hosts: ask from where port 25 is open, without --no-smtp");
    if (missing & ADVISE_MISSING_STATE)
        puts("  - since when this max_age is served: keep --state FILE, from now on");
}

static void print_problems(const struct check_judgement *judgement, bool unseen_too)
{
    for (const struct check_finding *finding = judgement->findings; finding;
         finding = finding->next) {
        if (!advise_is_problem(finding) && !(unseen_too && finding->strictest == EFFECT_UNSEEN))
            continue;
        printf("  - ");
        if (finding->where != NULL)
            printf("%s: ", finding->where);
        printf("%s [%s]\n    %s\n", finding->what, finding->rule->name, finding->rule->advice);
    }
}

/* --- The steps */

struct steps {
    const struct advise_case *of;
    int                       number;
    bool                      fine;
};

static void begin_step(struct steps *steps, const char *text)
{
    printf("  %d. %s\n", ++steps->number, text);
}

static void step_change(struct steps *steps)
{
    const struct advise_case *of = steps->of;

    printf("  %d. In %s:\n\n", ++steps->number, of->config_path);
    if (of->facts->configured != NULL)
        steps->fine &= advise_lines_change(of->config, of->facts, of->advice);
    else
        steps->fine &= advise_lines_section(of->facts, of->advice);
    putchar('\n');
}

static void step_reload(struct steps *steps)
{
    begin_step(steps, "mta-stsd -t, and where that has no error: systemctl reload mta-stsd");
}

/* The record that is there has the id that is set by hand, and the policy has changed. */
static bool is_set_by_hand(const struct advise_case *of)
{
    return of->facts->configured->id != NULL && of->judgement->id != NULL &&
           strcmp(of->facts->configured->id, of->judgement->id) == 0;
}

static void step_record(struct steps *steps)
{
    const struct advise_case *of = steps->of;

    if (of->facts->configured == NULL)
        return;
    if (of->advice->step == ADVISE_PUBLISH_ID && is_set_by_hand(of)) {
        begin_step(steps, "The id is set by hand, and is still that of the policy before. Take the "
                          "line id out: it is\n     derived then, and changes with the policy.");
        step_reload(steps);
        begin_step(steps, "In DNS, what mta-sts dns prints then.");
        return;
    }
    printf("  %d. %s%s:\n\n", ++steps->number,
           of->advice->change ? "Once that is served, in DNS" : "In DNS",
           of->situation->published ? ", in place of the record of this name" : "");
    steps->fine &= advise_lines_record(of->facts, of->advice);
    putchar('\n');
}

static void step_reports(struct steps *steps)
{
    const struct advise_case *of = steps->of;

    if (of->facts->configured == NULL) {
        begin_step(steps, "In DNS, at _smtp._tls: where senders' reports are to go.");
    } else if (of->facts->configured->rua_count > 0) {
        begin_step(steps, "In DNS:\n");
        steps->fine &= advise_lines_reports(of->facts);
        putchar('\n');
    } else {
        printf("  %d. Where reports are to go, in %s:\n\n", ++steps->number, of->config_path);
        steps->fine &= advise_lines_rua(of->config, of->facts);
        putchar('\n');
        begin_step(steps, "In DNS, what mta-sts dns prints then.");
    }
}

static void print_cached(const struct advice *advice)
{
    char day[DATETIME_DAY_SIZE];

    printf("  Senders may keep an older policy until %s.\n", day_text(advice->until, day));
    if (advice->assumed)
        puts("  That is from today, with the longest max_age that there can be: what was served "
             "before is not\n"
             "  known here. With --state FILE it counts down from the first look.");
}

static void tell_restore(struct steps *steps)
{
    puts("  The record is gone, and what senders keep is not: they hold mail to the policy that "
         "they\n"
         "  know, and without a record nobody looks for another.");
    print_cached(steps->of->advice);
    if (steps->of->advice->change) {
        step_change(steps);
        step_reload(steps);
        begin_step(steps, "The records that mta-sts dns prints then, and the way out from there.");
        return;
    }
    begin_step(steps, "Serve the configured policy, if it is not.");
    step_record(steps);
    begin_step(steps, "To leave: mode = none, and ask again.");
}

static void tell_left(struct steps *steps)
{
    if (steps->of->situation->seen == NULL && steps->of->advice->step == ADVISE_LEFT)
        puts("  What was served before is not known here. Was it enforced within its max_age: put "
             "the\n"
             "  record back until that is over.");
    begin_step(steps,
               "A day after the record has gone, when no cache has it any more: the section, the "
               "policy host's\n     records and its certificate.");
    begin_step(steps, "_smtp._tls may stay: DANE's senders report there, too.");
}

static void tell_remove(struct steps *steps)
{
    printf("  %d. Out of DNS, first: the TXT record _mta-sts.%s. From then on nobody looks.\n",
           ++steps->number, steps->of->facts->domain);
    tell_left(steps);
}

static void tell_failures(struct steps *steps)
{
    printf("  %d. See what fails, and to whom, in the same reports: mta-sts report --domain %s "
           "PATH...\n",
           ++steps->number, steps->of->facts->domain);
    printf("  %d. Mend it. What certificates, STARTTLS and the policy host were guilty of counts "
           "for %d days\n"
           "     more, and then until the same sender has delivered; anything else for %d.\n",
           ++steps->number, ADVISE_DAYS, ADVISE_WINDOW);
    if (steps->of->situation->served && steps->of->situation->mode == POLICY_ENFORCE)
        puts("  Meanwhile the senders concerned hold mail or return it: that is what enforce is "
             "for, where\n"
             "  somebody is in between. Is it your own slip, and can't be mended today: mode = "
             "testing, reload,\n"
             "  and the new id.");
}

static void tell_change(struct steps *steps)
{
    step_change(steps);
    step_reload(steps);
    step_record(steps);
}

static void tell_take_back(struct steps *steps)
{
    puts("  The configuration is ahead: what senders have once taken they keep, and it can't be "
         "taken back.");
    print_missing(steps->of->situation, steps->of->advice->missing);
    step_change(steps);
    if (steps->of->situation->as_configured && steps->of->situation->served)
        step_reload(steps);
}

static void tell_serve(struct steps *steps)
{
    begin_step(
        steps,
        "The policy host's address in DNS, mta-stsd on it, and a certificate. What is wrong yet:");
    print_problems(steps->of->judgement, true);
}

static void tell_mend(struct steps *steps)
{
    puts("  First this has to be mended:");
    print_problems(steps->of->judgement, false);
    if (steps->of->situation->problems == 0)
        puts("  - the policy is not served any more: see mta-sts check -v");
}

static void tell_look_again(struct steps *steps)
{
    puts("  Too little could be looked at from here to say anything:");
    print_problems(steps->of->judgement, true);
}

static void tell_configure(struct steps *steps)
{
    step_change(steps);
    begin_step(steps, "The server, the policy host's address and a certificate: see mta-stsd(8).");
}

static void tell_missing(struct steps *steps)
{
    print_missing(steps->of->situation, steps->of->advice->missing);
}

static void tell_leave_wait(struct steps *steps)
{
    print_cached(steps->of->advice);
    puts("  Until then leave the record, the policy host and its certificate as they are.");
}

static void tell_not_needed(struct steps *steps)
{
    (void)steps;
    puts("  Its MX record says that it takes no mail: it needs no policy.");
}

static void tell_leave(struct steps *steps)
{
    if (steps->of->situation->null_mx)
        puts("  Its MX record says that it takes no mail. If that is meant to stay, it needs no "
             "policy.");
    tell_change(steps);
}

static const struct {
    const char *title;
    void (*tell)(struct steps *steps);
} words[ADVISE_STEPS] = {
    [ADVISE_LOOK_AGAIN] = { "look again", tell_look_again },
    [ADVISE_MEND] = { "mend what is wrong", tell_mend },
    [ADVISE_FAILURES] = { "look into what failed", tell_failures },
    [ADVISE_NOT_NEEDED] = { "none", tell_not_needed },
    [ADVISE_CONFIGURE] = { "begin in mode testing", tell_configure },
    [ADVISE_TAKE_BACK] = { "take the configuration back", tell_take_back },
    [ADVISE_SERVE] = { "serve the policy", tell_serve },
    [ADVISE_RELOAD] = { "have the server take up the configuration", step_reload },
    [ADVISE_REPORTS] = { "ask for reports", step_reports },
    [ADVISE_PUBLISH] = { "publish the record", step_record },
    [ADVISE_PUBLISH_ID] = { "publish the new id", step_record },
    [ADVISE_WAIT] = { "wait", tell_missing },
    [ADVISE_ENFORCE] = { "enforce", tell_change },
    [ADVISE_MAX_AGE] = { "another max_age", tell_change },
    [ADVISE_KEEP] = { "none: all is done", tell_missing },
    [ADVISE_RESTORE] = { "put the record back", tell_restore },
    [ADVISE_LEAVE] = { "mode none", tell_leave },
    [ADVISE_LEAVE_WAIT] = { "wait", tell_leave_wait },
    [ADVISE_REMOVE] = { "remove the record, then the rest", tell_remove },
    [ADVISE_LEFT] = { "remove what is left", tell_left },
};

bool advise_text(const struct advise_case *of)
{
    struct steps steps = { .of = of, .fine = true };
    char         day[DATETIME_DAY_SIZE];

    printf("%s: next step: %s\n", of->facts->domain, words[of->advice->step].title);
    print_standing(of->situation);
    if (of->advice->step < ADVISE_RESTORE) /* the way out needs none */
        print_evidence(of->situation);
    words[of->advice->step].tell(&steps);
    if (of->advice->ask_again != 0)
        printf("  Ask again on %s.\n", day_text(of->advice->ask_again, day));
    else if (of->advice->step == ADVISE_LOOK_AGAIN)
        puts("  Ask again when that answers.");
    else if (of->advice->step != ADVISE_NOT_NEEDED)
        puts("  Ask again when this is done.");
    return steps.fine;
}
