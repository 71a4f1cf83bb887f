#include "common/config_internal.h"

#include "common/snapshot.h"

#include <stdlib.h>
#include <string.h>

/*
 * Last good policies as a snapshot has them: each policy once, then the places of the domains that keep
 * it, then these domains. A record names the policies and places before it by their numbers.
 *
 *   RECORD_POLICY  name: the body. number: mode, and max_age << 8.
 *                  content: certificate, key, id ("": none), each rua; a NUL behind each
 *   RECORD_PLACE   name: a file. number: 1 for an alias_file, and << 32 that of the file whose line names
 *                  it: one before it, or itself
 *   RECORD_KEPT    name: a domain, or "*". number: the policy, and the longest domain << 32 of "*".
 *                  content: the number of the file, and the line, in 32 bits each
 */

enum { FIRST = 16 };

/* What a record of a policy is made of, for the reader: the strings in content. */
struct strings {
    const char *next;
    const char *end;
};

/* The next string in the region. NULL at the end, or without memory. */
static const char *next_string(struct region *region, struct strings *strings)
{
    size_t      len = strnlen(strings->next, (size_t)(strings->end - strings->next));
    const char *string;

    if (strings->next + len >= strings->end)
        return NULL;
    string = region_string(region, strings->next, len);
    strings->next += len + 1;
    return string;
}

/* Counts what the body holds. False when it is no template. */
static bool measure_body(struct policy *policy)
{
    const char *end = policy->body + policy->body_len;

    for (const char *p = policy->body; p < end; p++) {
        if (*p == '%' && p[1] != 'd')
            return false;
        policy->body_domains += *p == '%';
        policy->mx_count += p > policy->body && p[-1] == '\n' && strncmp(p, "mx: ", 4) == 0;
    }
    return policy->body_len <= CONFIG_BODY_SIZE && policy->mx_count > 0;
}

static bool is_path(const char *path)
{
    char out[CONFIG_PATH_MAX + 1];

    return path[0] == '/' && policy_path(path, "x.x", 3, out, sizeof out) > 0;
}

static bool read_policy(struct region *region, const struct snapshot_record *record,
                        struct policy *policy)
{
    struct strings strings = { record->content, record->content + record->content_len };
    const char   **rua = region_alloc(region, CONFIG_RUA_MAX * sizeof *rua);
    const char    *string;

    memset(policy, 0, sizeof *policy);
    policy->mode = (enum policy_mode)(record->number & 0xff);
    policy->max_age = (uint32_t)(record->number >> 8);
    policy->body = region_string(region, record->name, record->name_len);
    policy->body_len = (uint32_t)record->name_len;
    policy->certificate = next_string(region, &strings);
    policy->key = next_string(region, &strings);
    policy->id = next_string(region, &strings);
    policy->rua = rua;
    if (rua == NULL || policy->body == NULL || policy->certificate == NULL || policy->key == NULL ||
        policy->id == NULL)
        return false;
    while (policy->rua_count < CONFIG_RUA_MAX && (string = next_string(region, &strings)) != NULL)
        rua[policy->rua_count++] = string;
    if (policy->key[0] == '\0')
        policy->key = NULL;
    if (policy->id[0] == '\0')
        policy->id = NULL;
    return strings.next == strings.end && (record->number & 0xff) <= POLICY_NONE &&
           measure_body(policy) && is_path(policy->certificate) &&
           (policy->key == NULL || is_path(policy->key)) &&
           (policy->id == NULL || strlen(policy->id) <= POLICY_ID_LEN);
}

/* Room for one more, and cleared. NULL: no memory. */
static void *grow(void *array, uint32_t count, size_t size)
{
    void *larger;

    if (count != 0 && (count < FIRST || (count & (count - 1)) != 0))
        return array;
    larger = realloc(array, (count == 0 ? FIRST : (size_t)count * 2) * size);
    if (larger == NULL)
        free(array);
    return larger;
}

/* Into the kept configuration. False when the record is none that the writer makes. */
static bool take_policy(struct config *kept, const struct snapshot_record *record)
{
    kept->policies = grow(kept->policies, kept->policy_count, sizeof *kept->policies);
    if (kept->policies == NULL) {
        kept->policy_count = 0;
        return false;
    }
    return read_policy(kept->region, record, &kept->policies[kept->policy_count++]);
}

static bool take_place(struct config *kept, const struct snapshot_record *record)
{
    const char *name = region_string(kept->region, record->name, record->name_len);
    uint32_t    parent = (uint32_t)(record->number >> 32);

    kept->files = grow(kept->files, kept->file_count, sizeof *kept->files);
    if (name == NULL || kept->files == NULL || parent > kept->file_count)
        return false;
    kept->files[kept->file_count++] = (struct config_file){ .name = name,
                                                            .parent = parent,
                                                            .aliases = record->number & 1 };
    return true;
}

static bool take_kept(struct config *kept, const struct snapshot_record *record)
{
    char         canonical[HOSTNAME_DOMAIN_MAX + 1];
    uint32_t     policy = (uint32_t)record->number;
    uint32_t     longest = (uint32_t)(record->number >> 32);
    uint32_t     index;
    struct place place;

    if (record->content_len != sizeof place || policy >= kept->policy_count)
        return false;
    memcpy(&place, record->content, sizeof place);
    if (longest < record->name_len)
        longest = (uint32_t)record->name_len;
    if (place.file >= kept->file_count || longest > HOSTNAME_DOMAIN_MAX ||
        policy_body_length(&kept->policies[policy], longest) > POLICY_BODY_MAX)
        return false;
    if (strcmp(record->name, "*") == 0) {
        kept->any_policy = policy;
        kept->any_domain_max = longest;
        kept->any_place = place;
        return true;
    }
    if (hostname_canonical(record->name, record->name_len, HOSTNAME_DOMAIN_MAX, canonical) !=
            HOSTNAME_OK ||
        strcmp(record->name, canonical) != 0)
        return false;
    kept->places = grow(kept->places, kept->domains.count, sizeof *kept->places);
    if (kept->places == NULL || domains_add(&kept->domains, kept->key, canonical, strlen(canonical),
                                            policy, &index) != DOMAINS_NEW)
        return false;
    kept->places[index] = place;
    return true;
}

static struct config *new_kept(const struct loader *loader)
{
    struct config *kept = calloc(1, sizeof *kept);

    if (kept == NULL)
        return NULL;
    memcpy(kept->key, loader->config->key, sizeof kept->key);
    kept->any_policy = NO_POLICY;
    kept->region = region_new();
    if (kept->region != NULL)
        return kept;
    free(kept);
    return NULL;
}

/* The policies that the snapshot being replayed has kept. NULL after an error. */
struct config *config_read_kept(struct loader *loader)
{
    struct config         *kept = new_kept(loader);
    struct snapshot_record record = { 0 };
    bool                   good = kept != NULL;

    if (kept == NULL)
        config_no_memory(loader);
    while (good && snapshot_next(loader->replay, &record) && record.kind != RECORD_DOMAINS) {
        good = (record.kind == RECORD_POLICY && take_policy(kept, &record)) ||
               (record.kind == RECORD_PLACE && take_place(kept, &record)) ||
               (record.kind == RECORD_KEPT && take_kept(kept, &record));
    }
    if (good && record.kind == RECORD_DOMAINS && snapshot_at_end(loader->replay))
        return kept;
    config_corrupt(loader);
    config_free(kept);
    return NULL;
}
