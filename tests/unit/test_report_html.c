/*
 * report_html: what the page says, that nothing in it is a stranger's markup, and that it is bounded.
 * The sums are made by hand. Regions are this test's own, and have no memory when it says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/region.h"
#include "tool/report_html.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TODAY = 20781 /* 2026-11-24 */ };

/* --- Regions */

struct region {
    void  *blocks[32];
    size_t count;
};

static unsigned allocations, failing; /* the failing one of these fails; 0: none */

static void *allocate(size_t size)
{
    return ++allocations == failing ? NULL : malloc(size + 1);
}

struct region *region_new(void)
{
    struct region *region = allocate(sizeof(*region));

    if (region != NULL)
        region->count = 0;
    return region;
}

void *region_alloc(struct region *region, size_t size)
{
    void *block = allocate(size);

    assert_true(region->count < COUNT(region->blocks));
    region->blocks[region->count++] = block;
    return block;
}

void region_free(struct region *region)
{
    if (region == NULL)
        return;
    for (size_t i = 0; i < region->count; i++)
        free(region->blocks[i]);
    free(region);
}

/* --- Sums */

static struct report_day day_of(int32_t day, uint64_t worked, uint64_t failed)
{
    return (struct report_day){
        .day = day, .policies = 1, .worked = worked, .failed = failed, .mode = TLSRPT_MODE_TESTING
    };
}

static struct report_group group_of(const char *domain, const char *sender, enum tlsrpt_type type,
                                    const struct report_day *days, size_t day_count)
{
    struct report_group group = {
        .domain = domain, .sender = sender, .type = type, .days = days, .day_count = day_count
    };

    for (size_t i = 0; i < day_count; i++) {
        group.worked += days[i].worked;
        group.failed += days[i].failed;
    }
    return group;
}

static struct report_sums sums_of(const struct report_group *groups, size_t count)
{
    return (struct report_sums){ .groups = groups, .group_count = count, .reports = 1 };
}

static char  *page;
static size_t page_len;

static int forget_page(void **state)
{
    (void)state;
    free(page);
    page = NULL;
    return 0;
}

static void write_page(const struct report_sums *sums)
{
    FILE *out;

    forget_page(NULL);
    out = open_memstream(&page, &page_len);
    assert_non_null(out);
    assert_true(report_html(sums, out));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(page), page_len);
}

static void says(const char *words)
{
    if (strstr(page, words) == NULL)
        fail_msg("the page does not say \"%s\"", words);
}

static void says_not(const char *words)
{
    if (strstr(page, words) != NULL)
        fail_msg("the page says \"%s\"", words);
}

/* The words are there in this order. */
static void says_before(const char *first, const char *second)
{
    says(first);
    if (strstr(strstr(page, first), second) == NULL)
        fail_msg("\"%s\" does not come after \"%s\"", second, first);
}

