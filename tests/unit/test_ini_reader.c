/* ini_reader: nothing is lost, truncated or ignored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ini_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char   heard[16 * INI_READER_LINE_MAX];
static size_t heard_len;

static void hear(void *context, const char *format, unsigned line, const char *a, const char *b)
{
    assert_ptr_equal(context, heard);
    heard_len += (size_t)snprintf(heard + heard_len, sizeof heard - heard_len, format, line, a, b);
    assert_true(heard_len < sizeof heard);
}

static void on_section(void *context, unsigned line, const char *name)
{
    hear(context, "%u[%s%s]\n", line, name, "");
}

static void on_key(void *context, unsigned line, const char *key, const char *value)
{
    hear(context, "%u<%s>=<%s>\n", line, key, value);
}

static void on_error(void *context, unsigned line, const char *text)
{
    hear(context, "%u!%s%s\n", line, text, "");
}

static void on_bad_header(void *context, unsigned line, const char *text, const char *header)
{
    hear(context, "%u!%s in [%s\n", line, text, header);
}

static const struct ini_handler handler = { on_section, on_key, on_error, on_bad_header };

static const char *read_bytes(const char *bytes, size_t len)
{
    heard_len = 0;
    heard[0] = '\0';
    assert_int_equal(ini_reader_run(bytes, len, &handler, heard), 0);
    return heard;
}

static const char *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void holds_case(void **state)
{
    const char *const *texts = *state;

    assert_string_equal(read_text(texts[1]), texts[2]);
}

#define NEITHER "!neither a [section] nor \"key = value\"\n"

/* name, what is written, what is heard */
static const char *const cases[][3] = {
    { "keys_and_values_have_no_blanks_around_them", "[a]\nkey =  some value \t\n",
      "1[a]\n2<key>=<some value>\n" },
    { "values_may_hold_separators_and_hashes", "[a]\nk=a=b:c # d;e", "1[a]\n2<k>=<a=b:c # d;e>\n" },
    { "a_blank_and_a_semicolon_begin_a_comment", "[a]\nk = v ; c\nl = v\t; c\nm = ; c\n",
      "1[a]\n2<k>=<v>\n3<l>=<v>\n4<m>=<>\n" },
    { "comment_lines_and_blank_lines_say_nothing", "; a\n# b\n\n \t\n  ; c = d\n[a]\n", "6[a]\n" },
    { "an_indented_line_is_a_line_of_its_own", "[a]\nk = v\n  l = w\n\tm = x\n",
      "1[a]\n2<k>=<v>\n3<l>=<w>\n4<m>=<x>\n" },
    { "an_indented_header_is_a_header", "  [a]\nk = v\n", "1[a]\n2<k>=<v>\n" },
    { "line_ends_may_be_crlf", "[a]\r\nk = v\r\n", "1[a]\n2<k>=<v>\n" },
    { "the_last_line_needs_no_end", "[a]\nk = v", "1[a]\n2<k>=<v>\n" },
    { "a_byte_order_mark_is_taken_off_once", "\xef\xbb\xbf[a]\nk=\xef\xbb\xbfv\n",
      "1[a]\n2<k>=<\xef\xbb\xbfv>\n" },
    { "an_empty_stream_says_nothing", "", "" },
    { "an_empty_section_is_seen", "[a]\n[b]\n", "1[a]\n2[b]\n" },
    { "repeated_sections_are_told_each_time", "[a]\n[a]\nk=v\n", "1[a]\n2[a]\n3<k>=<v>\n" },
    { "repeated_keys_are_told_each_time", "[a]\nk=v\nk=w\n", "1[a]\n2<k>=<v>\n3<k>=<w>\n" },
    { "a_header_has_no_blanks_around_its_name", "[ a b ] ; comment\n", "1[a b]\n" },
    { "a_long_name_is_whole",
      "[0123456789012345678901234567890123456789012345678901234567890123456789]\nk=v\n",
      "1[0123456789012345678901234567890123456789012345678901234567890123456789]\n2<k>=<v>\n" },
    { "a_long_key_is_whole",
      "[a]\n0123456789012345678901234567890123456789012345678901234567890123456789=v\n",
      "1[a]\n2<0123456789012345678901234567890123456789012345678901234567890123456789>=<v>\n" },
    { "a_key_above_every_section_is_an_error", "k = v\n[a]\n",
      "1!a key above every [section]\n2[a]\n" },
    { "a_colon_separates_nothing", "[a]\nk: v\nk : v = w\n",
      "1[a]\n2!a key and its value are separated by =, not by :\n3!a key and its value are "
      "separated by =, not by :\n" },
    { "a_value_without_a_key_is_an_error", "[a]\n= v\n", "1[a]\n2!a value without a key\n" },
    { "a_word_alone_is_an_error", "[a]\nword\nkey ; = v\n", "1[a]\n2" NEITHER "3" NEITHER },
    { "an_empty_value_is_told", "[a]\nk =\n", "1[a]\n2<k>=<>\n" },
    { "an_unclosed_header_is_an_error_and_takes_its_keys_along",
      "[a]\n[b\nk = v\nword\n[c]\nl = w\n",
      "1[a]\n2!a section header without its ] in [b\n4" NEITHER "5[c]\n6<l>=<w>\n" },
    { "junk_behind_a_header_is_an_error", "[a] b\n[a]]\n[a]#\n",
      "1!nothing but a ; comment may follow a section header in [a] b\n2!nothing but a ; comment "
      "may "
      "follow a section header in [a]]\n"
      "3!nothing but a ; comment may follow a section header in [a]#\n" },
    { "a_header_has_a_name", "[]\n[ ]\n",
      "1!a section header without a name in []\n2!a section header without a name in [ ]\n" },
    { "control_characters_are_errors_everywhere",
      "[a]\nk = a\x01"
      "b\n# \x1b[2J\nl\r = v\n[b\x7f]\nm = v\n",
      "1[a]\n2!a control character\n3!a control character\n4!a control character\n5!a control "
      "character in [b\x7f]\n" },
};

