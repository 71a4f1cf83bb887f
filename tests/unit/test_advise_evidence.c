/* advise_evidence: which days, senders and failures of reports count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/advise_evidence.h"

#define TODAY   20000
#define EXPIRED "certificate-expired"

enum { GROUPS_MAX = 4, DAYS_MAX = 40, FAILURES_MAX = 4 };

/* Reports in the making. */
static struct report_group   groups[GROUPS_MAX];
static struct report_day     days[GROUPS_MAX][DAYS_MAX];
static struct report_failure failures[GROUPS_MAX][FAILURES_MAX];
static struct report_sums    sums;

static struct report_group *add_group(const char *sender, enum tlsrpt_type type)
{
    size_t               at = sums.group_count++;
    struct report_group *group = &groups[at];

    *group = (struct report_group){ .domain = "example.org",
                                    .sender = sender,
                                    .type = type,
                                    .days = days[at],
                                    .failures = failures[at] };
    return group;
}

static struct report_day *add_day(struct report_group *group, int32_t ago, enum tlsrpt_mode mode)
{
    struct report_day *day = &days[group - groups][group->day_count++];

    *day = (struct report_day){ .day = TODAY - ago, .policies = 1, .worked = 10, .mode = mode };
    return day;
}

/* Good days, each under mode testing; the first so many days ago. */
static void add_days(struct report_group *group, int32_t first, int32_t last)
{
    for (int32_t ago = first; ago >= last; ago--)
        add_day(group, ago, TLSRPT_MODE_TESTING);
}

static void add_failure(struct report_group *group, const char *type, int32_t ago)
{
    failures[group - groups][group->failure_count++] = (struct report_failure){
        .type = type, .host = "mail.example.org", .day = TODAY - ago, .sessions = 1
    };
}

static struct advise_evidence evidence_of(int32_t since, bool enforced)
{
    const struct advise_wanted wanted = { "example.org", TODAY, since, enforced };
    struct advise_evidence     evidence;

    sums.groups = groups;
    advise_evidence(&sums, &wanted, &evidence);
    return evidence;
}

static struct advise_evidence evidence(void)
{
    return evidence_of(REPORT_NO_DAY, false);
}

/* --- Days and senders */

static void no_reports_prove_nothing(void **state)
{
    const struct advise_wanted wanted = { "example.org", TODAY, REPORT_NO_DAY, false };
    struct advise_evidence     nothing;

    (void)state;
    advise_evidence(NULL, &wanted, &nothing);
    assert_false(nothing.given);
    assert_true(evidence().given);
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().last_day, REPORT_NO_DAY);
}

static void a_day_counts_once_whoever_reports_of_it(void **state)
{
    (void)state;
    add_days(add_group("a", TLSRPT_STS), 20, 11);
    add_days(add_group("b", TLSRPT_STS), 14, 5);
    assert_int_equal(evidence().days, 16);
    assert_int_equal(evidence().senders, 2);
    assert_int_equal(evidence().last_day, TODAY - 5);
    assert_int_equal(evidence().worked, 200);
}

static void another_domain_counts_for_nothing(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_days(group, 20, 1);
    add_failure(group, EXPIRED, 1);
    group->domain = "example.net";
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().failures, 0);
}

static void types_are_never_added(void **state)
{
    (void)state;
    add_days(add_group("a", TLSRPT_TLSA), 20, 1);
    add_days(add_group("b", TLSRPT_NONE), 20, 1);
    add_days(add_group("c", TLSRPT_OTHER), 20, 1);
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().senders, 0);
    add_day(add_group("a", TLSRPT_STS), 3, TLSRPT_MODE_TESTING);
    assert_int_equal(evidence().days, 1);
    assert_int_equal(evidence().senders, 1);
}

static void only_days_under_a_policy_that_is_tested_or_enforced_count(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_day(group, 5, TLSRPT_MODE_UNSAID);
    add_day(group, 4, TLSRPT_MODE_NONE);
    assert_int_equal(evidence().days, 0);
    assert_false(evidence().enforced);
    add_day(group, 3, TLSRPT_MODE_TESTING);
    add_day(group, 2, TLSRPT_MODE_ENFORCE);
    assert_int_equal(evidence().days, 2);
    assert_true(evidence().enforced);
    assert_int_equal(evidence_of(REPORT_NO_DAY, true).days, 1);
}

static void the_mode_is_the_one_that_was_seen_last(void **state)
{
    struct report_group *a = add_group("a", TLSRPT_STS), *b = add_group("b", TLSRPT_STS);

    (void)state;
    add_day(a, 5, TLSRPT_MODE_ENFORCE);
    add_day(a, 3, TLSRPT_MODE_UNSAID);
    assert_true(evidence().enforced);
    add_day(b, 4, TLSRPT_MODE_TESTING);
    assert_false(evidence().enforced);
    add_day(a, 4, TLSRPT_MODE_ENFORCE);
    assert_true(evidence().enforced);
}