static size_t how_often(const char *words)
{
    size_t count = 0;

    for (const char *at = page; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* --- What it says */

static void no_reports_are_told(void **state)
{
    const struct report_sums sums = { .duplicates = 2, .before = 3 };

    (void)state;
    write_page(&sums);
    says("No reports.");
    says("0 reports from 0 senders; 2 that came before passed over; 3 of an earlier time.");
    says_not("attention");
}

static void reports_that_tell_of_no_domain_are_told(void **state)
{
    const struct report_sums sums = { .reports = 1 };

    (void)state;
    write_page(&sums);
    says("tell of no domain");
}

static void without_failures_there_is_nothing_to_do(void **state)
{
    const struct report_day   day = day_of(TODAY, 1234567, 0);
    const struct report_group group = group_of("example.org", "google.com", TLSRPT_STS, &day, 1);
    const struct report_sums  sums = sums_of(&group, 1);

    (void)state;
    write_page(&sums);
    says("<p>Nothing: no session failed.</p>");
    says("<b>1\xe2\x80\xaf"
         "234\xe2\x80\xaf"
         "567</b> sessions worked, <b>0</b> failed");
    says_not("<svg"); /* one day is no timeline */
    says("<title>TLS reports: example.org</title>");
    says("<h1>TLS reports: <span>example.org</span></h1>");
    says(": 1 report from 0 senders.</p>");
}

static void a_failure_is_told_with_what_to_do(void **state)
{
    const struct report_day     day = day_of(TODAY, 1, 2);
    const struct report_failure failure = {
        .type = "certificate-expired",
        .host = "mail1.example.org",
        .day = TODAY,
        .sessions = 2,
        .from = { "198.51.100.1", "198.51.100.2" },
        .from_count = 2,
        .from_more = true,
        .to = "192.0.2.25",
        .reason = "X509_V_ERR_CERT_HAS_EXPIRED",
        .information = "https://example.net/more",
    };
    struct report_group      group = group_of("example.org", "google.com", TLSRPT_STS, &day, 1);
    const struct report_sums sums = sums_of(&group, 1);

    (void)state;
    group.failures = &failure;
    group.failure_count = 1;
    write_page(&sums);
    says("<b>2</b> sessions failed");
    says("<h3>mail1.example.org: its certificate has expired</h3>");
    says("<code>certificate-expired</code> for example.org, <span class=\"whole\">MTA-STS<");
    says("Renew its certificate");
    says("<dt>When</dt><dd><span class=\"whole\">2026-11-24</span></dd>");
    says("<dt>Seen by</dt><dd>google.com</dd>");
    says("<dt>From</dt><dd>198.51.100.1, 198.51.100.2 and others</dd>");
    says("<dt>To</dt><dd>192.0.2.25</dd>");
    says("<dt>Mode</dt><dd>testing: mail is delivered all the same</dd>");
    says("<dt>Reason</dt><dd>X509_V_ERR_CERT_HAS_EXPIRED</dd>");
    says("<dt>More</dt><dd>https://example.net/more</dd>");
    says("66.7\xe2\x80\xaf%");
    says_not("href"); /* a stranger's address is not for clicking at */
}

static void what_a_remedy_names_is_the_domain_or_host_itself(void **state)
{
    const struct report_day     day = day_of(TODAY, 0, 2);
    const struct report_failure failures[] = {
        { .type = "sts-policy-fetch-error",
          .host = "mail1.example.org",
          .day = TODAY,
          .sessions = 1 },
        { .type = "validation-failure", .host = "mail1.example.org", .day = TODAY, .sessions = 1 },
    };
    struct report_group      group = group_of("example.org", "google.com", TLSRPT_STS, &day, 1);
    const struct report_sums sums = sums_of(&group, 1);

    (void)state;
    group.failures = failures;
    group.failure_count = COUNT(failures);
    write_page(&sums);
    says("<h3>example.org: the policy could not be fetched</h3>");
    says("at mail1.example.org for example.org");
    says("https://mta-sts.example.org/.well-known/mta-sts.txt");
    says("mail1.example.org:25");
}

static void the_recent_come_first_and_of_these_the_worst(void **state)
{
    const struct report_day     days[] = { day_of(TODAY - 20, 0, 99), day_of(TODAY - 6, 0, 2),
                                           day_of(TODAY, 0, 5) };
    const struct report_failure failures[] = {
        { .type = "a", .host = "few.example.org", .day = TODAY - 6, .sessions = 2 },
        { .type = "b", .host = "more.example.org", .day = TODAY, .sessions = 5 },
        { .type = "c", .host = "past.example.org", .day = TODAY - 20, .sessions = 90 },
        { .type = "c", .host = "again.example.org", .day = TODAY - 20, .sessions = 9 },
        { .type = "d", .host = "unsaid.example.org", .day = TODAY },
    };
    struct report_group      group = group_of("example.org", "google.com", TLSRPT_STS, days, 3);
    const struct report_sums sums = sums_of(&group, 1);

    (void)state;
    group.failures = failures;
    group.failure_count = COUNT(failures);
    write_page(&sums);
    says_before("attention</h2>", "<h3>more.example.org");
    says_before("<h3>more.example.org", "<h3>few.example.org");
    says_before("<h3>few.example.org", "failed; how often is not said");
    says_before("<h3>unsaid.example.org", "Not seen for a week</h2>");
    says_before("Not seen for a week</h2>", "<h3>past.example.org");
    says_before("<h3>past.example.org", "<h3>again.example.org");
}

static void what_is_over_alone_needs_no_attention(void **state)
{
    const struct report_day     days[] = { day_of(TODAY - 7, 0, 9), day_of(TODAY, 5, 0) };
    const struct report_failure failure = {
        .type = "tlsa-invalid", .host = "", .day = TODAY - 7, .sessions = 9
    };
    struct report_group      group = group_of("example.org", "google.com", TLSRPT_STS, days, 2);
    const struct report_sums sums = sums_of(&group, 1);

    (void)state;
    group.failures = &failure;
    group.failure_count = 1;
    write_page(&sums);
    says("<p>Nothing: no session failed in the 7 days up to 2026-11-24.</p>");
    says_before("Not seen for a week</h2>", "tlsa-invalid");
}

static void the_senders_that_saw_most_are_named_and_addresses_once(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
    static const uint64_t    sessions[] = { 3, 1, 40, 1500, 2, 5, 4 };
    static const char *const from[] = { "192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3",
                                        "192.0.2.4", "192.0.2.1", "192.0.2.1" };
    const struct report_day  day = day_of(TODAY, 0, 0);
    struct report_failure    failures[COUNT(names)][2];
    struct report_group      groups[COUNT(names)] = { 0 };
    const struct report_sums sums = sums_of(groups, COUNT(names));

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        failures[i][0] = (struct report_failure){ .type = "tlsa-invalid",
                                                  .host = "",
                                                  .day = TODAY - 1,
                                                  .sessions = sessions[i],
                                                  .from = { from[i] },
                                                  .from_count = 1 };
        failures[i][1] = failures[i][0];
        failures[i][1].day = TODAY;
        groups[i] = group_of("example.org", names[i], TLSRPT_STS, &day, 1);
        groups[i].failures = failures[i];
        groups[i].failure_count = 2;
    }
    write_page(&sums);
    says("<dd>d (3\xe2\x80\xaf"
         "000), c (80), f (10), g (8), a (6) and 2 others</dd>");
    says("<dd>192.0.2.1, 192.0.2.2, 192.0.2.3 and others</dd>");
    says("<td>7</td>"); /* of the failure's senders */
}

static void each_domain_has_its_own_failures_the_worst_first(void **state)
{
    const struct report_day     day = day_of(TODAY, 1, 0);
    const struct report_failure failures[][2] = {
        { { .type = "a", .host = "few.example.net", .day = TODAY, .sessions = 1 },
          { .type = "b", .host = "many.example.net", .day = TODAY, .sessions = 9 } },
        { { .type = "a", .host = "few.example.org", .day = TODAY, .sessions = 2 },
          { .type = "b", .host = "many.example.org", .day = TODAY, .sessions = 8 } },
    };
    struct report_group groups[] = { group_of("example.net", "google.com", TLSRPT_STS, &day, 1),
                                     group_of("example.org", "google.com", TLSRPT_STS, &day, 1) };
    const struct report_sums sums = sums_of(groups, 2);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        groups[i].failures = failures[i];
        groups[i].failure_count = 2;
    }
    write_page(&sums);
    says_before("<h2>example.net", "<span>many.example.net</span>");
    says_before("<span>many.example.net</span>", "<span>few.example.net</span>");
    says_before("<span>few.example.net</span>", "<h2>example.org");
    says_before("<h2>example.org", "<span>many.example.org</span>");
    says_before("<span>many.example.org</span>", "<span>few.example.org</span>");
    assert_int_equal(how_often("<span>"), 1 + 4); /* one more in the heading */
}

