/* policy_body: what a policy says, and each slip in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reader.h"
#include "wire/policy_body.h"

#define X5(x)  x x x x x
#define X60(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x) X5(x)

/* The lines of a policy without a slip. */
#define VERSION "version: STSv1\r\n"
#define MODE    "mode: enforce\r\n"
#define MX      "mx: a.example\r\n"
#define AGE     "max_age: 604800\r\n"

static const char *const names[] = {
    [BODY_EMPTY] = "EMPTY",
    [BODY_HTML] = "HTML",
    [BODY_BOM] = "BOM",
    [BODY_LF] = "LF",
    [BODY_CR] = "CR",
    [BODY_NUL] = "NUL",
    [BODY_BLANK_LINE] = "BLANK_LINE",
    [BODY_BLANK_LINE_AT_END] = "BLANK_LINE_AT_END",
    [BODY_BLANKS_LINE] = "BLANKS_LINE",
    [BODY_NO_LAST_END] = "NO_LAST_END",
    [BODY_NO_COLON] = "NO_COLON",
    [BODY_COMMENT] = "COMMENT",
    [BODY_BLANK_BEFORE_KEY] = "BLANK_BEFORE_KEY",
    [BODY_BLANK_BEFORE_COLON] = "BLANK_BEFORE_COLON",
    [BODY_KEY_CASE] = "KEY_CASE",
    [BODY_BAD_KEY] = "BAD_KEY",
    [BODY_UNKNOWN_KEY] = "UNKNOWN_KEY",
    [BODY_SECOND_COLON] = "SECOND_COLON",
    [BODY_NO_VALUE] = "NO_VALUE",
    [BODY_BAD_VALUE] = "BAD_VALUE",
    [BODY_UTF8] = "UTF8",
    [BODY_VERSION_NOT_FIRST] = "VERSION_NOT_FIRST",
    [BODY_NO_VERSION] = "NO_VERSION",
    [BODY_WRONG_VERSION] = "WRONG_VERSION",
    [BODY_VERSION_CASE] = "VERSION_CASE",
    [BODY_VERSION_TWICE] = "VERSION_TWICE",
    [BODY_NO_MODE] = "NO_MODE",
    [BODY_UNKNOWN_MODE] = "UNKNOWN_MODE",
    [BODY_MODE_CASE] = "MODE_CASE",
    [BODY_MODE_TWICE] = "MODE_TWICE",
    [BODY_NO_MX] = "NO_MX",
    [BODY_NONE_WITHOUT_MX] = "NONE_WITHOUT_MX",
    [BODY_MX_DOT] = "MX_DOT",
    [BODY_MX_UPPER] = "MX_UPPER",
    [BODY_MX_UTF8] = "MX_UTF8",
    [BODY_MX_STAR] = "MX_STAR",
    [BODY_MX_INNER_STAR] = "MX_INNER_STAR",
    [BODY_MX_LEADING_DOT] = "MX_LEADING_DOT",
    [BODY_MX_IPV4] = "MX_IPV4",
    [BODY_MX_IPV6] = "MX_IPV6",
    [BODY_MX_MANY] = "MX_MANY",
    [BODY_MX_UNDERSCORE] = "MX_UNDERSCORE",
    [BODY_MX_EMPTY] = "MX_EMPTY",
    [BODY_MX_BAD] = "MX_BAD",
    [BODY_MX_TWICE] = "MX_TWICE",
    [BODY_AGE_ZERO] = "AGE_ZERO",
    [BODY_NO_AGE] = "NO_AGE",
    [BODY_AGE_EMPTY] = "AGE_EMPTY",
    [BODY_AGE_NEGATIVE] = "AGE_NEGATIVE",
    [BODY_AGE_OVER] = "AGE_OVER",
    [BODY_AGE_MAX] = "AGE_MAX",
    [BODY_AGE_DIGITS] = "AGE_DIGITS",
    [BODY_AGE_UNIT] = "AGE_UNIT",
    [BODY_AGE_BAD] = "AGE_BAD",
    [BODY_AGE_SHORT] = "AGE_SHORT",
    [BODY_AGE_VERY_SHORT] = "AGE_VERY_SHORT",
    [BODY_AGE_TWICE] = "AGE_TWICE",
};

static struct txt_slice body_bytes;
static unsigned         last_line; /* that something was told of */

static void assert_within(struct txt_slice where)
{
    assert_true(where.at >= body_bytes.at);
    assert_true(where.at + where.len <= body_bytes.at + body_bytes.len);
}

