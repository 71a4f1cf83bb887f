/* report_sums: what is counted together, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tool/report_sums.h"

enum { DAY = 86400 /* seconds */ };

static const struct report_wanted all = { .since = TLSRPT_NO_TIME };
static const struct report_origin no_origin;

static struct report_counter *counter;

static void add(const struct tlsrpt *report, const struct report_origin *origin)
{
    assert_int_equal(report_counter_add(counter, report, origin, "{}", 2), REPORT_COUNTED);
}

static int new_counter(void **state)
{
    (void)state;
    counter = report_counter_new(&all);
    return counter != NULL ? 0 : -1;
}

static int free_counter(void **state)
{
    (void)state;
    report_counter_free(counter);
    return 0;
}

static const struct report_sums *sums(void)
{
    const struct report_sums *result = report_counter_sums(counter);

    assert_non_null(result);
    return result;
}

static void a_sum_that_does_not_fit_stays_at_the_most(void **state)
{
    struct tlsrpt_policy policy = { .domain = "a.example", .worked = INT64_MAX, .failed = 1 };
    struct tlsrpt        report = { .organization = "S", .policies = &policy, .policy_count = 1 };
    static const char *const ids[] = { "1", "2", "3" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        report.id = ids[i];
        add(&report, &no_origin);
    }
    assert_int_equal(sums()->group_count, 1);
    assert_true(sums()->groups[0].worked == UINT64_MAX);
    assert_true(sums()->groups[0].days[0].worked == UINT64_MAX);
    assert_int_equal(sums()->groups[0].failed, 3);
}

static void what_is_not_said_is_in_no_sum(void **state)
{
    struct tlsrpt_policy policies[] = {
        { .domain = "a.example", .worked = TLSRPT_UNSAID, .failed = 2 },
        { .domain = "a.example", .worked = 3, .failed = TLSRPT_UNSAID },
        { .domain = "a.example", .worked = 4, .failed = 5 },
    };
    struct tlsrpt report = { .id = "1", .policies = policies, .policy_count = 3 };

    (void)state;
    add(&report, &no_origin);
    assert_int_equal(sums()->groups[0].worked, 7);
    assert_int_equal(sums()->groups[0].failed, 7);
    assert_int_equal(sums()->groups[0].unsaid, 2);
    assert_int_equal(sums()->groups[0].days[0].policies, 3);
}

static void what_no_detail_tells_of_is_summed_for_each_policy(void **state)
{
    struct tlsrpt_detail two = { .sessions = 2 },
                         one_unsaid[] = { two, { .sessions = TLSRPT_UNSAID } };
    struct tlsrpt_policy policies[] = {
        { .domain = "a.example", .failed = 1, .details = &two, .detail_count = 1 }, /* too many */
        { .domain = "a.example", .failed = 5 },
        { .domain = "a.example", .failed = 30, .details = &two, .detail_count = 1 },
        { .domain = "a.example", .failed = 100, .details = one_unsaid, .detail_count = 2 },
        { .domain = "a.example", .failed = TLSRPT_UNSAID },
    };
    struct tlsrpt report = { .id = "1", .policies = policies, .policy_count = 5 };

    (void)state;
    add(&report, &no_origin);
    assert_int_equal(sums()->groups[0].failed, 136);
    assert_int_equal(sums()->groups[0].unexplained, 5 + 28);
}

