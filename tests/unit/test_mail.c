/* mail: which parts are shown, and what a mail says itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tool/mail.h"

#define MULTI   "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
#define BASE64  "Content-Transfer-Encoding: base64\n\n"
#define NOTHING "A: b\n\nnothing\n"

/* What was shown, as text: the label's number, and the first bytes. */
struct shown {
    char text[200];
    char submitter[100], domain[100];
    bool stops;
};

static void keep(char *out, const char *text)
{
    snprintf(out, 100, "%s", text != NULL ? text : "-");
}

static bool visit(void *context, const struct mail_part *part, const struct report_origin *origin)
{
    struct shown *shown = context;
    size_t        at = strlen(shown->text);

    snprintf(shown->text + at, sizeof(shown->text) - at, "%d:%.*s ", (int)part->label,
             (int)part->len, part->len > 0 ? part->bytes : "");
    keep(shown->submitter, origin->submitter);
    keep(shown->domain, origin->domain);
    return !shown->stops;
}

static void assert_shows(const char *text, const char *expected, bool says)
{
    struct shown shown = { .text = "" };
    char         why[MAIL_WHY_MAX];
    bool         says_report;

    assert_true(mail_each(text, strlen(text), visit, &shown, &says_report, why));
    assert_string_equal(shown.text, expected);
    assert_int_equal(says_report, says);
}

static void parts_that_may_be_reports_are_shown(void **state)
{
    (void)state;
    assert_shows(NOTHING, "", false);
    assert_shows("A: b\n\n{}\n", "0:{}\n ", false);
    assert_shows("Content-Type: application/tlsrpt+json\n\n {}", "1: {} ", true);
    assert_shows("Content-Type: APPLICATION/TLSRPT+GZIP\n" BASE64 "e30=\n", "2:{} ", true);
    assert_shows("Content-Type: application/tlsrpt+gzip\n\n", "2: ", true);
    assert_shows("Content-Type: text/plain\n" BASE64 "H4sx\n", "0:\x1f\x8b\x31 ", false);
    assert_shows(MULTI "--b\n\nHello\n--b\n\n{\"a\":1}\n--b\n" BASE64 "e30=\n--b--\n",
                 "0:{\"a\":1} 0:{} ", false);
    assert_shows(MULTI "--b\nContent-Type: message/rfc822\n\nA: b\n\n{}\n--b--\n", "0:{} ", false);
    assert_shows(MULTI "--b\nContent-Type: application/tlsrpt+json\n\n{}", "1:{} ", true);
}

static void a_mail_may_say_that_it_has_a_report(void **state)
{
    (void)state;
    assert_shows("TLS-Report-Domain: example.org\n\nnothing\n", "", true);
    assert_shows("MIME-Version: 1.0\nContent-Type: multipart/report; report-type=\"TLSRPT\"; "
                 "boundary=b\n\n--b\n\nnothing\n--b--\n",
                 "", true);
    assert_shows("MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; "
                 "boundary=b\n\n--b\n\nnothing\n--b--\n",
                 "", false);
    assert_shows(MULTI "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/report; "
                       "report-type=tlsrpt; boundary=c\n\n--c\n\nnothing\n--c--\n\n--b--\n",
                 "", true); /* that was forwarded */
}

static void assert_says(const char *head, const char *submitter, const char *domain)
{
    struct shown shown = { .text = "" };
    char         why[MAIL_WHY_MAX], text[500];
    bool         says_report;

    snprintf(text, sizeof(text), "%s\n{}", head);
    assert_true(mail_each(text, strlen(text), visit, &shown, &says_report, why));
    assert_string_equal(shown.submitter, submitter);
    assert_string_equal(shown.domain, domain);
}

static void fields_say_where_it_comes_from_and_else_the_subject(void **state)
{
    static const char subject[] = "Subject: Report Domain: example.org Submitter: s.example "
                                  "Report-ID: <a@s.example>\n";

    (void)state;
    assert_says("A: b\n", "-", "-");
    assert_says("Subject: Submitter: Report-ID: <> Report Domain:\n", "Report-ID:", "-");
    assert_says(subject, "s.example", "example.org");
    assert_says("Subject: Report domain: example.org\n submitter: s.example Report-ID: 12+\n",
                "s.example", "example.org");
    assert_says("TLS-Report-Domain:  example.net \nTLS-Report-Submitter: t.example\n", "t.example",
                "example.net");
}

static void a_visit_can_end_it(void **state)
{
    static const char text[] = MULTI "--b\n\n{1}\n--b\n\n{2}\n--b--\n";
    struct shown      shown = { .stops = true };
    char              why[MAIL_WHY_MAX];
    bool              says_report;

    (void)state;
    assert_true(mail_each(text, strlen(text), visit, &shown, &says_report, why));
    assert_string_equal(shown.text, "0:{1} ");
}

static void a_mail_begins_with_a_field(void **state)
{
    (void)state;
    assert_true(mail_is("A: b", 4));
    assert_true(mail_is("Received:", 9));
    assert_false(mail_is("", 0));
    assert_false(mail_is(": b", 3));
    assert_false(mail_is("A b: c", 6));
    assert_false(mail_is("Received", 8));
    assert_false(mail_is("{\"a\":1}", 7));
    assert_false(mail_is("[{\"a\":1}]", 9));
}

static int start(void **state)
{
    (void)state;
    mail_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    mail_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_that_may_be_reports_are_shown),
        cmocka_unit_test(a_mail_may_say_that_it_has_a_report),
        cmocka_unit_test(fields_say_where_it_comes_from_and_else_the_subject),
        cmocka_unit_test(a_visit_can_end_it),
        cmocka_unit_test(a_mail_begins_with_a_field),
    };

    return cmocka_run_group_tests(tests, start, end);
}
