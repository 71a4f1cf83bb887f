#include "tool/check_print.h"

#include <stdio.h>
#include <string.h>

static const char bold[] = "1", green[] = "32", yellow[] = "33", red[] = "31";

static void paint(const struct check_printer *printer, const char *color, const char *text,
                  int width)
{
    int blanks = width - (int)strlen(text);

    if (printer->color)
        printf("\033[%sm%s\033[0m%*s", color, text, blanks > 0 ? blanks : 0, "");
    else
        printf("%-*s", width, text);
}

/* --- A finding: its mark and evidence, what comes of it, what to do */

enum { STEP_WIDTH = 10, MARK_WIDTH = 9 };

static void print_mark(const struct check_printer *printer, enum check_effect effect)
{
    if (effect == EFFECT_NONE)
        paint(printer, green, "ok", MARK_WIDTH);
    else if (effect == EFFECT_NOTE)
        paint(printer, green, "note", MARK_WIDTH);
    else if (effect == EFFECT_UNSEEN)
        paint(printer, yellow, "unseen", MARK_WIDTH);
    else if (effect == EFFECT_RISK)
        paint(printer, yellow, "risk", MARK_WIDTH);
    else
        paint(printer, red, "problem", MARK_WIDTH);
}

/* ours: what it comes to with this policy; full: what it would with one that is enforced. */
static const char *effect_words(enum check_effect ours, enum check_effect full)
{
    static const char *const words[] = {
        [EFFECT_NONE] = "fine",
        [EFFECT_NOTE] = "fine",
        [EFFECT_UNSEEN] = "not seen from here",
        [EFFECT_RISK] = "a risk",
        [EFFECT_NO_REPORTS] = "nobody is told of failures",
        [EFFECT_STALE] = "an old policy is kept",
        [EFFECT_NO_POLICY] = "the policy does not count",
        [EFFECT_NO_MAIL] = "mail is held up or returned",
    };

    if (ours == EFFECT_RISK && full == EFFECT_NO_MAIL)
        return "in enforce, mail would be held up or returned";
    return words[ours];
}

static void print_effects(const struct check_finding *finding)
{
    const char *rfc = effect_words(finding->rfc, finding->rule->rfc);
    const char *strictest = effect_words(finding->strictest, finding->rule->strictest);

    if (strcmp(rfc, strictest) == 0)
        printf("%s", strictest);
    else if (finding->rule->senders[0] == '\0')
        printf("by the RFC: %s; by the strictest sender: %s", rfc, strictest);
    else
        printf("by the RFC: %s; by the strictest sender: %s (%s)", rfc, strictest,
               finding->rule->senders);
}

static void print_finding(const struct check_printer *printer, const struct check_finding *finding)
{
    const int indent = 2 + STEP_WIDTH + MARK_WIDTH;

    print_mark(printer, finding->strictest);
    if (finding->where != NULL)
        printf("%s: ", finding->where);
    printf("%s\n", finding->what);
    if (finding->strictest > EFFECT_NOTE) {
        printf("%*s", indent, "");
        print_effects(finding);
        printf(" [%s]\n", finding->rule->name);
    }
    printf("%*s%s\n", indent, "", finding->rule->advice);
}

/* --- A step */

static bool is_told(const struct check_printer *printer, const struct check_finding *finding,
                    enum check_step step)
{
    return finding->rule->step == step &&
           (printer->detail == CHECK_ALL_STEPS || finding->strictest > EFFECT_NOTE);
}

/* The worst of a step, told or not: its "ok" is said only where there is nothing worse. */
static enum check_effect worst_of(const struct check_judgement *judgement, enum check_step step)
{
    enum check_effect worst = EFFECT_NONE;

    for (const struct check_finding *finding = judgement->findings; finding != NULL;
         finding = finding->next) {
        if (finding->rule->step == step && finding->strictest > worst)
            worst = finding->strictest;
    }
    return worst;
}

static void print_step(const struct check_printer *printer, const struct check_judgement *judgement,
                       enum check_step step)
{
    const char *label = check_step_name(step);
    const char *seen = judgement->seen[step];

    if (printer->detail == CHECK_ALL_STEPS && seen != NULL) {
        printf("  %-*s", STEP_WIDTH, label);
        if (worst_of(judgement, step) <= EFFECT_NOTE)
            print_mark(printer, EFFECT_NONE);
        else
            printf("%-*s", MARK_WIDTH, "");
        printf("%s\n", seen);
        label = "";
    }
    for (const struct check_finding *finding = judgement->findings; finding != NULL;
         finding = finding->next) {
        if (!is_told(printer, finding, step))
            continue;
        printf("  %-*s", STEP_WIDTH, label);
        print_finding(printer, finding);
        label = "";
    }
}

/* --- A domain */

static const char *count_words(const struct check_judgement *judgement)
{
    if (judgement->verdict == CHECK_UNSEEN)
        return "not all could be looked at from here";
    if (judgement->counts_strictest)
        return "the policy counts, by the RFC and by the strictest sender";
    if (judgement->counts_rfc)
        return "the policy counts by the RFC, and does not by the strictest sender";
    return "the policy does not count";
}

static void print_text(const struct check_printer *printer, const struct check_facts *facts,
                       const struct check_judgement *judgement)
{
    static const char *const colors[CHECK_VERDICTS] = {
        [CHECK_FINE] = green, [CHECK_UNSEEN] = yellow, [CHECK_PROBLEMS] = red
    };

    paint(printer, bold, facts->domain, 0);
    printf(": ");
    paint(printer, colors[judgement->verdict], check_verdict_name(judgement->verdict), 0);
    printf(": %s\n", count_words(judgement));
    for (enum check_step step = 0; step < STEPS; step++)
        print_step(printer, judgement, step);
}

/* --- All of them */

void check_print(struct check_printer *printer, const struct check_facts *facts,
                 const struct check_judgement *judgement)
{
    printer->verdicts[judgement->verdict]++;
    if (printer->json) {
        fputs(printer->printed == 0 ? "[\n" : ",\n", stdout);
        printer->lost |= !check_print_json(facts, judgement);
    } else {
        print_text(printer, facts, judgement);
    }
    printer->printed++;
}

void check_print_end(struct check_printer *printer)
{
    if (printer->json)
        puts(printer->printed == 0 ? "[]" : "\n]");
    else if (printer->printed > 1)
        printf("%zu domains: %zu fine, %zu with problems, %zu not wholly seen\n", printer->printed,
               printer->verdicts[CHECK_FINE], printer->verdicts[CHECK_PROBLEMS],
               printer->verdicts[CHECK_UNSEEN]);
}
