/* media_type: what a Content-Type says, and each slip in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reader.h"
#include "wire/media_type.h"

/* Never dirty by chance. */
static struct media_type read_bytes(const char *bytes, size_t len)
{
    struct txt_slice  value = guarded(bytes, len);
    struct media_type media_type;

    memset(&media_type, 0xa5, sizeof media_type);
    media_type_read(value.at, value.len, &media_type);
    return media_type;
}

static void tell_read(const struct media_type *media_type)
{
    static const struct {
        enum media_type_flaw flaw;
        const char          *name;
    } flaws[] = {
        { MEDIA_TYPE_OTHER, "OTHER" },       { MEDIA_TYPE_CASE, "CASE" },
        { MEDIA_TYPE_NO_VALUE, "NO_VALUE" }, { MEDIA_TYPE_CHARSET, "CHARSET" },
        { MEDIA_TYPE_BAD, "BAD" },           { MEDIA_TYPE_CHARSET_TWICE, "CHARSET_TWICE" },
    };
    unsigned known = 0;

    tell_bytes(media_type->type);
    tell("|");
    tell_bytes(media_type->charset);
    tell("|");
    for (size_t i = 0; i < COUNT(flaws); i++) {
        known |= flaws[i].flaw;
        if (media_type->flaws & flaws[i].flaw)
            tell("%s ", flaws[i].name);
    }
    assert_int_equal(media_type->flaws & ~known, 0);
}

static void media_types_are_read_and_their_slips_told(void **state)
{
    static const struct {
        const char *value, *told; /* type, charset, flaws */
    } cases[] = {
        { "text/plain", "text/plain||" },
        { " \ttext/plain\t ", "text/plain||" },
        /* H7, H8 */
        { "text/plain; charset=utf-8", "text/plain|utf-8|" },
        { "text/plain;charset=UTF-8", "text/plain|UTF-8|" },
        { "text/plain \t; \tCharset=\"Utf-8\" ", "text/plain|Utf-8|" },
        { "text/plain; charset=us-ascii", "text/plain|us-ascii|" },
        { "text/plain; charset=US-ASCII", "text/plain|US-ASCII|" },
        { "text/plain; charset=iso-8859-1", "text/plain|iso-8859-1|" },
        { "text/plain; charset=ISO-8859-11", "text/plain|ISO-8859-11|" },
        { "text/plain; charset=iso-8859-16", "text/plain|iso-8859-16|" },
        { "text/plain; format=flowed; charset=utf-8; x=\"a;b\\\"c\xc3\xa4\t\"",
          "text/plain|utf-8|" },
        { "text/plain;", "text/plain||" },
        { "text/plain ; ;;charset=utf-8;", "text/plain|utf-8|" },
        /* H9 */
        { "text/plain; charset=foo", "text/plain|foo|CHARSET " },
        { "text/plain; charset=\"f\\o o\"", "text/plain|f\\o o|CHARSET " },
        { "text/plain; charset=\"\"", "text/plain||CHARSET " },
        { "text/plain; charset=utf8", "text/plain|utf8|CHARSET " },
        { "text/plain; charset=utf-80", "text/plain|utf-80|CHARSET " },
        { "text/plain; charset=iso-8859-", "text/plain|iso-8859-|CHARSET " },
        { "text/plain; charset=iso-8859-0", "text/plain|iso-8859-0|CHARSET " },
        { "text/plain; charset=iso-8859-12", "text/plain|iso-8859-12|CHARSET " },
        { "text/plain; charset=iso-8859-17", "text/plain|iso-8859-17|CHARSET " },
        { "text/plain; charset=iso-8859-100", "text/plain|iso-8859-100|CHARSET " },
        { "text/plain; charset=iso-8859-1x", "text/plain|iso-8859-1x|CHARSET " },
        { "text/plain; charset='utf-8'", "text/plain|'utf-8'|CHARSET " },
        /* H10 */
        { "text/plain; charset", "text/plain||NO_VALUE " },
        { "text/plain; charset=", "text/plain||NO_VALUE " },
        { "text/plain; charset= ; x", "text/plain||NO_VALUE " },
        { "text/plain; x; charset=utf-8", "text/plain|utf-8|NO_VALUE " },
        /* H11, H5, H12 */
        { "Text/Plain", "Text/Plain||CASE " },
        { "text/plaiN; charset=utf-8", "text/plaiN|utf-8|CASE " },
        { "text/html", "text/html||OTHER " },
        { "text/html; charset=foo", "text/html|foo|OTHER CHARSET " },
        { "text/plain+x", "text/plain+x||OTHER " },
        { "text/plai", "text/plai||OTHER " },
        { "application/octet-stream;x", "application/octet-stream||OTHER NO_VALUE " },
        { "text/plain; charset=utf-8; CHARSET=utf-8", "text/plain|utf-8|CHARSET_TWICE " },
        { "text/plain; charset=utf-8; charset=foo", "text/plain|utf-8|CHARSET_TWICE " },
        { "text/plain; charset=\"\"; charset=utf-8", "text/plain||CHARSET CHARSET_TWICE " },
        /* What is none. */
        { "", "||BAD " },
        { " ", "||BAD " },
        { "/", "||BAD " },
        { "text", "||BAD " },
        { "text/", "||BAD " },
        { "/plain", "||BAD " },
        { "text /plain", "||BAD " },
        { "text/ plain", "||BAD " },
        { "\"text\"/plain", "||BAD " },
        { "text/plain/x", "text/plain||BAD " },
        { "text/plain charset=utf-8", "text/plain||BAD " },
        { "text/plain, text/plain", "text/plain||BAD " },
        { "Text/plain; =utf-8", "Text/plain||CASE BAD " },
        { "text/plain; charset =utf-8", "text/plain||NO_VALUE BAD " },
        { "text/plain; charset= utf-8", "text/plain||NO_VALUE BAD " },
        { "text/plain; charset=utf-8 x", "text/plain|utf-8|BAD " },
        { "text/plain; charset=\"utf-8", "text/plain||BAD " },
        { "text/plain; charset=\"utf-8\\", "text/plain||BAD " },
        { "text/plain; charset=\"utf-8\\\"", "text/plain||BAD " },
        { "text/plain; charset=\"", "text/plain||BAD " },
        { "text/plain; charset=\"a\x7f\"", "text/plain||BAD " },
        { "text/plain; charset=\"utf-8\"x", "text/plain|utf-8|BAD " },
        { "text/plain; charset=utf-8\xff", "text/plain|utf-8|BAD " },
        { "text/plain; (comment)", "text/plain||BAD " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_type media_type = read_bytes(cases[i].value, strlen(cases[i].value));

        tell_read(&media_type);
        assert_told(cases[i].value, cases[i].told);
    }
    assert_int_equal(read_bytes("text/plain\0", 11).flaws, MEDIA_TYPE_BAD);
    assert_int_equal(read_bytes("text/plain;a=\"\0\"", 16).flaws, MEDIA_TYPE_BAD);
    assert_int_equal(read_bytes("text\0/plain", 11).flaws, MEDIA_TYPE_BAD);
}

static void every_prefix_is_read_within_its_bytes(void **state)
{
    static const char value[] = "Text/plain ; charset=\"a\\\"b\"; x; charset= ;y=z";

    (void)state;
    for (size_t len = 0; len <= strlen(value); len++) {
        struct media_type media_type = read_bytes(value, len);

        assert_true(media_type.type.len <= len && media_type.charset.len <= len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_are_read_and_their_slips_told),
        cmocka_unit_test(every_prefix_is_read_within_its_bytes),
    };

    return cmocka_run_group_tests(tests, map_guard, NULL);
}
