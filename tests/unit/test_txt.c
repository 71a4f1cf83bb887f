/* txt: the TXT records of MTA-STS and TLSRPT, and each slip in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reader.h"
#include "wire/txt.h"

#define X8(x)  x x x x x x x x
#define X32(x) X8(x) X8(x) X8(x) X8(x)
#define STS    "v=STSv1; id=1"
#define TLSRPT "v=TLSRPTv1; rua=mailto:a@b.example"

static const char *const names[] = {
    [TXT_BLANK_BEFORE_SEMICOLON] = "BLANK_BEFORE_SEMICOLON",
    [TXT_BLANK_AT_END] = "BLANK_AT_END",
    [TXT_BLANK_AFTER_LAST] = "BLANK_AFTER_LAST",
    [TXT_EMPTY_FIELD] = "EMPTY_FIELD",
    [TXT_VERSION_NAME_CASE] = "VERSION_NAME_CASE",
    [TXT_VERSION_CASE] = "VERSION_CASE",
    [TXT_VERSION_NOT_FIRST] = "VERSION_NOT_FIRST",
    [TXT_UNKNOWN_FIELD] = "UNKNOWN_FIELD",
    [TXT_COLON] = "COLON",
    [TXT_NO_EQUALS] = "NO_EQUALS",
    [TXT_BAD_FIELD] = "BAD_FIELD",
    [TXT_NO_ID] = "NO_ID",
    [TXT_EMPTY_ID] = "EMPTY_ID",
    [TXT_LONG_ID] = "LONG_ID",
    [TXT_BAD_ID] = "BAD_ID",
    [TXT_ID_TWICE] = "ID_TWICE",
    [TXT_NO_RUA] = "NO_RUA",
    [TXT_RUA_NOT_SECOND] = "RUA_NOT_SECOND",
    [TXT_RUA_TWICE] = "RUA_TWICE",
    [TXT_RUA_COMMA] = "RUA_COMMA",
    [TXT_RUA_BANG] = "RUA_BANG",
    [TXT_RUA_HTTP] = "RUA_HTTP",
    [TXT_RUA_SCHEME] = "RUA_SCHEME",
    [TXT_RUA_BAD] = "RUA_BAD",
    [TXT_BLANK_IN_FRONT] = "BLANK_IN_FRONT",
    [TXT_QUOTED] = "QUOTED",
    [TXT_NO_SEMICOLON] = "NO_SEMICOLON",
};

static ptrdiff_t counted_from; /* the place that is told as 0 */

/* "LONG_ID@3(bytes) ", with the place where they begin; (all) for the whole record. */
static void hear(void *context, enum txt_flaw flaw, struct txt_slice where)
{
    const struct txt_slice *text = context;

    assert_true(where.len > 0 || text->len == 0);
    assert_true(where.at >= text->at && where.at + where.len <= text->at + text->len);
    if (where.at == text->at && where.len == text->len) {
        tell("%s(all) ", names[flaw]);
        return;
    }
    tell("%s@%td(", names[flaw], where.at - text->at - counted_from);
    tell_bytes(where);
    tell(") ");
}

/* *record is dirty before, so that nothing is right by chance. */
static struct txt_record read_bytes(enum txt_kind kind, const char *bytes, size_t len)
{
    struct txt_slice  text = guarded(bytes, len);
    struct txt_record record;

    memset(&record, 0xa5, sizeof record);
    txt_read(kind, text, &record, hear, &text);
    return record;
}

static struct txt_record read_text(enum txt_kind kind, const char *text)
{
    return read_bytes(kind, text, strlen(text));
}

static bool begins(enum txt_kind kind, const char *text)
{
    return txt_begins(kind, guarded(text, strlen(text)));
}

static bool almost_begins(enum txt_kind kind, const char *text)
{
    return txt_almost_begins(kind, guarded(text, strlen(text)));
}

struct row {
    const char *name, *text, *told;
};

