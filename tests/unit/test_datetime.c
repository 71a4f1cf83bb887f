/* datetime: days and times as reports and people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tool/datetime.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void times_are_read_in_every_form_that_senders_use(void **state)
{
    static const struct {
        const char        *text;
        enum datetime_form form;
        int64_t            seconds;
    } cases[] = {
        { "1970-01-01T00:00:00Z", DATETIME_RFC3339, 0 },
        { "2026-11-24T00:00:00Z", DATETIME_RFC3339, 1795478400 },
        { "2026-11-24t00:00:01z", DATETIME_RFC3339, 1795478401 },
        { "2026-11-24T00:00:00.999Z", DATETIME_RFC3339, 1795478400 },
        { "2026-11-24T02:00:00+02:00", DATETIME_RFC3339, 1795478400 },
        { "2026-11-23T18:30:00-05:30", DATETIME_RFC3339, 1795478400 },
        { "2016-12-31T23:59:60Z", DATETIME_RFC3339, 1483228800 },
        { "2024-02-29T00:00:00Z", DATETIME_RFC3339, 1709164800 },
        { "2024-03-01T00:00:00Z", DATETIME_RFC3339, 1709251200 },
        { "2000-02-29T00:00:00Z", DATETIME_RFC3339, 951782400 },
        { "9999-12-31T23:59:59Z", DATETIME_RFC3339, INT64_C(253402300799) },
        { "2026-11-24T00:00:00", DATETIME_LOOSE, 1795478400 },
        { "2026-11-24 00:00:00Z", DATETIME_LOOSE, 1795478400 },
        { "2026-11-24T02:00:00+0200", DATETIME_LOOSE, 1795478400 },
        { "2026-11-24", DATETIME_DAY, 1795478400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = -1;

        assert_int_equal(datetime_read(cases[i].text, &seconds), cases[i].form);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void what_is_no_time_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "yesterday",
        "2026",
        "2026-11",
        "2026-11-24T",
        "2026-11-24T00:00",
        "2026-11-24T00:00:00.Z",
        "2026-11-24T00:00:00 Z",
        "2026-11-24T00:00:00ZZ",
        "2026-11-24T00:00:00+2",
        "2026-11-24T00:00:00+02:0",
        "2026-11-24T00:00:00+24:00",
        "2026-11-24T00:00:00+02:60",
        "2026-11-24T00:00:00*02:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T00:60:00Z",
        "2026-11-24T00:00:61Z",
        "2026-11-24X00:00:00Z",
        "2026-00-24",
        "2026-13-24",
        "2026-11-00",
        "2026-11-31",
        "2026-02-29",
        "2100-02-29",
        "1969-12-31",
        " 2026-11-24",
        "2026-11-24 ",
        "26-11-24",
        "2026/11/24",
        "2026-1-24",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds;

        assert_int_equal(datetime_read(cases[i], &seconds), DATETIME_NONE);
    }
}

/* Every day of 200 years, of which two are no leap years though four divides them. */
static void days_follow_each_other(void **state)
{
    static const char *const first[] = { "1970-01-01", "1970-01-02" };
    char                     text[DATETIME_DAY_SIZE];

    (void)state;
    for (int32_t day = 0; day < 2; day++)
        assert_string_equal(datetime_day_text(day, text), first[day]);
    for (int32_t day = 0; day < 200 * 366; day++) {
        int64_t seconds;

        assert_int_equal(datetime_read(datetime_day_text(day, text), &seconds), DATETIME_DAY);
        assert_int_equal(seconds, (int64_t)day * 86400);
        assert_int_equal(datetime_day(seconds), day);
        assert_int_equal(datetime_day(seconds + 86399), day);
    }
    assert_int_equal(datetime_day(-1), -1);
    assert_int_equal(datetime_day(-86400), -1);
    assert_int_equal(datetime_day(-86401), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_every_form_that_senders_use),
        cmocka_unit_test(what_is_no_time_is_none),
        cmocka_unit_test(days_follow_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
