#include "tool/check_options.h"

#include <errno.h>
#include <stdlib.h>

void check_options_init(struct check_options *options)
{
    *options = (struct check_options){ .run = { .outside.smtp = true,
                                                .jobs = CHECK_JOBS_DEFAULT } };
    options->run.outside.connect_to = options->connect_to;
}

static int take_number(const struct command *command, const char *name, const char *text,
                       unsigned long max, unsigned long *number)
{
    char *end;

    errno = 0;
    *number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= 1 &&
        *number <= max)
        return COMMAND_FINE;
    return command_misused(command, "%s is 1 to %lu, not \"%s\"", name, max, text);
}

static int take_connect_to(struct check_options *options, const struct command *command,
                           const char *text)
{
    size_t *count = &options->run.outside.connect_to_count;

    if (*count == CHECK_CONNECT_TO_MAX)
        return command_misused(command, "more than %d --connect-to", CHECK_CONNECT_TO_MAX);
    options->connect_to[(*count)++] = text;
    return COMMAND_FINE;
}

int check_options_take(struct check_options *options, const struct command *command, int option,
                       const char *text, const char *word)
{
    unsigned long number = 0;
    int           result = COMMAND_FINE;

    switch (option) {
    case 'c':
        options->config_path = text;
        break;
    case CHECK_OPTION_ALL:
        options->all = true;
        break;
    case CHECK_OPTION_NO_SMTP:
        options->run.outside.smtp = false;
        break;
    case CHECK_OPTION_RESOLVER:
        options->run.outside.resolver = text;
        break;
    case CHECK_OPTION_CA:
        options->run.outside.ca = text;
        break;
    case CHECK_OPTION_CONNECT_TO:
        return take_connect_to(options, command, text);
    case CHECK_OPTION_JOBS:
        result = take_number(command, "--jobs", text, CHECK_JOBS_MAX, &number);
        options->run.jobs = number;
        break;
    case CHECK_OPTION_TIMEOUT:
        result = take_number(command, "--timeout", text, CHECK_TIMEOUT_MAX, &number);
        options->run.outside.timeout = (unsigned)number;
        break;
    case ':':
        return command_misused(command, "%s lacks what belongs behind it", word);
    default:
        return command_misused(command, "there is no option %s", word);
    }
    return result;
}

int check_options_end(struct check_options *options, const struct command *command, int typed)
{
    if (options->all && typed > 0)
        return command_misused(command, "--all or DOMAINs, not both");
    if (!options->all && typed == 0)
        return command_misused(command, "which DOMAIN? --all is every one configured");
    if (options->all && options->config_path == NULL)
        options->config_path = COMMAND_CONFIG;
    return COMMAND_FINE;
}