/* "3:KEY_CASE(bytes) ", or "NO_MODE " for what is missing. */
static void hear(void *context, enum policy_body_flaw flaw, struct txt_slice where, unsigned line)
{
    assert_ptr_equal(context, &body_bytes);
    assert_within(where);
    if (line == 0) {
        assert_true(where.at == body_bytes.at && where.len == body_bytes.len);
        tell("%s ", names[flaw]);
        last_line = UINT_MAX;
        return;
    }
    assert_true(line >= last_line);
    last_line = line;
    tell("%u:%s(", line, names[flaw]);
    tell_bytes(where);
    tell(") ");
}

static void hear_mx(void *context, struct txt_slice pattern, unsigned line)
{
    assert_ptr_equal(context, &body_bytes);
    assert_within(pattern);
    tell("%u:mx(", line);
    tell_bytes(pattern);
    tell(") ");
}

/* The body is dirty before, so that nothing is right by chance. */
static struct policy_body read_with(const char *bytes, size_t len,
                                    void (*mx)(void *, struct txt_slice, unsigned))
{
    struct policy_body body;

    memset(&body, 0xa5, sizeof body);
    body_bytes = guarded(bytes, len);
    last_line = 0;
    policy_body_read(body_bytes.at, len, &body, mx, hear, &body_bytes);
    return body;
}

static struct policy_body read_text(const char *text)
{
    return read_with(text, strlen(text), NULL);
}

struct row {
    const char *name, *text, *told;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        read_text(rows[i].text);
        assert_told(rows[i].name, rows[i].told);
    }
}

static void a_policy_is_read(void **state)
{
    static const char text[] = VERSION "mode: testing\r\n" MX "mx:\t*.b.example \r\n" AGE;

    struct policy_body body = read_with(text, strlen(text), hear_mx);

    (void)state;
    assert_told("a policy", "3:mx(a.example) 4:mx(*.b.example) ");
    assert_int_equal(body.mode, BODY_MODE_TESTING);
    assert_true(body.has_age);
    assert_int_equal(body.max_age, 604800);
    assert_int_equal(body.mx_count, 2);
    assert_int_equal(read_text(VERSION MODE MX AGE).mode, BODY_MODE_ENFORCE);
    assert_told("enforce", "");
    assert_int_equal(read_text(VERSION "mode: none\r\n" MX AGE).mode, BODY_MODE_NONE);
    assert_told("B31: none with mx", "");
    body = read_text("a: b\r\n");
    assert_int_equal(body.mode, BODY_MODE_MISSING);
    assert_false(body.has_age);
    assert_int_equal(body.mx_count, 0);
}

static void what_is_no_policy_at_all_is_told_as_that(void **state)
{
    static const struct row rows[] = {
        { "H23: empty", "", "EMPTY " },
        { "H23: a line end", "\n", "EMPTY " },
        { "H23: line ends and blanks", "\r\n \t\r\n\r", "EMPTY " },
        { "H23: a byte order mark", "\xef\xbb\xbf\n", "EMPTY " },
        { "H5", "<!DOCTYPE html>\r\n<p>version: STSv1\r\n", "1:HTML(<!DOCTYPE html>) " },
        { "H5: one line", "<p>", "1:HTML(<p>) " },
        { "H5: later", "\xef\xbb\xbf\r\n\n  <p>\n", "3:HTML(<p>) " },
        { "H5: not at the start", VERSION "<p>\r\n" MODE MX AGE, "2:NO_COLON(<p>) " },
    };

    (void)state;
    assert_rows(rows, COUNT(rows));
    assert_int_equal(read_text("<p>\n" MODE MX AGE).mode, BODY_MODE_MISSING);
    body_bytes = (struct txt_slice){ NULL, 0 };
    told_len = 0;
    policy_body_read(NULL, 0, &(struct policy_body){ 0 }, NULL, hear, &body_bytes);
    assert_told("no bytes at all", "EMPTY ");
}

