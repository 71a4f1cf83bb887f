/*
 * command: what the commands of mta-sts have in common: how each is called, and how it ends.
 *
 * A command reads its own options. What it was asked for goes to standard output, everything else
 * to standard error, each line beginning with the program's name.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "common/config.h"

#define COMMAND_VERSION "0.1.0"
#define COMMAND_CONFIG  "/etc/mta-sts/mta-stsd.ini" /* where no -c is */

enum command_exit {
    COMMAND_FINE,
    COMMAND_PROBLEMS, /* something is wrong with what was looked at */
    COMMAND_USAGE,    /* with how it was called */
    COMMAND_UNABLE    /* it could not be looked at, or not be told */
};

struct command {
    const char *name;
    const char *summary;               /* a line of mta-sts --help */
    const char *help;                  /* of mta-sts NAME --help, with a line feed at the end */
    int (*run)(int argc, char **argv); /* argv[0] is the command; an enum command_exit */
};

/* "mta-sts: " and the text, as a line of standard error. */
void command_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tells how a command is called wrongly, and where its help is; gives COMMAND_USAGE. */
int command_misused(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The server's configuration. Every finding is told; NULL: there was an error among them. */
struct config *command_load_config(const char *path);
/* The same, for config_place. */
struct config *command_load_config_with_places(const char *path);

/* Whether all that was printed is out; tells why not. */
bool command_printed(void);

extern const struct command dns_command;
extern const struct command hosts_command;
extern const struct command check_command;
extern const struct command report_command;
extern const struct command advise_command;

#endif