static void more_than_three_domains_are_to_be_opened(void **state)
{
    const struct report_day   day = day_of(TODAY, 1, 0);
    const struct report_group groups[] = { group_of("a.example", "google.com", TLSRPT_STS, &day, 1),
                                           group_of("b.example", "google.com", TLSRPT_STS, &day, 1),
                                           group_of("c.example", "google.com", TLSRPT_STS, &day, 1),
                                           group_of("d.example", "google.com", TLSRPT_STS, &day,
                                                    1) };
    struct report_sums        sums = sums_of(groups, 3);

    (void)state;
    write_page(&sums);
    says_not("failed sessions</summary>");
    sums.group_count = 4;
    write_page(&sums);
    assert_int_equal(how_often("<summary>0 failed sessions</summary>"), 4);
}

static void a_share_is_never_rounded_to_none_or_all(void **state)
{
    static const struct {
        uint64_t    worked, failed;
        const char *share;
    } cases[] = {
        { 0, 0, "<td></td>" },
        { 5, 0, "<td>0\xe2\x80\xaf%</td>" },
        { 0, 5, "<td>100\xe2\x80\xaf%</td>" },
        { 1000, 1, "<td>under 0.1\xe2\x80\xaf%</td>" },
        { 1, 2000, "<td>over 99.9\xe2\x80\xaf%</td>" },
        { 2, 1, "<td>33.3\xe2\x80\xaf%</td>" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct report_day   day = day_of(TODAY, cases[i].worked, cases[i].failed);
        const struct report_group group = group_of("example.org", "a", TLSRPT_STS, &day, 1);
        const struct report_sums  sums = sums_of(&group, 1);

        write_page(&sums);
        says(cases[i].share);
    }
}

static void failures_without_a_word_of_why_are_told(void **state)
{
    const struct report_day     days[] = { day_of(TODAY - 1, 5, 0), day_of(TODAY, 0, 7) };
    const struct report_failure failure = {
        .type = "tlsa-invalid", .host = "", .sessions = 3, .day = TODAY
    };
    struct report_group groups[] = { group_of("example.org", "google.com", TLSRPT_STS, days, 2),
                                     group_of("example.org", "mail.ru", TLSRPT_STS, days, 2) };
    const struct report_sums sums = sums_of(groups, 2);

    (void)state;
    groups[0].failures = &failure;
    groups[0].failure_count = 1;
    groups[0].unexplained = 4;
    groups[1].unexplained = 7;
    write_page(&sums);
    says("<h3>example.org: sessions failed, and the sender does not say why</h3>");
    says("<dd>mail.ru (7), google.com (4)</dd>");
    says("<b>11</b> sessions failed");
    assert_int_equal(how_often("<dt>When</dt><dd><span class=\"whole\">2026-11-24</span></dd>"), 2);
}

static void numbers_that_were_not_said_are_told(void **state)
{
    const struct report_day  days[] = { day_of(TODAY - 1, 0, 0), day_of(TODAY, 2, 0) };
    struct report_group      groups[] = { group_of("example.org", "a", TLSRPT_STS, days, 2),
                                          group_of("example.org", "b", TLSRPT_STS, days, 2) };
    const struct report_sums sums = sums_of(groups, 2);

    (void)state;
    write_page(&sums);
    says_not("A number of sessions was not said");
    groups[0].unsaid = 2;
    groups[1].unsaid = 1;
    write_page(&sums);
    says("A number of sessions was not said 3 times: it is counted nowhere.");
}

static void what_becomes_of_mail_goes_by_the_mode_of_the_day(void **state)
{
    struct report_day           days[] = { day_of(TODAY - 1, 0, 1), day_of(TODAY, 0, 0) };
    const struct report_failure failure = {
        .type = "certificate-expired", .host = "mail1.example.org", .day = TODAY - 1, .sessions = 1
    };
    struct report_group      group = group_of("example.org", "google.com", TLSRPT_STS, days, 2);
    const struct report_sums sums = sums_of(&group, 1);

    (void)state;
    group.failures = &failure;
    group.failure_count = 1;
    days[0].mode = TLSRPT_MODE_ENFORCE;
    write_page(&sums);
    says("<dd>enforce: mail is not delivered to a host that fails</dd>");
    days[0].mode = TLSRPT_MODE_TESTING;
    days[1].mode = TLSRPT_MODE_ENFORCE;
    write_page(&sums);
    says("<dd>testing: mail is delivered all the same</dd>");
    days[0].mode = TLSRPT_MODE_UNSAID;
    write_page(&sums);
    says_not("<dt>Mode</dt>");
}

static void policy_types_are_never_added(void **state)
{
    const struct report_day     day = day_of(TODAY, 400, 33);
    const struct report_failure failure = {
        .type = "certificate-expired", .host = "mail1.example.org", .sessions = 33, .day = TODAY
    };
    struct report_group groups[] = { group_of("example.org", "google.com", TLSRPT_STS, &day, 1),
                                     group_of("example.org", "google.com", TLSRPT_TLSA, &day, 1),
                                     group_of("example.net", "google.com", TLSRPT_NONE, &day, 1) };
    const struct report_sums sums = sums_of(groups, COUNT(groups));

    (void)state;
    for (size_t i = 0; i < COUNT(groups); i++) {
        groups[i].failures = &failure;
        groups[i].failure_count = 1;
    }
    write_page(&sums);
    says("for example.org, <span class=\"whole\">MTA-STS<");
    says("for example.org, <span class=\"whole\">DANE<");
    says("for example.net, <span class=\"whole\">No policy<");
    says("2 domains</span></h1>");
    says_not(">66<");
    says_not(">800<");
    says_not(">99<");
}

static void what_was_odd_is_told_with_its_sender(void **state)
{
    struct report_sender senders[] = { { .name = "google.com", .reports = 3 },
                                       { .name = "mail.ru", .reports = 2, .contradictions = 1 } };
    struct report_sums   sums = { .senders = senders, .sender_count = 2, .reports = 5 };

    (void)state;
    write_page(&sums);
    says_not("google.com");
    says("mail.ru</th><td class=\"t\">the report-id of another report");
    senders[0].odd[TLSRPT_ODD_BOM] = 3;
    senders[0].odd[TLSRPT_ODD_LABEL] = 1;
    senders[0].odd[TLSRPT_ODDS - 1] = 1;
    write_page(&sums);
    assert_int_equal(how_often("google.com</th>"), 3);
    says("google.com</th><td class=\"t\">a byte order mark</td><td>3</td>");
    says("<summary>2 senders</summary>");
    senders[0] = (struct report_sender){ .name = "google.com",
                                         .odd = { 1 } }; /* the first oddity */
    write_page(&sums);
    says("<summary>2 senders</summary>");
}

/* --- Timelines */

/* Days up to TODAY, and one more before them. */
static void write_days(size_t count, int32_t first)
{
    struct report_day  *days = calloc(count + 1, sizeof(*days));
    struct report_group group;
    struct report_sums  sums;

    assert_non_null(days);
    days[0] = day_of(first, 77, 0);
    for (size_t i = 1; i <= count; i++)
        days[i] = day_of(TODAY - (int32_t)(count - i), 1, 0);
    group = group_of("example.org", "google.com", TLSRPT_STS, days, count + 1);
    sums = sums_of(&group, 1);
    write_page(&sums);
    free(days);
}

static void a_day_without_a_report_is_a_gap_and_one_without_sessions_is_not(void **state)
{
    const struct report_day   days[] = { day_of(TODAY - 4, 9, 0), day_of(TODAY - 2, 0, 0),
                                         day_of(TODAY, 9, 3) };
    const struct report_group group = group_of("example.org", "google.com", TLSRPT_STS, days, 3);
    const struct report_sums  sums = sums_of(&group, 1);

    (void)state;
    write_page(&sums);
    says("<path class=\"gap\" d=\"M1 0h1v100h-1zM3 0h1v100h-1z\"/>");
    says("<path class=\"line\" d=\"M0 60h1v2h-1zM2 60h1v2h-1zM4 60h1v2h-1z\"/>");
    says("<title>2026-11-21: no report</title>");
    says("<title>2026-11-20: 9 worked, 0 failed</title>");
    assert_int_equal(how_often("class=\"pane\""), 5);
    assert_int_equal(how_often("<tr><th scope=\"row\">2026-11-2"), 3);
    says("google.com</th><td>18</td><td "
         "class=\"failed\">3</td><td>14.3\xe2\x80\xaf%</td><td>2026-11-24</td>");
    says("</i> no report</figcaption>");
    says("<title>2026-11-22: 0 worked, 0 failed</title>");
    says("<tr><th scope=\"row\">2026-11-22</th><td>0</td><td>0</td>");
    says_not("<tr><th scope=\"row\">2026-11-21");
}

static void without_failures_there_is_no_room_for_them(void **state)
{
    const struct report_day   days[] = { day_of(TODAY - 1, 1, 0), day_of(TODAY, 1, 0) };
    const struct report_group group = group_of("example.org", "google.com", TLSRPT_STS, days, 2);
    const struct report_sums  sums = sums_of(&group, 1);

    (void)state;
    write_page(&sums);
    says("viewBox=\"0 0 2 62\"");
    says("<span>1</span><span>0</span></div>"); /* the scale's ends */
    says("M0.1 60v-60h.8v60zM1.1 60v-60h.8v60z");
    says_not("below it");
    says_not("no report<");
    says("<th scope=\"col\">Day</th>");
}

static void a_timeline_tells_its_first_middle_and_last_day(void **state)
{
    (void)state;
    write_days(7, TODAY - 7);
    says("<span>2026-11-17</span><span "
         "style=\"left:56.2%\">2026-11-21</span><span>2026-11-24</span>");
    write_days(6, TODAY - 6);
    says("<span>2026-11-18</span><span>2026-11-24</span></div>"); /* too narrow for three */
}

static void a_day_is_summed_over_senders(void **state)
{
    const struct report_day   days[] = { day_of(TODAY - 1, 8, 0), day_of(TODAY, 40, 1) };
    const struct report_group groups[] = { group_of("example.org", "a", TLSRPT_STS, days, 2),
                                           group_of("example.org", "b", TLSRPT_STS, days, 2) };
    const struct report_sums  sums = sums_of(groups, 2);

    (void)state;
    write_page(&sums);
    says("<title>2026-11-24: 80 worked, 2 failed</title>");
    says("M0.1 60v-12h.8v12zM1.1 60v-60h.8v60z"); /* of 80, a fifth and all */
    says("<path class=\"bad\" d=\"M1.1 62v38h.8v-38z\"/>");
}

static void a_single_failure_among_many_can_be_seen(void **state)
{
    const struct report_day   days[] = { day_of(TODAY - 1, 1, 1), day_of(TODAY, 100000, 100000) };
    const struct report_group group = group_of("example.org", "a", TLSRPT_STS, days, 2);
    const struct report_sums  sums = sums_of(&group, 1);

    (void)state;
    write_page(&sums);
    says("M0.1 60v-3h.8v3z");
    says("M0.1 62v3h.8v-3z");
}

static void a_hundred_days_have_a_bar_each(void **state)
{
    (void)state;
    write_days(99, TODAY - 99);
    says("viewBox=\"0 0 100 ");
    says("Sessions a day:");
}

static void more_days_have_bars_of_weeks_that_begin_on_mondays(void **state)
{
    (void)state;
    write_days(364, TODAY - 364);
    says("viewBox=\"0 0 53 ");
    says("Sessions a week:");
    says("<th scope=\"col\">From</th>");
    says("<tr><th scope=\"row\">2025-11-24</th><td>82</td>");
    says("<tr><th scope=\"row\">2026-11-23</th><td>2</td>");
}

static void no_timeline_has_more_than_a_hundred_bars(void **state)
{
    static const size_t edges[] = { 100, 700, 2745, 4000 };

    (void)state;
    for (size_t i = 0; i < COUNT(edges); i++) {
        for (size_t days = edges[i] - 10; days < edges[i] + 10; days++) {
            write_days(days, TODAY - (int32_t)days);
            assert_in_range(how_often("class=\"pane\""), 15, 100);
        }
    }
}

static void years_have_bars_of_four_weeks(void **state)
{
    (void)state;
    write_days(2000, TODAY - 2000);
    says("Sessions in four weeks:");
    assert_true(how_often("class=\"pane\"") <= 100);
}

static void a_day_that_is_far_away_leaves_the_others_their_room(void **state)
{
    static const int32_t far[] = { 0, INT32_MAX - 1, REPORT_NO_DAY + 1, REPORT_NO_DAY };

    (void)state;
    for (size_t i = 0; i < COUNT(far); i++) {
        write_days(30, far[i]);
        says("viewBox=\"0 0 30 ");
        says("another day, or none said</th><td>77</td>");
    }
}

static void a_domain_whose_days_are_not_said_has_no_timeline(void **state)
{
    const struct report_day   days[] = { day_of(TODAY - 1, 1, 0), day_of(TODAY, 1, 0) };
    const struct report_day   unsaid = day_of(REPORT_NO_DAY, 5, 0);
    const struct report_group groups[] = { group_of("example.net", "a", TLSRPT_STS, &unsaid, 1),
                                           group_of("example.org", "a", TLSRPT_STS, days, 2) };
    const struct report_sums  sums = sums_of(groups, 2);

    (void)state;
    write_page(&sums);
    assert_int_equal(how_often("<svg"), 1);
    says("another day, or none said</th><td>5</td>");
}

static void numbers_without_bounds_do_no_harm(void **state)
{
    const struct report_day  days[] = { day_of(TODAY - 1, UINT64_MAX, UINT64_MAX),
                                        day_of(TODAY, 1, 1) };
    struct report_group      groups[] = { group_of("example.org", "a", TLSRPT_STS, days, 2),
                                          group_of("example.org", "b", TLSRPT_STS, days, 2) };
    const struct report_sums sums = sums_of(groups, 2);

    (void)state;
    groups[0].worked = groups[0].failed = groups[1].worked = groups[1].failed = UINT64_MAX;
    write_page(&sums);
    says("18\xe2\x80\xaf"
         "446\xe2\x80\xaf"
         "744\xe2\x80\xaf"
         "073\xe2\x80\xaf"
         "709\xe2\x80\xaf"
         "551\xe2\x80\xaf"
         "615 worked");
}

/* --- Bounds */

static void domains_beyond_the_bound_are_told(void **state)
{
    static char         names[300][24];
    struct report_day   days[300];
    struct report_group groups[300] = { 0 };
    struct report_sums  sums = sums_of(groups, 300);

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "d%03zu.example.org", i);
        days[i] = day_of(TODAY, 1, i);
        groups[i] = group_of(names[i], "google.com", TLSRPT_STS, &days[i], 1);
        groups[i].unexplained = i;
    }
    write_page(&sums);
    says_before("<h2>d299.example.org</h2>", "<h2>d100.example.org</h2>"); /* the worst ones */
    says_not("<h2>d099.example.org</h2>");
    says("Not shown here: 100 domains more.");
    assert_int_equal(how_often("<section id="), 200);
    says("<a href=\"#domain-1\">d299.example.org</a>");
    says("<section id=\"domain-1\">\n<h2>d299.example.org");
    says("<a href=\"#domain-200\">d100.example.org</a>");
    says("<section id=\"domain-200\">\n<h2>d100.example.org");
    says("<summary>289 more failures</summary>"); /* of which why is not said */
    says("Not shown here: 199 failures more.");
    assert_int_equal(how_often("<p class=\"size\">"), 100);
}

