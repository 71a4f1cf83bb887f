/*
 * domain_list: which domains a command is to look at: those that were typed, or all of a configuration.
 */
#ifndef TOOL_DOMAIN_LIST_H
#define TOOL_DOMAIN_LIST_H

#include "tool/command.h"

#include <stddef.h>

struct domain_list {
    char         **names; /* canonical */
    size_t         count;
    struct region *region; /* of all that it holds */
};

/* Both give an enum command_exit, and have told what it is about; domains is to be freed after
   either. What is typed and no domain, or (with a configuration) not in it, is COMMAND_USAGE. */
int  domain_list_typed(struct domain_list *domains, const struct command *command, char **typed,
                       size_t count, const struct config *config);
int  domain_list_all(struct domain_list *domains, const struct config *config);
void domain_list_free(struct domain_list *domains);

/* What the configuration has for a domain (canonical); NULL: nothing, or config is NULL. */
const struct policy *domain_list_policy(const struct config *config, const char *domain);

#endif
