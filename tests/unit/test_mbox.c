/* mbox: mails, wherever the bytes are cut as they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/mbox.h"

/* What was visited, as text: each mail between "[" and "]". */
struct seen {
    char   text[400];
    size_t count;
    size_t until; /* visits */
};

static bool visit(void *context, const char *bytes, size_t len)
{
    struct seen *seen = context;
    size_t       at = strlen(seen->text);

    snprintf(seen->text + at, sizeof(seen->text) - at, "[%.*s]", bytes != NULL ? (int)len : 8,
             bytes != NULL ? bytes : "too long");
    return ++seen->count != seen->until;
}

/* In pieces of so many bytes. */
static void assert_mails(const char *text, size_t piece, const char *expected)
{
    struct seen seen = { .until = 100 };
    struct mbox mbox = { .visit = visit, .context = &seen };
    size_t      len = strlen(text);

    for (size_t at = 0; at < len; at += piece) {
        size_t now = len - at < piece ? len - at : piece;

        assert_int_equal(mbox_feed(&mbox, text + at, now), MBOX_ON);
    }
    assert_int_equal(mbox_end(&mbox), MBOX_ON);
    assert_string_equal(seen.text, expected);
    mbox_fini(&mbox);
}

static void mails_are_told_apart_however_they_arrive(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "From a\nA: b\n\nc\n", "[A: b\n\nc\n]" },
        { "From a\nA: b\n\nFrom c\nD: e\n", "[A: b\n\n][D: e\n]" },
        { "From a\r\nA: b\r\n\r\nFrom c\r\nD: e\r\n", "[A: b\r\n\r\n][D: e\r\n]" },
        { "From a\nA: b\nFrom c\nD: e\n", "[A: b\nFrom c\nD: e\n]" }, /* no empty line before */
        { "From a\nA: b\nFrom c Tue Nov 24 12:00:00 2026\nD: e\n", "[A: b\n][D: e\n]" },
        { "From a\r\nA\r\nFrom c  12:00:00 2026\r\nB\r\n", "[A\r\n][B\r\n]" },
        { "From a\nA\nFrom c 12:00:00 2026\nFrom c 12:00:00 2026\nB",
          "[A\n][From c 12:00:00 2026\nB]" },
        { "From a\nA\nFrom c at 12:00 of 2026\nB\n", "[A\nFrom c at 12:00 of 2026\nB\n]" },
        { "From a\nA\nFrom 12:00:00 202x\nB\n", "[A\nFrom 12:00:00 202x\nB\n]" },
        { "From a\nA: b\n\n\nFrom c\n", "[A: b\n\n\n][]" },
        { "From a\nA\n\nFromage\n\nFro\n\nF", "[A\n\nFromage\n\nFro\n\nF]" },
        { "From a\nA\n\n>From b\n", "[A\n\n>From b\n]" },
        { "From a\nFrom b\n", "[From b\n]" },
        { "From a\nA\n \nFrom b\n", "[A\n \nFrom b\n]" }, /* a blank is no empty line */
        { "From a\nA\n\r\r\nFrom b\n", "[A\n\r\r\n][]" },
        { "From a\nA\n\nFFrom b\n", "[A\n\nFFrom b\n]" },
        { "From a\nA\n\nFrom ", "[A\n\n][]" },
        { "From a\nA\n\nFrom", "[A\n\nFrom]" },
        { "From a", "[]" },
        { "From ", "[]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].text); piece++)
            assert_mails(cases[i].text, piece, cases[i].expected);
    }
}

static void a_mail_that_is_too_long_is_told_and_the_next_one_read(void **state)
{
    struct seen seen = { .until = 100 };
    struct mbox mbox = { .visit = visit, .context = &seen };
    char       *line = malloc(1 << 20);

    (void)state;
    assert_non_null(line);
    memset(line, 'x', 1 << 20);
    line[(1 << 20) - 1] = '\n';
    assert_int_equal(mbox_feed(&mbox, "From a\n", 7), MBOX_ON);
    for (size_t i = 0; i < (MBOX_MAIL_MAX >> 20) + 1; i++)
        assert_int_equal(mbox_feed(&mbox, line, 1 << 20), MBOX_ON);
    assert_true(mbox.mail.size <= 2 * (size_t)MBOX_MAIL_MAX);
    assert_int_equal(mbox_feed(&mbox, "\nFrom b\nA: b\n", 13), MBOX_ON);
    assert_int_equal(mbox_end(&mbox), MBOX_ON);
    assert_string_equal(seen.text, "[too long][A: b\n]");
    mbox_fini(&mbox);
    free(line);
}

static void a_visit_can_end_it(void **state)
{
    struct seen seen = { .until = 1 };
    struct mbox mbox = { .visit = visit, .context = &seen };

    (void)state;
    assert_int_equal(mbox_feed(&mbox, "From a\nA\n\nFrom b\nB\n", 20), MBOX_STOPPED);
    assert_string_equal(seen.text, "[A\n\n]");
    mbox_fini(&mbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_are_told_apart_however_they_arrive),
        cmocka_unit_test(a_mail_that_is_too_long_is_told_and_the_next_one_read),
        cmocka_unit_test(a_visit_can_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