static void slips_of_lines_are_told(void **state)
{
    static const struct row rows[] = {
        { "B1", "version: STSv1\nmode: enforce\n" MX AGE, "1:LF(version: STSv1) " },
        { "B1: later", VERSION "mode: enforce\n" MX AGE, "2:LF(mode: enforce) " },
        { "B1: an empty line", "\n" VERSION MODE MX AGE, "1:LF() 1:BLANK_LINE() " },
        { "B2", "version: STSv1\rmode: enforce\r\n" MX AGE, "1:CR(\\x0d) " },
        { "B2: told once", "version: STSv1\r\r\nmode: enforce\r\r\n" MX AGE, "1:CR(\\x0d) " },
        { "B2: nothing else", "version: STSv1\rmode: enforce\rmx: a\rmax_age: 1\r",
          "1:CR(\\x0d) " },
        { "B2: at the end", VERSION MODE MX "max_age: 604800\r", "4:CR(\\x0d) " },
        { "B2: before a line end of its own", VERSION MODE "\r\r\n" MX AGE, "3:CR(\\x0d) " },
        { "B3", "\xef\xbb\xbf" VERSION MODE MX AGE, "1:BOM(\\xef\\xbb\\xbf) " },
        { "B3: not at the start", VERSION "\xef\xbb\xbf" MODE MX AGE,
          "2:BAD_KEY(\\xef\\xbb\\xbfmode) NO_MODE " },
        { "a control character", VERSION "mode: enf\x01orce\r\n" MX AGE, "2:NUL(\\x01) " },
        { "a control character in a key", VERSION "m\x7fode: enforce\r\n" MX AGE,
          "2:NUL(\\x7f) NO_MODE " },
        { "a control character behind a key with blanks", VERSION " mode : enforce\x01\r\n" MX AGE,
          "2:NUL(\\x01) " },
        { "control characters are told once", VERSION "a: \x1f\r\nb: \x0b\r\n" MODE MX AGE,
          "2:NUL(\\x1f) " },
        { "a CR and another", "version\r: \x02\r\n" MODE MX AGE, "1:CR(\\x0d) 1:NUL(\\x02) " },
        { "B4", VERSION "\r\n" MODE MX AGE, "2:BLANK_LINE() " },
        { "B4: in front", "\r\n" VERSION MODE MX AGE, "1:BLANK_LINE() " },
        { "B4: told once for a few", VERSION "\r\n\r\n\r\n" MODE "\r\n" MX AGE,
          "2:BLANK_LINE() 6:BLANK_LINE() " },
        { "B5", VERSION MODE MX AGE "\r\n", "5:BLANK_LINE_AT_END() " },
        { "B5: told once for a few", VERSION MODE MX AGE "\r\n\r\n", "5:BLANK_LINE_AT_END() " },
        { "B5 and B6", VERSION MODE MX AGE "\r\n \r\n", "5:BLANK_LINE_AT_END() 6:BLANKS_LINE( ) " },
        { "B6", VERSION " \t\r\n" MODE MX AGE, "2:BLANKS_LINE( \\x09) " },
        { "B6: with no line end", VERSION MODE MX AGE "  ", "5:BLANKS_LINE(  ) " },
        { "B7", VERSION MODE MX "max_age: 604800", "4:NO_LAST_END(max_age: 604800) " },
        { "B25", VERSION "word\r\n" MODE MX AGE, "2:NO_COLON(word) " },
        { "B25: with blanks", VERSION " a word \r\n" MODE MX AGE, "2:NO_COLON(a word) " },
        { "B26", VERSION "# text\r\n" MODE MX AGE, "2:COMMENT(# text) " },
        { "B27", VERSION " ; mode: none \r\n" MODE MX AGE, "2:COMMENT(; mode: none) " },
        { "B13", VERSION " \tmode: enforce\r\n" MX AGE, "2:BLANK_BEFORE_KEY( \\x09) " },
        { "B14", VERSION "mode\t : enforce\r\n" MX AGE, "2:BLANK_BEFORE_COLON(mode\\x09 ) " },
        { "B13 and B14", VERSION " mode : enforce\r\n" MX AGE,
          "2:BLANK_BEFORE_KEY( ) 2:BLANK_BEFORE_COLON(mode ) " },
        { "B15, B16, B17", "version:STSv1\r\nmode:\tenforce\r\nmx: a.example \t\r\n" AGE, "" },
        { "slips of one line, in order", VERSION MX AGE " mode : a",
          "4:NO_LAST_END( mode : a) 4:BLANK_BEFORE_KEY( ) 4:BLANK_BEFORE_COLON(mode ) "
          "4:UNKNOWN_MODE(a) " },
    };

    (void)state;
    assert_rows(rows, COUNT(rows));
    read_with(VERSION MODE MX AGE "a: \0", sizeof VERSION MODE MX AGE "a: ", NULL);
    assert_told("a NUL", "5:NO_LAST_END(a: \\x00) 5:NUL(\\x00) ");
}

static void a_line_with_control_characters_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(read_text(VERSION "mode: enforce\r\r\n" MX AGE).mode, BODY_MODE_MISSING);
    assert_false(read_text(VERSION MODE MX "max_age: 604800\x01").has_age);
    assert_int_equal(read_text(VERSION MODE "mx: a\x01\r\n" AGE).mx_count, 0);
}

static void what_other_senders_take_is_read_beside_its_slip(void **state)
{
    struct policy_body body = read_text("\xef\xbb\xbf" VERSION
                                        " mode : testing\n mx: a\n max_age :5");

    (void)state;
    assert_int_equal(body.mode, BODY_MODE_TESTING);
    assert_int_equal(body.mx_count, 1);
    assert_int_equal(body.max_age, 5);
}