static void senders_beyond_the_bound_are_told(void **state)
{
    static char                names[1000][16];
    static struct report_group groups[1000];
    const struct report_day    day = day_of(TODAY, 1, 0);
    const struct report_sums   sums = sums_of(groups, 1000);

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof(names[i]), "s%03zu.example", i);
        groups[i] = group_of("example.org", names[i], TLSRPT_STS, &day, 1);
    }
    write_page(&sums);
    says("1\xe2\x80\xaf"
         "000 senders</summary>");
    says("Not shown here: 950 senders more.");
    says_not("s050.example");
}

static void odd_senders_beyond_the_bound_are_told(void **state)
{
    static char                 names[103][16];
    static struct report_sender senders[103];
    const struct report_sums    sums = { .senders = senders, .sender_count = 103, .reports = 103 };

    (void)state;
    for (size_t i = 0; i < 103; i++) {
        snprintf(names[i], sizeof(names[i]), "s%03zu.example", i);
        senders[i] = (struct report_sender){ .name = names[i], .contradictions = i != 0 };
    }
    write_page(&sums);
    says("<summary>102 senders</summary>");
    says("Not shown here: 2 senders more.");
    says("s100.example");
    says_not("s101.example");
}

static void failures_beyond_the_bound_are_told(void **state)
{
    static char                  hosts[120][24];
    static struct report_failure failures[120];
    const struct report_day      day = day_of(TODAY, 1, 0);
    struct report_group          group = group_of("example.org", "google.com", TLSRPT_STS, &day, 1);
    const struct report_sums     sums = sums_of(&group, 1);

    (void)state;
    for (size_t i = 0; i < 120; i++) {
        snprintf(hosts[i], sizeof(hosts[i]), "m%03zu.example.org", i);
        failures[i] = (struct report_failure){
            .type = "certificate-expired", .host = hosts[i], .day = TODAY, .sessions = i + 1
        };
    }
    group.failures = failures;
    group.failure_count = 120;
    write_page(&sums);
    says("Not shown here: 20 failures more."); /* of those that need attention */
    says("Not shown here: 70 failures more."); /* and of the domain's table */
    says("<span>m119.example.org</span>");     /* the worst are there */
    says_not("m019.example.org");
}

