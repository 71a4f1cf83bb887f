/* check_judge: one thing is wrong with a good domain, and that is what is found, and how bad it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/check_judge.h"

#define DAY  86400
#define NOW  ((time_t)1795500000)
#define HEAD "version: STSv1\r\nmode: "
#define REST "\r\nmx: mail1.example.org\r\nmx: *.mx.example.org\r\nmax_age: 604800\r\n"
#define BODY HEAD "enforce" REST

/* All that the facts of one domain point to, to be bent. */
struct world {
    struct check_facts     facts;
    struct resolver_record txt[4], tls[4], mx_records[4], a[8];
    struct check_place     places[2];
    struct check_mx        mx[2];
    struct check_exchanger exchangers[2];
    struct check_place     mx_places[2];
    struct policy          policy;
};

static struct resolver_record text(const char *bytes)
{
    return (struct resolver_record){ .text = bytes, .len = strlen(bytes), .strings = 1 };
}

static struct resolver_answer answer(const struct resolver_record *records, size_t count)
{
    return (struct resolver_answer){ .result = count > 0 ? RESOLVER_OK : RESOLVER_NO_DATA,
                                     .why = "",
                                     .records = records,
                                     .count = count };
}

static struct chain good_chain(const char *name)
{
    struct chain chain = { .present = true,
                           .length = 2,
                           .covers = true,
                           .has_names = true,
                           .not_before = NOW - 30 * DAY,
                           .not_after = NOW + 60 * DAY,
                           .issuer = "A CA" };

    snprintf(chain.names, sizeof(chain.names), "%s", name);
    return chain;
}

static void set_body(struct visit *visit, const char *body)
{
    visit->body = body;
    visit->body_len = strlen(body);
}

static struct visit good_answer(void)
{
    struct visit visit = { .result = VISIT_OK,
                           .chain = good_chain("mta-sts.example.org"),
                           .seconds = 0.1,
                           .status = 200,
                           .content_type = "text/plain" };

    set_body(&visit, BODY);
    return visit;
}

static void make_mx(struct world *world, size_t i, const char *host, const char *address)
{
    world->mx_places[i] = (struct check_place){
        .address = address, .visit = { .result = VISIT_OK, .chain = good_chain(host) }
    };
    world->exchangers[i].host = host;
    world->exchangers[i].places = (struct check_places){ .a = answer(&world->a[2 + i], 1),
                                                         .at = &world->mx_places[i],
                                                         .count = 1 };
    world->mx_records[i] = text(host);
    world->mx[i] = (struct check_mx){ host, 10, &world->exchangers[i] };
}

static void make_good(struct world *world)
{
    *world = (struct world){ 0 };
    world->txt[0] = text("v=STSv1; id=20261124;");
    world->tls[0] = text("v=TLSRPTv1; rua=mailto:tls@example.org");
    for (size_t i = 0; i < 8; i++)
        world->a[i] = text("192.0.2.1");
    world->places[0] = (struct check_place){ .address = "192.0.2.1", .visit = good_answer() };
    world->places[1] = (struct check_place){ .address = "2001:db8::1",
                                             .ipv6 = true,
                                             .visit = good_answer() };
    make_mx(world, 0, "mail1.example.org", "192.0.2.25");
    make_mx(world, 1, "a.mx.example.org", "192.0.2.26");
    world->facts = (struct check_facts){
        .domain = "example.org",
        .host = "mta-sts.example.org",
        .record = answer(world->txt, 1),
        .reports = answer(world->tls, 1),
        .exchangers = answer(world->mx_records, 2),
        .places = { .a = answer(&world->a[0], 1),
                    .aaaa = answer(&world->a[1], 1),
                    .at = world->places,
                    .count = 2 },
        .mx = world->mx,
        .mx_count = 2,
        .smtp = true,
    };
}

/* --- Ways to be wrong */

static void good(struct world *world)
{
    (void)world;
}

static void no_record(struct world *world)
{
    world->facts.record = answer(NULL, 0);
}

static void another_record(struct world *world)
{
    world->txt[0] = text("v=spf1 -all");
}

