/*
 * certscan: each pair of files is read once, and what is found does not depend on the number of
 * processes. certpair is a fake: a certificate's file holds the host that it covers, or a word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/certpair.h"
#include "common/certscan.h"

enum { DOMAINS = 40, NOT_AFTER = 1234567 };

/* What all processes write to. */
struct shared {
    unsigned reads;
    pid_t    readers[DOMAINS]; /* of each read */
};

struct certpair {
    char host[300];
};

static char           folder[] = "/tmp/mta-sts-test_certscan-XXXXXX";
static struct shared *shared;
static char           seen[DOMAINS * 200]; /* a line for each domain */
static int            init_result;
static const char    *vanishes; /* a file that is removed when another one is read */

int certpair_init(void)
{
    return init_result;
}

struct certpair *certpair_read(int certificate_fd, int key_fd, char *error)
{
    struct certpair *pair = calloc(1, sizeof(*pair));
    ssize_t          got = read(certificate_fd, pair->host, sizeof(pair->host) - 1);
    char             key;

    assert_true(got > 0);
    assert_true(key_fd < 0 || read(key_fd, &key, 1) == 1);
    shared->readers[__atomic_fetch_add(&shared->reads, 1, __ATOMIC_SEQ_CST)] = getpid();
    if (vanishes != NULL)
        unlink(vanishes);
    if (strcmp(pair->host, "killed") == 0)
        raise(SIGKILL);
    errno = strcmp(pair->host, "memory") == 0 ? ENOMEM : strcmp(pair->host, "bad") == 0 ? EPERM : 0;
    if (errno == 0)
        return pair;
    snprintf(error, CERTPAIR_ERROR_MAX, "it is %.20s", pair->host);
    free(pair);
    return NULL;
}

int certpair_prove(const struct certpair *pair, const char *host, char *error)
{
    if (strcmp(pair->host, host) == 0 || strcmp(pair->host, "any") == 0 ||
        strcmp(pair->host, "weak") == 0)
        return 0;
    snprintf(error, CERTPAIR_ERROR_MAX, "not for %s", host);
    return -1;
}

unsigned certpair_findings(const struct certpair *pair, time_t now)
{
    assert_int_equal(now, 1);
    return strcmp(pair->host, "weak") == 0 ? CERTPAIR_EXPIRED | CERTPAIR_WEAK_KEY : 0;
}

void certpair_explain(const struct certpair *pair, enum certpair_finding finding, time_t now,
                      const char *path, char *text, size_t size)
{
    (void)pair;
    (void)path;
    (void)now;
    snprintf(text, size, "finding %d", (int)finding);
}

time_t certpair_not_after(const struct certpair *pair)
{
    (void)pair;
    return NOT_AFTER;
}

void certpair_unref(struct certpair *pair)
{
    free(pair);
}

/* --- */

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

static void fail_on(void *context, enum config_severity severity, const char *file, unsigned line,
                    const char *text)
{
    (void)context;
    (void)severity;
    fail_msg("%s:%u: %s", file, line, text);
}

/* 40 domains, d00.example to d39.example, with these two lines for their files. */
static struct config *load(const char *certificate, const char *key)
{
    static const uint8_t digest_key[HASH_KEY_SIZE];
    char                 text[4096];
    size_t               len;
    struct config       *config;

    len = (size_t)snprintf(text, sizeof(text),
                           "[server]\nlisten = 127.0.0.1:8443\n[defaults]\nmode = none\n"
                           "mx = mail.example.org\ncertificate = %s\n%s[d00.example]\n",
                           certificate, key);
    for (int i = 1; i < DOMAINS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "alias = d%02d.example\n", i);
    write_file("main.ini", text);
    config = config_load("main.ini", digest_key, fail_on, NULL);
    assert_non_null(config);
    return config;
}

static void see(void *context, const char *domain, const struct policy *policy,
                const struct certscan_result *result)
{
    static const char *const outcomes[] = { "unopened", "refused", "served" };
    size_t                   len = strlen(seen);
    const char              *text = result->text;
    const char              *file = strrchr(result->path, '/') + 1;

    assert_string_equal(context, "context");
    assert_non_null(policy);
    len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%.3s %s %d %s", domain,
                            outcomes[result->outcome], result->error, file);
    for (unsigned i = 0; i < result->text_count; i++, text += strlen(text) + 1)
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, ", %s", text);
    snprintf(seen + len, sizeof(seen) - len, "\n");
    assert_int_equal(result->not_after, result->outcome == CERTSCAN_SERVED ? NOT_AFTER : 0);
}

