#include "common/config_internal.h"

#include "common/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first thing that was wrong with the last good configuration. */
static void note(void *context, enum config_severity severity, const char *file, unsigned line,
                 const char *text)
{
    char *first = context;

    (void)file;
    (void)line;
    if (severity == CONFIG_ERROR && first[0] == '\0')
        snprintf(first, CONFIG_PATH_MAX, "%s", text);
}

static struct config *load_last_good(struct loader *loader)
{
    static const struct place whole = { 0, 0 };
    char                      why[CONFIG_PATH_MAX] = "";
    struct config_source source = { CONFIG_FROM_DISK, .key = loader->config->key, .report = note,
                                    .context = why, .places = true };
    struct config       *config;
    int                  found = -1;

    if (loader->isolated_count == 0)
        return NULL;
    if (loader->last_good < 0 && loader->find_last_good != NULL)
        found = loader->find_last_good(loader->context, loader->config->server.state_dir);
    source.replay = found >= 0 ? found : loader->last_good;
    if (source.replay < 0)
        return NULL;
    config = config_load_from(loader->config->path, &source);
    if (found >= 0)
        close(found);
    if (strcmp(why, NO_MEMORY) == 0)
        config_no_memory(loader); /* nothing is left out for this */
    else if (config == NULL)
        config_warning(loader, whole, "no last good policy can be kept: %s", why);
    return config;
}

struct last_good *config_last_good_open(struct loader *loader)
{
    struct config    *config = loader->replay != NULL ? config_read_kept(loader)
                                                      : load_last_good(loader);
    struct last_good *last;

    if (config == NULL)
        return NULL;
    last = calloc(1, sizeof *last);
    if (last != NULL) {
        last->config = config;
        last->whole = loader->replay != NULL;
        last->policies = calloc((size_t)config->policy_count + 1, sizeof *last->policies);
    }
    if (last != NULL && last->policies != NULL)
        return last;
    config_no_memory(loader);
    if (last == NULL)
        config_free(config);
    config_last_good_free(last);
    return NULL;
}

void config_last_good_free(struct last_good *last)
{
    if (last == NULL)
        return;
    config_free(last->config);
    free(last->policies);
    free(last->places);
    free(last);
}

/* ---- into this configuration, and its snapshot ---- */

static void record_policy(struct loader *loader, const struct policy *policy)
{
    const char *texts[3 + CONFIG_RUA_MAX] = { policy->certificate, policy->key, policy->id };
    size_t      count = 3;
    size_t      len = 0;
    char       *content;
    char       *end;

    for (uint32_t i = 0; i < policy->rua_count; i++)
        texts[count++] = policy->rua[i];
    for (size_t i = 0; i < count; i++)
        len += (texts[i] != NULL ? strlen(texts[i]) : 0) + 1;
    content = end = region_bytes(loader->scratch, len);
    if (content == NULL) {
        config_no_memory(loader);
        return;
    }
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, texts[i] != NULL ? texts[i] : "") + 1;
    config_record(loader, RECORD_POLICY, policy->body,
                  (uint64_t)policy->mode | (uint64_t)policy->max_age << 8, content, len);
}

/* A copy of the policy, whose strings last as long as this configuration. NO_POLICY: no memory. */
static uint32_t copy_policy(struct loader *loader, const struct policy *from)
{
    struct region *region = loader->config->region;
    struct policy  policy = *from;
    const char   **rua = region_alloc(region, (from->rua_count + 1) * sizeof *rua);
    uint32_t       hash;
    uint32_t       index = config_kept_find(loader, from, &hash);
    bool           good = rua != NULL;

    if (index != NO_POLICY)
        return index;
    policy.body = region_string(region, from->body, from->body_len);
    policy.certificate = region_string(region, from->certificate, strlen(from->certificate));
    good = good && policy.body != NULL && policy.certificate != NULL;
    if (from->key != NULL)
        good = (policy.key = region_string(region, from->key, strlen(from->key))) != NULL && good;
    if (from->id != NULL)
        good = (policy.id = region_string(region, from->id, strlen(from->id))) != NULL && good;
    for (uint32_t i = 0; i < from->rua_count && good; i++)
        good = (rua[i] = region_string(region, from->rua[i], strlen(from->rua[i]))) != NULL;
    policy.rua = rua;
    if (good)
        return config_kept_add(loader, &policy, hash);
    config_no_memory(loader);
    return NO_POLICY;
}

/* The number of the record of a file. */
static uint32_t record_place(struct loader *loader, struct last_good *last, uint32_t file)
{
    const struct config_file *known = &loader->files[file];
    uint32_t                  parent;

    if (file >= last->places_size) {
        size_t    size = (size_t)loader->file_size;
        uint32_t *places = realloc(last->places, size * sizeof *places);

        if (places == NULL) {
            config_no_memory(loader);
            return 0;
        }
        memset(places + last->places_size, 0, (size - last->places_size) * sizeof *places);
        last->places = places;
        last->places_size = loader->file_size;
    }
    if (last->places[file] == 0) {
        if (known->parent != file)
            parent = record_place(loader, last, known->parent);
        else
            parent = last->places_recorded; /* itself */
        config_record(loader, RECORD_PLACE, known->name, known->aliases | (uint64_t)parent << 32,
                      "", 0);
        last->places[file] = ++last->places_recorded;
    }
    return last->places[file] - 1;
}

/* Takes a policy over for a name, which may be "*", with its place. */
uint32_t config_last_good_keep(struct loader *loader, struct last_good *last, uint32_t policy,
                               const char *name, uint32_t longest, struct place place)
{
    struct taken *taken = &last->policies[policy];
    uint32_t      numbers[2];

    if (taken->policy == 0) {
        uint32_t index = copy_policy(loader, &last->config->policies[policy]);

        if (index == NO_POLICY)
            return NO_POLICY;
        taken->policy = index + 1;
        taken->number = last->policies_recorded++;
        if (loader->record != NULL)
            record_policy(loader, &last->config->policies[policy]);
    }
    if (loader->record != NULL) {
        numbers[0] = record_place(loader, last, place.file);
        numbers[1] = place.line;
        config_record(loader, RECORD_KEPT, name, taken->number | (uint64_t)longest << 32, numbers,
                      sizeof numbers);
    }
    return taken->policy - 1;
}

uint32_t config_last_good_find(struct loader *loader, struct last_good *last, const char *domain,
                               struct place place)
{
    const struct config *config = last->config;
    const struct domain *found = domains_find(&config->domains, config->key, domain,
                                              strlen(domain));

    return found != NULL ? config_last_good_keep(loader, last, found->policy, domain, 0, place)
                         : NO_POLICY;
}

bool config_last_good_any(struct loader *loader, struct last_good *last, struct place place)
{
    const struct config *config = last->config;

    if (config->any_policy == NO_POLICY)
        return false;
    loader->config->any_policy = config_last_good_keep(loader, last, config->any_policy, "*",
                                                       (uint32_t)config->any_domain_max, place);
    loader->config->any_domain_max = config->any_domain_max;
    loader->config->any_place = place;
    return true;
}
