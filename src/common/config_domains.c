#include "common/config_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAMES_FIRST = 4096, /* bytes */
    ENTRIES_FIRST = 64,
    SLOTS_FIRST = 128
};

const char *domains_name(const struct domains *domains, uint32_t index)
{
    return domains->names + domains->entries[index].name;
}

/* The slot that holds name, or the free one where it belongs. */
static uint32_t find_slot(const struct domains *domains, const uint8_t key[HASH_KEY_SIZE],
                          const char *name, size_t len)
{
    uint32_t mask = domains->slot_count - 1;
    uint32_t slot = (uint32_t)hash_64(key, name, len) & mask;

    while (domains->slots[slot] != 0) {
        const char *known = domains_name(domains, domains->slots[slot] - 1);

        /* A name holds no NUL, so strncmp stops at the end of a shorter one. */
        if (strncmp(known, name, len) == 0 && known[len] == '\0')
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

/* Twice the slots: never more than three quarters are taken. */
static bool grow_slots(struct domains *domains, const uint8_t key[HASH_KEY_SIZE])
{
    uint32_t  count = domains->slot_count == 0 ? SLOTS_FIRST : domains->slot_count * 2;
    uint32_t *slots = count == 0 ? NULL : calloc(count, sizeof *slots);

    if (slots == NULL)
        return false;
    free(domains->slots);
    domains->slots = slots;
    domains->slot_count = count;
    for (uint32_t i = 0; i < domains->count; i++) {
        const char *name = domains_name(domains, i);

        slots[find_slot(domains, key, name, strlen(name))] = i + 1;
    }
    return true;
}

static bool make_room(struct domains *domains, size_t len)
{
    if (domains->names_len + len + 1 > domains->names_size) {
        size_t size = domains->names_size == 0 ? NAMES_FIRST : domains->names_size * 2;
        char  *names = size > UINT32_MAX ? NULL : realloc(domains->names, size);

        if (names == NULL)
            return false;
        domains->names = names;
        domains->names_size = size;
    }
    if (domains->count == domains->size) {
        uint32_t       size = domains->size == 0 ? ENTRIES_FIRST : domains->size * 2;
        struct domain *entries = realloc(domains->entries, size * sizeof *entries);

        if (entries == NULL)
            return false;
        domains->entries = entries;
        domains->size = size;
    }
    return true;
}

enum domains_answer domains_add(struct domains *domains, const uint8_t key[HASH_KEY_SIZE],
                                const char *name, size_t len, uint32_t policy, uint32_t *index)
{
    uint32_t slot;

    if ((uint64_t)domains->count * 4 >= (uint64_t)domains->slot_count * 3 &&
        !grow_slots(domains, key))
        return DOMAINS_NO_MEMORY;
    slot = find_slot(domains, key, name, len);
    if (domains->slots[slot] != 0) {
        *index = domains->slots[slot] - 1;
        return DOMAINS_KNOWN;
    }
    if (!make_room(domains, len))
        return DOMAINS_NO_MEMORY;
    *index = domains->count++;
    domains->slots[slot] = *index + 1;
    domains->entries[*index].name = (uint32_t)domains->names_len;
    domains->entries[*index].policy = policy;
    memcpy(domains->names + domains->names_len, name, len);
    domains->names[domains->names_len + len] = '\0';
    domains->names_len += len + 1;
    return DOMAINS_NEW;
}

const struct domain *domains_find(const struct domains *domains, const uint8_t key[HASH_KEY_SIZE],
                                  const char *name, size_t len)
{
    uint32_t slot;

    if (domains->slot_count == 0)
        return NULL;
    slot = find_slot(domains, key, name, len);
    return domains->slots[slot] == 0 ? NULL : &domains->entries[domains->slots[slot] - 1];
}

void domains_shrink(struct domains *domains)
{
    void *smaller;

    if (domains->count == 0)
        return;
    smaller = realloc(domains->names, domains->names_len);
    if (smaller != NULL) {
        domains->names = smaller;
        domains->names_size = domains->names_len;
    }
    smaller = realloc(domains->entries, domains->count * sizeof *domains->entries);
    if (smaller != NULL) {
        domains->entries = smaller;
        domains->size = domains->count;
    }
}

void domains_free(struct domains *domains)
{
    free(domains->names);
    free(domains->entries);
    free(domains->slots);
}
