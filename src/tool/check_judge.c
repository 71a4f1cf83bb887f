#include "tool/check_judge_internal.h"
#include "tool/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTE_MAX = 200 /* bytes of what a stranger wrote, in one quotation */ };

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
    size_t len;
    FILE  *stream = open_memstream(&printed, &len);

    if (stream != NULL) {
        printable_put(text, stream);
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
    va_list     arguments;
    const char *text;

    va_start(arguments, format);
    text = format_text(judge, format, arguments);
    va_end(arguments);
    judge->out->seen[step] = join(judge, judge->out->seen[step], text);
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

static void find(struct judge *judge, enum check_code code, enum check_effect worst,
                 const char *where, const char *what)
{
    const struct check_rule *rule = &check_rules[code];
    struct check_finding    *finding = find_same(judge, rule, what);

    if (finding != NULL) {
        if (where != NULL)
            finding->where = join(judge, finding->where, print(judge, where));
        return;
    }
    finding = region_alloc(judge->region, sizeof(*finding));
    if (finding == NULL) {
        judge->out->lost = true;
        return;
    }
    worst = milder(worst, worst_for(judge, rule->step));
    *finding = (struct check_finding){ .rule = rule,
                                       .rfc = milder(milder(rule->rfc, worst),
                                                     worst_by_rfc(judge, rule->step)),
                                       .strictest = milder(rule->strictest, worst),
                                       .where = where == NULL ? NULL : print(judge, where),
                                       .what = what };
    *judge->last = finding;
    judge->last = &finding->next;
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

bool judge_reached(const struct check_place *place)
{
    return place->visit.result != VISIT_DEAD && place->visit.result != VISIT_NO_WAY;
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
    struct judge judge = { region, facts, now, judgement, &judgement->findings, NULL };

    *judgement = (struct check_judgement){ .lost = facts->lost };
    judge_record(&judge);
    judge_host(&judge);
    judge_tls(&judge);
    judge_answer(&judge);
    judge_policy(&judge);
    judge_mx(&judge);
    judge_starttls(&judge);
    judge_reports(&judge);
    conclude(judgement);
}
