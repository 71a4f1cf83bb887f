#include "common/config_internal.h"

#include <stdlib.h>
#include <string.h>

enum { POLICIES_FIRST = 16, KEPT_FIRST = 32 };

static void add_string(struct hash *hash, const char *string)
{
    /* The NUL keeps "a" "bc" from "ab" "c". NULL may go in as "", which nothing here is. */
    if (string == NULL)
        string = "";
    hash_128_update(hash, string, strlen(string) + 1);
}

static uint32_t content_hash(const struct loader *loader, const struct policy *policy)
{
    struct hash hash;
    uint8_t     digest[HASH_128_SIZE];
    uint32_t    word;

    hash_128_init(&hash, loader->config->key);
    hash_128_update(&hash, policy->body, policy->body_len);
    add_string(&hash, policy->certificate);
    add_string(&hash, policy->key);
    add_string(&hash, policy->id);
    for (uint32_t i = 0; i < policy->rua_count; i++)
        add_string(&hash, policy->rua[i]);
    hash_128_final(&hash, digest);
    memcpy(&word, digest, sizeof word);
    return word;
}

static bool same_string(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The body says mode, max_age and mx. */
static bool same_content(const struct policy *a, const struct policy *b)
{
    if (a->body_len != b->body_len || a->rua_count != b->rua_count ||
        memcmp(a->body, b->body, a->body_len) != 0)
        return false;
    if (!same_string(a->certificate, b->certificate) || !same_string(a->key, b->key) ||
        !same_string(a->id, b->id))
        return false;
    for (uint32_t i = 0; i < a->rua_count; i++) {
        if (strcmp(a->rua[i], b->rua[i]) != 0)
            return false;
    }
    return true;
}

static uint32_t first_slot(const struct loader *loader, uint32_t hash)
{
    return hash & (loader->kept_size - 1);
}

static uint32_t next_slot(const struct loader *loader, uint32_t slot)
{
    return (slot + 1) & (loader->kept_size - 1);
}

/* Of a policy that no slot has. */
static void take_slot(struct loader *loader, struct kept kept)
{
    uint32_t slot = first_slot(loader, kept.hash);

    while (loader->kept[slot].policy != 0)
        slot = next_slot(loader, slot);
    loader->kept[slot] = kept;
}

static bool grow_slots(struct loader *loader)
{
    struct kept *old = loader->kept;
    uint32_t     old_size = loader->kept_size;
    uint32_t     size = old_size == 0 ? KEPT_FIRST : old_size * 2;
    struct kept *slots = calloc(size, sizeof *slots);

    if (slots == NULL)
        return false;
    loader->kept = slots;
    loader->kept_size = size;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].policy != 0)
            take_slot(loader, old[i]);
    }
    free(old);
    return true;
}

static bool grow_policies(struct loader *loader)
{
    uint32_t       size = loader->policy_size == 0 ? POLICIES_FIRST : loader->policy_size * 2;
    struct policy *policies = realloc(loader->config->policies, size * sizeof *policies);

    if (policies == NULL)
        return false;
    loader->config->policies = policies;
    loader->policy_size = size;
    return true;
}

uint32_t config_kept_find(const struct loader *loader, const struct policy *policy, uint32_t *hash)
{
    *hash = content_hash(loader, policy);
    if (loader->kept_size == 0)
        return NO_POLICY;
    for (uint32_t slot = first_slot(loader, *hash); loader->kept[slot].policy != 0;
         slot = next_slot(loader, slot)) {
        uint32_t index = loader->kept[slot].policy - 1;

        if (loader->kept[slot].hash == *hash &&
            same_content(&loader->config->policies[index], policy))
            return index;
    }
    return NO_POLICY;
}

uint32_t config_kept_add(struct loader *loader, const struct policy *policy, uint32_t hash)
{
    struct config *config = loader->config;

    if ((config->policy_count == loader->policy_size && !grow_policies(loader)) ||
        ((uint64_t)config->policy_count * 2 >= loader->kept_size && !grow_slots(loader))) {
        config_no_memory(loader);
        return NO_POLICY;
    }
    config->policies[config->policy_count] = *policy;
    take_slot(loader, (struct kept){ .policy = ++config->policy_count, .hash = hash });
    return config->policy_count - 1;
}
