/* printable: what comes out of a terminal's way, and what stays as it is; utf8 with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/printable.h"
#include "tool/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_printed(const char *text, const char *expected)
{
    char  *out = NULL;
    size_t len = 0;
    FILE  *stream = open_memstream(&out, &len);

    assert_non_null(stream);
    printable_put(text, stream);
    fclose(stream);
    assert_string_equal(out, expected);
    free(out);
}

static void what_people_read_stays(void **state)
{
    (void)state;
    assert_printed("", "");
    assert_printed("mail1.example.org, \"it's\" <100%>", "mail1.example.org, \"it's\" <100%>");
    assert_printed("B\xc3\xbcro, \xe6\x97\xa5\xe6\x9c\xac, \xf0\x9f\x93\xa7",
                   "B\xc3\xbcro, \xe6\x97\xa5\xe6\x9c\xac, \xf0\x9f\x93\xa7");
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
    (void)state;
    assert_printed("\x1b[2J", "\\x1b[2J");
    assert_printed("a\r\n\tb\x7f", "a\\x0d\\x0a\\x09b\\x7f");
    assert_printed("\xc2\x9b"
                   "31m",
                   "\\xc2\\x9b31m");      /* C1: a terminal may take it for ESC [ */
    assert_printed("a\\x1b", "a\\\\x1b"); /* nobody can write what looks escaped */
}

static void what_turns_or_hides_text_is_escaped(void **state)
{
    (void)state;
    /* An override and what ends it; then an isolate. */
    assert_printed("\xe2\x80\xae\xe2\x80\xac", "\\xe2\\x80\\xae\\xe2\\x80\\xac");
    assert_printed("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
    assert_printed("\xe2\x80\x8b", "\\xe2\\x80\\x8b");          /* zero width space */
    assert_printed("\xe2\x80\xa8", "\\xe2\\x80\\xa8");          /* line separator */
    assert_printed("\xef\xbb\xbf", "\\xef\\xbb\\xbf");          /* byte order mark */
    assert_printed("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"); /* a tag */
}

static void what_is_no_utf8_is_escaped(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        { "B\xfcro", "B\\xfcro" },
        { "\x80", "\\x80" },
        { "\xc0\xaf", "\\xc0\\xaf" },                   /* a slash in two bytes */
        { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },          /* and in three */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* half a pair */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
        { "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
        { "\xe2\x82", "\\xe2\\x82" }, /* cut short */
        { "\xe2\x82x", "\\xe2\\x82x" },
        { "\xf0\x9f\x93", "\\xf0\\x9f\\x93" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_printed(cases[i].bytes, cases[i].expected);
}

static void every_character_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char     bytes[4];
        size_t   len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        uint32_t read = UINT32_MAX, rest = code;

        for (size_t i = len; i-- > 1; rest >>= 6)
            bytes[i] = (char)(0x80 | (rest & 0x3f));
        bytes[0] = (char)(len == 1 ? rest : (0xf00U >> len) | rest);
        if (code >= 0xd800 && code <= 0xdfff) {
            assert_int_equal(utf8_read(bytes, len, &read), 0);
            continue;
        }
        assert_int_equal(utf8_read(bytes, len, &read), len);
        assert_int_equal(read, code);
        assert_int_equal(utf8_read(bytes, len - 1, &read), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_read_stays),
        cmocka_unit_test(what_a_terminal_obeys_is_escaped),
        cmocka_unit_test(what_turns_or_hides_text_is_escaped),
        cmocka_unit_test(what_is_no_utf8_is_escaped),
        cmocka_unit_test(every_character_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
