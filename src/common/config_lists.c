#include "common/config_internal.h"

#include <string.h>

static struct section *defaults_of(const struct loader *loader)
{
    uint32_t known = loader->special[SECTION_DEFAULTS];

    return known != 0 ? &loader->sections[known - 1] : NULL;
}

/* A section's key replaces that of [defaults]; lists are replaced whole. */
struct section *config_home(const struct loader *loader, struct section *section, enum key_id id)
{
    struct section *defaults = defaults_of(loader);

    if (section->seen & KEY_BIT(id))
        return section;
    return defaults != NULL && defaults->seen & KEY_BIT(id) ? defaults : NULL;
}

static struct item *good_from(struct item *item, enum key_id id)
{
    while (item != NULL && (item->key != id || item->bad))
        item = item->next;
    return item;
}

/* A list key's good items, one after the other. */
struct item *config_first_item(const struct section *section, enum key_id id)
{
    return good_from(section->first, id);
}

struct item *config_next_item(const struct item *item)
{
    return good_from(item->next, (enum key_id)item->key);
}

bool config_has_bad(const struct section *section, enum key_id id)
{
    const struct item *item = section->first;

    while (item != NULL && (item->key != id || !item->bad))
        item = item->next;
    return item != NULL;
}

/* pattern and literal are the same mx for a domain that has this list. */
static bool meet(struct loader *loader, const struct section *list, const struct item *pattern,
                 const struct item *literal)
{
    const struct config *config = loader->config;
    size_t               before = strcspn(pattern->text, "%");
    size_t               behind = strlen(pattern->text) - before - 2;
    size_t               len = strlen(literal->text);
    const struct domain *domain;
    const struct item   *first = literal;
    const struct item   *second = pattern;

    if (len <= before + behind || memcmp(literal->text, pattern->text, before) != 0 ||
        strcmp(literal->text + len - behind, pattern->text + before + 2) != 0)
        return false;
    domain = domains_find(&config->domains, config->key, literal->text + before,
                          len - before - behind);
    if (domain == NULL ||
        config_home(loader, &loader->sections[domain->policy & ~DOMAIN_ISOLATED], KEY_MX) != list)
        return false;
    if (pattern->place.line < literal->place.line) {
        first = pattern;
        second = literal;
    }
    if (!loader->isolate) {
        config_error(loader, second->place, "mx %s is the same as mx %s at %s:%u for %.*s",
                     second->text, first->text, config_file_name(loader, first->place),
                     first->place.line, (int)(len - before - behind), literal->text + before);
        return true;
    }
    config_isolate_domain(loader, (uint32_t)(domain - config->domains.entries), second->place,
                          "mx %s is the same as mx %s at %s:%u for %.*s", second->text, first->text,
                          config_file_name(loader, first->place), first->place.line,
                          (int)(len - before - behind), literal->text + before);
    return false; /* the list is good for all others */
}

/* An mx that is repeated only when %d is filled in. Looked for once a list, whoever has it. */
bool config_check_mx_distinct(struct loader *loader, struct section *list)
{
    if (list->mx_judged)
        return true;
    list->mx_judged = true;
    for (struct item *pattern = config_first_item(list, KEY_MX); pattern != NULL;
         pattern = config_next_item(pattern)) {
        if (pattern->number != 1)
            continue;
        for (struct item *literal = config_first_item(list, KEY_MX); literal != NULL;
             literal = config_next_item(literal)) {
            if (literal->number == 0 && meet(loader, list, pattern, literal))
                return false;
        }
    }
    return true;
}