/* --- Strangers' texts */

/* U+202E and U+2066, in a way that turns nothing round here. */
static const char turned[] = { '\xe2', '\x80', '\xae', '\0' };
static const char isolated[] = { '\xe2', '\x81', '\xa6', '\0' };

static const char *const hostile[] = {
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</style><script>",
    "</title><svg onload=alert(1)>",
    "</desc></svg><p>",
    "]]><!--",
    "--><b>",
    "&lt;script&gt;",
    "&#60;script>",
    turned,
    isolated,
    "\x01\x1b[2J\x7f\r\n\t",
    "\xff\xfe\x80<\xc3",
    "\xc0\xbcscript\xc0\xbe",
    "\xe2\x80\xa8line",
    "</",
    "\\",
};

/* Sums in which each text is this one. */
static void write_page_of(const char *text)
{
    const struct report_day     days[] = { day_of(TODAY - 1, 1, 0), day_of(TODAY, 1, 4) };
    const struct report_failure failure = {
        .type = text,
        .host = text,
        .day = TODAY,
        .sessions = 2,
        .from = { text },
        .from_count = 1,
        .to = text,
        .reason = text,
        .information = text,
    };
    struct report_group  groups[] = { group_of(text, text, TLSRPT_STS, days, 2),
                                      group_of("", text, TLSRPT_TLSA, days, 2) };
    struct report_sender sender = { .name = text, .contradictions = 1 };
    struct report_sums   sums = sums_of(groups, 2);

    groups[0].failures = &failure;
    groups[0].failure_count = 1;
    groups[0].unexplained = 2;
    groups[1].unexplained = 4;
    sums.senders = &sender;
    sums.sender_count = 1;
    write_page(&sums);
}