static const char *scan(const char *certificate, const char *key)
{
    static char    context[] = "context";
    struct config *config = load(certificate, key);
    const char    *why;

    memset(shared, 0, sizeof(*shared));
    seen[0] = '\0';
    why = certscan(config, 1, see, context);
    config_free(config);
    assert_int_equal(waitpid(-1, NULL, 0), -1); /* no process is left */
    assert_int_equal(errno, ECHILD);
    return why;
}

static void assert_all(const char *expected)
{
    char  line[100];
    char *at = seen;

    for (int i = 0; i < DOMAINS; i++) {
        size_t len = (size_t)snprintf(line, sizeof(line), "d%02d %s\n", i, expected);

        assert_memory_equal(at, line, len);
        at += len;
    }
    assert_string_equal(at, "");
}

static void host_file(char name[64], int domain)
{
    snprintf(name, 64, "mta-sts.d%02d.example.pem", domain);
}

static void a_pair_of_all_domains_is_read_once(void **state)
{
    (void)state;
    write_file("one.pem", "any");
    assert_null(scan("one.pem", ""));
    assert_int_equal(shared->reads, 1);
    assert_all("served 0 one.pem");
    write_file("one.key", "key");
    assert_null(scan("one.pem", "key = one.key\n"));
    assert_int_equal(shared->reads, 1);
    assert_all("served 0 one.pem");
}

static void what_is_found_of_a_pair_is_found_for_each_of_its_domains(void **state)
{
    (void)state;
    write_file("one.pem", "weak");
    assert_null(scan("one.pem", ""));
    assert_all("served 0 one.pem, finding 1, finding 64");
    write_file("one.pem", "bad");
    assert_null(scan("one.pem", ""));
    assert_all("refused 0 one.pem, it is bad");
    write_file("one.pem", "memory");
    assert_null(scan("one.pem", ""));
    assert_all("refused 12 one.pem, it is memory");
    assert_int_equal(shared->reads, 1);
}

static void names_are_compared_for_each_domain_of_a_pair(void **state)
{
    (void)state;
    write_file("one.pem", "mta-sts.d07.example");
    assert_null(scan("one.pem", ""));
    assert_int_equal(shared->reads, 1);
    assert_non_null(strstr(seen, "d06 refused 0 one.pem, not for mta-sts.d06.example\n"
                                 "d07 served 0 one.pem\n"
                                 "d08 refused 0 one.pem, not for mta-sts.d08.example\n"));
}

static void links_are_the_same_file_and_copies_are_not(void **state)
{
    char name[64];

    (void)state;
    write_file("target", "any");
    for (int i = 0; i < DOMAINS; i++) {
        host_file(name, i);
        if (i < 30)
            assert_int_equal(i % 2 ? link("target", name) : symlink("target", name), 0);
        else
            write_file(name, "any");
    }
    assert_null(scan("%h.pem", ""));
    assert_int_equal(shared->reads, 1 + 10);
}

static void a_certificate_with_two_keys_is_two_pairs(void **state)
{
    char name[64];

    (void)state;
    write_file("one.pem", "any");
    write_file("one.key", "key");
    for (int i = 0; i < DOMAINS; i++) {
        snprintf(name, sizeof(name), "d%02d.example.key", i);
        if (i == 3)
            write_file(name, "another");
        else
            assert_int_equal(link("one.key", name), 0);
    }
    assert_null(scan("one.pem", "key = %d.key\n"));
    assert_int_equal(shared->reads, 2);
}

/* A file for each domain, of each kind. */
static void write_mixed(void)
{
    static const char *const kinds[] = { "any", "bad", "weak", "mta-sts.d04.example" };
    char                     name[64];

    for (int i = 0; i < DOMAINS; i++) {
        host_file(name, i);
        if (i % 5 < 4)
            write_file(name, kinds[i % 5]);
    }
}

