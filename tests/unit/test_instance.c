/* instance: one name for one configuration file, however its directory is named, and with no need for the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/instance.h"

static char directory[] = "/tmp/instance-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL && chdir(directory) == 0 && mkdir("real", 0700) == 0 &&
                   symlink("real", "link") == 0
               ? 0
               : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return unlink("link") == 0 && rmdir("real") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static const char *name_of(const char *path)
{
    static char names[4][INSTANCE_NAME_LEN + 1];
    static int  next;
    char       *name = names[next++ % 4];

    assert_int_equal(instance_name(path, name), 0);
    assert_int_equal(strlen(name), INSTANCE_NAME_LEN);
    assert_int_equal(strspn(name, "0123456789abcdef"), INSTANCE_NAME_LEN);
    return name;
}

static void two_names_of_a_directory_are_one_instance(void **state)
{
    char absolute[128];

    (void)state;
    snprintf(absolute, sizeof(absolute), "%s/real/mta-stsd.ini", directory);
    assert_string_equal(name_of(absolute), name_of("real/mta-stsd.ini"));
    assert_string_equal(name_of(absolute), name_of("link/mta-stsd.ini"));
    assert_string_equal(name_of(absolute), name_of("./link/../real//mta-stsd.ini"));
    assert_string_equal(name_of("mta-stsd.ini"), name_of("./mta-stsd.ini"));
    assert_string_equal(name_of("-"), name_of("./-"));
    assert_string_equal(name_of("/mta-stsd.ini"), name_of("//mta-stsd.ini"));
}

static void another_file_is_another_instance(void **state)
{
    (void)state;
    assert_string_not_equal(name_of("real/mta-stsd.ini"), name_of("mta-stsd.ini"));
    assert_string_not_equal(name_of("real/mta-stsd.ini"), name_of("real/mta-stsd.in"));
    assert_string_not_equal(name_of("link"),
                            name_of("real")); /* the last component is not resolved */
}

/* A server and a later version of its commands find each other. */
static void the_name_stays_the_same(void **state)
{
    (void)state;
    assert_string_equal(name_of("/mta-stsd.ini"), "80ce25eec19f7361");
}

static void a_directory_that_cannot_be_entered_is_an_error(void **state)
{
    char name[INSTANCE_NAME_LEN + 1];
    char longest[2 * PATH_MAX];

    (void)state;
    assert_int_equal(instance_name("missing/mta-stsd.ini", name), -1);
    assert_int_equal(errno, ENOENT);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(instance_name(longest, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    longest[PATH_MAX] = '/';
    longest[PATH_MAX + 2] = '\0';
    assert_int_equal(instance_name(longest, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_names_of_a_directory_are_one_instance),
        cmocka_unit_test(another_file_is_another_instance),
        cmocka_unit_test(the_name_stays_the_same),
        cmocka_unit_test(a_directory_that_cannot_be_entered_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