static void almost_a_record(struct world *world)
{
    world->txt[0] = text("v=stsv1; id=1;");
}

static void two_records(struct world *world)
{
    world->txt[1] = text("v=STSv1; id=2;");
    world->facts.record = answer(world->txt, 2);
}

static void record_beside(struct world *world)
{
    world->txt[1] = text("google-site-verification=1");
    world->facts.record = answer(world->txt, 2);
}

static void split_record(struct world *world)
{
    world->txt[0].strings = 2;
}

static void no_id(struct world *world)
{
    world->txt[0] = text("v=STSv1;");
}

static void silent_dns(struct world *world)
{
    world->facts.record = (struct resolver_answer){ .result = RESOLVER_SILENT, .why = "no answer" };
}

static void stale_id(struct world *world)
{
    world->policy = (struct policy){ .body = BODY, .body_len = sizeof(BODY) - 1, .id = "other" };
    world->facts.configured = &world->policy;
}

static void another_policy(struct world *world)
{
    world->policy = (struct policy){ .body = HEAD "testing" REST,
                                     .body_len = sizeof(HEAD "testing" REST) - 1,
                                     .id = "20261124" };
    world->facts.configured = &world->policy;
}

static void as_configured(struct world *world)
{
    stale_id(world);
    world->policy.id = "20261124";
}

static void no_address(struct world *world)
{
    world->facts.places.a = world->facts.places.aaaa = answer(NULL, 0);
    world->facts.places.count = 0;
}

static void no_dns_for_the_host(struct world *world)
{
    no_address(world);
    world->facts.places.aaaa = (struct resolver_answer){ .result = RESOLVER_FAILED,
                                                         .why = "SERVFAIL" };
}

static void no_dns_for_aaaa(struct world *world)
{
    world->facts.places.aaaa = (struct resolver_answer){ .result = RESOLVER_FAILED,
                                                         .why = "SERVFAIL" };
    world->facts.places.count = 1;
}

static void dead(struct check_place *place)
{
    place->visit = (struct visit){ .result = VISIT_DEAD, .why = "connection refused" };
}

static void dead_ipv6(struct world *world)
{
    dead(&world->places[1]);
}

static void dead_ipv4(struct world *world)
{
    dead(&world->places[0]);
}

static void all_dead(struct world *world)
{
    dead(&world->places[0]);
    dead(&world->places[1]);
}

static void no_ipv6_here(struct world *world)
{
    world->places[1].visit = (struct visit){ .result = VISIT_NO_WAY, .why = "no route" };
}

static void no_way(struct world *world)
{
    no_ipv6_here(world);
    world->places[0].visit = world->places[1].visit;
}

static void redirected(struct world *world)
{
    world->facts.places.a = world->facts.places.aaaa = answer(NULL, 0);
    world->facts.places.redirected = true;
}

static void differing(struct world *world)
{
    set_body(&world->places[1].visit, HEAD "testing" REST);
}

static void both(struct world *world, const struct visit *visit)
{
    world->places[0].visit = world->places[1].visit = *visit;
}

static void untrusted(struct world *world, struct chain chain)
{
    both(world, &(struct visit){ .result = VISIT_UNTRUSTED, .why = "not trusted", .chain = chain });
}

static void self_signed(struct world *world)
{
    struct chain chain = good_chain("mta-sts.example.org");

    chain.self_signed = true;
    untrusted(world, chain);
}

static void expired(struct world *world)
{
    struct chain chain = good_chain("mta-sts.example.org");

    chain.not_after = NOW - DAY;
    untrusted(world, chain);
}

static void not_yet(struct world *world)
{
    struct chain chain = good_chain("mta-sts.example.org");

    chain.not_before = NOW + DAY;
    untrusted(world, chain);
}

static void lone(struct world *world)
{
    struct chain chain = good_chain("mta-sts.example.org");

    chain.lone = true;
    untrusted(world, chain);
}

static void unknown_ca(struct world *world)
{
    untrusted(world, good_chain("mta-sts.example.org"));
}

static void wrong_name(struct world *world)
{
    struct chain chain = good_chain("www.example.org");

    chain.covers = false;
    untrusted(world, chain);
}

