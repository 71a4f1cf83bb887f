/* advise_see: what findings of check make of a domain's situation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/advise_see.h"

enum { FINDINGS_MAX = 4, AGE = 604800 };

/* A domain without fault: in mode testing, as configured. */
static const struct policy    policy = { .mode = POLICY_TESTING, .max_age = AGE };
static struct check_mx        mx[2];
static struct check_facts     facts;
static struct check_judgement judgement;
static struct check_finding   findings[FINDINGS_MAX];
static size_t                 finding_count;

static int begin(void **state)
{
    (void)state;
    mx[0] = (struct check_mx){ .written = "mail1.example.org" };
    mx[1] = (struct check_mx){ .written = "mail2.example.org" };
    facts = (struct check_facts){
        .domain = "example.org", .configured = &policy, .mx = mx, .mx_count = 2, .smtp = true
    };
    judgement = (struct check_judgement){
        .id = "1",
        .has_policy = true,
        .policy = { .mode = BODY_MODE_TESTING, .has_age = true, .max_age = AGE },
    };
    finding_count = 0;
    return 0;
}

static void find_as(enum check_code code, enum check_effect rfc, enum check_effect strictest)
{
    struct check_finding *finding = &findings[finding_count++];

    *finding = (struct check_finding){ .rule = &check_rules[code],
                                       .rfc = rfc,
                                       .strictest = strictest,
                                       .what = "",
                                       .next = judgement.findings };
    judgement.findings = finding;
}

static void find(enum check_code code)
{
    find_as(code, check_rules[code].rfc, check_rules[code].strictest);
}

static struct advise_situation see(void)
{
    struct advise_situation situation;

    advise_see(&facts, &judgement, 1000, &situation);
    return situation;
}

static struct advise_look look(void)
{
    struct advise_situation situation = see();
    struct advise_look      out;

    assert_true(advise_see_look(&facts, &judgement, &situation, &out));
    return out;
}

static void a_domain_without_fault(void **state)
{
    struct advise_situation situation = see();

    (void)state;
    assert_int_equal(situation.now, 1000);
    assert_true(situation.looked && situation.published && situation.served && situation.reports);
    assert_true(situation.configured && situation.as_configured && situation.mx_looked_at);
    assert_false(situation.null_mx || situation.stale);
    assert_int_equal(situation.problems, 0);
    assert_int_equal(situation.mode, POLICY_TESTING);
    assert_int_equal(situation.configured_mode, POLICY_TESTING);
    assert_int_equal(situation.max_age, AGE);
    assert_int_equal(situation.configured_max_age, AGE);
    assert_true(look().in_force);
    assert_string_equal(look().id, "1");
}

/* What one finding changes: of what is true of a domain without fault, and how many problems there are. */
static const struct {
    enum check_code code;
    bool            looked, published, served, reports, as_configured, mx_looked_at, null_mx, stale;
    uint32_t        problems;
} rows[] = {
    { RECORD_MISSING, 1, 0, 1, 1, 1, 1, 0, 0, 0 },
    { RECORD_ALMOST, 1, 0, 1, 1, 1, 1, 0, 0, 1 },
    { RECORD_TWO, 1, 1, 1, 1, 1, 1, 0, 0, 1 },
    { RECORD_STALE, 1, 1, 1, 1, 1, 1, 0, 1, 0 },
    { RECORD_DNS_FAILED, 0, 1, 1, 1, 1, 1, 0, 0, 1 },
    { RECORD_UNKNOWN_FIELD, 1, 1, 1, 1, 1, 1, 0, 0, 0 }, /* a note */
    { HOST_DNS_FAILED, 0, 1, 0, 1, 1, 1, 0, 0, 1 },
    { HOST_UNSEEN, 0, 1, 1, 1, 1, 1, 0, 0, 0 },
    { HOST_MISSING, 1, 1, 0, 1, 1, 1, 0, 0, 1 },
    { TLS_EXPIRED, 1, 1, 0, 1, 1, 1, 0, 0, 1 },
    { TLS_ONLY_13, 1, 1, 1, 1, 1, 1, 0, 0, 1 }, /* some senders take it */
    { ANSWER_NOT_FOUND, 1, 1, 0, 1, 1, 1, 0, 0, 1 },
    { POLICY_NO_VERSION, 1, 1, 0, 1, 1, 1, 0, 0, 1 },
    { POLICY_NOT_CONFIGURED, 1, 1, 1, 1, 0, 1, 0, 0, 0 },
    { MX_DNS_FAILED, 0, 1, 1, 1, 1, 1, 0, 0, 1 },
    { MX_NULL, 1, 1, 1, 1, 1, 1, 1, 0, 0 },
    { MX_NOT_IN_POLICY, 1, 1, 1, 1, 1, 1, 0, 0, 1 },
    { SMTP_UNSEEN, 1, 1, 1, 1, 1, 0, 0, 0, 0 },
    { SMTP_MANY, 1, 1, 1, 1, 1, 0, 0, 0, 0 },
    { SMTP_REFUSED, 1, 1, 1, 1, 1, 0, 0, 0, 0 },
    { MX_MANY, 1, 1, 1, 1, 1, 0, 0, 0, 0 },
    { SMTP_EXPIRED, 1, 1, 1, 1, 1, 1, 0, 0, 1 },
    { REPORTS_MISSING, 1, 1, 1, 0, 1, 1, 0, 0, 0 },
    { REPORTS_ALMOST, 1, 1, 1, 0, 1, 1, 0, 0, 1 },
    { REPORTS_DNS_FAILED, 0, 1, 1, 1, 1, 1, 0, 0, 1 },
};