static void slips_of_keys_are_told(void **state)
{
    static const struct row rows[] = {
        { "B12", "Version: STSv1\r\nmodE: enforce\r\nMX: a\r\nMax_Age: 1\r\n",
          "1:KEY_CASE(Version) 2:KEY_CASE(modE) 3:KEY_CASE(MX) 4:KEY_CASE(Max_Age) " },
        { "B12: mx alone", VERSION MODE "Mx: a\r\n" AGE, "3:KEY_CASE(Mx) " },
        { "B12: beside the right one", VERSION MODE MX "Mode: testing\r\n" AGE,
          "4:KEY_CASE(Mode) " },
        { "a bad key: none", VERSION MODE MX AGE ": a\r\n", "5:BAD_KEY(: a) " },
        { "a bad key: a blank", VERSION MODE MX "max age: 1\r\n", "4:BAD_KEY(max age) NO_AGE " },
        { "a bad key: its first", VERSION MODE MX AGE "_a: b\r\n", "5:BAD_KEY(_a) " },
        { "a bad key: its second", VERSION MODE MX AGE "a/: b\r\n", "5:BAD_KEY(a/) " },
        { "a bad key: 33 characters", VERSION MODE MX AGE X5("aaaaaa") "aaa: b\r\n",
          "5:BAD_KEY(" X5("aaaaaa") "aaa) " },
        { "B21: 32 characters", VERSION MODE MX AGE X5("aaaaaa") "aa: b\r\n",
          "5:UNKNOWN_KEY(" X5("aaaaaa") "aa: b) " },
        { "B21", VERSION "9-_.Z: a b~\r\n" MODE MX AGE, "2:UNKNOWN_KEY(9-_.Z: a b~) " },
        { "B22", VERSION MODE MX AGE "a: b:c\r\n", "5:SECOND_COLON(b:c) " },
        { "B22: alone", VERSION MODE MX AGE "a::\r\n", "5:SECOND_COLON(:) " },
        { "B23", VERSION MODE MX AGE "a: \r\n", "5:NO_VALUE(a:) " },
        { "a bad value: a tab", VERSION MODE MX AGE "a: b\tc\r\n", "5:BAD_VALUE(b\\x09c) " },
        { "a bad value: no UTF-8", VERSION MODE MX AGE "a: b:\xc3(\r\n", "5:BAD_VALUE(b:\\xc3() " },
        { "B24", VERSION MODE MX AGE "a: \xc3\xa4\r\n", "5:UTF8(\\xc3\\xa4) " },
        { "B24 and B22", VERSION MODE MX AGE "a: \xc3\xa4:\r\n",
          "5:UTF8(\\xc3\\xa4:) 5:SECOND_COLON(\\xc3\\xa4:) " },
        { "a misspelt key", VERSION MODE "nmx: a\r\n" MX AGE, "3:UNKNOWN_KEY(nmx: a) " },
    };

    (void)state;
    assert_rows(rows, COUNT(rows));
}

