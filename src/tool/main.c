/* main: finds the command that is asked for. */
#include "tool/command.h"

#include "common/streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = { &dns_command, &hosts_command, &check_command,
                                                  &report_command, &advise_command };

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static void usage(FILE *stream)
{
    fputs("usage: mta-sts COMMAND [OPTION]...\n\n", stream);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nmta-sts help COMMAND, or mta-sts COMMAND --help: the options of a command\n"
          "mta-sts --version: the version\n",
          stream);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static bool is_option(const char *word, const char *brief, const char *full)
{
    return strcmp(word, brief) == 0 || strcmp(word, full) == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_option(argv[i], "-h", "--help"))
            return true;
    }
    return false;
}

/* One command's help, or without a command the list of them. */
static int help(const struct command *command)
{
    if (command == NULL)
        usage(stdout);
    else
        fputs(command->help, stdout);
    return command_printed() ? COMMAND_FINE : COMMAND_UNABLE;
}

static int version(void)
{
    puts("mta-sts " COMMAND_VERSION);
    return command_printed() ? COMMAND_FINE : COMMAND_UNABLE;
}

int main(int argc, char **argv)
{
    const struct command *command;
    const char           *name = argc > 1 ? argv[1] : NULL;
    bool                  wants_help = argc > 2 && asks_for_help(argc - 1, argv + 1);

    if (streams_open() != 0) {
        command_tell("/dev/null: %s", strerror(errno));
        return COMMAND_UNABLE;
    }
    if (name == NULL) {
        usage(stderr);
        return COMMAND_USAGE;
    }
    if (is_option(name, "-V", "--version"))
        return version();
    if (strcmp(name, "help") == 0) { /* help COMMAND is COMMAND --help */
        wants_help = true;
        name = argc > 2 ? argv[2] : "--help";
    }
    if (is_option(name, "-h", "--help"))
        return help(NULL);
    command = find(name);
    if (command == NULL) {
        command_tell("there is no command \"%s\"", name);
        usage(stderr);
        return COMMAND_USAGE;
    }
    return wants_help ? help(command) : command->run(argc - 1, argv + 1);
}