static void deep_wildcard(struct world *world)
{
    struct chain chain = good_chain("*.org");

    chain.covers = false;
    chain.deep = true;
    untrusted(world, chain);
}

/* A TLS library that goes by the common name trusts it all the same. */
static void common_name(struct world *world)
{
    for (size_t i = 0; i < 2; i++)
        world->places[i].visit.chain.covers = world->places[i].visit.chain.has_names = false;
}

static void ends_soon(struct world *world)
{
    world->places[0].visit.chain.not_after = NOW + 5 * DAY;
}

static void handshake_fails(struct world *world)
{
    both(world, &(struct visit){ .result = VISIT_TLS_FAILED, .why = "alert" });
}

static void only_13(struct world *world)
{
    world->places[0].visit.only_tls13 = true;
}

static void redirect(struct world *world)
{
    struct visit visit = good_answer();

    visit.status = 301;
    visit.location = "https://example.org/";
    both(world, &visit);
}

static void status(struct world *world, unsigned code)
{
    world->places[0].visit.status = world->places[1].visit.status = code;
}

static void not_found(struct world *world)
{
    status(world, 404);
}

static void too_many(struct world *world)
{
    status(world, 429);
}

static void partial(struct world *world)
{
    status(world, 206);
}

static void type(struct world *world, const char *content_type)
{
    world->places[0].visit.content_type = world->places[1].visit.content_type = content_type;
}

static void no_type(struct world *world)
{
    type(world, NULL);
}

static void html_type(struct world *world)
{
    type(world, "text/html");
}

static void unknown_charset(struct world *world)
{
    type(world, "text/plain; charset=foo");
}

static void body(struct world *world, const char *bytes)
{
    set_body(&world->places[0].visit, bytes);
    set_body(&world->places[1].visit, bytes);
}

static void page(struct world *world)
{
    html_type(world);
    body(world, "<!doctype html>\n<p>Welcome: to us\n");
}

static void empty(struct world *world)
{
    body(world, "");
}

static void compressed(struct world *world)
{
    struct visit visit = good_answer();

    visit.content_encoding = "gzip";
    set_body(&visit, "\x1f\x8b\x08");
    both(world, &visit);
}

static void slow(struct world *world, double seconds)
{
    world->places[0].visit.seconds = world->places[1].visit.seconds = seconds;
}

static void slow_3(struct world *world)
{
    slow(world, 3);
}

static void slow_5(struct world *world)
{
    slow(world, 5);
}

static void slow_20(struct world *world)
{
    slow(world, 20);
}

static void timed_out(struct world *world)
{
    both(world, &(struct visit){ .result = VISIT_TIMED_OUT, .why = "not done after 60 seconds" });
}

static void cut_short(struct world *world)
{
    both(world, &(struct visit){ .result = VISIT_BROKEN, .why = "cut short" });
}

static void line_feeds(struct world *world)
{
    body(world, "version: STSv1\nmode: enforce\nmx: mail1.example.org\nmx: *.mx.example.org\n"
                "max_age: 604800\n");
}

static void blank_line(struct world *world)
{
    body(world, HEAD "enforce\r\n" REST);
}

static void testing(struct world *world)
{
    body(world, HEAD "testing" REST);
}

static void none(struct world *world)
{
    body(world, HEAD "none" REST);
}

static void not_in_policy(struct world *world)
{
    make_mx(world, 0, "mail2.example.org", "192.0.2.25");
}

static void not_in_testing(struct world *world)
{
    testing(world);
    not_in_policy(world);
}

static void not_in_none(struct world *world)
{
    none(world);
    not_in_policy(world);
}

static void two_labels(struct world *world)
{
    make_mx(world, 1, "a.b.mx.example.org", "192.0.2.26");
}

static void upper_case(struct world *world)
{
    world->mx[0].written = "MAIL1.example.org";
}

static void null_mx(struct world *world)
{
    world->mx_records[0] = text("");
    world->facts.exchangers = answer(world->mx_records, 1);
    world->facts.mx_count = 0;
}

