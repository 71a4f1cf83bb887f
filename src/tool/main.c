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
    fputs("\nmta-sts COMMAND --help says more; mta-sts --version, which version this is.\n",
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

static int printed(void)
{
    return command_printed() ? COMMAND_FINE : COMMAND_UNABLE;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (streams_open() != 0) {
        command_tell("/dev/null: %s", strerror(errno));
        return COMMAND_UNABLE;
    }
    if (argc < 2) {
        usage(stderr);
        return COMMAND_USAGE;
    }
    if (is_option(argv[1], "-h", "--help")) {
        usage(stdout);
        return printed();
    }
    if (is_option(argv[1], "-V", "--version")) {
        puts("mta-sts " COMMAND_VERSION);
        return printed();
    }
    command = find(argv[1]);
    if (command == NULL) {
        command_tell("there is no command \"%s\"", argv[1]);
        usage(stderr);
        return COMMAND_USAGE;
    }
    if (asks_for_help(argc - 1, argv + 1)) {
        fputs(command->help, stdout);
        return printed();
    }
    return command->run(argc - 1, argv + 1);
}
