/* process: what a child closes, and the small change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "server/process.h"

enum { LOW = 20, HIGH = 220, MANY = 40 };

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void open_many(void)
{
    for (int fd = LOW; fd < LOW + MANY; fd++)
        CHECK(dup2(STDERR_FILENO, fd) == fd);
    CHECK(dup2(STDERR_FILENO, HIGH) == HIGH);
}

/* Unsorted, twice, not open, none, neighbours, the first that could be closed. */
static void check_what_is_closed(void)
{
    const int keep[] = { LOW + 7, -1, LOW, LOW + 30, LOW + 7, HIGH - 1, -1, LOW + 8, 3 };

    open_many();
    CHECK(dup2(STDERR_FILENO, 3) == 3);
    process_close_others(keep, sizeof(keep) / sizeof(keep[0]));
    for (int fd = 0; fd <= HIGH + 10; fd++) {
        bool kept = fd <= 3 || fd == LOW || fd == LOW + 7 || fd == LOW + 8 || fd == LOW + 30;

        if (is_open(fd) != kept)
            fprintf(stderr, "descriptor %d: kept is not %d\n", fd, kept);
    }
}

static void check_nothing_is_kept(void)
{
    open_many();
    process_close_others(NULL, 0);
    for (int fd = 3; fd <= HIGH; fd++)
        CHECK(!is_open(fd));
    CHECK(is_open(0) && is_open(1) && is_open(2));
}

static void without_close_range(void)
{
    child_refuse(SYS_close_range, ENOSYS, -1);
    check_what_is_closed();
}

static void with_close_range_filtered(void)
{
    child_refuse(SYS_close_range, EPERM, -1);
    check_what_is_closed();
}

/* The soft one. Returns the hard one. */
static size_t lower_the_limit(size_t descriptors)
{
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = descriptors;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit.rlim_max;
}

static void without_close_range_and_proc(void)
{
    lower_the_limit(HIGH + 1);
    open_many();
    child_refuse(SYS_close_range, ENOSYS, -1);
    child_refuse(SYS_openat, EACCES, -1);
    process_close_others(NULL, 0);
    CHECK(!is_open(LOW) && !is_open(HIGH));
}

static void a_child_closes_what_is_not_its_own(void **state)
{
    (void)state;
    assert_child_passes(check_what_is_closed);
}

static void standard_streams_stay_when_nothing_is_kept(void **state)
{
    (void)state;
    assert_child_passes(check_nothing_is_kept);
}

static void the_same_is_closed_where_close_range_is_missing(void **state)
{
    (void)state;
    assert_child_passes(without_close_range);
    assert_child_passes(with_close_range_filtered);
    assert_child_passes(without_close_range_and_proc);
}

static void the_clock_moves_forward(void **state)
{
    int64_t before = process_now_ms();

    (void)state;
    alarm(5); /* a clock that stands still ends the program */
    while (process_now_ms() == before)
        ;
    alarm(0);
    assert_true(process_now_ms() > before);
}

static void a_deadline_is_a_time_for_ppoll(void **state)
{
    int64_t left = process_left_ms(process_now_ms() + 60000);

    (void)state;
    assert_true(left > 50000 && left <= 60000);
    assert_int_equal(process_left_ms(process_now_ms() - 1), 0);
    assert_int_equal(process_left_ms(0), -1);
}

static void raise_them(void)
{
    process_ignore_master_signals();
    raise(SIGHUP);
    raise(SIGTERM);
    raise(SIGINT);
}

static void a_groups_signals_are_the_masters_alone(void **state)
{
    (void)state;
    assert_child_passes(raise_them);
}

static void raise_the_limit(void)
{
    size_t        hard = lower_the_limit(64);
    struct rlimit limit;

    CHECK(hard > 64 && process_raise_descriptors() == hard);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == hard);
}

static void the_hard_limit_of_descriptors_is_used(void **state)
{
    (void)state;
    assert_child_passes(raise_the_limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_closes_what_is_not_its_own),
        cmocka_unit_test(standard_streams_stay_when_nothing_is_kept),
        cmocka_unit_test(the_same_is_closed_where_close_range_is_missing),
        cmocka_unit_test(the_clock_moves_forward),
        cmocka_unit_test(a_deadline_is_a_time_for_ppoll),
        cmocka_unit_test(a_groups_signals_are_the_masters_alone),
        cmocka_unit_test(the_hard_limit_of_descriptors_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
