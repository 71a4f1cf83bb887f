/* MX records against the policy (RFC 8461 section 4.1), and MX hosts by STARTTLS (section 4.2). */
#include "tool/check_judge_internal.h"

#include <stdio.h>
#include <string.h>

static struct txt_slice slice(const char *text)
{
    return (struct txt_slice){ text, strlen(text) };
}

/* --- MX records */

static bool matches_any(const struct check_judgement *out, const char *host, bool loosely)
{
    for (size_t i = 0; i < out->policy.mx_count; i++) {
        if (policy_body_mx_matches(slice(out->patterns[i]), host, loosely))
            return true;
    }
    return false;
}

static bool has_upper(const char *host)
{
    for (; *host != '\0'; host++) {
        if (*host >= 'A' && *host <= 'Z')
            return true;
    }
    return false;
}

static void judge_one_mx(struct judge *judge, const struct check_mx *mx)
{
    const struct check_judgement *out = judge->out;

    if (has_upper(mx->written))
        judge_find(judge, MX_UPPER, mx->written, "it is not all in lower case");
    if (!out->has_policy || out->policy.mx_count == 0 || matches_any(out, mx->written, false))
        return;
    if (matches_any(out, mx->written, true))
        judge_find(judge, MX_TWO_LABELS, mx->written,
                   "only a * that stood for two labels or more would match it");
    else
        judge_find(judge, MX_NOT_IN_POLICY, mx->written, "no mx line of the policy matches it");
}

static void judge_pattern(struct judge *judge, const char *pattern)
{
    const struct check_facts *facts = judge->facts;

    for (size_t i = 0; i < facts->mx_count; i++) {
        if (policy_body_mx_matches(slice(pattern), facts->mx[i].written, false))
            return;
    }
    judge_find(judge, MX_UNUSED, NULL, "mx: %s", pattern);
}

static bool has_no_address(const struct check_facts *facts)
{
    return facts->mx_count == 1 && facts->mx[0].exchanger != NULL &&
           facts->mx[0].exchanger->places.count == 0 &&
           !judge_unanswered(&facts->mx[0].exchanger->places.a) &&
           !judge_unanswered(&facts->mx[0].exchanger->places.aaaa);
}

/* False: there are no MX records to judge. */
static bool judge_exchangers(struct judge *judge)
{
    const struct check_facts     *facts = judge->facts;
    const struct resolver_answer *answer = &facts->exchangers;

    if (judge_unanswered(answer))
        judge_find(judge, MX_DNS_FAILED, NULL, "MX %s: %s", facts->domain, answer->why);
    else if (answer->result == RESOLVER_NO_NAME)
        judge_find(judge, MX_MISSING, NULL, "there is no name %s", facts->domain);
    else if (answer->result == RESOLVER_OK && facts->mx_count == 0)
        judge_find(judge, MX_NULL, NULL, "its MX record is a single dot");
    else if (facts->mx_implicit && has_no_address(facts))
        judge_find(judge, MX_MISSING, NULL, "%s has neither MX records nor an address",
                   facts->domain);
    else if (facts->mx_implicit)
        judge_find(judge, MX_IMPLICIT, NULL, "%s has no MX record", facts->domain);
    return facts->mx_count > 0 && !(facts->mx_implicit && has_no_address(facts));
}

void judge_mx(struct judge *judge)
{
    const struct check_judgement *out = judge->out;

    if (!judge_exchangers(judge))
        return;
    if (judge->facts->exchangers.more)
        judge_find(judge, MX_MANY, NULL, "there are more than %d MX records", RESOLVER_RECORDS_MAX);
    for (size_t i = 0; i < judge->facts->mx_count; i++) {
        judge_see(judge, STEP_MX, "%s", judge->facts->mx[i].written);
        judge_one_mx(judge, &judge->facts->mx[i]);
    }
    for (size_t i = 0; out->has_policy && i < out->policy.mx_count; i++) {
        if (!judge->malformed[i])
            judge_pattern(judge, out->patterns[i]);
    }
}

/* --- STARTTLS */