static void slips_of_version_and_mode_are_told(void **state)
{
    static const struct row rows[] = {
        { "B8", MODE VERSION MX AGE, "2:VERSION_NOT_FIRST(version: STSv1) " },
        { "B8: behind what is no field", "#\r\n\r\nword\r\n" VERSION MODE MX AGE,
          "1:COMMENT(#) 2:BLANK_LINE() 3:NO_COLON(word) " },
        { "B8: behind an unknown key", "a: b\r\n" VERSION MODE MX AGE,
          "1:UNKNOWN_KEY(a: b) 2:VERSION_NOT_FIRST(version: STSv1) " },
        { "B9", MODE MX AGE, "NO_VERSION " },
        { "B10", "version: STSv2\r\n" MODE MX AGE, "1:WRONG_VERSION(STSv2) " },
        { "B10: more", "version: STSv1;\r\n" MODE MX AGE, "1:WRONG_VERSION(STSv1;) " },
        { "B10: less", "version: STSv\r\n" MODE MX AGE, "1:WRONG_VERSION(STSv) " },
        { "B10: none", "version:\r\n" MODE MX AGE, "1:WRONG_VERSION(version:) " },
        { "B11", "version: stsv1\r\n" MODE MX AGE, "1:VERSION_CASE(stsv1) " },
        { "B20", VERSION MODE VERSION MX AGE, "3:VERSION_TWICE(version: STSv1) " },
        { "B20: not looked at", VERSION MODE "version: x\r\n" MX AGE,
          "3:VERSION_TWICE(version: x) " },
        { "B28", VERSION MX AGE, "NO_MODE " },
        { "B29", VERSION "mode: report\r\n" MX AGE, "2:UNKNOWN_MODE(report) " },
        { "B29: more", VERSION "mode: enforced\r\n" MX AGE, "2:UNKNOWN_MODE(enforced) " },
        { "B29: none", VERSION "mode: \r\n" MX AGE, "2:UNKNOWN_MODE(mode:) " },
        { "B30", VERSION "mode: Enforce\r\n" MX AGE, "2:MODE_CASE(Enforce) " },
        { "B30: testing", VERSION "mode: TESTING\r\n" MX AGE, "2:MODE_CASE(TESTING) " },
        { "B30: none", VERSION "mode: NONE\r\n" AGE, "2:MODE_CASE(NONE) " },
        { "B18", VERSION MODE "mode: x\r\n" MX AGE, "3:MODE_TWICE(mode: x) " },
        { "B19", VERSION MODE MX AGE "max_age: x\r\n", "5:AGE_TWICE(max_age: x) " },
        { "B33", VERSION MODE AGE, "NO_MX " },
        { "B33: testing", VERSION "mode: testing\r\n" AGE, "NO_MX " },
        { "B33: with an empty one", VERSION MODE "mx:\r\n" AGE, "3:MX_EMPTY(mx:) NO_MX " },
        { "B32", VERSION "mode: none\r\n" AGE, "NONE_WITHOUT_MX " },
        { "B32: with an empty one", VERSION "mode: none\r\nmx:\r\n" AGE,
          "3:MX_EMPTY(mx:) NONE_WITHOUT_MX " },
        { "what is missing comes last, in order", "a: b\r\n",
          "1:UNKNOWN_KEY(a: b) NO_VERSION NO_MODE NO_AGE " },
    };

    (void)state;
    assert_rows(rows, COUNT(rows));
    assert_int_equal(read_text(VERSION "mode: Enforce\r\n" MODE MX AGE).mode, BODY_MODE_MISSING);
    assert_int_equal(read_text(VERSION MODE "mode: none\r\n" MX AGE).mode, BODY_MODE_ENFORCE);
    assert_int_equal(read_text(VERSION MODE MX AGE "max_age: 1\r\n").max_age, 604800);
    assert_false(read_text(VERSION MODE MX "max_age: x\r\n" AGE).has_age);
}

