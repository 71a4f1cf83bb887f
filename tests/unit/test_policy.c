/* policy: templates, ids and paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct policy template_of(const char *body, uint32_t domains)
{
    struct policy policy = { .mode = POLICY_TESTING, .body = body, .body_domains = domains };

    policy.body_len = (uint32_t)strlen(body);
    return policy;
}

static void modes_have_exactly_three_names(void **state)
{
    static const char *const none[] = {
        "", "Enforce", "enforce ", "enforced", "test", "nonee", "no"
    };
    enum policy_mode mode;

    (void)state;
    for (int i = POLICY_ENFORCE; i <= POLICY_NONE; i++) {
        const char *name = policy_mode_name((enum policy_mode)i);

        mode = (enum policy_mode) - 1;
        assert_true(policy_mode_parse(name, strlen(name), &mode));
        assert_int_equal(mode, i);
    }
    assert_string_equal(policy_mode_name(POLICY_ENFORCE), "enforce");
    assert_string_equal(policy_mode_name(POLICY_TESTING), "testing");
    assert_string_equal(policy_mode_name(POLICY_NONE), "none");
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(policy_mode_parse(none[i], strlen(none[i]), &mode));
    assert_true(policy_mode_parse("nonexistent", 4, &mode));
}

static void the_domain_is_filled_in_and_not_a_byte_more_is_written(void **state)
{
    static const struct {
        const char *body;
        uint32_t    domains;
        const char *filled;
    } cases[] = {
        { "mx: a.b\r\n", 0, "mx: a.b\r\n" },
        { "mx: %d\r\n", 1, "mx: example.org\r\n" },
        { "%d", 1, "example.org" },
        { "%d%d", 2, "example.orgexample.org" },
        { "mx: *.%d\r\nmx: mail.%d.net\r\n", 2,
          "mx: *.example.org\r\nmx: mail.example.org.net\r\n" },
        { "", 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy policy = template_of(cases[i].body, cases[i].domains);
        size_t        len = policy_body_length(&policy, 11);
        char         *out = malloc(len + 1); /* what is behind is the sanitizers' to watch */

        assert_non_null(out);
        out[len] = '#';
        assert_int_equal(len, strlen(cases[i].filled));
        assert_int_equal(policy_body_write(&policy, "example.org!", 11, out), len);
        assert_memory_equal(out, cases[i].filled, len);
        assert_int_equal(out[len], '#');
        free(out);
    }
}

static void an_id_set_by_hand_is_the_id(void **state)
{
    struct policy policy = template_of("mx: %d\r\n", 1);
    char          id[POLICY_ID_LEN + 1];

    (void)state;
    policy.id = "20261124T120000";
    policy_id(&policy, "example.org", 11, id);
    assert_string_equal(id, "20261124T120000");
    policy.id = "abcdefghijklmnopqrstuvwxyz012345";
    policy_id(&policy, "example.org", 11, id);
    assert_string_equal(id, "abcdefghijklmnopqrstuvwxyz012345");
}

/* A derived id must never change with the code: it stands in DNS. */
static void a_derived_id_is_the_one_that_was_published(void **state)
{
    struct policy policy = template_of(
        "version: STSv1\r\nmode: testing\r\nmx: mail.%d\r\nmax_age: 604800\r\n", 1);
    char id[POLICY_ID_LEN + 1];

    (void)state;
    policy_id(&policy, "example.org", 11, id);
    assert_string_equal(id, "4d5acc9468f7c53ba5b2687ce8fe4243");
}

static void a_derived_id_follows_the_bytes_that_are_served(void **state)
{
    struct policy by_domain = template_of("mx: mail.%d\r\n", 1);
    struct policy literal = template_of("mx: mail.example.org\r\n", 0);
    char          one[POLICY_ID_LEN + 1], other[POLICY_ID_LEN + 1];

    (void)state;
    policy_id(&by_domain, "example.org", 11, one);
    assert_int_equal(strlen(one), POLICY_ID_LEN);
    assert_int_equal(strspn(one, "0123456789abcdef"), POLICY_ID_LEN);
    policy_id(&literal, "example.org", 11, other);
    assert_string_equal(one, other);
    literal.certificate = "/another";
    literal.key = "/key";
    policy_id(&literal, "example.com", 11, other);
    assert_string_equal(one, other);
    policy_id(&by_domain, "example.com", 11, other);
    assert_string_not_equal(one, other);
    literal.body_len--;
    policy_id(&literal, "example.org", 11, other);
    assert_string_not_equal(one, other);
}

static void paths_are_filled_in(void **state)
{
    static const struct {
        const char *pattern;
        const char *path; /* NULL: refused */
    } cases[] = {
        { "/c.pem", "/c.pem" },
        { "/live/%h/fullchain.pem", "/live/mta-sts.example.org/fullchain.pem" },
        { "/%d/%d.pem", "/example.org/example.org.pem" },
        { "/100%%/%%h%%", "/100%/%h%" },
        { "", "" },
        { "/%", NULL },
        { "/%s", NULL },
        { "/%D", NULL },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int len = policy_path(cases[i].pattern, "example.org!", 11, out, sizeof out);

        if (cases[i].path == NULL) {
            assert_int_equal(len, -1);
            continue;
        }
        assert_string_equal(out, cases[i].path);
        assert_int_equal(len, strlen(cases[i].path));
    }
}

static void a_path_that_does_not_fit_is_refused_at_every_size(void **state)
{
    const char *pattern = "/a%%/%h/%d/b";
    const char *path = "/a%/mta-sts.example.org/example.org/b";
    size_t      whole = strlen(path) + 1;

    (void)state;
    for (size_t size = 0; size <= whole; size++) {
        char *out = malloc(size > 0 ? size : 1);

        assert_non_null(out);
        assert_int_equal(policy_path(pattern, "example.org", 11, out, size),
                         size == whole ? (int)whole - 1 : -1);
        if (size == whole)
            assert_string_equal(out, path);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_have_exactly_three_names),
        cmocka_unit_test(the_domain_is_filled_in_and_not_a_byte_more_is_written),
        cmocka_unit_test(an_id_set_by_hand_is_the_id),
        cmocka_unit_test(a_derived_id_is_the_one_that_was_published),
        cmocka_unit_test(a_derived_id_follows_the_bytes_that_are_served),
        cmocka_unit_test(paths_are_filled_in),
        cmocka_unit_test(a_path_that_does_not_fit_is_refused_at_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
