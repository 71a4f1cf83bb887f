/*
 * config: what is too many, too long or cannot be read is refused with its place, and the last that
 * fits is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/hostname.h"

#define SERVER "[server]\nlisten = 127.0.0.1:8443\n" /* 2 lines */
#define POLICY \
    "[example.org]\nmode = testing\nmx = mail.example.org\ncertificate = /c\n" /* 4 lines */

enum { LINE_SIZE = 5000 };

static const uint8_t key[HASH_KEY_SIZE] = "a key for tests";
static char          folder[] = "/tmp/mta-sts-test_config_limits-XXXXXX";
static char          said[16 * 1024];

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    size_t len = strlen(said);

    (void)context;
    if (severity == CONFIG_ERROR)
        snprintf(said + len, sizeof said - len, "%s:%u: %s\n", file, line, text);
}

static void assert_said(const char *path, const char *expected)
{
    struct config *config;

    said[0] = '\0';
    config = config_load(path, key, report, NULL);
    assert_string_equal(said, expected);
    assert_true((config == NULL) == (expected[0] != '\0'));
    config_free(config);
}

/* A main file: a line as often as that, with its number where it has a %d, between two parts. */
static void assert_lines(const char *before, int count, const char *line, const char *after,
                         const char *expected)
{
    const char *number = strstr(line, "%d");
    FILE       *file = fopen("main.ini", "w");

    assert_non_null(file);
    fputs(before, file);
    for (int i = 0; i < count; i++)
        if (number != NULL)
            fprintf(file, "%.*s%d%s\n", (int)(number - line), line, i + 1, number + 2);
        else
            fprintf(file, "%s\n", line);
    fputs(after, file);
    assert_int_equal(fclose(file), 0);
    assert_said("main.ini", expected);
}

static void each_list_has_a_longest(void **state)
{
    (void)state;
    assert_lines("[server]\n", 64, "listen = 127.0.0.1:%d", POLICY, "");
    assert_lines("[server]\n", 65, "listen = 127.0.0.1:%d", POLICY,
                 "main.ini:66: more than 64 listeners\n");
    assert_lines(SERVER, 256, "trusted = 2001:db8:%d::/48", POLICY, "");
    assert_lines(SERVER, 257, "trusted = 2001:db8:%d::/48", POLICY,
                 "main.ini:259: more than 256 trusted networks\n");
    assert_lines(SERVER POLICY, 64, "rua = mailto:%d@example.org", "", "");
    assert_lines(SERVER POLICY, 65, "rua = mailto:%d@example.org", "",
                 "main.ini:71: more than 64 rua\n");
}

/* key = /aaa...tail, the path of that many bytes, in a file that is good otherwise. */
static void assert_path(const char *before, const char *name, size_t len, const char *tail,
                        const char *after, const char *expected)
{
    char   line[LINE_SIZE];
    size_t at = (size_t)snprintf(line, sizeof line, "%s = /", name);

    len -= strlen(tail) + 1;
    memset(line + at, 'a', len);
    strcpy(line + at + len, tail);
    assert_lines(before, 1, line, after, expected);
}

static void no_path_is_taken_that_no_file_can_have(void **state)
{
    static const char too_long[] = "main.ini:7: a path of more than 4095 bytes\n";
    static const char below[] = "/.well-known/acme-challenge"; /* acme_webroot */

    (void)state;
    assert_path(SERVER POLICY, "key", CONFIG_PATH_MAX, "", "", "");
    assert_path(SERVER POLICY, "key", CONFIG_PATH_MAX + 1, "", "", too_long);
    assert_path(SERVER POLICY, "key", CONFIG_PATH_MAX - HOSTNAME_MAX, "%h", "", "");
    assert_path(SERVER POLICY, "key", CONFIG_PATH_MAX, "%h", "",
                "main.ini:7: key may become a path of more than 4095 bytes\n");
    assert_path(SERVER, "acme_dir", CONFIG_PATH_MAX, "", POLICY, "");
    assert_path(SERVER, "acme_webroot", CONFIG_PATH_MAX - strlen(below), "", POLICY, "");
    assert_path(SERVER, "acme_webroot", CONFIG_PATH_MAX - strlen(below) + 1, "", POLICY,
                "main.ini:3: a path of more than 4095 bytes\n");
}

/* What a growing file looks like, too: it has more than its size says. */
static void a_file_is_read_to_its_end_whatever_its_size(void **state)
{
    (void)state;
    assert_said(
        "/proc/sys/kernel/ostype",
        "/proc/sys/kernel/ostype:1: neither a [section] nor \"key = value\"\n"
        "/proc/sys/kernel/ostype:0: there is no [server]\n"
        "/proc/sys/kernel/ostype:0: there is no policy: no section of a domain and no [*]\n");
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    assert_said("/proc/self/mem",
                "/proc/self/mem:0: cannot read the configuration: Input/output error\n");
}

static int remove_main(void **state)
{
    (void)state;
    return unlink("main.ini");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_list_has_a_longest, remove_main),
        cmocka_unit_test_teardown(no_path_is_taken_that_no_file_can_have, remove_main),
        cmocka_unit_test(a_file_is_read_to_its_end_whatever_its_size),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
    };
    int failed;

    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
