#include "tool/check_judge_internal.h"
#include "tool/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whoever is looked at writes what is told of it, and must not make it endless, nor others wait. */
enum {
    QUOTE_MAX = 200,   /* bytes of what a stranger wrote, in one quotation */
    TEXT_MAX = 1024,   /* bytes of one piece of evidence */
    SEEN_MAX = 1024,   /* bytes of what was seen in a step, or little more */
    PLACES_MAX = 16,   /* where one thing was found */
    FINDINGS_MAX = 16, /* of one rule */
};

const char *check_verdict_name(enum check_verdict verdict)
{
    static const char *const names[CHECK_VERDICTS] = {
        [CHECK_FINE] = "fine", [CHECK_UNSEEN] = "unseen", [CHECK_PROBLEMS] = "problems"
    };

    return names[verdict];
}

/* --- Texts */

/* The text, printable, in the region; "" where there is no memory. */
static const char *print(struct judge *judge, const char *text)
{
    char  *printed = NULL, *kept = NULL;
    size_t whole = strlen(text), len;
    FILE  *stream = open_memstream(&printed, &len);

    if (stream != NULL) {
        printable_put_bytes(text, whole < TEXT_MAX ? whole : TEXT_MAX, stream);
        if (whole > TEXT_MAX)
            fputs("...", stream);
        if (fclose(stream) == 0)
            kept = region_string(judge->region, printed, len);
    }
    free(printed);
    judge->out->lost |= kept == NULL;
    return kept == NULL ? "" : kept;
}

static const char *format_text(struct judge *judge, const char *format, va_list arguments)
{
    char       *text;
    const char *printed = "";

    if (vasprintf(&text, format, arguments) < 0) {
        judge->out->lost = true;
        return printed;
    }
    printed = print(judge, text);
    free(text);
    return printed;
}

/* a, b: or b alone where there is no a. */
static const char *join(struct judge *judge, const char *a, const char *b)
{
    size_t a_len = a == NULL ? 0 : strlen(a), b_len = strlen(b);
    char  *text;

    if (a == NULL)
        return b;
    text = region_bytes(judge->region, a_len + b_len + sizeof(", "));
    if (text == NULL) {
        judge->out->lost = true;
        return a;
    }
    memcpy(text, a, a_len);
    memcpy(text + a_len, ", ", 2);
    memcpy(text + a_len + 2, b, b_len + 1);
    return text;
}

const char *judge_quote(struct judge *judge, struct txt_slice slice)
{
    size_t len = slice.len < QUOTE_MAX ? slice.len : QUOTE_MAX;
    char  *text = region_bytes(judge->region, len + sizeof("..."));

    if (text == NULL) {
        judge->out->lost = true;
        return "";
    }
    for (size_t i = 0; i < len; i++)
        text[i] = slice.at[i] == '\0' ? '?' : slice.at[i];
    memcpy(text + len, len < slice.len ? "..." : "", len < slice.len ? 4 : 1);
    return text;
}

void judge_see(struct judge *judge, enum check_step step, const char *format, ...)
{
    const char *before = judge->out->seen[step];
    va_list     arguments;
    const char *text;

    if (before != NULL && strlen(before) > SEEN_MAX) {
        judge->unsaid[step]++;
        return;
    }
    va_start(arguments, format);
    text = format_text(judge, format, arguments);
    va_end(arguments);
    judge->out->seen[step] = join(judge, before, text);
}

/* --- Findings */

static enum check_effect milder(enum check_effect a, enum check_effect b)
{
    return a < b ? a : b;
}

static bool is_about_mx(enum check_step step)
{
    return step == STEP_MX || step == STEP_STARTTLS;
}

/* What an effect on MX hosts comes to with the policy that is served. */
static enum check_effect worst_for(const struct judge *judge, enum check_step step)
{
    const struct check_judgement *out = judge->out;

    if (!is_about_mx(step))
        return EFFECT_NO_MAIL;
    if (out->has_policy && out->policy.mode == BODY_MODE_NONE)
        return EFFECT_NOTE;
    return out->has_policy && out->policy.mode == BODY_MODE_ENFORCE ? EFFECT_NO_MAIL : EFFECT_RISK;
}

/* By the RFC, where nothing counts nothing holds mail up; a sender that takes more may do so. */
static enum check_effect worst_by_rfc(const struct judge *judge, enum check_step step)
{
    const struct check_finding *finding = is_about_mx(step) ? judge->out->findings : NULL;

    while (finding != NULL && finding->rfc != EFFECT_NO_POLICY)
        finding = finding->next;
    return finding == NULL ? EFFECT_NO_MAIL : EFFECT_RISK;
}

/* The same one, found somewhere else before; NULL: there is none. */
static struct check_finding *find_same(const struct judge *judge, const struct check_rule *rule,
                                       const char *what)
{
    struct check_finding *finding = judge->out->findings;

    while (finding != NULL && (finding->rule != rule || strcmp(finding->what, what) != 0))
        finding = finding->next;
    return finding;
}

/* With the effects that it has here and no others, and without a place. */
static struct check_finding make(const struct judge *judge, const struct check_rule *rule,
                                 enum check_effect worst, const char *what)
{
    worst = milder(worst, worst_for(judge, rule->step));
    return (struct check_finding){ .rule = rule,
                                   .rfc = milder(milder(rule->rfc, worst),
                                                 worst_by_rfc(judge, rule->step)),
                                   .strictest = milder(rule->strictest, worst),
                                   .what = what };
}