static void implicit_mx(struct world *world)
{
    make_mx(world, 0, "example.org", "192.0.2.25");
    world->facts.exchangers = answer(NULL, 0);
    world->facts.mx_count = 1;
    world->facts.mx_implicit = true;
    body(world, "version: STSv1\r\nmode: enforce\r\nmx: example.org\r\nmax_age: 604800\r\n");
}

static void no_mail(struct world *world)
{
    implicit_mx(world);
    world->exchangers[0].places = (struct check_places){ .a = answer(NULL, 0),
                                                         .aaaa = answer(NULL, 0) };
}

static void silent_mx(struct world *world)
{
    world->facts.exchangers = (struct resolver_answer){ .result = RESOLVER_SILENT,
                                                        .why = "no answer" };
    world->facts.mx_count = 0;
}

static void smtp(struct world *world, enum visit_result result)
{
    world->mx_places[0].visit = (struct visit){ .result = result, .why = "as it was" };
}

static void smtp_dead(struct world *world)
{
    smtp(world, VISIT_DEAD);
}

static void no_memory(struct world *world)
{
    for (size_t i = 0; i < 2; i++)
        world->places[i].visit = (struct visit){ .result = VISIT_NO_MEMORY, .why = "no memory" };
}

static void one_host_twice(struct world *world)
{
    world->mx[1] = world->mx[0];
    world->mx_places[0].visit.result = VISIT_NO_STARTTLS;
    snprintf(world->mx_places[0].visit.why, VISIT_WHY_MAX, "none");
}

static void more_exchangers_than_are_read(struct world *world)
{
    world->facts.exchangers.more = true;
}

static void more_exchangers_than_are_visited(struct world *world)
{
    world->mx[1].exchanger = NULL;
}

static void exchangers_left_alone(struct world *world)
{
    world->facts.smtp = false;
    world->mx[0].exchanger = world->mx[1].exchanger = NULL;
}

static void smtp_refused(struct world *world)
{
    world->mx_places[0].visit = (struct visit){ .result = VISIT_REFUSED,
                                                .why = "it greets with 554 no" };
}

static void smtp_unseen(struct world *world)
{
    smtp(world, VISIT_NO_WAY);
}

static void no_starttls(struct world *world)
{
    smtp(world, VISIT_NO_STARTTLS);
}

static void smtp_expired(struct world *world)
{
    smtp(world, VISIT_UNTRUSTED);
    world->mx_places[0].visit.chain = good_chain("mail1.example.org");
    world->mx_places[0].visit.chain.not_after = NOW - DAY;
}

static void expired_in_testing(struct world *world)
{
    smtp_expired(world);
    testing(world);
}

static void smtp_no_address(struct world *world)
{
    world->exchangers[0].places = (struct check_places){ .a = answer(NULL, 0),
                                                         .aaaa = answer(NULL, 0) };
}

static void no_smtp(struct world *world)
{
    world->facts.smtp = false;
    world->mx[0].exchanger = world->mx[1].exchanger = NULL;
}

static void no_reports(struct world *world)
{
    world->facts.reports = answer(NULL, 0);
}

static void two_reports(struct world *world)
{
    world->tls[1] = world->tls[0];
    world->facts.reports = answer(world->tls, 2);
}

static void https_reports(struct world *world)
{
    world->tls[0] = text("v=TLSRPTv1; rua=https://example.org/tls");
}

static void http_reports(struct world *world)
{
    world->tls[0] = text("v=TLSRPTv1; rua=http://example.org/tls");
}

static void http_beside(struct world *world)
{
    world->tls[0] = text("v=TLSRPTv1; rua=mailto:a@example.org,http://example.org/tls");
}

/* --- What is found: "code rfc/strictest" for each, in order */

/* clang-format off */
#define ROW(bend, counts, found) { #bend, bend, found, counts }
/* clang-format on */

