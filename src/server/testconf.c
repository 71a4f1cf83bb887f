#include "server/testconf.h"

#include "common/certscan.h"
#include "common/config.h"
#include "common/hostname.h"
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
    else if (severity == CONFIG_WARNING)
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
                          const struct certscan_result *result)
{
    const char *why = result->error == EINVAL ? "is no regular file" : strerror(result->error);

    warn(test, subject, "%s file: %s%s%s", result->failed == CERTOPEN_KEY ? "key" : "certificate",
         result->path, result->path[0] == '\0' ? "" : ": ", why);
}

static void judge_domain(void *context, const char *domain, const struct policy *policy,
                         const struct certscan_result *result)
{
    struct test   *test = context;
    struct subject subject;
    const char    *text = result->text;

    (void)policy;
    snprintf(subject.host, sizeof(subject.host), HOSTNAME_POLICY_PREFIX "%s", domain);
    config_place(test->config, domain, &subject.file, &subject.line);
    if (result->outcome == CERTSCAN_UNOPENED)
        warn_unopened(test, &subject, result);
    for (unsigned i = 0; i < result->text_count; i++, text += strlen(text) + 1)
        warn(test, &subject, "%s (certificate = %s)", text, result->path);
}

static void judge_certificates(struct test *test)
{
    const char *why = certscan(test->config, test->now, judge_domain, test);

    if (why != NULL)
        report(test, CONFIG_ERROR, config_path(test->config), 0, why);
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

/* "3 domains, 2 policies, 1 listener: 0 errors, 1 warning", and with isolate = on ", 2 isolated" */
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
    print_count(test->warnings, "warning", "warnings", "");
    if (config && config_isolated_count(config) > 0)
        printf(", %zu isolated", config_isolated_count(config));
    putchar('\n');
}

int testconf_run(const char *path, bool config_only)
{
    const uint8_t digest_key[HASH_KEY_SIZE] = { 0 }; /* no client looks anything up here */
    struct test   test = { .now = time(NULL) };

    test.config = config_load_with_places(path, digest_key, report, &test);
    if (test.config) {
        judge_user(&test);
        judge_acme(&test);
        if (!config_only)
            judge_certificates(&test);
    }
    print_summary(&test);
    config_free(test.config);
    if (fflush(stdout) != 0) {
        perror("mta-stsd: standard output");
        return 1;
    }
    return test.errors == 0 ? 0 : 1;
}
