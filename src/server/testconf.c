#include "server/testconf.h"

#include "common/certopen.h"
#include "common/certpair.h"
#include "common/config.h"
#include "common/hostname.h"
#include "common/memory.h"
#include "server/opener.h"
#include "server/privileges.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct test {
    struct config *config;
    time_t         now;
    size_t         errors, warnings;
};

/* What is judged, and where it is written. */
struct subject {
    char        host[HOSTNAME_MAX + 1];
    const char *file;
    unsigned    line;
};

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    struct test *test = context;
    char         finding[CONFIG_FINDING_MAX];

    if (severity == CONFIG_ERROR)
        test->errors++;
    else
        test->warnings++;
    puts(config_finding(severity, file, line, text, finding));
}

/* A certificate's finding is a warning: this one host is refused, everything else is served. */
__attribute__((format(printf, 3, 4))) static void
warn(struct test *test, const struct subject *subject, const char *format, ...)
{
    char    text[CONFIG_FINDING_MAX];
    int     len = snprintf(text, sizeof(text), "%s: ", subject->host);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + len, sizeof(text) - (size_t)len, format, arguments);
    va_end(arguments);
    report(test, CONFIG_WARNING, subject->file, subject->line, text);
}

static void warn_unopened(struct test *test, const struct subject *subject,
                          enum certopen_file failed, int error, const char *path)
{
    const char *why = error == EINVAL ? "is no regular file" : strerror(error);

    warn(test, subject, "%s file: %s%s%s", failed == CERTOPEN_KEY ? "key" : "certificate", path,
         path[0] == '\0' ? "" : ": ", why);
}

static void judge_files(struct test *test, const struct subject *subject, const int fds[2],
                        const char *path)
{
    char             text[CERTPAIR_ERROR_MAX];
    struct certpair *pair = certpair_load(fds[0], fds[1], subject->host, text);
    unsigned         findings = pair ? certpair_findings(pair, test->now) : 0;

    if (!pair)
        warn(test, subject, "%s (certificate = %s)", text, path);
    for (unsigned bit = 1; bit <= findings; bit <<= 1) {
        if (!(findings & bit))
            continue;
        certpair_explain(pair, (enum certpair_finding)bit, test->now, path, text, sizeof(text));
        warn(test, subject, "%s (certificate = %s)", text, path);
    }
    certpair_unref(pair);
}

static bool judge_domain(void *context, const char *domain, const struct policy *policy)
{
    struct test       *test = context;
    struct subject     subject;
    enum certopen_file failed;
    char               path[CONFIG_PATH_MAX + 1];
    int                fds[2];

    snprintf(subject.host, sizeof(subject.host), HOSTNAME_POLICY_PREFIX "%s", domain);
    config_place(test->config, domain, &subject.file, &subject.line);
    if (certopen(policy, domain, strlen(domain), fds, &failed, path) != 0) {
        warn_unopened(test, &subject, failed, errno, path);
        return true;
    }
    judge_files(test, &subject, fds, path);
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
    return true;
}

/* To a server that root starts, a missing user is fatal; to any other it means nothing. */
static void judge_user(struct test *test)
{
    const struct config_server *server = config_server(test->config);
    struct privileges           privileges;
    char                        error[PRIVILEGES_ERROR_MAX];

    if (privileges_find_user(server->user, &privileges, error) != 0)
        report(test, geteuid() == 0 ? CONFIG_ERROR : CONFIG_WARNING, config_path(test->config),
               server->user_line, error);
}

static void print_count(size_t count, const char *one, const char *many, const char *after)
{
    printf("%zu %s%s", count, count == 1 ? one : many, after);
}

/* Only a warning: everything but ACME's tokens is served. */
static void judge_acme(struct test *test)
{
    char text[OPENER_TEXT_MAX];

    if (!opener_judge_acme(config_server(test->config), text))
        report(test, CONFIG_WARNING, config_path(test->config),
               config_server(test->config)->acme_line, text);
}

/* "3 domains, 2 policies, 1 listener: 0 errors, 1 warning" */
static void print_summary(const struct test *test)
{
    const struct config *config = test->config;

    if (config) {
        print_count(config_domain_count(config), "domain", "domains",
                    config_any(config) ? " and any other, " : ", ");
        print_count(config_policy_count(config), "policy", "policies", ", ");
        print_count(config_server(config)->listener_count, "listener", "listeners", ": ");
    }
    print_count(test->errors, "error", "errors", ", ");
    print_count(test->warnings, "warning", "warnings", "\n");
}

int testconf_run(const char *path)
{
    const uint8_t digest_key[HASH_KEY_SIZE] = { 0 }; /* nobody else looks anything up here */
    unsigned long failures;
    struct test   test = { .now = time(NULL) };

    test.config = config_load_with_places(path, digest_key, report, &test);
    failures = memory_failures();
    if (test.config && certpair_init() != 0)
        report(&test, CONFIG_ERROR, path, 0,
               memory_failures() != failures
                   ? "out of memory: mbedTLS cannot start its cryptography"
                   : "mbedTLS has no random numbers");
    else if (test.config) {
        judge_user(&test);
        judge_acme(&test);
        config_each_domain(test.config, judge_domain, &test);
    }
    print_summary(&test);
    config_free(test.config);
    if (fflush(stdout) != 0) {
        perror("mta-stsd: standard output");
        return 1;
    }
    return test.errors == 0 ? 0 : 1;
}