static const struct {
    const char *name;
    void (*bend)(struct world *world);
    const char *found;
    int         counts; /* 2: by both; 1: by the RFC; 0: not */
} rows[] = {
    ROW(good, 2, ""),
    ROW(no_record, 0, "record-missing no-policy/no-policy"),
    ROW(another_record, 0, "record-missing no-policy/no-policy"),
    ROW(almost_a_record, 0, "record-version-case no-policy/no-policy"),
    ROW(two_records, 0, "record-two no-policy/no-policy"),
    ROW(record_beside, 1, "record-beside note/no-policy"),
    ROW(split_record, 1, "record-split note/no-policy"),
    ROW(no_id, 0, "record-no-id no-policy/no-policy"),
    ROW(silent_dns, 0, "record-dns-failed no-policy/no-mail"),
    ROW(as_configured, 2, ""),
    ROW(stale_id, 2, "record-stale stale/stale"),
    ROW(another_policy, 2, "policy-not-configured stale/stale"),
    ROW(no_address, 0, "host-missing no-policy/no-policy"),
    ROW(no_dns_for_the_host, 0, "host-dns-failed no-policy/no-policy"),
    ROW(no_dns_for_aaaa, 2, "host-dns-half risk/risk"),
    ROW(dead_ipv6, 2, "host-dead-aaaa risk/risk"),
    ROW(dead_ipv4, 1, "host-dead-a risk/no-policy"),
    ROW(all_dead, 0, "host-dead no-policy/no-policy"),
    ROW(no_ipv6_here, 2, "host-unseen note/note"),
    ROW(no_way, 2, "host-unseen unseen/unseen"),
    ROW(redirected, 2, ""),
    ROW(differing, 2, "host-differs stale/stale"),
    ROW(self_signed, 0, "tls-self-signed no-policy/no-policy"),
    ROW(expired, 0, "tls-expired no-policy/no-policy"),
    ROW(not_yet, 0, "tls-not-yet no-policy/no-policy"),
    ROW(lone, 0, "tls-no-intermediate no-policy/no-policy"),
    ROW(unknown_ca, 0, "tls-untrusted no-policy/no-policy"),
    ROW(wrong_name, 0, "tls-wrong-name no-policy/no-policy"),
    ROW(deep_wildcard, 0, "tls-deep-wildcard no-policy/no-policy"),
    ROW(common_name, 0, "tls-no-san no-policy/no-policy"),
    ROW(ends_soon, 2, "tls-ends-soon risk/risk"),
    ROW(handshake_fails, 0, "tls-failed no-policy/no-policy"),
    ROW(only_13, 1, "tls-only-13 risk/no-policy"),
    ROW(redirect, 0, "answer-redirect no-policy/no-policy"),
    ROW(not_found, 0, "answer-not-found no-policy/no-policy"),
    ROW(too_many, 0, "answer-error no-policy/no-policy"),
    ROW(partial, 0, "answer-other-2xx no-policy/no-policy"),
    ROW(no_type, 1, "answer-no-type risk/no-policy"),
    ROW(html_type, 1, "answer-other-type risk/no-policy"),
    ROW(unknown_charset, 1, "answer-charset note/no-policy"),
    ROW(page, 0, "answer-html no-policy/no-policy"),
    ROW(empty, 0, "answer-empty no-policy/no-policy"),
    ROW(compressed, 1, "answer-encoded risk/no-policy"),
    ROW(slow_3, 1, "answer-slow-2 note/no-policy"),
    ROW(slow_5, 1, "answer-slow-4 note/no-policy"),
    ROW(slow_20, 1, "answer-slow-15 note/no-policy"),
    ROW(timed_out, 0, "answer-timed-out no-policy/no-policy"),
    ROW(cut_short, 0, "answer-broken no-policy/no-policy"),
    ROW(line_feeds, 2, "policy-lf note/note"),
    ROW(blank_line, 0, "policy-blank-line no-policy/no-policy"),
    ROW(testing, 2, ""),
    ROW(none, 2, "policy-mode-none note/note"),
    ROW(not_in_policy, 2, "mx-not-in-policy no-mail/no-mail, mx-unused note/note"),
    ROW(not_in_testing, 2, "mx-not-in-policy risk/risk, mx-unused note/note"),
    ROW(not_in_none, 2,
        "policy-mode-none note/note, mx-not-in-policy note/note, mx-unused note/note"),
    ROW(two_labels, 2, "mx-two-labels no-mail/no-mail, mx-unused note/note"),
    ROW(upper_case, 2, "mx-upper note/no-mail"),
    ROW(null_mx, 2, "mx-null note/note"),
    ROW(implicit_mx, 2, "mx-implicit note/note"),
    ROW(no_mail, 2, "mx-missing note/note"),
    ROW(silent_mx, 2, "mx-dns-failed no-mail/no-mail"),
    ROW(smtp_dead, 2, "smtp-dead risk/risk"),
    ROW(more_exchangers_than_are_read, 2, "mx-many unseen/unseen"),
    ROW(more_exchangers_than_are_visited, 2, "smtp-many unseen/unseen"),
    ROW(exchangers_left_alone, 2, ""),
    ROW(no_memory, 2, "host-unseen unseen/unseen"),
    ROW(smtp_refused, 2, "smtp-refused unseen/unseen"),
    ROW(smtp_unseen, 2, "smtp-unseen unseen/unseen"),
    ROW(no_starttls, 2, "smtp-no-starttls no-mail/no-mail"),
    ROW(smtp_expired, 2, "smtp-expired no-mail/no-mail"),
    ROW(expired_in_testing, 2, "smtp-expired risk/risk"),
    ROW(smtp_no_address, 2, "smtp-no-address risk/risk"),
    ROW(no_smtp, 2, ""),
    ROW(no_reports, 2, "reports-missing note/note"),
    ROW(two_reports, 2, "reports-two no-reports/no-reports"),
    ROW(https_reports, 2, "reports-rua-https-alone note/no-reports"),
    ROW(http_reports, 2, "reports-rua-http-alone no-reports/no-reports"),
    ROW(http_beside, 2, "reports-rua-http risk/no-reports"),
};

