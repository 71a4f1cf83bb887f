/* typed: what people write for names and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/typed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void names_become_what_dns_carries(void **state)
{
    static const struct {
        const char *typed, *canonical;
    } cases[] = {
        { "example.org", "example.org" },
        { "EXAMPLE.Org.", "example.org" },
        { "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example" },
        { "M\xc3\x9cNCHEN.example.", "xn--mnchen-3ya.example" },
        { "xn--mnchen-3ya.example", "xn--mnchen-3ya.example" },
        { "fa\xc3\x9f.example", "xn--fa-hia.example" }, /* IDNA 2008: not fass */
        { "ab--cd.example", "ab--cd.example" },         /* ASCII is not for IDNA to judge */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[HOSTNAME_MAX + 1], why[TYPED_WHY_MAX];

        assert_true(typed_name(cases[i].typed, HOSTNAME_MAX, out, why));
        assert_string_equal(out, cases[i].canonical);
    }
}

static void what_is_no_name_is_told_why(void **state)
{
    static const struct {
        const char *typed, *why;
    } cases[] = {
        { "", "" },
        { "example", "" },
        { "exam ple.org", "" },
        { "-example.org", "" },
        { "m\xfcnchen.example", "IDNA" },   /* Latin-1 */
        { "\xe2\x98\xba.example", "IDNA" }, /* a smiling face */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[HOSTNAME_MAX + 1], why[TYPED_WHY_MAX] = "";

        assert_false(typed_name(cases[i].typed, HOSTNAME_MAX, out, why));
        assert_true(why[0] != '\0');
        assert_non_null(strstr(why, cases[i].why));
    }
}

static void a_name_has_room_for_what_is_asked(void **state)
{
    char domain[HOSTNAME_DOMAIN_MAX + 3], out[HOSTNAME_MAX + 1], why[TYPED_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(domain) - 1; i++)
        domain[i] = i % 2 == 0 ? 'a' : '.';
    domain[HOSTNAME_DOMAIN_MAX] = '\0';
    assert_true(typed_name(domain, HOSTNAME_DOMAIN_MAX, out, why));
    domain[HOSTNAME_DOMAIN_MAX] = '.';
    domain[HOSTNAME_DOMAIN_MAX + 2] = '\0';
    assert_false(typed_name(domain, HOSTNAME_DOMAIN_MAX, out, why));
    assert_true(typed_name(domain, HOSTNAME_MAX, out, why));
}

static void addresses_are_of_a_family(void **state)
{
    static const struct {
        const char *text;
        sa_family_t family;
    } cases[] = {
        { "192.0.2.1", AF_INET }, { "2001:db8::1", AF_INET6 },   { "::ffff:192.0.2.1", AF_INET6 },
        { "192.0.2", AF_UNSPEC }, { "192.0.2.1:53", AF_UNSPEC }, { "fe80::1%eth0", AF_UNSPEC },
        { "", AF_UNSPEC },        { "a.example", AF_UNSPEC },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(typed_address(cases[i].text), cases[i].family);
    assert_int_equal(typed_address_of("192.0.2.1:53", 9), AF_INET);
    assert_int_equal(typed_address_of("192.0.2.1:53", 11), AF_UNSPEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_what_dns_carries),
        cmocka_unit_test(what_is_no_name_is_told_why),
        cmocka_unit_test(a_name_has_room_for_what_is_asked),
        cmocka_unit_test(addresses_are_of_a_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