/* The page's tags alone, with how many quotes each has, as a browser would find them. */
static char *skeleton(void)
{
    char  *tags;
    size_t len;
    FILE  *out = open_memstream(&tags, &len);

    assert_non_null(out);
    for (const char *at = page; (at = strchr(at, '<')) != NULL;) {
        unsigned quotes = 0;

        for (; *at != '\0' && (*at != '>' || quotes % 2 == 1); at++) {
            quotes += *at == '"';
            if (quotes % 2 == 0)
                fputc(*at, out);
        }
        fputs(">\n", out);
    }
    fclose(out);
    return tags;
}

static void no_text_becomes_markup(void **state)
{
    char *expected, *found;

    (void)state;
    write_page_of("harmless");
    assert_true(how_often("harmless") >= 20);
    expected = skeleton();
    for (size_t i = 0; i < COUNT(hostile); i++) {
        write_page_of(hostile[i]);
        found = skeleton();
        assert_string_equal(found, expected);
        free(found);
    }
    free(expected);
}

static void what_cannot_be_seen_is_made_visible(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        write_page_of(hostile[i]);
        for (const char *at = page; *at != '\0'; at++)
            assert_true((unsigned char)*at >= ' ' || *at == '\n');
        says_not("\x7f");
        says_not(turned);
        says_not(isolated);
        says_not("\xe2\x80\xa8");
        says_not("\xff");
        says_not("\xc0");
    }
    write_page_of(turned);
    says("\\xe2\\x80\\xae");
    write_page_of("&lt;script&gt;");
    says("&amp;lt;script&amp;gt;");
}