static struct region *region;

static struct check_judgement judge(struct world *world)
{
    struct check_judgement judgement;

    check_judge(region, &world->facts, NOW, &judgement);
    assert_false(judgement.lost);
    return judgement;
}

static void describe(const struct check_judgement *judgement, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (const struct check_finding *at = judgement->findings; at != NULL; at = at->next)
        len += (size_t)snprintf(out + len, size - len, "%s%s %s/%s", len > 0 ? ", " : "",
                                at->rule->name, check_effect_name(at->rfc),
                                check_effect_name(at->strictest));
}

static void each_slip_is_found_and_nothing_else(void **state)
{
    struct world           world;
    struct check_judgement judgement;
    char                   found[1024];
    int                    wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        make_good(&world);
        rows[i].bend(&world);
        judgement = judge(&world);
        describe(&judgement, found, sizeof(found));
        if (strcmp(found, rows[i].found) == 0 &&
            judgement.counts_rfc + judgement.counts_strictest == rows[i].counts)
            continue;
        print_error("%s: %s (%d)\n", rows[i].name, found,
                    judgement.counts_rfc + judgement.counts_strictest);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* In place of one that was not found. */
static const struct check_finding nothing = { .where = "", .what = "" };

static size_t count_findings(const struct check_judgement *judgement, enum check_code code,
                             const struct check_finding **last)
{
    size_t count = 0;

    for (const struct check_finding *at = judgement->findings; at != NULL; at = at->next) {
        if (at->rule != &check_rules[code])
            continue;
        *last = at;
        count++;
    }
    return count;
}

static void the_verdict_is_that_of_the_worst(void **state)
{
    struct world world;

    (void)state;
    make_good(&world);
    assert_int_equal(judge(&world).verdict, CHECK_FINE);
    no_reports(&world);
    assert_int_equal(judge(&world).verdict, CHECK_FINE);
    smtp_unseen(&world);
    assert_int_equal(judge(&world).verdict, CHECK_UNSEEN);
    ends_soon(&world);
    assert_int_equal(judge(&world).verdict, CHECK_PROBLEMS);
}

static void what_two_addresses_have_alike_is_said_once(void **state)
{
    struct world                world;
    const struct check_finding *finding;

    (void)state;
    make_good(&world);
    expired(&world);
    finding = judge(&world).findings;
    assert_non_null(finding);
    assert_null(finding->next);
    assert_string_equal(finding->where, "192.0.2.1, 2001:db8::1");
    assert_string_equal(finding->what, "the certificate ended on 2026-11-23");
}

/* One MX host can be reached, but for its other address; the other has none that can be. */
static void an_mx_host_that_was_not_seen_is_not_hidden_by_one_that_was(void **state)
{
    struct world       world;
    struct check_place both[2];

    (void)state;
    make_good(&world);
    both[0] = both[1] = world.mx_places[0];
    both[1].visit.result = world.mx_places[1].visit.result = VISIT_NO_WAY;
    world.exchangers[0].places.at = both;
    world.exchangers[0].places.count = 2;
    assert_int_equal(judge(&world).verdict, CHECK_UNSEEN);
}

static void an_address_that_is_nobody_elses_is_told(void **state)
{
    static const char *const local[] = {
        "127.0.0.1",   "0.0.0.0",          "10.255.0.1",
        "100.64.0.1",  "169.254.1.1",      "172.31.255.255",
        "192.168.0.1", "255.255.255.255",  "::1",
        "::",          "fe80::1",          "fd00::1",
        "ff02::1",     "::ffff:127.0.0.1",
    };
    static const char *const others[] = { "11.0.0.1",  "100.63.0.1",      "100.128.0.1",
                                          "126.0.0.1", "172.32.0.1",      "192.169.0.1",
                                          "223.0.0.1", "2a00::1",         "2001:db8::1",
                                          "::2",       "::ffff:192.0.2.1" };
    struct world             world;

    (void)state;
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        make_good(&world);
        world.places[0].address = world.mx_places[0].address = local[i];
        assert_non_null(judge(&world).findings);
        assert_string_equal(judge(&world).findings->rule->name, "host-local");
        assert_string_equal(judge(&world).findings->next->rule->name, "smtp-local");
        world.facts.places.redirected = world.exchangers[0].places.redirected = true;
        assert_null(judge(&world).findings);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        make_good(&world);
        world.places[0].address = world.mx_places[0].address = others[i];
        assert_null(judge(&world).findings);
    }
}

