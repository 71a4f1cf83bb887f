/* state: a directory that is not the starting user's alone is refused, and what is committed is whole. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/snapshot.h"
#include "server/instance.h"
#include "server/state.h"

static char base[] = "/tmp/mta-sts-test_state-XXXXXX";
static char dir[64], config[64], other[64], file[128], new_file[128];
static char error[STATE_ERROR_MAX];

static int snapshot_of(const char *name)
{
    static struct snapshot_writer writer;
    int                           fd = memfd_create("snapshot", MFD_CLOEXEC);
    struct snapshot_record        one = { 1, 2, name, strlen(name), "", 0 };

    assert_true(fd >= 0);
    snapshot_begin(&writer, fd);
    snapshot_put(&writer, &one);
    assert_int_equal(snapshot_end(&writer), 0);
    return fd;
}

/* The name in the snapshot that is in the directory, or NULL. */
static const char *kept(void)
{
    static char            name[64];
    struct snapshot        snapshot;
    struct snapshot_record one;
    const char            *why;
    int                    fd;

    if (state_open(dir, config, &fd, error) != 0)
        return NULL;
    assert_int_equal(snapshot_open(&snapshot, fd, &why), 0);
    assert_true(snapshot_next(&snapshot, &one));
    snprintf(name, sizeof name, "%s", one.name);
    snapshot_close(&snapshot);
    close(fd);
    return name;
}

static void write_state(const char *name)
{
    int fd = snapshot_of(name);

    assert_int_equal(state_write(dir, config, fd, error), 0);
    close(fd);
}

static int begin(void **state)
{
    char instance[INSTANCE_NAME_LEN + 1];

    (void)state;
    strcpy(base + strlen(base) - 6, "XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(dir, sizeof dir, "%s/state", base);
    snprintf(config, sizeof config, "%s/main.ini", base);
    snprintf(other, sizeof other, "%s/other.ini", base);
    if (instance_name(config, instance) != 0)
        return -1;
    snprintf(file, sizeof file, "%s/%s.snapshot", dir, instance);
    snprintf(new_file, sizeof new_file, "%s/%s.new", dir, instance);
    return mkdir(dir, 0700);
}

static int end(void **state)
{
    (void)state;
    (void)unlink(file);
    (void)unlink(new_file);
    (void)remove(dir);
    (void)remove(config);
    return rmdir(base);
}

static void assert_error(const char *format)
{
    char expected[STATE_ERROR_MAX];

    snprintf(expected, sizeof expected, format, dir);
    assert_string_equal(error, expected);
}

static void a_directory_is_made_for_its_user_alone(void **state)
{
    struct stat status;

    (void)state;
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(state_check(dir, false, error), -1);
    assert_error("cannot open state_dir %s: No such file or directory");
    assert_int_equal(state_check(dir, true, error), 0);
    assert_int_equal(stat(dir, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(state_check(dir, true, error), 0);
    assert_int_equal(rmdir(dir), 0);
    strcat(dir, "/deeper");
    assert_int_equal(state_check(dir, true, error), -1);
    assert_error("cannot make state_dir %s: No such file or directory");
}

static void a_directory_of_others_is_refused(void **state)
{
    int fd = snapshot_of("x");

    (void)state;
    assert_int_equal(chmod(dir, 0750), 0);
    assert_int_equal(state_check(dir, true, error), -1);
    assert_error("state_dir %s has mode 0750: other users may enter it; chmod 0700");
    assert_int_equal(state_write(dir, config, fd, error), -1);
    assert_int_equal(state_commit(dir, config, error), -1);
    assert_int_equal(state_open(dir, config, &fd, error), -1);
    assert_int_equal(chmod(dir, 0700), 0);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(dir, 65534, 0), 0);
    assert_int_equal(state_check(dir, true, error), -1);
    assert_error("state_dir %s belongs to user 65534, not to user 0, who starts mta-stsd");
    assert_int_equal(chown(dir, 0, 0), 0);
    close(fd);
}

static void what_is_no_directory_is_refused(void **state)
{
    (void)state;
    assert_int_equal(state_check("state", true, error), -1);
    assert_string_equal(error, "state_dir state is not an absolute path");
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(symlink("/tmp", dir), 0);
    assert_int_equal(state_check(dir, true, error), -1);
    assert_error("state_dir %s is not a directory");
    assert_int_equal(unlink(dir), 0);
    close(open(dir, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(state_check(dir, true, error), -1);
    assert_error("state_dir %s is not a directory");
}

static void what_is_written_counts_when_it_is_committed(void **state)
{
    struct stat status;

    (void)state;
    assert_null(kept());
    assert_string_equal(error, "");
    write_state("one");
    assert_null(kept());
    assert_int_equal(state_commit(dir, config, error), 0);
    assert_string_equal(kept(), "one");
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    write_state("two");
    assert_string_equal(kept(), "one");
    write_state("three");
    assert_int_equal(state_commit(dir, config, error), 0);
    assert_string_equal(kept(), "three");
    assert_int_not_equal(access(new_file, F_OK), 0);
    assert_int_equal(state_commit(dir, config, error), -1);
    assert_string_equal(kept(), "three");
}

static void each_configuration_has_its_own(void **state)
{
    int fd;

    (void)state;
    write_state("one");
    assert_int_equal(state_commit(dir, config, error), 0);
    assert_int_equal(state_open(dir, other, &fd, error), -1);
    assert_string_equal(error, "");
}

static void a_torn_or_foreign_file_is_refused(void **state)
{
    char expected[256];
    int  fd;

    (void)state;
    write_state("one");
    assert_int_equal(state_commit(dir, config, error), 0);
    assert_int_equal(truncate(file, 40), 0);
    assert_int_equal(state_open(dir, config, &fd, error), -1);
    snprintf(expected, sizeof expected, "cannot use %s: it is not whole: its checksum is wrong",
             file);
    assert_string_equal(error, expected);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(state_open(dir, config, &fd, error), -1);
    snprintf(expected, sizeof expected, "cannot use %s: it is not a regular file of this user",
             file);
    assert_string_equal(error, expected);
    /* what lies in the way of a new one is not written through */
    assert_int_equal(symlink(config, new_file), 0);
    write_state("two");
    assert_int_not_equal(access(config, F_OK), 0);
    assert_int_equal(state_commit(dir, config, error), 0);
    assert_string_equal(kept(), "two");
}

static void a_snapshot_that_cannot_be_copied_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(state_write(dir, config, -1, error), -1);
    assert_non_null(strstr(error, ".new: Bad file descriptor"));
    assert_int_not_equal(access(new_file, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_directory_is_made_for_its_user_alone),
        TEST(a_directory_of_others_is_refused),
        TEST(what_is_no_directory_is_refused),
        TEST(what_is_written_counts_when_it_is_committed),
        TEST(each_configuration_has_its_own),
        TEST(a_torn_or_foreign_file_is_refused),
        TEST(a_snapshot_that_cannot_be_copied_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