/* One that speaks for another, too, is as bad as the worse of them. */
static void worsen(struct check_finding *finding, const struct check_finding *other)
{
    if (other->rfc > finding->rfc)
        finding->rfc = other->rfc;
    if (other->strictest > finding->strictest)
        finding->strictest = other->strictest;
}

static void add_place(struct judge *judge, struct check_finding *finding, const char *where)
{
    if (where == NULL)
        return;
    if (finding->places++ < PLACES_MAX)
        finding->where = join(judge, finding->where, print(judge, where));
}

/* NULL: there is no memory, or there are too many like it, of which the last now speaks for it. */
static struct check_finding *add(struct judge *judge, const struct check_finding *made)
{
    struct judge_tally   *tally = &judge->tallies[made->rule - check_rules];
    struct check_finding *finding;

    if (tally->found++ >= FINDINGS_MAX && tally->last != NULL) {
        worsen(tally->last, made);
        return NULL;
    }
    finding = region_alloc(judge->region, sizeof(*finding));
    if (finding == NULL) {
        judge->out->lost = true;
        return NULL;
    }
    *finding = *made;
    tally->last = finding;
    *judge->last = finding;
    judge->last = &finding->next;
    return finding;
}

static void find(struct judge *judge, enum check_code code, enum check_effect worst,
                 const char *where, const char *what)
{
    const struct check_rule *rule = &check_rules[code];
    struct check_finding     made = make(judge, rule, worst, what);
    struct check_finding    *finding = find_same(judge, rule, what);

    if (finding != NULL)
        worsen(finding, &made);
    else
        finding = add(judge, &made);
    if (finding != NULL)
        add_place(judge, finding, where);
}

void judge_find(struct judge *judge, enum check_code code, const char *where, const char *format,
                ...)
{
    va_list arguments;

    va_start(arguments, format);
    find(judge, code, EFFECT_NO_MAIL, where, format_text(judge, format, arguments));
    va_end(arguments);
}

void judge_note(struct judge *judge, enum check_code code, const char *where, const char *format,
                ...)
{
    va_list arguments;

    va_start(arguments, format);
    find(judge, code, EFFECT_NOTE, where, format_text(judge, format, arguments));
    va_end(arguments);
}

/* --- What steps ask alike */

bool judge_unseen(const struct check_place *place)
{
    return place->visit.result == VISIT_NO_WAY || place->visit.result == VISIT_UNTRIED ||
           place->visit.result == VISIT_NO_MEMORY;
}

bool judge_reached(const struct check_place *place)
{
    return place->visit.result != VISIT_DEAD && !judge_unseen(place);
}

bool judge_any_reached(const struct check_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        if (judge_reached(&places->at[i]))
            return true;
    }
    return false;
}

bool judge_unanswered(const struct resolver_answer *answer)
{
    return answer->result == RESOLVER_FAILED || answer->result == RESOLVER_SILENT;
}

/* --- What was too much to be told */

static const char *with_more(struct judge *judge, const char *text, size_t more)
{
    char words[64];

    if (more == 0)
        return text;
    snprintf(words, sizeof(words), "and %zu more", more);
    return join(judge, text, print(judge, words));
}

static void tell_of_more(struct judge *judge)
{
    for (struct check_finding *finding = judge->out->findings; finding; finding = finding->next) {
        if (finding->places > PLACES_MAX)
            finding->where = with_more(judge, finding->where, finding->places - PLACES_MAX);
    }
    for (size_t code = 0; code < CHECK_CODES; code++) {
        const struct judge_tally *tally = &judge->tallies[code];

        if (tally->found > FINDINGS_MAX && tally->last != NULL)
            tally->last->what = with_more(judge, tally->last->what, tally->found - FINDINGS_MAX);
    }
    for (enum check_step step = 0; step < STEPS; step++)
        judge->out->seen[step] = with_more(judge, judge->out->seen[step], judge->unsaid[step]);
}

/* --- The verdict */

static void conclude(struct check_judgement *out)
{
    enum check_effect worst = EFFECT_NONE;

    out->counts_rfc = out->counts_strictest = true;
    for (const struct check_finding *finding = out->findings; finding; finding = finding->next) {
        if (finding->rfc == EFFECT_NO_POLICY)
            out->counts_rfc = out->counts_strictest = false;
        if (finding->strictest == EFFECT_NO_POLICY)
            out->counts_strictest = false;
        if (finding->strictest > worst)
            worst = finding->strictest;
    }
    if (worst > EFFECT_UNSEEN)
        out->verdict = CHECK_PROBLEMS;
    else
        out->verdict = worst == EFFECT_UNSEEN ? CHECK_UNSEEN : CHECK_FINE;
}

void check_judge(struct region *region, const struct check_facts *facts, time_t now,
                 struct check_judgement *judgement)
{
    struct judge judge = {
        .region = region, .facts = facts, .now = now, .out = judgement, .last = &judgement->findings
    };

    *judgement = (struct check_judgement){ .lost = facts->lost };
    judge_record(&judge);
    judge_host(&judge);
    judge_tls(&judge);
    judge_answer(&judge);
    judge_policy(&judge);
    judge_mx(&judge);
    judge_starttls(&judge);
    judge_reports(&judge);
    tell_of_more(&judge);
    conclude(judgement);
}