static void the_days_that_certificates_have_are_told(void **state)
{
    struct world           world;
    struct check_judgement judgement;

    (void)state;
    make_good(&world);
    world.places[0].visit.tls12 = true;
    world.mx_places[1].visit.chain.not_after = NOW + 30 * DAY;
    judgement = judge(&world);
    assert_string_equal(judgement.seen[STEP_TLS],
                        "speaks TLS 1.2, certificate for mta-sts.example.org "
                        "by A CA until 2027-01-23, 60 days left");
    assert_string_equal(judgement.seen[STEP_STARTTLS],
                        "mail1.example.org is trusted until 2027-01-23, 60 days left, "
                        "a.mx.example.org is trusted until 2026-12-24, 30 days left");
    expired(&world);
    assert_string_equal(judge(&world).seen[STEP_TLS],
                        "certificate for mta-sts.example.org by A CA until 2026-11-23");
}

static void a_host_of_two_records_is_told_of_once(void **state)
{
    struct world                world;
    struct check_judgement      judgement;
    const struct check_finding *finding = &nothing;

    (void)state;
    make_good(&world);
    one_host_twice(&world);
    judgement = judge(&world);
    assert_int_equal(count_findings(&judgement, SMTP_NO_STARTTLS, &finding), 1);
    assert_string_equal(finding->where, "mail1.example.org [192.0.2.25]");
}

static void a_long_header_is_cut(void **state)
{
    struct world world;
    static char  type[50000];

    (void)state;
    make_good(&world);
    memset(type, '\033', sizeof(type) - 1);
    world.places[0].visit.content_type = type;
    assert_non_null(judge(&world).findings);
    assert_true(strlen(judge(&world).findings->what) < 5000);
    assert_true(strlen(judge(&world).seen[STEP_ANSWER]) < 5000);
}