static void the_number_of_processes_changes_nothing(void **state)
{
    static const char expected[] =
        "d00 served 0 mta-sts.d00.example.pem\n"
        "d01 refused 0 mta-sts.d01.example.pem, it is bad\n"
        "d02 served 0 mta-sts.d02.example.pem, finding 1, finding 64\n"
        "d03 refused 0 mta-sts.d03.example.pem, not for mta-sts.d03.example\n"
        "d04 unopened 2 mta-sts.d04.example.pem\n";
    cpu_set_t all, one;
    char      by_all[sizeof(seen)];
    pid_t     reader = 0;

    (void)state;
    write_mixed();
    assert_null(scan("%h.pem", ""));
    assert_int_equal(shared->reads, 32);
    strcpy(by_all, seen);
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    for (unsigned i = 0; i < shared->reads; i++) {
        assert_int_not_equal(shared->readers[i], getpid());
        reader = reader == 0 || reader == shared->readers[i] ? shared->readers[i] : -1;
    }
    assert_true(CPU_COUNT(&all) == 1 || reader == -1); /* several processes */
    CPU_ZERO(&one);
    for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_null(scan("%h.pem", ""));
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    assert_int_equal(shared->reads, 32);
    for (unsigned i = 1; i < shared->reads; i++)
        assert_int_equal(shared->readers[i], shared->readers[0]);
    assert_string_equal(seen, by_all);
    assert_memory_equal(seen, expected, strlen(expected));
}

static void a_file_that_vanishes_meanwhile_cannot_be_opened(void **state)
{
    char        name[64];
    const char *found;

    (void)state;
    write_file("one.pem", "any");
    for (int i = 1; i < DOMAINS; i++) {
        host_file(name, i);
        assert_int_equal(link("one.pem", name), 0);
    }
    host_file(name, 0);
    write_file(name, "any");
    vanishes = name;
    assert_null(scan("%h.pem", ""));
    vanishes = NULL;
    found = strchr(seen, ' ') + 1;
    assert_true(strncmp(found, "served 0 ", 9) == 0 || strncmp(found, "unopened 2 ", 11) == 0);
    assert_null(strstr(strchr(seen, '\n'), "unopened"));
}

static void a_process_that_is_killed_is_reported_and_nothing_is_visited(void **state)
{
    (void)state;
    write_mixed();
    write_file("mta-sts.d06.example.pem", "killed");
    assert_string_equal(scan("%h.pem", ""), "a process that checks certificates was killed");
    assert_string_equal(seen, "");
}

static void mbedtls_that_does_not_start_is_reported(void **state)
{
    (void)state;
    write_mixed();
    init_result = -1;
    assert_string_equal(scan("%h.pem", ""),
                        "mbedTLS cannot start: out of memory, or no random numbers");
    init_result = 0;
    assert_string_equal(seen, "");
}

static void where_no_file_can_be_opened_no_process_is_needed(void **state)
{
    (void)state;
    init_result = -1;
    assert_null(scan("missing.pem", ""));
    init_result = 0;
    assert_all("unopened 2 missing.pem");
}

static int clear_folder(void **state)
{
    static const char *const names[] = { "main.ini", "one.pem", "one.key", "target" };
    char                     name[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    for (int i = 0; i < DOMAINS; i++) {
        host_file(name, i);
        unlink(name);
        snprintf(name, sizeof(name), "d%02d.example.key", i);
        unlink(name);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_pair_of_all_domains_is_read_once, clear_folder),
        cmocka_unit_test_teardown(what_is_found_of_a_pair_is_found_for_each_of_its_domains,
                                  clear_folder),
        cmocka_unit_test_teardown(names_are_compared_for_each_domain_of_a_pair, clear_folder),
        cmocka_unit_test_teardown(links_are_the_same_file_and_copies_are_not, clear_folder),
        cmocka_unit_test_teardown(a_certificate_with_two_keys_is_two_pairs, clear_folder),
        cmocka_unit_test_teardown(the_number_of_processes_changes_nothing, clear_folder),
        cmocka_unit_test_teardown(a_file_that_vanishes_meanwhile_cannot_be_opened, clear_folder),
        cmocka_unit_test_teardown(a_process_that_is_killed_is_reported_and_nothing_is_visited,
                                  clear_folder),
        cmocka_unit_test_teardown(mbedtls_that_does_not_start_is_reported, clear_folder),
        cmocka_unit_test_teardown(where_no_file_can_be_opened_no_process_is_needed, clear_folder),
    };
    int failed;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
