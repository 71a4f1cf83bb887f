#include "tool/command.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(const char *format, va_list arguments)
{
    fputs("mta-sts: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void command_tell(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
    command_tell("see: mta-sts %s --help", command->name);
    return COMMAND_USAGE;
}

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    char finding[CONFIG_FINDING_MAX];

    (void)context;
    fprintf(stderr, "%s\n", config_finding(severity, file, line, text, finding));
}

static const uint8_t digest_key[HASH_KEY_SIZE]; /* no stranger looks anything up here */

struct config *command_load_config(const char *path)
{
    return config_load(path, digest_key, report, NULL);
}

struct config *command_load_config_with_places(const char *path)
{
    return config_load_with_places(path, digest_key, report, NULL);
}

bool command_printed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    perror("mta-sts: standard output");
    return false;
}