static void a_sender_is_who_the_report_says_and_else_the_mail(void **state)
{
    static const struct {
        const char *organization, *contact, *submitter, *name;
    } cases[] = {
        { "Org", "tls@contact.example", "mail.example", "Org" },
        { NULL, "tls@contact.example", "mail.example", "contact.example" },
        { NULL, "https://contact.example/", "mail.example", "mail.example" },
        { NULL, "tls@", "mail.example", "mail.example" },
        { NULL, NULL, "mail.example", "mail.example" },
        { NULL, NULL, NULL, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct report_origin origin = { .submitter = cases[i].submitter };
        struct tlsrpt              report = { .organization = cases[i].organization,
                                              .contact = cases[i].contact,
                                              .id = "1" };
        bool                       found = false;

        add(&report, &origin);
        for (size_t at = 0; at < sums()->sender_count; at++)
            found = found || strcmp(sums()->senders[at].name, cases[i].name) == 0;
        assert_true(found);
    }
    assert_int_equal(sums()->sender_count, 4);
    assert_int_equal(sums()->duplicates, 2);
}

static void groups_days_and_failures_are_in_order(void **state)
{
    struct tlsrpt_detail details[] = {
        { .result_type = "b", .host = "MX2.example", .sessions = 1 },
        { .result_type = "b", .host = "mx1.example", .sessions = 1 },
        { .result_type = "a", .host = "mx2.example", .sessions = 1 },
        { .result_type = "b", .host = "mx2.example", .sessions = 2 }
    };
    struct tlsrpt_policy policies[] = {
        { .domain = "b.example", .type = TLSRPT_TLSA, .details = details, .detail_count = 4 },
        { .domain = "b.example", .type = TLSRPT_STS },
        { .domain = "a.example", .type = TLSRPT_TLSA },
    };
    struct tlsrpt              report = { .policies = policies, .policy_count = 3 };
    const struct report_group *groups;
    static const int64_t       starts[] = { 2 * DAY, TLSRPT_NO_TIME, 3 * DAY - 1, DAY };
    static const char *const   ids[] = { "1", "2", "3", "4" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        report.start = starts[i];
        report.id = ids[i];
        add(&report, &no_origin);
    }
    groups = sums()->groups;
    assert_int_equal(sums()->group_count, 3);
    assert_string_equal(groups[0].domain, "a.example");
    assert_int_equal(groups[1].type, TLSRPT_STS);
    assert_int_equal(groups[2].type, TLSRPT_TLSA);
    assert_int_equal(groups[2].day_count, 3);
    assert_int_equal(groups[2].days[0].day, REPORT_NO_DAY);
    assert_int_equal(groups[2].days[1].day, 1);
    assert_int_equal(groups[2].days[2].day, 2);
    assert_int_equal(groups[2].failure_count, 9);
    assert_string_equal(groups[2].failures[0].type, "a");
    assert_string_equal(groups[2].failures[3].host, "mx1.example");
    assert_string_equal(groups[2].failures[8].host, "mx2.example");
    assert_int_equal(groups[2].failures[8].day, 2);
    assert_int_equal(groups[2].failures[8].sessions, 6);
}

static void a_failure_names_a_few_addresses_each_once(void **state)
{
    char                     text[10][20];
    struct tlsrpt_detail     details[10];
    struct tlsrpt_policy     policy = { .domain = "a.example", .details = details };
    struct tlsrpt            report = { .policies = &policy, .policy_count = 1 };
    static const char *const ids[] = { "1", "2" };

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        snprintf(text[i], sizeof(text[i]), "192.0.2.%zu", i / 2);
        details[i] = (struct tlsrpt_detail){ .result_type = "a",
                                             .sending_ip = text[i],
                                             .sessions = 1 };
    }
    for (size_t i = 0; i < 2; i++) {
        const struct report_failure *failure;

        report.id = ids[i];
        policy.detail_count = i == 0 ? 2 * REPORT_FROM_MAX : 10;
        add(&report, &no_origin);
        failure = &sums()->groups[0].failures[0];
        assert_int_equal(failure->from_count, REPORT_FROM_MAX);
        assert_string_equal(failure->from[REPORT_FROM_MAX - 1], "192.0.2.2");
        assert_int_equal(failure->from_more, i == 1);
    }
}

static void many_that_differ_are_all_found_again(void **state)
{
    enum { MANY = 5000 };
    char                       domain[30], id[30];
    struct tlsrpt_policy       policy = { .domain = domain, .worked = 1 };
    struct tlsrpt              report = { .id = id, .policies = &policy, .policy_count = 1 };
    const struct report_group *groups;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(domain, sizeof(domain), "d%d.example", i);
            snprintf(id, sizeof(id), "%d", round < 2 ? round * MANY + i : i);
            add(&report, &no_origin);
        }
    }
    assert_int_equal(sums()->group_count, MANY);
    assert_int_equal(sums()->reports, 2 * MANY);
    assert_int_equal(sums()->duplicates, MANY);
    assert_int_equal(sums()->senders[0].contradictions, 0);
    groups = sums()->groups;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(groups[i].worked, 2);
}

int main(void)
{
#define WITH_COUNTER(test) cmocka_unit_test_setup_teardown(test, new_counter, free_counter)
    const struct CMUnitTest tests[] = {
        WITH_COUNTER(a_sum_that_does_not_fit_stays_at_the_most),
        WITH_COUNTER(what_is_not_said_is_in_no_sum),
        WITH_COUNTER(what_no_detail_tells_of_is_summed_for_each_policy),
        WITH_COUNTER(a_sender_is_who_the_report_says_and_else_the_mail),
        WITH_COUNTER(groups_days_and_failures_are_in_order),
        WITH_COUNTER(a_failure_names_a_few_addresses_each_once),
        WITH_COUNTER(many_that_differ_are_all_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
