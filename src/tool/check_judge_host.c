/* The policy host: where it is, and its certificate (RFC 8461 section 3.3). */
#include "tool/check_judge_internal.h"

#include <stdio.h>

enum { DAY = 86400, DATE_MAX = 16 };

/* --- Addresses */

static void judge_addresses(struct judge *judge, const struct check_places *places)
{
    const struct resolver_answer *a = &places->a, *aaaa = &places->aaaa;
    const char                   *host = judge->facts->host;
    bool                          half = judge_unanswered(a) != judge_unanswered(aaaa);

    if (places->redirected)
        return;
    if (places->count > 0 && half)
        judge_find(judge, HOST_DNS_HALF, NULL, "%s %s: %s", judge_unanswered(a) ? "A" : "AAAA",
                   host, judge_unanswered(a) ? a->why : aaaa->why);
    else if (judge_unanswered(a) || judge_unanswered(aaaa))
        judge_find(judge, HOST_DNS_FAILED, NULL, "%s: %s", host,
                   judge_unanswered(a) ? a->why : aaaa->why);
    else if (places->count == 0)
        judge_find(judge, HOST_MISSING, NULL, "%s has no address%s", host,
                   a->result == RESOLVER_NO_NAME ? ": there is no such name" : "");
    if (places->untried > 0)
        judge_find(judge, HOST_MANY, NULL, "%zu more addresses were not tried", places->untried);
}

static void judge_dead(struct judge *judge, const struct check_place *place, bool any_reached)
{
    enum check_code code = place->ipv6 ? HOST_DEAD_AAAA : HOST_DEAD_A;

    judge_find(judge, any_reached ? code : HOST_DEAD, place->address, "%s", place->visit.why);
}

void judge_host(struct judge *judge)
{
    const struct check_places *places = &judge->facts->places;
    bool                       any_reached = judge_any_reached(places);

    judge_addresses(judge, places);
    judge_local(judge, HOST_LOCAL, judge->facts->host, places);
    for (size_t i = 0; i < places->count; i++) {
        const struct check_place *place = &places->at[i];

        judge_see(judge, STEP_HOST, "%s", place->address);
        if (place->visit.result == VISIT_DEAD)
            judge_dead(judge, place, any_reached);
        else if (judge_unseen(place) && any_reached)
            judge_note(judge, HOST_UNSEEN, place->address, "%s", place->visit.why);
        else if (judge_unseen(place))
            judge_find(judge, HOST_UNSEEN, place->address, "%s", place->visit.why);
    }
}

/* --- Certificates */

static const char *date(time_t when, char out[DATE_MAX])
{
    struct tm utc;

    if (gmtime_r(&when, &utc) == NULL || strftime(out, DATE_MAX, "%Y-%m-%d", &utc) == 0)
        snprintf(out, DATE_MAX, "a day far off");
    return out;
}

const char *judge_term(const struct judge *judge, time_t end, char out[JUDGE_TERM_MAX])
{
    char day[DATE_MAX];
    int  len = snprintf(out, JUDGE_TERM_MAX, "until %s", date(end, day));

    if (end >= judge->now)
        snprintf(out + len, JUDGE_TERM_MAX - (size_t)len, ", %lld days left",
                 (long long)(end - judge->now) / DAY);
    return out;
}

static void judge_name(struct judge *judge, const struct judge_chain_codes *codes,
                       const char *where, const char *host, const struct chain *chain)
{
    enum check_code code = chain->deep ? codes->deep_wildcard : codes->wrong_name;

    if (!chain->covers)
        judge_find(judge, chain->has_names ? code : codes->no_san, where,
                   "the certificate is for %s, not for %s", chain->names, host);
}

static void judge_dates(struct judge *judge, const struct judge_chain_codes *codes,
                        const char *where, const struct chain *chain)
{
    char day[DATE_MAX];

    if (chain->not_after < judge->now)
        judge_find(judge, codes->expired, where, "the certificate ended on %s",
                   date(chain->not_after, day));
    else if (chain->not_before > judge->now)
        judge_find(judge, codes->not_yet, where, "the certificate begins on %s",
                   date(chain->not_before, day));
    else if (chain_ends_soon(chain, judge->now))
        judge_find(judge, codes->ends_soon, where, "the certificate ends on %s, in %ld days",
                   date(chain->not_after, day), (long)((chain->not_after - judge->now) / DAY));
}

/* The TLS library refused it. What else is wrong has been said; without that, it is who signed. */
static void judge_trust(struct judge *judge, const struct judge_chain_codes *codes,
                        const char *where, const struct visit *visit)
{
    const struct chain *chain = &visit->chain;
    bool valid = chain->covers && chain->not_before <= judge->now && chain->not_after >= judge->now;

    if (chain->self_signed)
        judge_find(judge, codes->self_signed, where, "the certificate is signed by itself");
    else if (valid && chain->lone)
        judge_find(judge, codes->no_intermediate, where,
                   "the certificate comes alone, without what signed it (%s)", chain->issuer);
    else if (valid)
        judge_find(judge, codes->untrusted, where, "%s", visit->why);
}

void judge_chain(struct judge *judge, const struct judge_chain_codes *codes, const char *where,
                 const char *host, const struct visit *visit)
{
    if (visit->result == VISIT_TLS_OLD)
        judge_find(judge, codes->old, where, "%s", visit->why);
    else if (visit->result == VISIT_TLS_FAILED)
        judge_find(judge, codes->failed, where, "%s", visit->why);
    else if (visit->result == VISIT_UNTRUSTED && !visit->chain.present)
        judge_find(judge, codes->untrusted, where, "%s", visit->why);
    if (!visit->chain.present)
        return;
    judge_name(judge, codes, where, host, &visit->chain);
    judge_dates(judge, codes, where, &visit->chain);
    if (visit->result == VISIT_UNTRUSTED)
        judge_trust(judge, codes, where, visit);
}

/* One line for what most often is the same at all places. */
static void see_chain(struct judge *judge, const struct visit *visit)
{
    const char *version = visit->tls12        ? "speaks TLS 1.2, "
                          : visit->only_tls13 ? "speaks TLS 1.3 alone, "
                                              : "";
    char        term[JUDGE_TERM_MAX];

    judge_see(judge, STEP_TLS, "%scertificate for %s by %s %s", version, visit->chain.names,
              visit->chain.issuer, judge_term(judge, visit->chain.not_after, term));
}

void judge_tls(struct judge *judge)
{
    static const struct judge_chain_codes codes = {
        .failed = TLS_FAILED,
        .old = TLS_OLD,
        .wrong_name = TLS_WRONG_NAME,
        .deep_wildcard = TLS_DEEP_WILDCARD,
        .no_san = TLS_NO_SAN,
        .expired = TLS_EXPIRED,
        .not_yet = TLS_NOT_YET,
        .self_signed = TLS_SELF_SIGNED,
        .untrusted = TLS_UNTRUSTED,
        .no_intermediate = TLS_NO_INTERMEDIATE,
        .ends_soon = TLS_ENDS_SOON,
    };
    const struct check_places *places = &judge->facts->places;

    for (size_t i = 0; i < places->count; i++) {
        const struct check_place *place = &places->at[i];

        if (!judge_reached(place))
            continue;
        if (place->visit.chain.present && judge->out->seen[STEP_TLS] == NULL)
            see_chain(judge, &place->visit);
        judge_chain(judge, &codes, place->address, judge->facts->host, &place->visit);
        if (place->visit.only_tls13)
            judge_find(judge, TLS_ONLY_13, place->address, "it speaks no TLS 1.2");
    }
}
