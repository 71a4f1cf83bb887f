/*
 * check_options: the options of every command that looks at domains from outside: which domains, held
 * against what, and how to look. A command adds its own.
 */
#ifndef TOOL_CHECK_OPTIONS_H
#define TOOL_CHECK_OPTIONS_H

#include "tool/check_run.h"

#include <getopt.h>

enum { CHECK_TIMEOUT_MAX = 3600, CHECK_CONNECT_TO_MAX = 64 };

struct check_options {
    struct check_run run;         /* jobs and outside are filled in */
    const char      *config_path; /* NULL: none is named */
    bool             all;
    const char      *connect_to[CHECK_CONNECT_TO_MAX];
};

/* What options are called for getopt; a command's own begin at CHECK_OPTION_OWN. */
enum {
    CHECK_OPTION_JOBS = 256,
    CHECK_OPTION_TIMEOUT,
    CHECK_OPTION_CONNECT_TO,
    CHECK_OPTION_NO_SMTP,
    CHECK_OPTION_ALL,
    CHECK_OPTION_RESOLVER,
    CHECK_OPTION_CA,
    CHECK_OPTION_OWN
};

/* Of a command's table; -c is for its list of letters. */
#define CHECK_OPTIONS_LONG                                                  \
    { "config", required_argument, NULL, 'c' },                             \
        { "resolver", required_argument, NULL, CHECK_OPTION_RESOLVER },     \
        { "ca", required_argument, NULL, CHECK_OPTION_CA },                 \
        { "connect-to", required_argument, NULL, CHECK_OPTION_CONNECT_TO }, \
        { "no-smtp", no_argument, NULL, CHECK_OPTION_NO_SMTP },             \
        { "timeout", required_argument, NULL, CHECK_OPTION_TIMEOUT },       \
        { "jobs", required_argument, NULL, CHECK_OPTION_JOBS },             \
    {                                                                       \
        "all", no_argument, NULL, CHECK_OPTION_ALL                          \
    }

/* As they are where none is said. */
void check_options_init(struct check_options *options);

/* Takes an option that getopt has found, and that is none of the command's own. Gives an enum
   command_exit, and has told what is wrong; word is the option as it was typed. */
int check_options_take(struct check_options *options, const struct command *command, int option,
                       const char *text, const char *word);

/* The same of what is left: DOMAINs, typed of them, or --all, whose configuration is named then. */
int check_options_end(struct check_options *options, const struct command *command, int typed);

#endif