static void judge_smtp(struct judge *judge, const struct check_exchanger *exchanger,
                       const struct check_place *place, bool any_reached)
{
    static const struct judge_chain_codes codes = {
        .failed = SMTP_TLS_FAILED,
        .old = SMTP_TLS_FAILED,
        .wrong_name = SMTP_WRONG_NAME,
        .deep_wildcard = SMTP_WRONG_NAME,
        .no_san = SMTP_NO_SAN,
        .expired = SMTP_EXPIRED,
        .not_yet = SMTP_NOT_YET,
        .self_signed = SMTP_SELF_SIGNED,
        .untrusted = SMTP_UNTRUSTED,
        .no_intermediate = SMTP_NO_INTERMEDIATE,
        .ends_soon = SMTP_ENDS_SOON,
    };
    const struct visit *visit = &place->visit;
    char                where[512];

    snprintf(where, sizeof(where), "%s [%s]", exchanger->host, place->address);
    if (judge_unseen(place) && any_reached)
        judge_note(judge, SMTP_UNSEEN, where, "%s", visit->why);
    else if (judge_unseen(place))
        judge_find(judge, SMTP_UNSEEN, where, "%s", visit->why);
    else if (visit->result == VISIT_DEAD)
        judge_find(judge, SMTP_DEAD, where, "%s", visit->why);
    else if (visit->result == VISIT_TIMED_OUT || visit->result == VISIT_BROKEN)
        judge_find(judge, SMTP_BROKEN, where, "%s", visit->why);
    else if (visit->result == VISIT_REFUSED)
        judge_find(judge, SMTP_REFUSED, where, "%s", visit->why);
    else if (visit->result == VISIT_NO_STARTTLS)
        judge_find(judge, SMTP_NO_STARTTLS, where, "%s", visit->why);
    else
        judge_chain(judge, &codes, where, exchanger->host, visit);
}

/* How long all that it has shown will do. */
static void see_exchanger(struct judge *judge, const struct check_exchanger *exchanger)
{
    const struct chain *first = NULL; /* to end */
    char                term[JUDGE_TERM_MAX];
    size_t              good = 0;

    for (size_t i = 0; i < exchanger->places.count; i++) {
        const struct visit *visit = &exchanger->places.at[i].visit;

        if (visit->result != VISIT_OK)
            continue;
        good++;
        if (visit->chain.present && (first == NULL || visit->chain.not_after < first->not_after))
            first = &visit->chain;
    }
    if (first != NULL)
        judge_see(judge, STEP_STARTTLS, "%s is trusted %s", exchanger->host,
                  judge_term(judge, first->not_after, term));
    else if (good > 0)
        judge_see(judge, STEP_STARTTLS, "%s is trusted", exchanger->host);
}

static void judge_exchanger(struct judge *judge, const struct check_exchanger *exchanger)
{
    const struct check_places *places = &exchanger->places;
    bool                       any_reached = judge_any_reached(places);

    if (places->count == 0 && (judge_unanswered(&places->a) || judge_unanswered(&places->aaaa)))
        judge_find(judge, SMTP_DNS_FAILED, exchanger->host, "%s",
                   judge_unanswered(&places->a) ? places->a.why : places->aaaa.why);
    else if (places->count == 0)
        judge_find(judge, SMTP_NO_ADDRESS, exchanger->host, "it has no address");
    judge_local(judge, SMTP_LOCAL, exchanger->host, places);
    for (size_t i = 0; i < places->count; i++)
        judge_smtp(judge, exchanger, &places->at[i], any_reached);
    see_exchanger(judge, exchanger);
}

/* A host may stand in several records. */
static bool stands_before(const struct check_facts *facts, size_t place)
{
    for (size_t i = 0; i < place; i++) {
        if (facts->mx[i].exchanger == facts->mx[place].exchanger)
            return true;
    }
    return false;
}

void judge_starttls(struct judge *judge)
{
    const struct check_facts *facts = judge->facts;
    size_t                    left_out = 0;

    if (facts->mx_implicit && has_no_address(facts))
        return;
    for (size_t i = 0; i < facts->mx_count; i++) {
        if (facts->mx[i].exchanger == NULL)
            left_out++;
        else if (!stands_before(facts, i))
            judge_exchanger(judge, facts->mx[i].exchanger);
    }
    if (facts->smtp && left_out > 0)
        judge_find(judge, SMTP_MANY, NULL, "%zu more MX hosts were not visited", left_out);
}