static void texts_that_are_empty_have_something_in_their_place(void **state)
{
    (void)state;
    write_page_of("");
    says("(no domain said)");
    says("a sender without a name");
    says("(no type said)");
}

/* --- What fails */

static void every_lack_of_memory_is_told(void **state)
{
    const struct report_day   day = day_of(TODAY, 1, 1);
    const struct report_group group = group_of("example.org", "google.com", TLSRPT_STS, &day, 1);
    const struct report_sums  sums = sums_of(&group, 1);
    unsigned                  all;

    (void)state;
    allocations = 0;
    write_page(&sums);
    all = allocations;
    assert_true(all > 5);
    for (unsigned each = 1; each <= all; each++) {
        FILE *out = fopen("/dev/null", "w");

        assert_non_null(out);
        allocations = 0;
        failing = each;
        errno = 0;
        assert_false(report_html(&sums, out));
        assert_int_equal(errno, ENOMEM);
        fclose(out);
    }
    failing = 0;
}

static void a_full_disk_is_told(void **state)
{
    const struct report_sums sums = { .reports = 0 };
    FILE                    *out = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(out);
    errno = 0;
    assert_false(report_html(&sums, out)); /* longer than what is buffered */
    assert_int_equal(errno, ENOSPC);
    fclose(out);
    errno = 0;
    assert_false(report_html_file(&sums, "/dev/full"));
    assert_int_equal(errno, ENOSPC);
}

/* --- Files, in a folder of their own */