static void a_nul_is_an_error(void **state)
{
    static const char text[] = "[a]\nk = v\0w\nl = \0\n";

    (void)state;
    assert_string_equal(
        read_bytes(text, sizeof text - 1),
        "1[a]\n2!a NUL byte: is this a text file?\n3!a NUL byte: is this a text file?\n");
}

/* A line of len bytes in all, its end known by its last byte. */
static void fill_line(char *out, size_t len)
{
    memset(out, 'x', len);
    memcpy(out, "k=", 2);
    out[len - 1] = 'z';
}

static void a_line_is_whole_up_to_the_limit_and_an_error_beyond(void **state)
{
    static char text[2 * INI_READER_LINE_MAX], value[INI_READER_LINE_MAX], expected[sizeof text];

    (void)state;
    for (size_t len = INI_READER_LINE_MAX - 3; len <= INI_READER_LINE_MAX + 3; len++) {
        memcpy(text, "[a]\n", 4);
        fill_line(text + 4, len);
        strcpy(text + 4 + len, "\nl=w\n");
        if (len <= INI_READER_LINE_MAX) {
            memcpy(value, text + 6, len - 2);
            value[len - 2] = '\0';
            snprintf(expected, sizeof expected, "1[a]\n2<k>=<%s>\n3<l>=<w>\n", value);
        } else {
            strcpy(expected, "1[a]\n2!a line of more than 8000 bytes\n3<l>=<w>\n");
        }
        assert_string_equal(read_text(text), expected);
    }
}

/* inih begins with a buffer of 200 bytes, and 55 and 59 differ beyond it. */
static void every_length_around_the_librarys_own_limit_is_whole(void **state)
{
    static char text[1000], expected[1100];

    (void)state;
    for (size_t len = 180; len < 420; len++) {
        memcpy(text, "[a]\n", 4);
        fill_line(text + 4, len);
        text[4 + len] = '\0';
        snprintf(expected, sizeof expected, "1[a]\n2<k>=<%s>\n", text + 6);
        assert_string_equal(read_text(text), expected);
    }
}

static void a_long_header_in_error_takes_its_keys_along(void **state)
{
    static char text[2 * INI_READER_LINE_MAX] = "[a]\n[";

    (void)state;
    memset(text + 5, 'b', INI_READER_LINE_MAX);
    strcpy(text + 5 + INI_READER_LINE_MAX, "]\nk = v\n[c]\nl = w\n");
    read_text(text);
    assert_int_equal(strncmp(heard, "1[a]\n2!a line of more than 8000 bytes in [bbb", 45), 0);
    assert_string_equal(heard + 45 + INI_READER_LINE_MAX - 4, "\n4[c]\n5<l>=<w>\n");
}

static const struct CMUnitTest others[] = {
    cmocka_unit_test(a_nul_is_an_error),
    cmocka_unit_test(a_line_is_whole_up_to_the_limit_and_an_error_beyond),
    cmocka_unit_test(every_length_around_the_librarys_own_limit_is_whole),
    cmocka_unit_test(a_long_header_in_error_takes_its_keys_along),
};

int main(void)
{
    static struct CMUnitTest tests[COUNT(cases) + COUNT(others)];
    static const char       *states[COUNT(cases)][3];

    memcpy(states, cases, sizeof cases);
    for (size_t i = 0; i < COUNT(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i][0], holds_case, NULL, NULL, states[i] };
    memcpy(tests + COUNT(cases), others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