static void slips_of_mx_lines_are_told(void **state)
{
    static const struct {
        const char *name, *value, *told;
    } cases[] = {
        { "a name", "mx1.a-b.example", "" },
        { "a wildcard", "*.example.com", "" },
        { "one label", "localhost", "" },
        { "digits", "1.2.3", "" },
        { "an A-label", "xn--mnchen-3ya.example", "" },
        { "63 bytes", X60("a") "bcd.example", "" },
        { "253 bytes", X60("a") "." X60("b") "." X60("c") "." X60("d") ".123456789", "" },
        { "M1", "a.example.", "3:MX_DOT(a.example.) " },
        { "M1: of a wildcard", "*.example.", "3:MX_DOT(*.example.) " },
        { "M2", "A.example", "3:MX_UPPER(A.example) " },
        { "M2: all of it", "AZ.EXAMPLE", "3:MX_UPPER(AZ.EXAMPLE) " },
        { "M2: the last letter", "Z", "3:MX_UPPER(Z) " },
        { "M3", "\xc3\xa4.example", "3:MX_UTF8(\\xc3\\xa4.example) " },
        { "M3: no UTF-8", "\xc3.example", "3:MX_BAD(\\xc3.example) " },
        { "M4", "*", "3:MX_STAR(*) " },
        { "M6", "mail.*.example", "3:MX_INNER_STAR(mail.*.example) " },
        { "M6: a part of a label", "*a.example", "3:MX_INNER_STAR(*a.example) " },
        { "M6: two", "*.*.example", "3:MX_INNER_STAR(*.*.example) " },
        { "M7", ".example.com", "3:MX_LEADING_DOT(.example.com) " },
        { "M8", "192.0.2.1", "3:MX_IPV4(192.0.2.1) " },
        { "M8: in brackets", "[192.0.2.1]", "3:MX_IPV4([192.0.2.1]) " },
        { "M8: too many digits", "192.0.2.1000", "" },
        { "M8: five labels", "192.0.2.1.5", "" },
        { "M8: no digits", "192.0..1", "3:MX_BAD(192.0..1) " },
        { "M9", "2001:db8::1", "3:MX_IPV6(2001:db8::1) " },
        { "M9: in brackets", "[::ffff:192.0.2.1]", "3:MX_IPV6([::ffff:192.0.2.1]) " },
        { "M9: tagged", "[IPv6:::1]", "3:MX_IPV6([IPv6:::1]) " },
        { "M9: a port", "a.example:25", "3:MX_BAD(a.example:25) " },
        { "M9: one colon", "a:b", "3:MX_BAD(a:b) " },
        { "M9: other brackets", "[a]", "3:MX_BAD([a]) " },
        { "M9: half a bracket", "[::1", "3:MX_BAD([::1) " },
        { "M10", "a.example b.example", "3:MX_MANY(a.example b.example) " },
        { "M10: commas", "A.example,b_c.", "3:MX_MANY(A.example,b_c.) " },
        { "M10: both", ",a\t, b", "3:MX_MANY(,a\\x09, b) " },
        { "M10: a comma alone", "a.example,", "3:MX_BAD(a.example,) " },
        { "M10: a comma before", ",a.example", "3:MX_BAD(,a.example) " },
        { "M11", "a_b.example", "3:MX_UNDERSCORE(a_b.example) " },
        { "another byte", "a/b.example", "3:MX_BAD(a/b.example) " },
        { "an empty label", "a..example", "3:MX_BAD(a..example) " },
        { "a dot alone", ".", "3:MX_BAD(.) " },
        { "a star and a dot", "*.", "3:MX_BAD(*.) " },
        { "two dots at the end", "a..", "3:MX_DOT(a..) 3:MX_BAD(a..) " },
        { "a hyphen first", "-a.example", "3:MX_BAD(-a.example) " },
        { "a hyphen last", "a-.example", "3:MX_BAD(a-.example) " },
        { "64 bytes", X60("a") "bcde.example", "3:MX_BAD(" X60("a") "bcde.example) " },
        { "254 bytes", X60("a") "." X60("b") "." X60("c") "." X60("d") ".1234567890",
          "3:MX_BAD(" X60("a") "." X60("b") "." X60("c") "." X60("d") ".1234567890) " },
        { "what has to be mended at once", ".A_\xc3\xa4*.b.",
          "3:MX_DOT(.A_\\xc3\\xa4*.b.) 3:MX_UPPER(.A_\\xc3\\xa4*.b.) 3:MX_UTF8(.A_\\xc3\\xa4*.b.) "
          "3:MX_INNER_STAR(.A_\\xc3\\xa4*.b.) 3:MX_LEADING_DOT(.A_\\xc3\\xa4*.b.) "
          "3:MX_UNDERSCORE(.A_\\xc3\\xa4*.b.) " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1024];

        snprintf(text, sizeof text, VERSION MODE "mx: %s\r\n" AGE, cases[i].value);
        assert_int_equal(read_text(text).mx_count, 1);
        assert_told(cases[i].name, cases[i].told);
    }
}

static void mx_lines_are_given_as_written(void **state)
{
    static const char text[] = VERSION MODE
        "mx: A.\r\nmx:\r\nmx: b c\t\r\nMX: d\r\nmx:*\r\nmx: a. \r\n" AGE;

    struct policy_body body = read_with(text, strlen(text), hear_mx);

    (void)state;
    assert_told("mx lines", "3:mx(A.) 3:MX_DOT(A.) 3:MX_UPPER(A.) 4:MX_EMPTY(mx:) 5:mx(b c) "
                            "5:MX_MANY(b c) 6:KEY_CASE(MX) 7:mx(*) 7:MX_STAR(*) 8:mx(a.) "
                            "8:MX_DOT(a.) 8:MX_TWICE(a.) ");
    assert_int_equal(body.mx_count, 4);
}

static void the_same_mx_twice_is_told(void **state)
{
    static const struct row rows[] = {
        { "twice", VERSION MODE MX MX AGE, "4:MX_TWICE(a.example) " },
        { "in another case", VERSION MODE MX "mx: b\r\nmx: A.example\r\n" AGE,
          "5:MX_UPPER(A.example) 5:MX_TWICE(A.example) " },
        { "thrice", VERSION MODE MX MX MX AGE, "4:MX_TWICE(a.example) 5:MX_TWICE(a.example) " },
        { "longer and shorter", VERSION MODE MX "mx: a.exampl\r\nmx: a.examplee\r\n" AGE, "" },
    };
    static char text[POLICY_BODY_MX_REMEMBERED * 16 + 256];
    size_t      len = 0;

    (void)state;
    assert_rows(rows, COUNT(rows));
    len += (size_t)sprintf(text, "%s", VERSION MODE);
    for (int i = 0; i < POLICY_BODY_MX_REMEMBERED; i++)
        len += (size_t)sprintf(text + len, "mx: mx%d\r\n", i);
    /* The last that is remembered, and one more, which is not. */
    sprintf(text + len, "mx: mx%d\r\nmx: b\r\nmx: b\r\n" AGE, POLICY_BODY_MX_REMEMBERED - 1);
    read_text(text);
    assert_told("many", "259:MX_TWICE(mx255) ");
}