static void the_groups_of_a_domain_are_found_among_others(void **state)
{
    static const char *const domains[] = { "example.net", "example.org", "example.org",
                                           "sub.example" };

    (void)state;
    for (size_t i = 0; i < GROUPS_MAX; i++) {
        struct report_group *group = add_group(i == 1 ? "a" : "b", TLSRPT_STS);

        group->domain = domains[i];
        add_day(group, (int32_t)i, TLSRPT_MODE_TESTING);
    }
    assert_int_equal(evidence().days, 2);
    assert_int_equal(evidence().senders, 2);
    assert_int_equal(evidence().last_day, TODAY - 1);
}

static void a_day_on_which_nothing_was_delivered_does_not_count(void **state)
{
    (void)state;
    add_day(add_group("a", TLSRPT_STS), 3, TLSRPT_MODE_TESTING)->worked = 0;
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().senders, 0);
}

static void what_is_too_old_or_of_tomorrow_does_not_count(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_day(group, 30, TLSRPT_MODE_TESTING);
    add_day(group, -1, TLSRPT_MODE_TESTING);
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().older, 1);
    add_day(group, 29, TLSRPT_MODE_TESTING);
    add_day(group, 0, TLSRPT_MODE_TESTING);
    assert_int_equal(evidence().days, 2);
    assert_int_equal(evidence_of(TODAY - 29, false).days, 2);
    assert_int_equal(evidence_of(TODAY - 28, false).days, 1);
    assert_int_equal(evidence_of(TODAY - 28, false).older, 2);
}

static void a_day_that_the_sender_did_not_say_does_not_count(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_day(group, 0, TLSRPT_MODE_TESTING)->day = REPORT_NO_DAY;
    add_failure(group, EXPIRED, 0);
    failures[0][0].day = REPORT_NO_DAY;
    assert_int_equal(evidence().days, 0);
    assert_int_equal(evidence().failures, 1); /* which may be of today */
    assert_int_equal(evidence().clean_on, TODAY + ADVISE_WINDOW);
}

/* --- Failures: b has delivered every day; a has one failure, and the row says what comes of it */

static const struct {
    const char *type;
    int32_t     ago;          /* of the failure */
    int32_t     worked_until; /* days ago */
    uint32_t    failures, explained;
} rows[] = {
    { EXPIRED, 13, 1, 1, 0 }, /* of late */
    { EXPIRED, 14, 1, 0, 1 },
    { EXPIRED, 20, 20, 1, 0 }, /* its sender has not been back */
    { EXPIRED, 30, 1, 0, 0 },  /* so old that it says nothing */
    { "certificate-host-mismatch", 14, 13, 0, 1 },
    { "certificate-not-trusted", 14, 13, 0, 1 },
    { "starttls-not-supported", 14, 13, 0, 1 },
    { "sts-policy-fetch-error", 14, 13, 0, 1 },
    { "sts-policy-invalid", 14, 13, 0, 1 },
    { "sts-webpki-invalid", 14, 13, 0, 1 },
    { "validation-failure", 14, 1, 1, 0 }, /* of which nobody knows what it was */
    { "validation-failure", 29, 1, 1, 0 },
    { "validation-failure", 30, 1, 0, 0 },
    { "certificate-revoked", 20, 1, 1, 0 }, /* a type of tomorrow */
    { "", 20, 1, 1, 0 },
};

static void a_failure_counts_until_it_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct report_group *group;

        sums.group_count = 0;
        group = add_group("a", TLSRPT_STS);
        add_days(group, 25, rows[i].worked_until);
        add_failure(group, rows[i].type, rows[i].ago);
        add_days(add_group("b", TLSRPT_STS), 25, 1);
        if (evidence().failures != rows[i].failures || evidence().explained != rows[i].explained)
            fail_msg("row %zu: %u, explained %u", i, evidence().failures, evidence().explained);
    }
}

static void a_day_without_a_delivery_explains_nothing(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_day(group, 10, TLSRPT_MODE_TESTING)->worked = 0;
    add_failure(group, EXPIRED, 20);
    assert_int_equal(evidence().failures, 1);
}

static void failures_are_told_apart_by_type_and_host(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_failure(group, EXPIRED, 2);
    add_failure(group, EXPIRED, 2);
    failures[0][1].host = "other.example.org";
    add_failure(group, "certificate-not-trusted", 2);
    failures[0][2].host = "other.example.org";
    assert_int_equal(evidence().failures, 3);
}

