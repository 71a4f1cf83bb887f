/* mta-sts hosts: the policy hosts that an ACME client is to be called for. */
#include "common/certscan.h"
#include "common/hostname.h"
#include "tool/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Reported: there may be a certificate. */
static void tell_unknown(struct hosts *hosts, const char *host,
                         const struct certscan_result *result)
{
    command_tell("%s: %s: %s", host, result->path, strerror(result->error));
    hosts->result = COMMAND_UNABLE;
}

static void visit(void *context, const char *domain, const struct policy *policy,
                  const struct certscan_result *result)
{
    struct hosts *hosts = context;
    char          host[HOSTNAME_MAX + 1];

    (void)policy;
    snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s", domain);
    if (result->outcome == CERTSCAN_SERVED) {
        if (hosts->expiring && result->not_after < hosts->now + hosts->days * DAY)
            puts(host);
    } else if (result->error != 0 && result->error != ENOENT && result->error != ENOTDIR &&
               result->error != EINVAL) {
        tell_unknown(hosts, host, result);
    } else if (hosts->missing) {
        puts(host);
    }
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
    const char    *why;
    int            result = take_options(&hosts, argc, argv);

    if (result != COMMAND_FINE)
        return result;
    config = command_load_config(hosts.config_path);
    if (config == NULL)
        return COMMAND_PROBLEMS;
    why = certscan(config, hosts.now, visit, &hosts);
    config_free(config);
    if (why != NULL) {
        command_tell("%s", why);
        return COMMAND_UNABLE;
    }
    return command_printed() ? hosts.result : COMMAND_UNABLE;
}

const struct command hosts_command = {
    .name = "hosts",
    .summary = "the policy hosts that need a certificate",
    .help = help,
    .run = run,
};
