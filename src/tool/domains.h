/*
 * domains: which domains a command is to look at: those that were typed, or all of a configuration.
 */
#ifndef TOOL_DOMAINS_H
#define TOOL_DOMAINS_H

#include "tool/command.h"

#include <stddef.h>

struct domains {
    char **names; /* canonical */
    size_t count;
};

/* Both give an enum command_exit, and have told what it is about; domains is to be freed after
   either. What is typed and no domain, or (with a configuration) not in it, is COMMAND_USAGE. */
int  domains_typed(struct domains *domains, const struct command *command, char **typed,
                   size_t count, const struct config *config);
int  domains_all(struct domains *domains, const struct config *config);
void domains_free(struct domains *domains);

/* What the configuration has for a domain (canonical); NULL: nothing, or config is NULL. */
const struct policy *domains_policy(const struct config *config, const char *domain);

#endif