static void the_last_failure_is_the_example_whoever_comes_first(void **state)
{
    for (int32_t first = 0; first < 2; first++) {
        sums.group_count = 0;
        add_failure(add_group("a", TLSRPT_STS), EXPIRED, 3 + first);
        add_failure(add_group("b", TLSRPT_STS), EXPIRED, 4 - first);
        assert_string_equal(evidence().example.sender, first == 0 ? "a" : "b");
        assert_int_equal(evidence().example.day, TODAY - 3);
        assert_int_equal(evidence().clean_on, TODAY - 3 + ADVISE_DAYS);
    }
    add_failure(add_group("c", TLSRPT_STS), "validation-failure", 5);
    assert_string_equal(evidence().example.sender, "b");
    assert_int_equal(evidence().clean_on, TODAY - 5 + ADVISE_WINDOW);
    (void)state;
}

static void the_last_day_of_a_failure_counts(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_days(group, 25, 1);
    add_failure(group, EXPIRED, 20);
    add_failure(group, EXPIRED, 10);
    assert_int_equal(evidence().failures, 1);
    assert_int_equal(evidence().explained, 0);
    assert_int_equal(evidence().example.day, TODAY - 10);
    assert_int_equal(evidence().clean_on, TODAY + 4);
    assert_string_equal(evidence().example.type, EXPIRED);
    assert_string_equal(evidence().example.sender, "a");
}

static void a_failure_counts_under_any_type_but_tlsa(void **state)
{
    (void)state;
    add_failure(add_group("a", TLSRPT_TLSA), EXPIRED, 1);
    assert_int_equal(evidence().failures, 0);
    add_failure(add_group("a", TLSRPT_NONE), "sts-policy-fetch-error", 1);
    assert_int_equal(evidence().failures, 1);
    add_failure(add_group("a", TLSRPT_OTHER), EXPIRED, 1);
    assert_int_equal(evidence().failures, 2);
}

static void who_found_no_policy_and_finds_one_since_explains_it(void **state)
{
    (void)state;
    add_failure(add_group("a", TLSRPT_NONE), "sts-policy-fetch-error", 20);
    assert_int_equal(evidence().failures, 1);
    add_days(add_group("b", TLSRPT_STS), 19, 1);
    assert_int_equal(evidence().failures, 1); /* somebody else */
    add_days(add_group("a", TLSRPT_STS), 19, 1);
    assert_int_equal(evidence().failures, 0);
    assert_int_equal(evidence().explained, 1);
}

static void failed_sessions_without_a_word_of_why_are_not_explained(void **state)
{
    struct report_group *group = add_group("a", TLSRPT_STS);

    (void)state;
    add_days(group, 25, 16);
    add_day(group, 15, TLSRPT_MODE_TESTING)->failed = 2;
    add_days(group, 14, 1);
    assert_int_equal(evidence().failures, 1);
    assert_string_equal(evidence().example.type, "");
    add_failure(group, EXPIRED, 15); /* now with one */
    assert_int_equal(evidence().failures, 0);
    assert_int_equal(evidence().explained, 1);
}

static int begin(void **state)
{
    (void)state;
    memset(&sums, 0, sizeof(sums));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_reports_prove_nothing, begin),
        cmocka_unit_test_setup(a_day_counts_once_whoever_reports_of_it, begin),
        cmocka_unit_test_setup(another_domain_counts_for_nothing, begin),
        cmocka_unit_test_setup(types_are_never_added, begin),
        cmocka_unit_test_setup(only_days_under_a_policy_that_is_tested_or_enforced_count, begin),
        cmocka_unit_test_setup(the_mode_is_the_one_that_was_seen_last, begin),
        cmocka_unit_test_setup(the_groups_of_a_domain_are_found_among_others, begin),
        cmocka_unit_test_setup(a_day_on_which_nothing_was_delivered_does_not_count, begin),
        cmocka_unit_test_setup(what_is_too_old_or_of_tomorrow_does_not_count, begin),
        cmocka_unit_test_setup(a_day_that_the_sender_did_not_say_does_not_count, begin),
        cmocka_unit_test_setup(a_failure_counts_until_it_is_explained, begin),
        cmocka_unit_test_setup(a_day_without_a_delivery_explains_nothing, begin),
        cmocka_unit_test_setup(failures_are_told_apart_by_type_and_host, begin),
        cmocka_unit_test_setup(the_last_failure_is_the_example_whoever_comes_first, begin),
        cmocka_unit_test_setup(the_last_day_of_a_failure_counts, begin),
        cmocka_unit_test_setup(a_failure_counts_under_any_type_but_tlsa, begin),
        cmocka_unit_test_setup(who_found_no_policy_and_finds_one_since_explains_it, begin),
        cmocka_unit_test_setup(failed_sessions_without_a_word_of_why_are_not_explained, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
