/* hostname: names as DNS carries them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/hostname.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define X10(x)       x x x x x x x x x x
#define X60(x)       X10(x) X10(x) X10(x) X10(x) X10(x) X10(x)
#define LABELS       X60("a") "." X60("b") "." X60("c") "." X60("d") "." /* 244 bytes */

static void names_have_a_verdict(void **state)
{
    static const struct {
        const char           *name;
        enum hostname_verdict verdict;
    } cases[] = {
        { "example.org", HOSTNAME_OK },
        { "1.2.3.4a", HOSTNAME_OK },
        { "0.org", HOSTNAME_OK },
        { "xn--bcher-kva.example", HOSTNAME_OK },
        { X60("a") "bcd.org", HOSTNAME_OK },
        { LABELS "123456a89", HOSTNAME_OK }, /* 253 */
        { LABELS "123456a89.", HOSTNAME_OK },
        { "", HOSTNAME_EMPTY },
        { ".", HOSTNAME_EMPTY },
        { "..", HOSTNAME_LABEL },
        { ".org", HOSTNAME_LABEL },
        { "a..b", HOSTNAME_LABEL },
        { "a.b..", HOSTNAME_LABEL },
        { "-a.b", HOSTNAME_LABEL },
        { "a-.b", HOSTNAME_LABEL },
        { "a.-", HOSTNAME_LABEL },
        { X60("a") "bcde.org", HOSTNAME_LABEL },
        { LABELS "123456a890", HOSTNAME_TOO_LONG },
        { "b\xc3\xbc"
          "cher.example",
          HOSTNAME_NOT_ASCII },
        { "b\xc3\xbc_cher.example", HOSTNAME_NOT_ASCII },
        { "_dmarc.example", HOSTNAME_CHARACTER },
        { "*.example", HOSTNAME_CHARACTER },
        { "a b.example", HOSTNAME_CHARACTER },
        { "a.example/", HOSTNAME_CHARACTER },
        { "localhost", HOSTNAME_ONE_LABEL },
        { "localhost.", HOSTNAME_ONE_LABEL },
        { "192.0.2.1", HOSTNAME_NUMERIC },
        { "a.123", HOSTNAME_NUMERIC },
        { "123", HOSTNAME_NUMERIC },
    };
    char out[HOSTNAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum hostname_verdict verdict = hostname_canonical(cases[i].name, strlen(cases[i].name),
                                                           HOSTNAME_MAX, out);

        if (verdict != cases[i].verdict)
            print_message("%s\n", cases[i].name);
        assert_int_equal(verdict, cases[i].verdict);
    }
    assert_int_equal(hostname_canonical("a.b\0c", 5, HOSTNAME_MAX, out), HOSTNAME_CHARACTER);
}

static void every_byte_but_letters_digits_and_hyphens_is_refused(void **state)
{
    char name[] = "ab?cd.example", out[HOSTNAME_MAX + 1];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool good = byte < 0x80 && byte != 0 &&
                    strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.",
                           byte);

        name[2] = (char)byte;
        assert_int_equal(
            hostname_canonical(name, sizeof name - 1, HOSTNAME_MAX, out) == HOSTNAME_OK, good);
    }
}

static void the_canonical_form_is_lower_case_without_a_final_dot(void **state)
{
    char out[HOSTNAME_MAX + 1], same[] = "Mail.EXAMPLE.org.";

    (void)state;
    assert_int_equal(hostname_canonical("Mail.EXAMPLE.Org.", 17, HOSTNAME_MAX, out), HOSTNAME_OK);
    assert_string_equal(out, "mail.example.org");
    assert_int_equal(hostname_canonical(same, strlen(same), HOSTNAME_MAX, same), HOSTNAME_OK);
    assert_string_equal(same, "mail.example.org");
    assert_int_equal(hostname_canonical("example.orgy", 11, HOSTNAME_MAX, out), HOSTNAME_OK);
    assert_string_equal(out, "example.org");
}

static void a_domain_leaves_room_for_its_policy_host(void **state)
{
    char out[HOSTNAME_DOMAIN_MAX + 1];

    (void)state;
    assert_int_equal(hostname_canonical(LABELS "e", 245, HOSTNAME_DOMAIN_MAX, out), HOSTNAME_OK);
    assert_int_equal(strlen(out), HOSTNAME_DOMAIN_MAX);
    assert_int_equal(hostname_canonical(LABELS "ef", 246, HOSTNAME_DOMAIN_MAX, out),
                     HOSTNAME_TOO_LONG);
    assert_int_equal(strlen(HOSTNAME_POLICY_PREFIX), HOSTNAME_POLICY_PREFIX_LEN);
    assert_int_equal(HOSTNAME_DOMAIN_MAX + HOSTNAME_POLICY_PREFIX_LEN, HOSTNAME_MAX);
}

static void every_verdict_has_a_text(void **state)
{
    (void)state;
    for (int verdict = HOSTNAME_OK; verdict <= HOSTNAME_NUMERIC + 1; verdict++)
        assert_true(strlen(hostname_explain((enum hostname_verdict)verdict)) > 0);
}

static void equality_ignores_ascii_case_alone(void **state)
{
    (void)state;
    assert_true(hostname_equal("Example.ORG", 11, "eXample.org", 11));
    assert_true(hostname_equal("", 0, "", 0));
    assert_false(hostname_equal("example.org", 11, "example.or", 10));
    assert_false(hostname_equal("a[", 2, "a{", 2)); /* 0x20 apart, but no letters */
    assert_false(hostname_equal("\xc4", 1, "\xe4", 1));
}

static void a_certificate_covers_its_names(void **state)
{
    static const struct {
        const char *dns_id;
        bool        covers;
    } cases[] = {
        { "mta-sts.example.org", true },
        { "MTA-STS.Example.Org", true },
        { "*.example.org", true },
        { "*.EXAMPLE.org", true },
        { "example.org", false },
        { "*.org", false },
        { "*", false },
        { "*.", false },
        { "", false },
        { "*mta-sts.example.org", false },
        { "mta-*.example.org", false },
        { "*.*.org", false },
        { "mta-sts.*.org", false },
        { "*.mta-sts.example.org", false },
        { "*.xample.org", false },
        { "mta-sts.example.org.", false },
    };
    const char *host = "mta-sts.example.org";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(hostname_covered_by(host, cases[i].dns_id, strlen(cases[i].dns_id)),
                         cases[i].covers);
    /* A NUL does not end a name: CVE-2009-2408 and its like. */
    assert_false(hostname_covered_by(host, "mta-sts.example.org\0.evil.example", 33));
    assert_false(hostname_covered_by("localhost", "*.localhost", 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_a_verdict),
        cmocka_unit_test(every_byte_but_letters_digits_and_hyphens_is_refused),
        cmocka_unit_test(the_canonical_form_is_lower_case_without_a_final_dot),
        cmocka_unit_test(a_domain_leaves_room_for_its_policy_host),
        cmocka_unit_test(every_verdict_has_a_text),
        cmocka_unit_test(equality_ignores_ascii_case_alone),
        cmocka_unit_test(a_certificate_covers_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