static void each_finding_changes_what_it_is_about(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct advise_situation situation;

        begin(state);
        find(rows[i].code);
        situation = see();
        if (situation.looked != rows[i].looked || situation.published != rows[i].published ||
            situation.served != rows[i].served || situation.reports != rows[i].reports ||
            situation.as_configured != rows[i].as_configured ||
            situation.mx_looked_at != rows[i].mx_looked_at ||
            situation.null_mx != rows[i].null_mx || situation.stale != rows[i].stale ||
            situation.problems != rows[i].problems)
            fail_msg("%s", check_rules[rows[i].code].name);
    }
}

static void an_address_that_was_not_seen_beside_one_that_was_is_no_matter(void **state)
{
    (void)state;
    find_as(HOST_UNSEEN, EFFECT_NOTE, EFFECT_NOTE);
    find_as(SMTP_UNSEEN, EFFECT_NOTE, EFFECT_NOTE);
    assert_true(see().looked && see().mx_looked_at);
}

static void a_policy_that_says_too_little_is_not_served(void **state)
{
    (void)state;
    judgement.policy.has_age = false;
    assert_false(see().served);
    judgement.policy = (struct policy_body){ .mode = BODY_MODE_MISSING, .has_age = true };
    assert_false(see().served);
    judgement.policy.mode = BODY_MODE_NONE;
    assert_int_equal(see().mode, POLICY_NONE);
    judgement.policy.mode = BODY_MODE_ENFORCE;
    assert_int_equal(see().mode, POLICY_ENFORCE);
    judgement.has_policy = false;
    assert_false(see().served);
}

static void a_domain_without_a_section(void **state)
{
    (void)state;
    facts.configured = NULL;
    assert_false(see().configured);
    assert_true(see().as_configured);
}

static void mail_servers_that_are_left_alone_were_not_looked_at(void **state)
{
    (void)state;
    facts.smtp = false;
    assert_false(see().mx_looked_at);
}

static void a_policy_is_in_force_with_its_own_id_alone(void **state)
{
    static const enum check_code codes[] = { RECORD_MISSING, RECORD_STALE, POLICY_NOT_CONFIGURED,
                                             TLS_EXPIRED };

    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        begin(state);
        find(codes[i]);
        assert_false(look().in_force);
    }
    begin(state);
    judgement.id = NULL;
    assert_false(look().in_force);
}

static void the_longest_max_age_is_a_year(void **state)
{
    (void)state;
    judgement.policy.max_age = 4000000000;
    assert_int_equal(look().max_age, POLICY_MAX_AGE_MAX);
}

static void mx_hosts_are_told_apart_and_not_by_their_order(void **state)
{
    struct advise_look before = look(), after;

    (void)state;
    assert_int_equal(strlen(before.mx), ADVISE_MX_DIGEST);
    mx[0].written = "mail2.example.org";
    mx[1].written = "mail1.example.org";
    after = look();
    assert_string_equal(after.mx, before.mx);
    mx[1].written = "mail3.example.org";
    after = look();
    assert_string_not_equal(after.mx, before.mx);
    facts.mx_count = 1;
    before = look();
    assert_string_not_equal(after.mx, before.mx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_domain_without_fault, begin),
        cmocka_unit_test_setup(each_finding_changes_what_it_is_about, begin),
        cmocka_unit_test_setup(an_address_that_was_not_seen_beside_one_that_was_is_no_matter,
                               begin),
        cmocka_unit_test_setup(a_policy_that_says_too_little_is_not_served, begin),
        cmocka_unit_test_setup(a_domain_without_a_section, begin),
        cmocka_unit_test_setup(mail_servers_that_are_left_alone_were_not_looked_at, begin),
        cmocka_unit_test_setup(a_policy_is_in_force_with_its_own_id_alone, begin),
        cmocka_unit_test_setup(the_longest_max_age_is_a_year, begin),
        cmocka_unit_test_setup(mx_hosts_are_told_apart_and_not_by_their_order, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
