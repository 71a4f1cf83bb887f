/* tlsrpt: what is read of a report, wherever it is cut; tests/reports has what senders make of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/tlsrpt.h"

static const char whole[] =
    "\n{\"organization-name\":\"Sender Inc.\",\"contact-info\":\"tls@sender.example\","
    "\"report-id\":\"<1@sender.example>\",\"date-range\":{\"start-datetime\":"
    "\"2026-11-24T00:00:00Z\",\"end-datetime\":\"2026-11-24T23:59:59Z\"},\"policies\":["
    "{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"Example.ORG\",\"mx-host\":[\"*.a."
    "example\"],"
    "\"policy-string\":[\"version: STSv1\",\"mode: enforce\"]},"
    "\"summary\":{\"total-successful-session-count\":7,\"total-failure-session-count\":2},"
    "\"failure-details\":[{\"result-type\":\"certificate-expired\",\"sending-mta-ip\":\"192.0.2."
    "1\","
    "\"receiving-mx-hostname\":\"mx.a.example\",\"receiving-mx-helo\":\"helo.a.example\","
    "\"receiving-ip\":\"192.0.2.2\",\"failed-session-count\":2,"
    "\"additional-information\":\"https://sender.example/\",\"failure-reason-code\":\"E1\"}]}]}\n ";

/* A copy of just that size, so that a sanitizer sees a byte too far. */
static enum tlsrpt_result read_copy(const char *text, size_t len, struct tlsrpt **report,
                                    size_t *used, char *why)
{
    char              *copy = malloc(len > 0 ? len : 1);
    enum tlsrpt_result result;

    assert_non_null(copy);
    memcpy(copy, text, len);
    result = tlsrpt_read(copy, len, report, used, why);
    free(copy);
    return result;
}

static struct tlsrpt *must_read(const char *text)
{
    struct tlsrpt *report = NULL;
    size_t         used;
    char           why[TLSRPT_WHY_MAX];

    assert_int_equal(read_copy(text, strlen(text), &report, &used, why), TLSRPT_READ);
    assert_int_equal(used, strlen(text));
    return report;
}

static void all_of_a_report_is_read(void **state)
{
    struct tlsrpt              *report = must_read(whole);
    const struct tlsrpt_policy *policy = &report->policies[0];
    const struct tlsrpt_detail *detail = &policy->details[0];

    (void)state;
    assert_string_equal(report->organization, "Sender Inc.");
    assert_string_equal(report->contact, "tls@sender.example");
    assert_string_equal(report->id, "1@sender.example");
    assert_int_equal(report->start, 1795478400);
    assert_int_equal(report->end, 1795478400 + 86399);
    assert_int_equal(report->odd, 0);
    assert_int_equal(report->policy_count, 1);
    assert_int_equal(policy->type, TLSRPT_STS);
    assert_int_equal(policy->mode, TLSRPT_MODE_ENFORCE);
    assert_string_equal(policy->domain, "example.org");
    assert_int_equal(policy->worked, 7);
    assert_int_equal(policy->failed, 2);
    assert_int_equal(policy->detail_count, 1);
    assert_string_equal(detail->result_type, "certificate-expired");
    assert_string_equal(detail->sending_ip, "192.0.2.1");
    assert_string_equal(detail->host, "mx.a.example");
    assert_string_equal(detail->helo, "helo.a.example");
    assert_string_equal(detail->receiving_ip, "192.0.2.2");
    assert_string_equal(detail->information, "https://sender.example/");
    assert_string_equal(detail->reason, "E1");
    assert_int_equal(detail->sessions, 2);
    tlsrpt_free(report);
}

static void a_report_that_is_cut_is_refused(void **state)
{
    size_t end = sizeof(whole) - 1 - strlen("\n ");

    (void)state;
    for (size_t len = 0; len < end; len++) {
        struct tlsrpt *report;
        size_t         used;
        char           why[TLSRPT_WHY_MAX] = "";

        assert_int_equal(read_copy(whole, len, &report, &used, why), TLSRPT_REFUSED);
        assert_true(why[0] != '\0');
    }
}

/* Whatever a byte becomes: it is read or refused, and nothing else happens. */
static void a_byte_that_changed_does_no_harm(void **state)
{
    static const char others[] = { '\0', '\n', '"', '\\', '{', ']', ',', '-', '9', '\x7f', '\xff' };
    char              text[sizeof(whole)];

    (void)state;
    for (size_t at = 0; at < sizeof(whole) - 1; at++) {
        for (size_t i = 0; i < sizeof(others); i++) {
            struct tlsrpt     *report = NULL;
            size_t             used;
            char               why[TLSRPT_WHY_MAX] = "";
            enum tlsrpt_result result;

            memcpy(text, whole, sizeof(whole));
            text[at] = others[i];
            result = read_copy(text, sizeof(whole) - 1, &report, &used, why);
            assert_true(result == TLSRPT_READ || (result == TLSRPT_REFUSED && why[0] != '\0'));
            tlsrpt_free(report);
        }
    }
}

static void the_mode_is_the_policys_own(void **state)
{
    static const struct {
        const char      *type, *lines;
        enum tlsrpt_mode mode;
    } cases[] = {
        { "sts", "[\"mode: testing\"]", TLSRPT_MODE_TESTING },
        { "sts", "[\"mode:none\\r\"]", TLSRPT_MODE_NONE },
        { "sts", "\"version: STSv1\\nmode: enforce\\nmx: a\"", TLSRPT_MODE_ENFORCE },
        { "sts", "[\"mode: test\"]", TLSRPT_MODE_UNSAID },
        { "sts", "[\"mode: testing2\"]", TLSRPT_MODE_UNSAID },
        { "sts", "[\"mode:\"]", TLSRPT_MODE_UNSAID },
        { "sts", "[\"xmode: enforce\"]", TLSRPT_MODE_UNSAID },
        { "sts", "[]", TLSRPT_MODE_UNSAID },
        { "tlsa", "[\"mode: enforce\"]", TLSRPT_MODE_UNSAID },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char           text[300];
        struct tlsrpt *report;

        snprintf(text, sizeof(text),
                 "{\"policies\":[{\"policy\":{\"policy-type\":\"%s\",\"policy-string\":%s}}]}",
                 cases[i].type, cases[i].lines);
        report = must_read(text);
        assert_int_equal(report->policies[0].mode, cases[i].mode);
        tlsrpt_free(report);
    }
}

static void what_follows_is_left(void **state)
{
    static const char text[] = "{\"policies\":[]} \n {\"policies\":[]}";
    struct tlsrpt    *report;
    size_t            used;
    char              why[TLSRPT_WHY_MAX];

    (void)state;
    assert_int_equal(read_copy(text, strlen(text), &report, &used, why), TLSRPT_READ);
    assert_string_equal(text + used, "{\"policies\":[]}");
    tlsrpt_free(report);
}

static void every_oddity_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TLSRPT_ODDS; i++) {
        assert_non_null(tlsrpt_odd_text(i));
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(tlsrpt_odd_name(i), tlsrpt_odd_name(other));
    }
    assert_true(TLSRPT_ODDS <= 32); /* bits of a uint32_t */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_report_is_read),
        cmocka_unit_test(a_report_that_is_cut_is_refused),
        cmocka_unit_test(a_byte_that_changed_does_no_harm),
        cmocka_unit_test(the_mode_is_the_policys_own),
        cmocka_unit_test(what_follows_is_left),
        cmocka_unit_test(every_oddity_has_a_name_and_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
