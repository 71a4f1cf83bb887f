/* records: what a domain needs in the DNS, and what it cannot have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/records.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BODY         "version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
#define REPORTS      "v=TLSRPTv1; rua="

static const char *const two_rua[] = { "mailto:tls@example.org", "https://example.net/tls?a=%2C" };

static struct policy policy_with(const char *const *rua, size_t count)
{
    return (struct policy){
        .body = BODY, .body_len = sizeof(BODY) - 1, .rua = rua, .rua_count = (uint32_t)count
    };
}

/* Every record as a line: "owner TYPE data". */
static char lines[80 * 1024];

static void add_line(void *context, const struct record *record)
{
    size_t len = strlen(lines);

    (void)context;
    snprintf(lines + len, sizeof(lines) - len, "%s %s %s\n", record->owner,
             records_type_name(record->type), record->data);
}

static unsigned collect(const struct policy *policy, const char *domain,
                        const struct records_place *place)
{
    static const struct records_place nowhere;

    lines[0] = '\0';
    return records_each(policy, domain, place != NULL ? place : &nowhere, add_line, NULL);
}

static void a_domain_has_its_id_and_where_reports_go(void **state)
{
    struct policy policy = policy_with(two_rua, COUNT(two_rua));
    char          expected[512], id[POLICY_ID_LEN + 1];

    (void)state;
    policy_id(&policy, "example.org", strlen("example.org"), id);
    snprintf(expected, sizeof(expected),
             "_mta-sts.example.org TXT v=STSv1; id=%s;\n"
             "_smtp._tls.example.org TXT " REPORTS
             "mailto:tls@example.org,https://example.net/tls?a=%%2C\n",
             id);
    assert_int_equal(collect(&policy, "example.org", NULL), 0);
    assert_string_equal(lines, expected);
}

static void an_id_that_is_set_is_told_as_it_is(void **state)
{
    struct policy policy = policy_with(NULL, 0);

    (void)state;
    policy.id = "20261124T120000";
    assert_int_equal(collect(&policy, "example.org", NULL), RECORDS_LACK_RUA);
    assert_string_equal(lines, "_mta-sts.example.org TXT v=STSv1; id=20261124T120000;\n");
}

static void a_policy_host_is_where_one_says(void **state)
{
    struct policy              policy = policy_with(NULL, 0);
    const struct records_place named = { .target = "policies.example.net" };
    const struct records_place numbered = {
        .addresses = { { RECORDS_A, "192.0.2.1" }, { RECORDS_AAAA, "2001:db8::1" } },
        .address_count = 2,
    };

    (void)state;
    policy.id = "1";
    collect(&policy, "example.org", &named);
    assert_string_equal(lines, "_mta-sts.example.org TXT v=STSv1; id=1;\n"
                               "mta-sts.example.org CNAME policies.example.net\n");
    collect(&policy, "example.org", &numbered);
    assert_string_equal(lines, "_mta-sts.example.org TXT v=STSv1; id=1;\n"
                               "mta-sts.example.org A 192.0.2.1\n"
                               "mta-sts.example.org AAAA 2001:db8::1\n");
}

static void a_host_is_no_alias_of_itself(void **state)
{
    struct policy              policy = policy_with(NULL, 0);
    const struct records_place itself = { .target = "mta-sts.example.org" };

    (void)state;
    assert_int_equal(collect(&policy, "example.org", &itself),
                     RECORDS_LACK_PLACE | RECORDS_LACK_RUA);
    assert_null(strstr(lines, "CNAME"));
    assert_int_equal(collect(&policy, "example.net", &itself), RECORDS_LACK_RUA);
    assert_non_null(strstr(lines, "mta-sts.example.net CNAME mta-sts.example.org\n"));
}

/* "a.a.a...": of so many bytes, an odd number. */
static void make_domain(char *domain, size_t len)
{
    for (size_t i = 0; i < len; i++)
        domain[i] = i % 2 == 0 ? 'a' : '.';
    domain[len] = '\0';
}

static void a_name_that_dns_cannot_have_is_lacking(void **state)
{
    const struct {
        size_t   len;
        unsigned lack;
        unsigned records;
    } cases[] = {
        { 241, 0, 2 },                                 /* _smtp._tls. and 241: 252 bytes */
        { 243, RECORDS_LACK_NAME, 1 },                 /* 254, and _mta-sts. 252 */
        { HOSTNAME_DOMAIN_MAX, RECORDS_LACK_NAME, 0 }, /* 256 and 254 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy policy = policy_with(two_rua, COUNT(two_rua));
        char          domain[HOSTNAME_DOMAIN_MAX + 1];
        unsigned      count = 0;

        make_domain(domain, cases[i].len);
        assert_int_equal(collect(&policy, domain, NULL), cases[i].lack);
        for (const char *p = lines; *p != '\0'; p++)
            count += *p == '\n';
        assert_int_equal(count, cases[i].records);
    }
}

static void reports_that_no_record_has_room_for_are_lacking(void **state)
{
    /* One rua fills the record to the last byte; then it has one byte more. */
    const size_t  most = RECORDS_TXT_MAX - strlen(REPORTS);
    char         *rua = malloc(most + 2);
    const char   *list[] = { rua };
    struct policy policy = policy_with(list, 1);

    (void)state;
    assert_non_null(rua);
    memset(rua, 'a', most + 1);
    rua[most] = '\0';
    assert_int_equal(collect(&policy, "example.org", NULL), 0);
    assert_non_null(strstr(lines, REPORTS "aaaa"));
    rua[most] = 'a';
    rua[most + 1] = '\0';
    assert_int_equal(collect(&policy, "example.org", NULL), RECORDS_LACK_ROOM);
    assert_null(strstr(lines, REPORTS));
    free(rua);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_has_its_id_and_where_reports_go),
        cmocka_unit_test(an_id_that_is_set_is_told_as_it_is),
        cmocka_unit_test(a_policy_host_is_where_one_says),
        cmocka_unit_test(a_host_is_no_alias_of_itself),
        cmocka_unit_test(a_name_that_dns_cannot_have_is_lacking),
        cmocka_unit_test(reports_that_no_record_has_room_for_are_lacking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
