/* mta-sts check: looks at domains from outside, as a sending mail server would. */
#include "tool/check_options.h"
#include "tool/check_print.h"
#include "tool/command.h"
#include "tool/domain_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "usage: mta-sts check [-c FILE] [--resolver ADDR[:PORT]] [--ca FILE]\n"
    "                     [--connect-to FROM:TO]... [--no-smtp] [--timeout SECONDS]\n"
    "                     [--jobs N] [--json] [-v] DOMAIN... | --all\n"
    "\n"
    "Looks at each DOMAIN as a sending mail server would: the record, the policy host, its\n"
    "certificate and answer, the policy, the MX hosts and theirs, and where reports go. Says\n"
    "what is wrong by RFC 8461, what is wrong by the strictest sender there is, and what to do.\n"
    "\n"
    "  -c, --config FILE  hold it against the server's configuration, too: is what is served\n"
    "                     what is configured, and does DNS have its id?\n"
    "  --all              every domain of the configuration, which is\n"
    "                     " COMMAND_CONFIG " without -c\n"
    "  --resolver ADDR    ask this resolver (ADDR:PORT, [ADDR6]:PORT), not the system's\n"
    "  --ca FILE          trust the CAs of this PEM file, not the system's\n"
    "  --connect-to HOST1:PORT1:HOST2:PORT2\n"
    "                     for HOST1:PORT1, connect to HOST2:PORT2; empty: any, the same;\n"
    "                     repeatable\n"
    "  --no-smtp          leave the MX hosts alone (many networks close port 25)\n"
    "  --timeout SECONDS  for a policy (default: 60)\n"
    "  --jobs N           domains at once (default: 50)\n"
    "  --json             an array with an object for each domain\n"
    "  -v, --verbose      all steps of each domain, as for a single one\n"
    "\n"
    "Exit status: 0, nothing is wrong; 1, something stops or endangers mail, its protection or\n"
    "reports; 2, how it was called; 3, it could not look.\n";

struct check {
    struct check_options options;
    bool                 verbose;
    struct check_printer printer;
};

/* --- Options */

enum { JSON = CHECK_OPTION_OWN };

static int take_options(struct check *check, int argc, char **argv)
{
    static const struct option options[] = { CHECK_OPTIONS_LONG,
                                             { "json", no_argument, NULL, JSON },
                                             { "verbose", no_argument, NULL, 'v' },
                                             { NULL, 0, NULL, 0 } };
    int                        option, result = COMMAND_FINE;

    opterr = 0;
    check_options_init(&check->options);
    while ((option = getopt_long(argc, argv, ":c:v", options, NULL)) != -1) {
        if (option == JSON)
            check->printer.json = true;
        else if (option == 'v')
            check->verbose = true;
        else
            result = check_options_take(&check->options, &check_command, option, optarg,
                                        argv[optind - 1]);
        if (result != COMMAND_FINE)
            return result;
    }
    return check_options_end(&check->options, &check_command, argc - optind);
}

/* --- Looking and telling */

static void tell(void *context, const struct check_facts *facts,
                 const struct check_judgement *judgement)
{
    check_print(context, facts, judgement);
    fflush(stdout);
}

static int look(struct check *check, const struct domain_list *domains)
{
    const size_t     *verdicts = check->printer.verdicts;
    char              why[OUTSIDE_WHY_MAX];
    enum check_looked looked;

    check->printer.detail = check->verbose || domains->count == 1 ? CHECK_ALL_STEPS
                                                                  : CHECK_PROBLEMS_ONLY;
    looked = check_run(&check->options.run, domains, why);
    if (looked == CHECK_MISUSED)
        return command_misused(&check_command, "%s", why);
    check_print_end(&check->printer);
    if (looked == CHECK_UNABLE || check->printer.lost) {
        command_tell("%s", looked == CHECK_UNABLE ? why : "out of memory: not all is printed");
        return COMMAND_UNABLE;
    }
    if (verdicts[CHECK_PROBLEMS] > 0)
        return COMMAND_PROBLEMS;
    return verdicts[CHECK_UNSEEN] > 0 ? COMMAND_UNABLE : COMMAND_FINE;
}

static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: set, and not empty */

    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
}

static int check_typed(struct check *check, char **typed, size_t count)
{
    const struct config *config = check->options.run.config;
    struct domain_list   domains;
    int                  result = check->options.all
                                      ? domain_list_all(&domains, config)
                                      : domain_list_typed(&domains, &check_command, typed, count, config);

    if (result == COMMAND_FINE)
        result = look(check, &domains);
    domain_list_free(&domains);
    return result;
}

static int run(int argc, char **argv)
{
    struct check   check = { .verbose = false };
    struct config *config = NULL;
    int            result = take_options(&check, argc, argv);

    if (result != COMMAND_FINE)
        return result;
    if (check.options.config_path != NULL) {
        config = command_load_config(check.options.config_path);
        if (config == NULL)
            return COMMAND_PROBLEMS;
    }
    check.options.run.config = config;
    check.options.run.tell = tell;
    check.options.run.context = &check.printer;
    check.printer.color = wants_color();
    result = check_typed(&check, argv + optind, (size_t)(argc - optind));
    config_free(config);
    return command_printed() ? result : COMMAND_UNABLE;
}

const struct command check_command = {
    .name = "check",
    .summary = "looks at domains from outside, as a sender would",
    .help = help,
    .run = run,
};
