/* snapshot: what was put comes back, and a file that is not whole gives nothing. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/snapshot.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct snapshot_writer writer;

static int new_file(void)
{
    int fd = memfd_create("snapshot", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static struct snapshot_record record(uint32_t kind, uint64_t number, const char *name,
                                     const char *content, size_t content_len)
{
    return (struct snapshot_record){ kind, number, name, strlen(name), content, content_len };
}

static int write_records(const struct snapshot_record *records, size_t count)
{
    int fd = new_file();

    snapshot_begin(&writer, fd);
    for (size_t i = 0; i < count; i++)
        snapshot_put(&writer, &records[i]);
    assert_int_equal(snapshot_end(&writer), 0);
    return fd;
}

static void assert_refused(int fd, const char *expected)
{
    struct snapshot snapshot;
    const char     *why = NULL;

    assert_int_equal(snapshot_open(&snapshot, fd, &why), -1);
    assert_string_equal(why, expected);
}

static void what_is_put_comes_back(void **state)
{
    static char                  large[3 * SNAPSHOT_BUFFER];
    const struct snapshot_record records[] = {
        record(1, 0, "", "", 0),
        record(2, UINT64_MAX, "a name", "a\0b", 3),
        record(3, 7, "large", large, sizeof large),
        record(UINT32_MAX, 1, "", large, SNAPSHOT_BUFFER),
        record(4, 2, "the last", "x", 1),
    };
    int                    fd;
    struct snapshot        snapshot;
    struct snapshot_record read;
    const char            *why;

    (void)state;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 31 >> 3);
    fd = write_records(records, COUNT(records));
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5); /* its offset is nothing */
    assert_int_equal(snapshot_open(&snapshot, fd, &why), 0);
    for (size_t i = 0; i < COUNT(records); i++) {
        assert_false(snapshot_at_end(&snapshot));
        assert_true(snapshot_next(&snapshot, &read));
        assert_int_equal(read.kind, records[i].kind);
        assert_int_equal(read.number, records[i].number);
        assert_string_equal(read.name, records[i].name);
        assert_int_equal(read.content_len, records[i].content_len);
        assert_memory_equal(read.content, records[i].content, read.content_len);
        assert_int_equal(read.content[read.content_len], '\0');
    }
    assert_false(snapshot_next(&snapshot, &read));
    assert_true(snapshot_at_end(&snapshot));
    snapshot_close(&snapshot);
    close(fd);
}

static void no_part_of_a_snapshot_is_one(void **state)
{
    const struct snapshot_record one = record(1, 2, "name", "content", 7);
    int                          fd = write_records(&one, 1);
    off_t                        size = lseek(fd, 0, SEEK_END);

    (void)state;
    for (off_t len = size - 1; len >= 0; len--) {
        assert_int_equal(ftruncate(fd, len), 0);
        assert_refused(fd, len < 36 ? "it is too short for a snapshot"
                                    : "it is not whole: its checksum is wrong");
    }
    close(fd);
}

static void a_changed_bit_is_seen(void **state)
{
    const struct snapshot_record one = record(1, 2, "name", "content", 7);
    int                          fd = write_records(&one, 1);
    off_t                        size = lseek(fd, 0, SEEK_END);

    (void)state;
    for (off_t at = 0; at < size; at++) {
        char byte, changed;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        changed = byte ^ 4;
        assert_int_equal(pwrite(fd, &changed, 1, at), 1);
        assert_refused(fd, at < 20 ? "it is no snapshot of this version of mta-stsd"
                                   : "it is not whole: its checksum is wrong");
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(pwrite(fd, "x", 1, size), 1);
    assert_refused(fd, "it is not whole: its checksum is wrong");
    close(fd);
}

static void what_cannot_be_read_is_refused(void **state)
{
    (void)state;
    assert_refused(-1, "Bad file descriptor");
    assert_refused(open("/dev/null", O_RDONLY | O_CLOEXEC), "it is too short for a snapshot");
}

/* Of writing, the first error counts. */
static void what_cannot_be_written_is_an_error(void **state)
{
    static char            large[2 * SNAPSHOT_BUFFER];
    struct snapshot_record one = record(1, 2, "name", large, sizeof large);
    int                    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    snapshot_begin(&writer, fd);
    snapshot_put(&writer, &one);
    errno = 0;
    assert_int_equal(snapshot_end(&writer), -1);
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_comes_back),
        cmocka_unit_test(no_part_of_a_snapshot_is_one),
        cmocka_unit_test(a_changed_bit_is_seen),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(what_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
