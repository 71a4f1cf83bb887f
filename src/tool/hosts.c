/* mta-sts hosts: the policy hosts that an ACME client is to be called for. */
#include "common/certopen.h"
#include "common/certpair.h"
#include "common/hostname.h"
#include "common/memory.h"
#include "tool/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: mta-sts hosts [-c FILE] [--missing | --expiring DAYS]\n"
    "\n"
    "Prints the policy hosts of the configuration, one a line, that an ACME client is to be\n"
    "called for: those without a certificate that mta-stsd would serve, and those whose\n"
    "certificate ends within 30 days or has ended.\n"
    "\n"
    "  -c, --config FILE  the server's configuration (default: " COMMAND_CONFIG ")\n"
    "  --missing          only the former: no file, or one that the server refuses\n"
    "  --expiring DAYS    only the latter, with so many days\n"
    "\n"
    "Exit status: 0, with hosts and without; 1 for an error in the configuration; 2 for how it\n"
    "was called; 3 where it could not look at a certificate or not print: such a host is told,\n"
    "and not printed.\n";

enum { DAY = 86400 /* seconds */, DAYS_DEFAULT = 30, DAYS_MAX = 3650 };

struct hosts {
    const char *config_path;
    bool        missing;  /* is asked for */
    bool        expiring; /* likewise */
    long        days;
    time_t      now;
    int         result;
};

enum state { SERVED, MISSING, UNKNOWN };

/* What there is none of is missing; what cannot be looked at is not: it may be there. */
static enum state state_of_error(const char *host, const char *path)
{
    if (errno == ENOENT || errno == ENOTDIR || errno == EINVAL)
        return MISSING;
    command_tell("%s: %s: %s", host, path, strerror(errno));
    return UNKNOWN;
}

/* Where it is SERVED, *not_after is when the certificate ends. UNKNOWN has been told. */
static enum state load(const char *host, const char *domain, const struct policy *policy,
                       time_t *not_after)
{
    char               path[CONFIG_PATH_MAX + 1], error[CERTPAIR_ERROR_MAX];
    enum certopen_file failed;
    int                fds[2];
    struct certpair   *pair;
    enum state         state = SERVED;
    unsigned long      failures;

    if (certopen(policy, domain, strlen(domain), fds, &failed, path) != 0)
        return state_of_error(host, path);
    errno = 0;
    failures = memory_failures();
    pair = certpair_load(fds[0], fds[1], host, error);
    if (memory_failures() != failures)
        errno = ENOMEM;
    if (pair != NULL)
        *not_after = certpair_not_after(pair);
    else
        state = errno == EIO || memory_failures() != failures ? state_of_error(host, path)
                                                              : MISSING;
    certpair_unref(pair);
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
    return state;
}

static bool visit(void *context, const char *domain, const struct policy *policy)
{
    struct hosts *hosts = context;
    char          host[HOSTNAME_MAX + 1];
    time_t        not_after = 0;

    snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s", domain);
    switch (load(host, domain, policy, &not_after)) {
    case MISSING:
        if (hosts->missing)
            puts(host);
        break;
    case UNKNOWN:
        hosts->result = COMMAND_UNABLE;
        break;
    case SERVED:
        if (hosts->expiring && not_after < hosts->now + hosts->days * DAY)
            puts(host);
        break;
    }
    return true;
}

static int take_days(struct hosts *hosts, const char *text)
{
    char *end;

    errno = 0;
    hosts->days = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || hosts->days > DAYS_MAX)
        return command_misused(&hosts_command, "--expiring is 0 to %d days, not \"%s\"", DAYS_MAX,
                               text);
    hosts->expiring = true;
    return COMMAND_FINE;
}

static int take_option(struct hosts *hosts, int option, const char *text, const char *word)
{
    switch (option) {
    case 'c':
        hosts->config_path = text;
        return COMMAND_FINE;
    case 'm':
        hosts->missing = true;
        return COMMAND_FINE;
    case 'e':
        return take_days(hosts, text);
    case ':':
        return command_misused(&hosts_command, "%s lacks what belongs behind it", word);
    default:
        return command_misused(&hosts_command, "there is no option %s", word);
    }
}

static int take_options(struct hosts *hosts, int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "missing", no_argument, NULL, 'm' },
                                             { "expiring", required_argument, NULL, 'e' },
                                             { NULL, 0, NULL, 0 } };
    int                        option, result;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
        result = take_option(hosts, option, optarg, argv[optind - 1]);
        if (result != COMMAND_FINE)
            return result;
    }
    if (optind != argc)
        return command_misused(&hosts_command, "unexpected argument \"%s\"", argv[optind]);
    if (hosts->missing && hosts->expiring)
        return command_misused(&hosts_command, "--missing or --expiring; neither is both");
    if (!hosts->missing && !hosts->expiring)
        hosts->missing = hosts->expiring = true;
    return COMMAND_FINE;
}

static int run(int argc, char **argv)
{
    struct hosts hosts = { .config_path = COMMAND_CONFIG, .days = DAYS_DEFAULT, .now = time(NULL) };
    struct config *config;
    int            result = take_options(&hosts, argc, argv);

    if (result != COMMAND_FINE)
        return result;
    config = command_load_config(hosts.config_path);
    if (config == NULL)
        return COMMAND_PROBLEMS;
    if (certpair_init() != 0) {
        command_tell("mbedTLS has no random numbers, or no memory");
        config_free(config);
        return COMMAND_UNABLE;
    }
    config_each_domain(config, visit, &hosts);
    config_free(config);
    return command_printed() ? hosts.result : COMMAND_UNABLE;
}

const struct command hosts_command = {
    .name = "hosts",
    .summary = "the policy hosts that need a certificate",
    .help = help,
    .run = run,
};
