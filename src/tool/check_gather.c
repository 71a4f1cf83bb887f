#include "tool/check_gather.h"

#include "common/hostname.h"
#include "tool/check_copy.h"
#include "tool/check_places.h"

#include <stdio.h>
#include <string.h>

struct gather {
    struct check_facts       facts;
    struct outside          *outside;
    struct check_exchangers *exchangers;
    struct region           *region;
    size_t                   pending; /* answers that are still to come */
    void (*done)(void *context, const struct check_facts *facts);
    void *context;
};

static void settle(void *context)
{
    struct gather *gather = context;

    if (--gather->pending == 0)
        gather->done(gather->context, &gather->facts);
}

/* --- MX */

static void add_mx(struct gather *gather, const char *host, unsigned preference)
{
    struct check_mx *mx = &gather->facts.mx[gather->facts.mx_count++];
    bool             known = true;

    *mx = (struct check_mx){ .written = host, .preference = preference };
    if (gather->exchangers == NULL || gather->facts.mx_count > CHECK_VISITED_MAX)
        return;
    mx->exchanger = check_exchangers_visit(gather->exchangers, host, &known, settle, gather);
    if (mx->exchanger == NULL)
        gather->facts.lost = true;
    else if (!known)
        gather->pending++;
}

static bool is_null(const struct resolver_answer *answer)
{
    return answer->count == 1 && answer->records[0].len == 0; /* RFC 7505 section 3 */
}

/* Without MX records the domain itself is its MX host (RFC 5321 section 5.1). */
static void add_all_mx(struct gather *gather)
{
    struct check_facts           *facts = &gather->facts;
    const struct resolver_answer *answer = &facts->exchangers;
    bool                          implicit = answer->result == RESOLVER_NO_DATA;

    facts->mx = region_alloc(gather->region, sizeof(*facts->mx) * (answer->count + 1));
    if (facts->mx == NULL) {
        facts->lost = true;
        return;
    }
    facts->mx_implicit = implicit;
    if (implicit)
        add_mx(gather, facts->domain, 0);
    for (size_t i = 0; i < answer->count && !is_null(answer); i++)
        add_mx(gather, answer->records[i].text, answer->records[i].preference);
}

static void on_exchangers(void *context, const struct resolver_answer *answer)
{
    struct gather *gather = context;

    check_copy_answer(gather->region, answer, &gather->facts.exchangers, &gather->facts.lost);
    add_all_mx(gather);
    settle(gather);
}

/* --- TXT */

static void on_record(void *context, const struct resolver_answer *answer)
{
    struct gather *gather = context;

    check_copy_answer(gather->region, answer, &gather->facts.record, &gather->facts.lost);
    settle(gather);
}

static void on_reports(void *context, const struct resolver_answer *answer)
{
    struct gather *gather = context;

    check_copy_answer(gather->region, answer, &gather->facts.reports, &gather->facts.lost);
    settle(gather);
}

/* --- All at once */

static void ask_txt(struct gather *gather, const char *label, resolver_done *done)
{
    char name[HOSTNAME_MAX + 32];

    snprintf(name, sizeof(name), "%s.%s", label, gather->facts.domain);
    gather->pending++;
    resolver_ask(outside_resolver(gather->outside), name, RESOLVER_TXT, done, gather);
}

static void ask_all(struct gather *gather)
{
    struct check_facts *facts = &gather->facts;

    ask_txt(gather, "_mta-sts", on_record);
    ask_txt(gather, "_smtp._tls", on_reports);
    gather->pending++;
    resolver_ask(outside_resolver(gather->outside), facts->domain, RESOLVER_MX, on_exchangers,
                 gather);
    if (check_places_look(gather->outside, gather->region, facts->host, CHECK_POLICY_HOST,
                          &facts->places, &facts->lost, settle, gather))
        gather->pending++;
}

bool check_gather(struct outside *outside, struct check_exchangers *exchangers,
                  struct region *region, const char *domain, const struct policy *configured,
                  void (*done)(void *context, const struct check_facts *facts), void *context)
{
    size_t         len = strlen(domain);
    struct gather *gather = region_alloc(region, sizeof(*gather));
    char          *host = region_bytes(region, HOSTNAME_POLICY_PREFIX_LEN + len + 1);

    if (gather == NULL || host == NULL)
        return false;
    memcpy(host, HOSTNAME_POLICY_PREFIX, HOSTNAME_POLICY_PREFIX_LEN);
    memcpy(host + HOSTNAME_POLICY_PREFIX_LEN, domain, len + 1);
    *gather = (struct gather){
        .facts = { .host = host, .configured = configured, .smtp = exchangers != NULL },
        .outside = outside,
        .exchangers = exchangers,
        .region = region,
        .done = done,
        .context = context,
    };
    gather->facts.domain = host + HOSTNAME_POLICY_PREFIX_LEN;
    ask_all(gather);
    return true;
}