static void slips_of_max_age_are_told(void **state)
{
    static const struct {
        const char *name, *value, *told;
        bool        has_age;
        uint32_t    max_age;
    } cases[] = {
        { "a day", "86400", "", true, 86400 },
        { "ten digits", "0000086400", "", true, 86400 },
        { "A1", "0", "4:AGE_ZERO(0) ", true, 0 },
        { "A1: ten of them", "0000000000", "4:AGE_ZERO(0000000000) ", true, 0 },
        { "A3", "", "4:AGE_EMPTY(max_age:) ", false, 0 },
        { "A4", "-1", "4:AGE_NEGATIVE(-1) ", false, 0 },
        { "A4: no digits", "-", "4:AGE_BAD(-) ", false, 0 },
        { "A4: with a unit", "-1d", "4:AGE_BAD(-1d) ", false, 0 },
        { "A5", "31557601", "4:AGE_OVER(31557601) ", true, 31557601 },
        { "A5: what is told", "4294967294", "4:AGE_OVER(4294967294) ", true, 4294967294 },
        { "A5: the most that is told", "4294967295", "4:AGE_OVER(4294967295) ", true, UINT32_MAX },
        { "A5: more", "9999999999", "4:AGE_OVER(9999999999) ", true, UINT32_MAX },
        { "A6", "31557600", "4:AGE_MAX(31557600) ", true, 31557600 },
        { "A6: below", "31557599", "", true, 31557599 },
        { "A7", "00000086400", "4:AGE_DIGITS(00000086400) ", false, 0 },
        { "A8", "7d", "4:AGE_UNIT(7d) ", false, 0 },
        { "A8: with a blank", "7 days", "4:AGE_UNIT(7 days) ", false, 0 },
        { "A8: more than a unit", "7d1", "4:AGE_BAD(7d1) ", false, 0 },
        { "A9", "86399", "4:AGE_SHORT(86399) ", true, 86399 },
        { "A9: the least", "3600", "4:AGE_SHORT(3600) ", true, 3600 },
        { "A10", "3599", "4:AGE_VERY_SHORT(3599) ", true, 3599 },
        { "A10: the least", "1", "4:AGE_VERY_SHORT(1) ", true, 1 },
        { "a sign", "+86400", "4:AGE_BAD(+86400) ", false, 0 },
        { "a fraction", "86400.0", "4:AGE_BAD(86400.0) ", false, 0 },
        { "a word", "week", "4:AGE_BAD(week) ", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy_body body;
        char               text[256];

        snprintf(text, sizeof text, VERSION MODE MX "max_age: %s\r\n", cases[i].value);
        body = read_text(text);
        assert_told(cases[i].name, cases[i].told);
        assert_int_equal(body.has_age, cases[i].has_age);
        assert_int_equal(body.max_age, cases[i].max_age);
    }
    read_text(VERSION MODE MX);
    assert_told("A2", "NO_AGE ");
}

static void utf8_is_that_of_rfc_3629(void **state)
{
    static const struct {
        const char *value;
        bool        good;
    } cases[] = {
        { "\xc2\x80", true },          { "\xdf\xbf", true },
        { "\xe0\xa0\x80", true },      { "\xed\x9f\xbf", true },
        { "\xee\x80\x80", true },      { "\xef\xbf\xbf", true },
        { "\xf0\x90\x80\x80", true },  { "\xf4\x8f\xbf\xbf", true },
        { "\xc1\xbf", false },         { "\x80", false },
        { "\xbf\xbf", false },         { "\xdf", false },
        { "\xdf\xc0", false },         { "\xe0\x9f\xbf", false },
        { "\xed\xa0\x80", false },     { "\xe1\x80", false },
        { "\xe1\x80z", false },        { "\xf0\x8f\xbf\xbf", false },
        { "\xf4\x90\x80\x80", false }, { "\xf5\x80\x80\x80", false },
        { "\xf1\x80\x80", false },     { "\xff", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[128];

        snprintf(text, sizeof text, VERSION MODE MX AGE "a: %s", cases[i].value);
        read_text(text);
        if ((strstr(told, "5:UTF8(") != NULL) != cases[i].good ||
            (strstr(told, "5:BAD_VALUE(") != NULL) == cases[i].good)
            fail_msg("case %zu: told \"%s\"", i, told);
    }
}

static void hosts_match_as_the_rfc_says_or_loosely(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool        strictly, loosely;
    } cases[] = {
        { "mx.example.com", "mx.example.com", true, true },
        { "MX.example.com", "mx.Example.com", true, true },
        { "mx.example.com", "mx.example.co", false, false },
        { "mx.example.com", "mx.example.comm", false, false },
        { "mx.example.com", "a.mx.example.com", false, false },
        { "*.example.com", "a.example.com", true, true },
        { "*.EXAMPLE.com", "A.example.COM", true, true },
        { "*.example.com", "a.b.example.com", false, true }, /* M5 */
        { "*.example.com", "a.b.c.example.com", false, true },
        { "*.example.com", "example.com", false, false },
        { "*.example.com", ".example.com", false, false },
        { "*.example.com", "aexample.com", false, false },
        { "*.example.com", "a.example.net", false, false },
        { "*.example.com", "a.example.com.net", false, false },
        { "*.b", "a", false, false },
        { "*.b", "", false, false },
        { "*.", "a.", true, true },
        { "*", "a.example.com", false, false },              /* M4 */
        { "a.example.com.", "a.example.com", false, false }, /* M1 */
        { ".example.com", "a.example.com", false, false },   /* M7 */
        { "a.*.example", "a.b.example", false, false },      /* M6 */
        { "", "a", false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct txt_slice pattern = guarded(cases[i].pattern, strlen(cases[i].pattern));

        if (policy_body_mx_matches(pattern, cases[i].host, false) != cases[i].strictly ||
            policy_body_mx_matches(pattern, cases[i].host, true) != cases[i].loosely)
            fail_msg("%s, %s", cases[i].pattern, cases[i].host);
    }
}

static void every_prefix_is_read_within_its_bytes(void **state)
{
    static const char text[] = "\xef\xbb\xbf \r\nVersion : STSv1\n# a\rb: \xf4\x8f\xbf\xbf\xc3\r\n"
                               "mx: [IPv6:::1]\r\nmx: *.a, b\r\nmax_age: -7 d\r\n\r\n";

    (void)state;
    for (size_t start = 0; start < strlen(text); start++) {
        for (size_t len = 0; len <= strlen(text) - start; len++)
            read_with(text + start, len, hear_mx);
    }
}

static void count(void *context, enum policy_body_flaw flaw, struct txt_slice where, unsigned line)
{
    (void)flaw;
    (void)where;
    (void)line;
    ++*(size_t *)context;
}

/* What would take hours, were it not linear. */
static void a_megabyte_of_anything_is_read(void **state)
{
    static const char *const pieces[] = {
        ":",   "\r",   "\n",     " ",     "\r\n",         "a", ".",   "*", ",", "\xc3\xa4", ":\n",
        " \n", "a:\n", "mx:a\n", "mx: ,", "\xef\xbb\xbf", "<", "\t\r"
    };
    static char text[1 << 20];

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct policy_body body;
        struct txt_slice   slice;
        size_t             flaws = 0;

        for (size_t at = 0; at < sizeof text; at++)
            text[at] = pieces[i][at % strlen(pieces[i])];
        memcpy(text, "mx: ", i % 2 == 0 ? 4 : 0);
        slice = guarded(text, sizeof text);
        policy_body_read(slice.at, slice.len, &body, NULL, count, &flaws);
        assert_true(flaws > 0);
    }
}

static void modes_have_the_names_of_the_rfc(void **state)
{
    (void)state;
    assert_null(policy_body_mode_name(BODY_MODE_MISSING));
    assert_string_equal(policy_body_mode_name(BODY_MODE_ENFORCE), "enforce");
    assert_string_equal(policy_body_mode_name(BODY_MODE_TESTING), "testing");
    assert_string_equal(policy_body_mode_name(BODY_MODE_NONE), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_have_the_names_of_the_rfc),
        cmocka_unit_test(a_policy_is_read),
        cmocka_unit_test(what_is_no_policy_at_all_is_told_as_that),
        cmocka_unit_test(slips_of_lines_are_told),
        cmocka_unit_test(a_line_with_control_characters_says_nothing),
        cmocka_unit_test(what_other_senders_take_is_read_beside_its_slip),
        cmocka_unit_test(slips_of_keys_are_told),
        cmocka_unit_test(slips_of_version_and_mode_are_told),
        cmocka_unit_test(slips_of_mx_lines_are_told),
        cmocka_unit_test(mx_lines_are_given_as_written),
        cmocka_unit_test(the_same_mx_twice_is_told),
        cmocka_unit_test(slips_of_max_age_are_told),
        cmocka_unit_test(utf8_is_that_of_rfc_3629),
        cmocka_unit_test(hosts_match_as_the_rfc_says_or_loosely),
        cmocka_unit_test(every_prefix_is_read_within_its_bytes),
        cmocka_unit_test(a_megabyte_of_anything_is_read),
    };

    return cmocka_run_group_tests(tests, map_guard, NULL);
}
