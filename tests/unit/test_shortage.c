/* shortage: how much is told in a minute. Clock and log are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "server/process.h"
#include "server/shortage.h"

#include "failing_malloc.h"

enum { MINUTE_MS = 60 * 1000, LINES_MAX = 100, PREFIX_LEN = sizeof("out of memory: ") - 1 };

static int64_t  now_ms;
static char     lines[LINES_MAX][1024];
static unsigned line_count;

int64_t process_now_ms(void)
{
    return now_ms;
}

void log_warnx(const char *format, ...)
{
    va_list arguments;

    assert_true(line_count < LINES_MAX);
    va_start(arguments, format);
    vsnprintf(lines[line_count++], sizeof(lines[0]), format, arguments);
    va_end(arguments);
}

static void tell(unsigned from, unsigned to)
{
    for (unsigned number = from; number <= to; number++)
        shortage_tell("number %u is closed", number);
}

/* A new minute, with nothing left to tell of those before it. */
static int set_up(void **state)
{
    (void)state;
    now_ms += MINUTE_MS;
    tell(0, 0);
    now_ms += MINUTE_MS;
    line_count = 0;
    return 0;
}

static void assert_line(unsigned index, const char *expected)
{
    assert_true(index < line_count);
    assert_string_equal(lines[index], expected);
}

static void a_line_says_what_is_given_up(void **state)
{
    (void)state;
    shortage_tell("the connection from %s is closed", "192.0.2.1");
    assert_int_equal(line_count, 1);
    assert_line(0, "out of memory: the connection from 192.0.2.1 is closed");
}

static void a_text_without_an_end_is_cut(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    shortage_tell("%s", text);
    assert_int_equal(strlen(lines[0]), PREFIX_LEN + 511);
}

static void ten_lines_a_minute_are_written(void **state)
{
    (void)state;
    tell(1, 25);
    assert_int_equal(line_count, 10);
    assert_line(0, "out of memory: number 1 is closed");
    assert_line(9, "out of memory: number 10 is closed");
    now_ms += MINUTE_MS - 1;
    tell(26, 26);
    assert_int_equal(line_count, 10);
}

static void the_first_line_of_the_next_minute_says_how_many_were_not(void **state)
{
    (void)state;
    tell(1, 25);
    now_ms += MINUTE_MS;
    tell(26, 26);
    assert_int_equal(line_count, 12);
    assert_line(10, "out of memory: 15 more, not told");
    assert_line(11, "out of memory: number 26 is closed");
}

static void every_minute_has_ten_lines_and_a_count_of_its_own(void **state)
{
    (void)state;
    tell(1, 11);
    now_ms += MINUTE_MS;
    tell(12, 24);
    assert_int_equal(line_count, 10 + 1 + 10);
    assert_line(10, "out of memory: 1 more, not told");
    now_ms += MINUTE_MS;
    tell(25, 25);
    assert_line(21, "out of memory: 3 more, not told");
    assert_line(22, "out of memory: number 25 is closed");
    now_ms += MINUTE_MS;
    tell(26, 26);
    assert_int_equal(line_count, 24);
    assert_line(23, "out of memory: number 26 is closed");
}

static void a_minute_begins_with_its_first_line(void **state)
{
    (void)state;
    now_ms += MINUTE_MS / 2;
    tell(1, 10);
    now_ms += MINUTE_MS - 1;
    tell(11, 11);
    assert_int_equal(line_count, 10);
    now_ms += 1;
    tell(12, 12);
    assert_int_equal(line_count, 12);
}

static void memory_is_spare_when_all_blocks_are(void **state)
{
    (void)state;
    assert_true(shortage_spare(1));
    assert_true(shortage_spare(SHORTAGE_BLOCKS_MAX));
}

static void memory_is_not_spare_when_one_block_is_not_and_errno_stays(void **state)
{
    bool spare;

    (void)state;
    errno = EAGAIN;
    mallocs_until_failure = SHORTAGE_BLOCKS_MAX;
    spare = shortage_spare(SHORTAGE_BLOCKS_MAX);
    if (mallocs_until_failure > 0) { /* under valgrind none fails */
        mallocs_until_failure = 0;
        skip();
    }
    assert_false(spare);
    assert_int_equal(errno, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_says_what_is_given_up),
        TEST(a_text_without_an_end_is_cut),
        TEST(ten_lines_a_minute_are_written),
        TEST(the_first_line_of_the_next_minute_says_how_many_were_not),
        TEST(every_minute_has_ten_lines_and_a_count_of_its_own),
        TEST(a_minute_begins_with_its_first_line),
        TEST(memory_is_spare_when_all_blocks_are),
        TEST(memory_is_not_spare_when_one_block_is_not_and_errno_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