static char folder[] = "/tmp/test_report_html.XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1; /* nothing was left behind */
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void starts_with(const char *path, const char *start)
{
    char  text[16] = "";
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    assert_true(fread(text, 1, strlen(start), in) == strlen(start));
    fclose(in);
    assert_string_equal(text, start);
}

static mode_t mode_of(const char *path)
{
    struct stat there;

    assert_int_equal(lstat(path, &there), 0);
    return there.st_mode;
}

static void a_file_is_new_or_takes_the_place_of_the_old_one(void **state)
{
    const struct report_sums sums = { .reports = 0 };
    mode_t                   mask = umask(027);

    (void)state;
    assert_true(report_html_file(&sums, "new.html"));
    starts_with("new.html", "<!DOCTYPE html>");
    assert_int_equal(mode_of("new.html"), S_IFREG | 0640);

    put_file("old.html", "old", 0604);
    assert_int_equal(symlink("old.html", "link.html"), 0);
    assert_true(report_html_file(&sums, "link.html"));
    assert_true(S_ISLNK(mode_of("link.html")));
    starts_with("old.html", "<!DOCTYPE html>");
    assert_int_equal(mode_of("old.html"), S_IFREG | 0604);

    umask(mask);
    unlink("new.html");
    unlink("old.html");
    unlink("link.html");
}

static void half_a_page_leaves_the_old_one(void **state)
{
    const struct report_sums sums = { .reports = 0 };
    struct rlimit            all, few;

    (void)state;
    put_file("old.html", "old", 0644);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    few = (struct rlimit){ .rlim_cur = 1000, .rlim_max = all.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    errno = 0;
    assert_false(report_html_file(&sums, "old.html"));
    assert_int_equal(errno, EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    signal(SIGXFSZ, SIG_DFL);
    starts_with("old.html", "old");
    unlink("old.html");
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    const struct report_sums sums = { .reports = 0 };

    (void)state;
    errno = 0;
    assert_false(report_html_file(&sums, "nowhere/page.html"));
    assert_int_equal(errno, ENOENT);
}

#define PAGE_TEST(name) cmocka_unit_test_teardown(name, forget_page)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(no_reports_are_told),
        PAGE_TEST(reports_that_tell_of_no_domain_are_told),
        PAGE_TEST(without_failures_there_is_nothing_to_do),
        PAGE_TEST(a_failure_is_told_with_what_to_do),
        PAGE_TEST(what_a_remedy_names_is_the_domain_or_host_itself),
        PAGE_TEST(the_recent_come_first_and_of_these_the_worst),
        PAGE_TEST(what_is_over_alone_needs_no_attention),
        PAGE_TEST(the_senders_that_saw_most_are_named_and_addresses_once),
        PAGE_TEST(each_domain_has_its_own_failures_the_worst_first),
        PAGE_TEST(more_than_three_domains_are_to_be_opened),
        PAGE_TEST(a_share_is_never_rounded_to_none_or_all),
        PAGE_TEST(failures_without_a_word_of_why_are_told),
        PAGE_TEST(numbers_that_were_not_said_are_told),
        PAGE_TEST(what_becomes_of_mail_goes_by_the_mode_of_the_day),
        PAGE_TEST(policy_types_are_never_added),
        PAGE_TEST(what_was_odd_is_told_with_its_sender),
        PAGE_TEST(a_day_without_a_report_is_a_gap_and_one_without_sessions_is_not),
        PAGE_TEST(without_failures_there_is_no_room_for_them),
        PAGE_TEST(a_timeline_tells_its_first_middle_and_last_day),
        PAGE_TEST(a_day_is_summed_over_senders),
        PAGE_TEST(a_single_failure_among_many_can_be_seen),
        PAGE_TEST(a_hundred_days_have_a_bar_each),
        PAGE_TEST(more_days_have_bars_of_weeks_that_begin_on_mondays),
        PAGE_TEST(no_timeline_has_more_than_a_hundred_bars),
        PAGE_TEST(years_have_bars_of_four_weeks),
        PAGE_TEST(a_day_that_is_far_away_leaves_the_others_their_room),
        PAGE_TEST(a_domain_whose_days_are_not_said_has_no_timeline),
        PAGE_TEST(numbers_without_bounds_do_no_harm),
        PAGE_TEST(domains_beyond_the_bound_are_told),
        PAGE_TEST(senders_beyond_the_bound_are_told),
        PAGE_TEST(odd_senders_beyond_the_bound_are_told),
        PAGE_TEST(failures_beyond_the_bound_are_told),
        PAGE_TEST(no_text_becomes_markup),
        PAGE_TEST(what_cannot_be_seen_is_made_visible),
        PAGE_TEST(texts_that_are_empty_have_something_in_their_place),
        PAGE_TEST(every_lack_of_memory_is_told),
        PAGE_TEST(a_full_disk_is_told),
        PAGE_TEST(a_file_is_new_or_takes_the_place_of_the_old_one),
        PAGE_TEST(half_a_page_leaves_the_old_one),
        PAGE_TEST(a_folder_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