static void what_strangers_wrote_is_printable_and_cut(void **state)
{
    struct world world;
    char         record[600] = "v=STSv1; id=1; \033[31m";

    (void)state;
    make_good(&world);
    memset(record + strlen(record), 'x', sizeof(record) - strlen(record) - 1);
    world.txt[0] = text(record);
    for (const struct check_finding *at = judge(&world).findings; at != NULL; at = at->next) {
        assert_null(strchr(at->what, '\033'));
        assert_true(strlen(at->what) < 300);
    }
    assert_non_null(judge(&world).findings);
}

static void a_policy_of_nothing_but_slips_is_told_of_in_few_words(void **state)
{
    enum { LINES = 5000 };
    struct world                world;
    struct check_judgement      judgement;
    const struct check_finding *last = &nothing;
    static char                 body[LINES * 13 + 1];

    (void)state;
    for (size_t i = 0; i < LINES; i++)
        snprintf(body + 13 * i, 14, "mx: _%05zu.\r\n", i);
    make_good(&world);
    set_body(&world.places[0].visit, body);
    set_body(&world.places[1].visit, body);
    judgement = judge(&world);
    assert_int_equal(judgement.policy.mx_count, LINES);
    assert_int_equal(count_findings(&judgement, POLICY_MX_UNDERSCORE, &last), 16);
    assert_string_equal(last->what, "line 16: \"_00015.\", and 4984 more");
}

static void of_many_places_some_are_named_and_the_others_counted(void **state)
{
    enum { PLACES = 300 };
    struct world                world;
    static struct check_place   places[PLACES];
    static char                 addresses[PLACES][16];
    const struct check_finding *last = &nothing;
    struct check_judgement      judgement;

    (void)state;
    make_good(&world);
    for (size_t i = 0; i < PLACES; i++) {
        snprintf(addresses[i], sizeof(addresses[i]), "198.51.%zu.%zu", i / 250, i % 250);
        places[i] = (struct check_place){ .address = addresses[i], .visit = good_answer() };
        places[i].visit.content_type = NULL;
    }
    world.facts.places.at = places;
    world.facts.places.count = PLACES;
    judgement = judge(&world);
    assert_int_equal(count_findings(&judgement, ANSWER_NO_TYPE, &last), 1);
    assert_int_equal(last->places, PLACES);
    assert_non_null(strstr(last->where, " 198.51.0.15, and 284 more"));
    assert_null(strstr(last->where, "198.51.0.16"));
    assert_true(strlen(judgement.seen[STEP_HOST]) < 1100);
    assert_non_null(strstr(judgement.seen[STEP_HOST], " more"));
}

static void the_policy_is_given_as_it_was_served(void **state)
{
    struct world           world;
    struct check_judgement judgement;

    (void)state;
    make_good(&world);
    judgement = judge(&world);
    assert_true(judgement.has_policy);
    assert_int_equal(judgement.policy.mode, BODY_MODE_ENFORCE);
    assert_int_equal(judgement.policy.max_age, 604800);
    assert_int_equal(judgement.policy.mx_count, 2);
    assert_string_equal(judgement.patterns[0], "mail1.example.org");
    assert_string_equal(judgement.patterns[1], "*.mx.example.org");
    assert_string_equal(judgement.id, "20261124");
}

static int set_up(void **state)
{
    (void)state;
    region = region_new();
    return region == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    region_free(region);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_slip_is_found_and_nothing_else),
        cmocka_unit_test(the_verdict_is_that_of_the_worst),
        cmocka_unit_test(what_two_addresses_have_alike_is_said_once),
        cmocka_unit_test(an_mx_host_that_was_not_seen_is_not_hidden_by_one_that_was),
        cmocka_unit_test(an_address_that_is_nobody_elses_is_told),
        cmocka_unit_test(the_days_that_certificates_have_are_told),
        cmocka_unit_test(a_host_of_two_records_is_told_of_once),
        cmocka_unit_test(a_long_header_is_cut),
        cmocka_unit_test(a_policy_of_nothing_but_slips_is_told_of_in_few_words),
        cmocka_unit_test(of_many_places_some_are_named_and_the_others_counted),
        cmocka_unit_test(what_strangers_wrote_is_printable_and_cut),
        cmocka_unit_test(the_policy_is_given_as_it_was_served),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
