/* streams: descriptors 0 to 2 are open, and no file that is opened later becomes one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/streams.h"

static bool is_null(int fd)
{
    struct stat null, status;

    return stat("/dev/null", &null) == 0 && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == null.st_rdev;
}

static int next_descriptor(void)
{
    return open("/", O_RDONLY);
}

static void with_the_first_two_closed(void)
{
    char byte = 0;

    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    CHECK(streams_open() == 0);
    CHECK(next_descriptor() > STDERR_FILENO);
    CHECK(is_null(STDIN_FILENO) && is_null(STDOUT_FILENO) && !is_null(STDERR_FILENO));
    CHECK(read(STDIN_FILENO, &byte, 1) < 0 && errno == EBADF);
    CHECK(write(STDOUT_FILENO, &byte, 1) < 0 && errno == EBADF);
}

static void with_standard_error_closed(void)
{
    int  kept = dup(STDERR_FILENO), next;
    bool null;

    close(STDERR_FILENO);
    streams_open();
    next = next_descriptor();
    null = is_null(STDERR_FILENO);
    dup2(kept, STDERR_FILENO);
    CHECK(null && next > STDERR_FILENO);
}

static void a_closed_descriptor_is_given_to_no_other_file(void **state)
{
    (void)state;
    assert_child_passes(with_the_first_two_closed);
    assert_child_passes(with_standard_error_closed);
}

static void with_all_open(void)
{
    struct stat before[3], after;

    for (int fd = 0; fd <= 2; fd++)
        CHECK(fstat(fd, &before[fd]) == 0);
    CHECK(streams_open() == 0);
    for (int fd = 0; fd <= 2; fd++) {
        CHECK(fstat(fd, &after) == 0);
        CHECK(after.st_dev == before[fd].st_dev && after.st_ino == before[fd].st_ino);
    }
}

static void open_descriptors_stay(void **state)
{
    (void)state;
    assert_child_passes(with_all_open);
}

static void detached(void)
{
    int ends[2];

    CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == 0 && dup2(ends[1], STDOUT_FILENO) == 1);
    CHECK(streams_detach() == 0);
    CHECK(is_null(STDIN_FILENO) && is_null(STDOUT_FILENO) && !is_null(STDERR_FILENO));
    CHECK(next_descriptor() == ends[1] + 1);
}

static void standard_input_and_output_are_put_on_dev_null(void **state)
{
    (void)state;
    assert_child_passes(detached);
}

static void without_dev_null(void)
{
    child_refuse(SYS_openat, ENOENT, -1);
    CHECK(streams_detach() == -1 && errno == ENOENT);
    CHECK(streams_open() == 0); /* all are open, so it is not needed */
    close(STDIN_FILENO);
    CHECK(streams_open() == -1 && errno == ENOENT);
}

static void a_system_without_dev_null_is_reported(void **state)
{
    (void)state;
    assert_child_passes(without_dev_null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_descriptor_is_given_to_no_other_file),
        cmocka_unit_test(open_descriptors_stay),
        cmocka_unit_test(standard_input_and_output_are_put_on_dev_null),
        cmocka_unit_test(a_system_without_dev_null_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