static void assert_rows(enum txt_kind kind, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!begins(kind, rows[i].text))
            fail_msg("%s: does not begin", rows[i].name);
        read_text(kind, rows[i].text);
        assert_told(rows[i].name, rows[i].told);
    }
}

static void what_begins_with_the_version_is_counted(void **state)
{
    static const struct {
        const char *text;
        bool        sts, tlsrpt;
    } cases[] = {
        { "v=STSv1;", true, false },
        { "v=STSv1", true, false },
        { "v=STSv1 ;id", true, false },
        { "v=STSv1\t ", true, false },
        { "v=TLSRPTv1;", false, true },
        { "v=TLSRPTv1", false, true },
        { "", false, false },
        { "v=", false, false },
        { "v=STSv", false, false },
        { "v=STSv12;", false, false },
        { "v=STSv1,", false, false },
        { "v=STSv1 id=1", false, false },
        { " v=STSv1;", false, false },
        { "V=STSv1;", false, false },
        { "v=stsv1;", false, false },
        { "v =STSv1;", false, false },
        { "id=1;v=STSv1", false, false },
        { "v=spf1 -all", false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (begins(TXT_STS, cases[i].text) != cases[i].sts ||
            begins(TXT_TLSRPT, cases[i].text) != cases[i].tlsrpt)
            fail_msg("%s", cases[i].text);
    }
    assert_false(txt_begins(TXT_STS, guarded("v=STSv1\0;", 9)));
}

static void what_was_meant_to_begin_so_is_recognised(void **state)
{
    static const char *const meant[] = {
        "V=STSv1; id=1",     "v=stsv1; id=1", " v=STSv1; id=1",
        "\tv=STSv1",         "id=1; v=STSv1", "id=1;v=stsv1;",
        "\"v=STSv1; id=1\"", "\" v=STSv1\"",  "v=\"STSv1\"; id=",
        "v = STSv1; id=1",   ";v=STSv1",      "v=STSv1 id=1",
        "v=STSv1,id=1",      "v=STSv1.",      "a; b; c; V = \"stsV1",
    };
    static const char *const others[] = {
        "",
        "v=STSv1; id=1",
        "v=STSv1",
        "v=STSv2; id=1",
        "v=STSv10; id=1",
        "v=STS1; id",
        "v=TLSRPTv1;",
        "v=DMARC1; p=none",
        "id=1; xv=STSv1",
        "vSTSv1",
        "v=",
        "v",
        "STSv1",
        "w=STSv1",
        "v=\"STSv1\"z",
        "v=\"STSv12\"",
        "\"\"",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(meant); i++) {
        if (!almost_begins(TXT_STS, meant[i]) || begins(TXT_STS, meant[i]))
            fail_msg("%s", meant[i]);
        assert_false(almost_begins(TXT_TLSRPT, meant[i]));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (almost_begins(TXT_STS, others[i]))
            fail_msg("%s", others[i]);
    }
    assert_true(almost_begins(TXT_TLSRPT, "v=tlsrptv1; rua=mailto:a@b.example"));
    assert_false(almost_begins(TXT_TLSRPT, TLSRPT));
}

static void slips_of_an_sts_record_are_told(void **state)
{
    static const struct row rows[] = {
        { "as it should be", STS ";", "" },
        { "D8: no last semicolon", STS, "" },
        { "D9: no blank", "v=STSv1;id=1", "" },
        { "D10: not at a later one", "v=STSv1;id=1 ; a=b ;", "UNKNOWN_FIELD@15(a=b) " },
        { "blanks at a later semicolon", STS " \t;", "" },
        { "D4", "v=STSv1", "NO_ID(all) " },
        { "D4, with a semicolon", "v=STSv1;", "NO_ID(all) " },
        { "D4, in another case", "v=STSv1; ID=1", "UNKNOWN_FIELD@9(ID=1) NO_ID(all) " },
        { "D5", "v=STSv1; id=;", "EMPTY_ID@9(id=) " },
        { "D6: 32", "v=STSv1; id=" X32("1"), "" },
        { "D6: 33", "v=STSv1; id=" X32("1") "2", "LONG_ID@12(" X32("1") "2) " },
        { "D7: what may be", "v=STSv1; id=aZ09", "" },
        { "D7: -", "v=STSv1; id=2026-01", "BAD_ID@12(2026-01) " },
        { "D7: _", "v=STSv1; id=2026_01", "BAD_ID@12(2026_01) " },
        { "D7: .", "v=STSv1; id=1.", "BAD_ID@12(1.) " },
        { "D7: :", "v=STSv1; id=1:2", "BAD_ID@12(1:2) " },
        { "D7: =", "v=STSv1; id==", "BAD_ID@12(=) " },
        { "D7: a blank", "v=STSv1; id=1 2", "BAD_ID@12(1 2) " },
        { "D7: no ASCII", "v=STSv1; id=\xc3\xa4", "BAD_ID@12(\\xc3\\xa4) " },
        { "D6 and D7", "v=STSv1; id=" X32("1") "-",
          "LONG_ID@12(" X32("1") "-) BAD_ID@12(" X32("1") "-) " },
        { "D10", "v=STSv1 \t; id=1", "BLANK_BEFORE_SEMICOLON@7( \\x09) " },
        { "D11", STS " ", "BLANK_AT_END@13( ) " },
        { "D11, behind the version", "v=STSv1 ", "BLANK_AT_END@7( ) NO_ID(all) " },
        { "D12", STS "; ", "BLANK_AFTER_LAST@14( ) " },
        { "D12, with a blank before it", STS " ;\t", "BLANK_AFTER_LAST@15(\\x09) " },
        { "D13", "v=STSv1;;id=1", "EMPTY_FIELD@7(;;) " },
        { "D13, with blanks", "v=STSv1; ; id=1", "EMPTY_FIELD@7(; ;) " },
        { "D13, at the end", STS ";;;", "EMPTY_FIELD@13(;;;) " },
        { "D13 and D12", STS ";; ", "EMPTY_FIELD@13(;;) BLANK_AFTER_LAST@15( ) " },
        { "D13 and D10", "v=STSv1 ;;id=1", "BLANK_BEFORE_SEMICOLON@7( ) EMPTY_FIELD@8(;;) " },
        { "D17", STS "; a=b", "UNKNOWN_FIELD@15(a=b) " },
        { "D17, before the id", "v=STSv1; a=b; id=1", "UNKNOWN_FIELD@9(a=b) " },
        { "D17: all characters of a name", STS "; 9Z_-.=!~", "UNKNOWN_FIELD@15(9Z_-.=!~) " },
        { "D17: a name of 32", STS "; " X32("n") "=1", "UNKNOWN_FIELD@15(" X32("n") "=1) " },
        { "D17: a second version", STS "; v=STSv1", "UNKNOWN_FIELD@15(v=STSv1) " },
        { "D17: rua", STS "; rua=1", "UNKNOWN_FIELD@15(rua=1) " },
        { "D18", STS "; a=b:c", "COLON@15(a=b:c) " },
        { "D19", STS "; word", "NO_EQUALS@15(word) " },
        { "D19: id", "v=STSv1; id", "NO_EQUALS@9(id) NO_ID(all) " },
        { "D20", STS "; id=2", "ID_TWICE@15(id=2) " },
        { "D20: a second one is not looked at",
          STS "; id=-;id=", "ID_TWICE@15(id=-) ID_TWICE@20(id=) " },
        { "a bad field: no name", STS "; =b", "BAD_FIELD@15(=b) " },
        { "a bad field: no value", STS "; a=", "BAD_FIELD@15(a=) " },
        { "a bad field: a name of 33", STS ";" X32("n") "n=1", "BAD_FIELD@14(" X32("n") "n=1) " },
        { "a bad field: a name's first", STS ";_a=b", "BAD_FIELD@14(_a=b) " },
        { "a bad field: a name's second", STS ";a+=b", "BAD_FIELD@14(a+=b) " },
        { "a bad field: = in a value", STS ";a=b=c", "BAD_FIELD@14(a=b=c) " },
        { "a bad field: a blank in a value", STS ";a=b c", "BAD_FIELD@14(a=b c) " },
        { "a bad field: no ASCII", STS ";a=\xff", "BAD_FIELD@14(a=\\xff) " },
        { "a bad field: DEL", STS ";a=\x7f", "BAD_FIELD@14(a=\\x7f) " },
        { "a bad field: a line end", STS ";a=b\n", "BAD_FIELD@14(a=b\\x0a) " },
        { "a bad field: with a colon", STS ";a=: ;=:", "COLON@14(a=:) BAD_FIELD@19(=:) " },
        { "blanks around =", "v=STSv1;a = b;id =\t1",
          "BAD_FIELD@8(a = b) BAD_FIELD@14(id =\\x091) " },
    };

    (void)state;
    assert_rows(TXT_STS, rows, COUNT(rows));
    read_bytes(TXT_STS, STS ";a=\0;", 18);
    assert_told("a NUL", "BAD_FIELD@14(a=\\x00) ");
    read_bytes(TXT_STS, "v=STSv1\0id=1", 12);
    assert_told("a NUL for a semicolon", "NO_SEMICOLON@7(\\x00) ");
    read_bytes(TXT_STS, "v=STSv1;id=1\0", 13);
    assert_told("a NUL in an id", "BAD_ID@11(1\\x00) ");
}

static void slips_of_a_tlsrpt_record_are_told(void **state)
{
    static const struct row rows[] = {
        { "as it should be", TLSRPT, "" },
        { "R6", TLSRPT ";", "" },
        { "R3", "v=TLSRPTv1", "NO_RUA(all) " },
        { "R3: empty", "v=TLSRPTv1; rua=", "NO_RUA@12(rua=) " },
        { "R3: blanks", "v=TLSRPTv1; rua= ;", "NO_RUA@12(rua=) " },
        { "R4", "v=TLSRPTv1; a=b; rua=mailto:a@b",
          "UNKNOWN_FIELD@12(a=b) RUA_NOT_SECOND@17(rua=mailto:a@b) " },
        { "R4: a word before it", "v=TLSRPTv1;a;rua=mailto:a@b",
          "NO_EQUALS@11(a) RUA_NOT_SECOND@13(rua=mailto:a@b) " },
        { "R5", "v=TLSRPTv1 ; rua=mailto:a@b", "BLANK_BEFORE_SEMICOLON@10( ) " },
        { "an unknown field", TLSRPT "; a=b:c", "UNKNOWN_FIELD@36(a=b:c) " },
        { "an id", TLSRPT "; id=-", "UNKNOWN_FIELD@36(id=-) " },
        { "twice", TLSRPT ";rua=x", "RUA_TWICE@35(rua=x) " },
        { "blank behind =", "v=TLSRPTv1;rua= mailto:a@b", "BAD_FIELD@11(rua= mailto:a@b) " },
        { "D11", TLSRPT " ", "BLANK_AT_END@34( ) " },
    };

    (void)state;
    assert_rows(TXT_TLSRPT, rows, COUNT(rows));
}

/* A value of rua, what is told of it with places counted from its start, and what is well-formed. */
static void uris_of_reports_are_judged(void **state)
{
    static const struct {
        const char *value, *told;
        size_t      mails, https;
    } cases[] = {
        { "mailto:a@b.example", "", 1, 0 },
        { "MAILTO:a@b", "", 1, 0 },
        { "mailto:a%2cb%21%3b@b", "", 1, 0 },
        { "mailto:a+b=c:/~@b-1.x_y.example?subject=a&b=/?:@#f", "", 1, 0 },
        { "https://h.example/a/b?c=d", "", 0, 1 },
        { "HTTPS://h", "", 0, 1 },
        { "https://u:p@h.example.:443#f/?", "", 0, 1 },
        { "https://h:65535?a", "", 0, 1 },
        { "https://h:/", "", 0, 1 },
        { "https://[2001:db8::1]:8443/", "", 0, 1 },
        { "https://[::1]", "", 0, 1 },
        { "mailto:a@b,https://h/,mailto:c@d", "", 2, 1 },
        { "mailto:a@b \t, https://h/", "", 1, 1 },
        /* R8 */
        { "mailto:a,b@c", "RUA_COMMA@0(mailto:a,b@c) ", 0, 0 },
        { "mailto:a@b,c@d , e@f,mailto:g@h", "RUA_COMMA@0(mailto:a@b,c@d , e@f) ", 2, 0 },
        { "mailto:a,b , mailto:c@d", "RUA_COMMA@0(mailto:a,b) ", 1, 0 },
        { "mailto:a@b?cc=x,y", "RUA_COMMA@0(mailto:a@b?cc=x,y) ", 1, 0 },
        { "https://h/a,b", "RUA_COMMA@0(https://h/a,b) ", 0, 1 },
        { "http://h/a,b", "RUA_COMMA@0(http://h/a,b) RUA_HTTP@0(http://h/a) ", 0, 0 },
        /* R9 */
        { "mailto:a@b!10m", "RUA_BANG@10(!10m) ", 0, 0 },
        { "mailto:a@b!5G,mailto:c@d", "RUA_BANG@10(!5G) ", 1, 0 },
        { "mailto:a@b!5,c", "RUA_COMMA@0(mailto:a@b!5,c) RUA_BANG@10(!5) ", 0, 0 },
        { "mailto:a@b!10", "RUA_BANG@10(!10) ", 0, 0 },
        { "https://h/!1t", "RUA_BANG@10(!1t) ", 0, 0 },
        { "mailto:a@b!10x", "RUA_BAD@0(mailto:a@b!10x) ", 0, 0 },
        { "mailto:a@b!m", "RUA_BAD@0(mailto:a@b!m) ", 0, 0 },
        { "mailto:a@b!", "RUA_BAD@0(mailto:a@b!) ", 0, 0 },
        { "mailto:a!10mm@b", "RUA_BAD@0(mailto:a!10mm@b) ", 0, 0 },
        /* R10, R11 */
        { "http://h/", "RUA_HTTP@0(http://h/) ", 0, 0 },
        { "mailto:a@b,HTTP:x", "RUA_HTTP@11(HTTP:x) ", 1, 0 },
        { "ftp://h/", "RUA_SCHEME@0(ftp://h/) ", 0, 0 },
        { "a@b", "RUA_SCHEME@0(a@b) ", 0, 0 },
        { "a@b,c@d", "RUA_SCHEME@0(a@b) RUA_SCHEME@4(c@d) ", 0, 0 },
        { "mailto", "RUA_SCHEME@0(mailto) ", 0, 0 },
        { "1mailto:a@b", "RUA_SCHEME@0(1mailto:a@b) ", 0, 0 },
        { ":a@b", "RUA_SCHEME@0(:a@b) ", 0, 0 },
        { "httpss://h", "RUA_SCHEME@0(httpss://h) ", 0, 0 },
        { "mailto:a@b,x+1-.:y", "RUA_SCHEME@11(x+1-.:y) ", 1, 0 },
        { "mailto:", "RUA_BAD@0(mailto:) ", 0, 0 },
        { "mailto:a", "RUA_BAD@0(mailto:a) ", 0, 0 },
        { "mailto:@b", "RUA_BAD@0(mailto:@b) ", 0, 0 },
        { "mailto:a@", "RUA_BAD@0(mailto:a@) ", 0, 0 },
        { "mailto:a@b@c", "RUA_BAD@0(mailto:a@b@c) ", 0, 0 },
        { "mailto:a@.b", "RUA_BAD@0(mailto:a@.b) ", 0, 0 },
        { "mailto:a@b..c", "RUA_BAD@0(mailto:a@b..c) ", 0, 0 },
        { "mailto:a@b.", "RUA_BAD@0(mailto:a@b.) ", 0, 0 },
        { "mailto:a@b/c", "RUA_BAD@0(mailto:a@b/c) ", 0, 0 },
        { "mailto:a%2@b", "RUA_BAD@0(mailto:a%2@b) ", 0, 0 },
        { "mailto:a%g2@b", "RUA_BAD@0(mailto:a%g2@b) ", 0, 0 },
        { "mailto:a@b?%4", "RUA_BAD@0(mailto:a@b?%4) ", 0, 0 },
        { "mailto:a@b#f#g", "RUA_BAD@0(mailto:a@b#f#g) ", 0, 0 },
        { "mailto:a b@c", "RUA_BAD@0(mailto:a b@c) ", 0, 0 },
        { "mailto:<a@b>", "RUA_BAD@0(mailto:<a@b>) ", 0, 0 },
        { "mailto:\xc3\xa4@b", "RUA_BAD@0(mailto:\\xc3\\xa4@b) ", 0, 0 },
        { "https:h", "RUA_BAD@0(https:h) ", 0, 0 },
        { "https:/h", "RUA_BAD@0(https:/h) ", 0, 0 },
        { "https://", "RUA_BAD@0(https://) ", 0, 0 },
        { "https:///a", "RUA_BAD@0(https:///a) ", 0, 0 },
        { "https://:443", "RUA_BAD@0(https://:443) ", 0, 0 },
        { "https://.", "RUA_BAD@0(https://.) ", 0, 0 },
        { "https://h:65536", "RUA_BAD@0(https://h:65536) ", 0, 0 },
        { "https://h:18446744073709551617", "RUA_BAD@0(https://h:18446744073709551617) ", 0, 0 },
        { "https://[::a", "RUA_BAD@0(https://[::a) ", 0, 0 },
        { "https://h:655350", "RUA_BAD@0(https://h:655350) ", 0, 0 },
        { "https://h:1x", "RUA_BAD@0(https://h:1x) ", 0, 0 },
        { "https://u@h:1:2", "RUA_BAD@0(https://u@h:1:2) ", 0, 0 },
        { "https://u@v@h", "RUA_BAD@0(https://u@v@h) ", 0, 0 },
        { "https://[]", "RUA_BAD@0(https://[]) ", 0, 0 },
        { "https://[::g]", "RUA_BAD@0(https://[::g]) ", 0, 0 },
        { "https://[::1", "RUA_BAD@0(https://[::1) ", 0, 0 },
        { "https://u[@h", "RUA_BAD@0(https://u[@h) ", 0, 0 },
        { "https://h/[", "RUA_BAD@0(https://h/[) ", 0, 0 },
        { "https://h?[", "RUA_BAD@0(https://h?[) ", 0, 0 },
        /* Nothing at a comma. */
        { ",", "RUA_BAD@0(,) ", 0, 0 },
        { ",,", "RUA_BAD@0(,,) ", 0, 0 },
        { ",mailto:a@b", "RUA_BAD@0(,) ", 1, 0 },
        { "mailto:a@b,", "RUA_BAD@10(,) ", 1, 0 },
        { "mailto:a@b,,", "RUA_BAD@10(,,) ", 1, 0 },
        { "mailto:a@b, ,mailto:c@d", "RUA_BAD@10(, ,) ", 2, 0 },
        { "mailto:a,,b", "RUA_BAD@0(mailto:a) RUA_BAD@8(,,) RUA_SCHEME@10(b) ", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char              text[128] = "v=TLSRPTv1;rua=";
        struct txt_record record;

        counted_from = (ptrdiff_t)strlen(text);
        strcat(text, cases[i].value);
        record = read_text(TXT_TLSRPT, text);
        assert_told(cases[i].value, cases[i].told);
        assert_int_equal(record.rua.len, strlen(cases[i].value));
        assert_memory_equal(record.rua.at, cases[i].value, record.rua.len);
        assert_int_equal(record.mails, cases[i].mails);
        assert_int_equal(record.https, cases[i].https);
    }
    counted_from = 0;
}

static void what_only_almost_begins_is_read_all_the_same(void **state)
{
    static const struct {
        enum txt_kind kind;
        const char   *text, *told, *value;
    } cases[] = {
        { TXT_STS, "V=STSv1; id=1", "VERSION_NAME_CASE@0(V) ", "1" },
        { TXT_STS, "v=stsv1; id=1", "VERSION_CASE@2(stsv1) ", "1" },
        { TXT_STS, "V=STSV1; id=1", "VERSION_NAME_CASE@0(V) VERSION_CASE@2(STSV1) ", "1" },
        { TXT_STS, "id=1; v=STSv1", "VERSION_NOT_FIRST@6(v=STSv1) ", "1" },
        { TXT_STS, "a; v=stsv1;id=1",
          "NO_EQUALS@0(a) VERSION_NOT_FIRST@3(v=stsv1) VERSION_CASE@5(stsv1) ", "1" },
        { TXT_STS, " \tv=STSv1; id=1", "BLANK_IN_FRONT@0( \\x09) ", "1" },
        { TXT_STS, "\"v=STSv1; id=1\"", "QUOTED@0(\") ", "1" },
        { TXT_STS, " \"v=STSv1; id=1", "QUOTED@0( \") ", "1" },
        { TXT_STS, "v=\"STSv1\"; id=1", "QUOTED@3(STSv1) ", "1" },
        { TXT_STS, "v=\"STSv1; id=1", "QUOTED@3(STSv1) ", "1" },
        { TXT_STS, "v = STSv1; id=1", "BAD_FIELD@0(v = STSv1) ", "1" },
        { TXT_STS, ";v=STSv1; id=1", "EMPTY_FIELD@0(;) ", "1" },
        { TXT_STS, "v=STSv1 id=1", "NO_SEMICOLON@7( ) ", "1" },
        { TXT_STS, "v=STSv1, id=1;", "NO_SEMICOLON@7(, ) ", "1" },
        { TXT_STS, "v=STSv1.", "NO_SEMICOLON@7(.) NO_ID(all) ", "" },
        { TXT_STS, "v=STSv1 id=1 ;", "NO_SEMICOLON@7( ) ", "1" },
        { TXT_STS, "id=1 ; v=STSv1 ;", "VERSION_NOT_FIRST@7(v=STSv1) BLANK_BEFORE_SEMICOLON@14( ) ",
          "1" },
        { TXT_STS, "v=STSv1,; id=1", "NO_SEMICOLON@7(,) ", "1" },
        { TXT_TLSRPT, "v=tlsrptv1; rua=mailto:a@b", "VERSION_CASE@2(tlsrptv1) ", "mailto:a@b" },
        { TXT_TLSRPT, "rua=mailto:a@b; v=TLSRPTv1", "VERSION_NOT_FIRST@16(v=TLSRPTv1) ",
          "mailto:a@b" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct txt_record record;
        struct txt_slice  value;

        if (!almost_begins(cases[i].kind, cases[i].text))
            fail_msg("%s: does not almost begin", cases[i].text);
        record = read_text(cases[i].kind, cases[i].text);
        assert_told(cases[i].text, cases[i].told);
        value = cases[i].kind == TXT_STS ? record.id : record.rua;
        assert_int_equal(value.len, strlen(cases[i].value));
        if (value.len > 0)
            assert_memory_equal(value.at, cases[i].value, value.len);
    }
}

static void of_two_values_the_first_is_given(void **state)
{
    struct txt_record record = read_text(TXT_STS, STS ";id=2");

    (void)state;
    assert_int_equal(record.id.len, 1);
    assert_memory_equal(record.id.at, "1", 1);
    record = read_text(TXT_STS, "v=STSv1;id=;id=2");
    assert_int_equal(record.id.len, 0);
    record = read_text(TXT_TLSRPT, TLSRPT ";rua=mailto:c@d");
    assert_int_equal(record.rua.len, strlen("mailto:a@b.example"));
    assert_int_equal(record.mails, 1);
    record = read_text(TXT_STS, "v=STSv1;rua=mailto:a@b");
    assert_int_equal(record.rua.len + record.mails + record.https, 0);
    record = read_text(TXT_TLSRPT, "v=TLSRPTv1;id=1");
    assert_int_equal(record.id.len, 0);
}

static void ids_are_1_to_32_letters_and_digits(void **state)
{
    char byte;

    (void)state;
    assert_true(txt_id_is_good(guarded(X32("a"), 32)));
    assert_false(txt_id_is_good(guarded(X32("a") "b", 33)));
    assert_false(txt_id_is_good(guarded("", 0)));
    assert_false(txt_id_is_good((struct txt_slice){ NULL, 0 }));
    for (int c = 0; c < 256; c++) {
        byte = (char)c;
        assert_int_equal(txt_id_is_good(guarded(&byte, 1)), (c >= '0' && c <= '9') ||
                                                                (c >= 'A' && c <= 'Z') ||
                                                                (c >= 'a' && c <= 'z'));
    }
}

static void every_prefix_is_read_within_its_bytes(void **state)
{
    static const char *const texts[] = {
        " \"v = \"STSv1\" ;; a=b:c; word; id=1; id = 2 ; ",
        "v=TLSRPTv1;rua=mailto:a%40@b!1m , https://u@[::1]:443/%20?a#b,x,,http:",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t len = 0; len <= strlen(texts[i]); len++) {
            read_bytes(TXT_STS, texts[i], len);
            read_bytes(TXT_TLSRPT, texts[i], len);
            txt_begins(TXT_STS, guarded(texts[i], len));
            txt_almost_begins(TXT_TLSRPT, guarded(texts[i], len));
        }
    }
}

static void count(void *context, enum txt_flaw flaw, struct txt_slice where)
{
    (void)flaw;
    (void)where;
    ++*(size_t *)context;
}

/* What would take hours, were it not linear. */
static void a_million_bytes_of_anything_are_read(void **state)
{
    static const char *const pieces[] = { ";", " ",  "=",  ":",  ",",    "\"",
                                          "a", "a;", "a ", "v=", "id=;", " ;" };
    static char              text[1000000];

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t            len = strlen(pieces[i]), flaws = 0;
        struct txt_record record;
        struct txt_slice  slice;

        memcpy(text, "v=TLSRPTv1;rua=", 15);
        for (size_t at = 15; at < sizeof text; at++)
            text[at] = pieces[i][(at - 15) % len];
        slice = guarded(text, sizeof text);
        txt_read(TXT_TLSRPT, slice, &record, count, &flaws);
        assert_true(flaws > 0);
        txt_read(TXT_STS, slice, &record, count, &flaws);
        assert_false(txt_almost_begins(TXT_STS, slice));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_begins_with_the_version_is_counted),
        cmocka_unit_test(what_was_meant_to_begin_so_is_recognised),
        cmocka_unit_test(slips_of_an_sts_record_are_told),
        cmocka_unit_test(slips_of_a_tlsrpt_record_are_told),
        cmocka_unit_test(uris_of_reports_are_judged),
        cmocka_unit_test(what_only_almost_begins_is_read_all_the_same),
        cmocka_unit_test(of_two_values_the_first_is_given),
        cmocka_unit_test(ids_are_1_to_32_letters_and_digits),
        cmocka_unit_test(every_prefix_is_read_within_its_bytes),
        cmocka_unit_test(a_million_bytes_of_anything_are_read),
    };

    return cmocka_run_group_tests(tests, map_guard, NULL);
}
