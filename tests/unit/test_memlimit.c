/* memlimit: the limits of control groups, of files that the test writes, and of the address space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "server/memlimit.h"

#define MB ((uint64_t)1 << 20)

static char root[] = "/tmp/test_memory.XXXXXX";

/* Writes a file below the root, with the directories that it needs. */
static void write_file(const char *name, const char *text)
{
    char  path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *slash = path + sizeof(root); (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    return where->level > 0 ? remove(path) : 0;
}

static int empty_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static uint64_t physical(void)
{
    struct sysinfo info;

    assert_int_equal(sysinfo(&info), 0);
    return (uint64_t)info.totalram * info.mem_unit;
}

static void without_limits_it_is_physical_memory(void **state)
{
    (void)state;
    assert_int_equal(memlimit_total(root), physical());
    write_file("proc/self/cgroup", "0::/system.slice\n");
    assert_int_equal(memlimit_total(root), physical());
    write_file("sys/fs/cgroup/system.slice/memory.max", "max\n");
    write_file("sys/fs/cgroup/system.slice/memory.high", "max\n");
    assert_int_equal(memlimit_total(root), physical());
    write_file("sys/fs/cgroup/system.slice/memory.max", "9223372036854771712\n");
    assert_int_equal(memlimit_total(root), physical());
}

static void the_limit_of_the_group_counts(void **state)
{
    (void)state;
    write_file("proc/self/cgroup", "0::/system.slice/mta-stsd.service\n");
    write_file("sys/fs/cgroup/system.slice/mta-stsd.service/memory.max", "67108864\n");
    write_file("sys/fs/cgroup/system.slice/memory.max", "max\n");
    assert_int_equal(memlimit_total(root), 64 * MB);
    write_file("sys/fs/cgroup/system.slice/mta-stsd.service/memory.high", "33554432\n");
    assert_int_equal(memlimit_total(root), 32 * MB);
}

static void the_limits_of_the_groups_above_count(void **state)
{
    (void)state;
    write_file("proc/self/cgroup", "0::/a/b/c\n");
    write_file("sys/fs/cgroup/a/b/c/memory.max", "67108864\n");
    write_file("sys/fs/cgroup/a/memory.max", "16777216\n");
    assert_int_equal(memlimit_total(root), 16 * MB);
    write_file("sys/fs/cgroup/memory.max", "8388608\n");
    assert_int_equal(memlimit_total(root), 8 * MB);
}

/* In a namespace of its own, as in a container. */
static void the_group_may_be_the_root(void **state)
{
    (void)state;
    write_file("proc/self/cgroup", "0::/\n");
    write_file("sys/fs/cgroup/memory.max", "67108864\n");
    assert_int_equal(memlimit_total(root), 64 * MB);
}

static void version_1_has_a_directory_for_memory(void **state)
{
    (void)state;
    write_file("proc/self/cgroup",
               "12:cpuset:/other\n5:devices,memory:/docker/1\n1:name=systemd:/x\n0::/\n");
    write_file("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "67108864\n");
    write_file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write_file("sys/fs/cgroup/memory/other/memory.limit_in_bytes", "1\n");
    assert_int_equal(memlimit_total(root), 64 * MB);
}

static void what_cannot_be_read_limits_nothing(void **state)
{
    char line[PATH_MAX + 100];

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "0::/", 4);
    line[sizeof(line) - 1] = '\0';
    write_file("proc/self/cgroup", line);
    assert_int_equal(memlimit_total(root), physical());
    write_file("proc/self/cgroup", "nonsense\n\n0::\n");
    write_file("sys/fs/cgroup/memory.max", "what\n");
    assert_int_equal(memlimit_total(root), physical());
}

/* A limit that AddressSanitizer can live with, too. */
static void the_address_space_is_what_its_limit_leaves(void **state)
{
    const rlim_t  most = (rlim_t)1 << 46;
    struct rlimit before, limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        skip();
    assert_true(memlimit_address_space() == UINT64_MAX);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    assert_in_range(memlimit_address_space(), most / 4, most - MB);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_limits_it_is_physical_memory),       TEST(the_limit_of_the_group_counts),
        TEST(the_limits_of_the_groups_above_count),       TEST(the_group_may_be_the_root),
        TEST(version_1_has_a_directory_for_memory),       TEST(what_cannot_be_read_limits_nothing),
        TEST(the_address_space_is_what_its_limit_leaves),
    };
    int failed;

    if (mkdtemp(root) == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)empty_root(NULL);
    (void)remove(root);
    return failed;
}
