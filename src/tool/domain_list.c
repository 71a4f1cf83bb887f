#include "tool/domain_list.h"

#include "common/hostname.h"
#include "common/region.h"
#include "tool/typed.h"

#include <stdio.h>
#include <string.h>

static int out_of_memory(void)
{
    command_tell("out of memory");
    return COMMAND_UNABLE;
}

static bool make_room(struct domain_list *domains, size_t count)
{
    *domains = (struct domain_list){ .region = region_new() };
    if (domains->region != NULL)
        domains->names = region_alloc(domains->region, count * sizeof(*domains->names));
    return domains->names != NULL;
}

static bool add(struct domain_list *domains, const char *name)
{
    char *copy = region_string(domains->region, name, strlen(name));

    if (copy == NULL)
        return false;
    domains->names[domains->count++] = copy;
    return true;
}

const struct policy *domain_list_policy(const struct config *config, const char *domain)
{
    char                host[HOSTNAME_MAX + 1];
    int                 len = snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s", domain);
    struct config_match match;

    return config != NULL && config_find_host(config, host, (size_t)len, &match) ? match.policy
                                                                                 : NULL;
}

int domain_list_typed(struct domain_list *domains, const struct command *command, char **typed,
                      size_t count, const struct config *config)
{
    char name[HOSTNAME_DOMAIN_MAX + 1];
    char why[TYPED_WHY_MAX];

    if (!make_room(domains, count))
        return out_of_memory();
    for (size_t i = 0; i < count; i++) {
        if (!typed_name(typed[i], HOSTNAME_DOMAIN_MAX, name, why))
            return command_misused(command, "%s %s", typed[i], why);
        if (config != NULL && domain_list_policy(config, name) == NULL)
            return command_misused(command, "%s: %s has no such domain", name, config_path(config));
        if (!add(domains, name))
            return out_of_memory();
    }
    return COMMAND_FINE;
}

static bool visit(void *context, const char *domain, const struct policy *policy)
{
    (void)policy;
    return add(context, domain);
}

int domain_list_all(struct domain_list *domains, const struct config *config)
{
    size_t count = config_domain_count(config);

    if (!make_room(domains, count))
        return out_of_memory();
    config_each_domain(config, visit, domains);
    return domains->count == count ? COMMAND_FINE : out_of_memory();
}

void domain_list_free(struct domain_list *domains)
{
    region_free(domains->region);
}
