#include "common/config_internal.h"

#include "common/snapshot.h"

#include <stdlib.h>
#include <string.h>

/*
 * RECORD_DOMAINS  number: max_removed: its number, percent << 32, set << 33.
 *                 content: a key of HASH_KEY_SIZE bytes, and for each domain the hash of its name, whose
 *                 last byte is the length of the name instead: [*] does not serve every length.
 */

enum { DEFAULT_FROM = 10 /* running domains, from which on the default limit counts */ };

static uint64_t mark(const uint8_t key[HASH_KEY_SIZE], const char *name)
{
    size_t len = strlen(name);

    return (hash_64(key, name, len) & ~UINT64_C(0xff)) | len;
}

void config_record_domains(struct loader *loader)
{
    const struct config       *config = loader->config;
    const struct domains      *domains = &config->domains;
    const struct config_share *share = &config->server.max_removed;
    size_t                     size = HASH_KEY_SIZE + domains->count * sizeof(uint64_t);
    char                      *content;

    if (loader->record == NULL || loader->errors > 0)
        return;
    content = malloc(size);
    if (content == NULL) {
        config_no_memory(loader);
        return;
    }
    memcpy(content, config->key, HASH_KEY_SIZE);
    for (uint32_t i = 0; i < domains->count; i++) {
        uint64_t hash = mark(config->key, domains_name(domains, i));

        memcpy(content + HASH_KEY_SIZE + i * sizeof hash, &hash, sizeof hash);
    }
    config_record(loader, RECORD_DOMAINS, "",
                  share->number | (uint64_t)share->percent << 32 | (uint64_t)share->set << 33,
                  content, size);
    free(content);
}

/* A set of marks, by open addressing; no mark is 0, since no name is empty. */
struct marks {
    uint64_t *slots;
    size_t    mask;
};

/* The slot that holds mark, or the free one where it belongs. */
static uint64_t *find_slot(const struct marks *marks, uint64_t mark)
{
    size_t slot = (size_t)(mark >> 8) & marks->mask;

    while (marks->slots[slot] != 0 && marks->slots[slot] != mark)
        slot = (slot + 1) & marks->mask;
    return &marks->slots[slot];
}

/* Of every domain of config. False: no memory. */
static bool make_marks(const struct config *config, const uint8_t key[HASH_KEY_SIZE],
                       struct marks *marks)
{
    size_t size = 16;

    while (size < (size_t)config->domains.count * 2)
        size *= 2;
    marks->mask = size - 1;
    marks->slots = calloc(size, sizeof *marks->slots);
    if (marks->slots == NULL)
        return false;
    for (uint32_t i = 0; i < config->domains.count; i++) {
        uint64_t one = mark(key, domains_name(&config->domains, i));

        *find_slot(marks, one) = one;
    }
    return true;
}

static bool is_served(const struct config *config, const struct marks *marks, uint64_t mark)
{
    return *find_slot(marks, mark) != 0 ||
           (config->any != NULL && (mark & 0xff) <= config->any_domain_max);
}

static bool is_over(const struct config_removal *removal)
{
    const struct config_share *limit = &removal->limit;

    if (!limit->set && removal->running < DEFAULT_FROM)
        return false;
    if (limit->percent)
        return (uint64_t)removal->removed * 100 > (uint64_t)removal->running * limit->number;
    return removal->removed > limit->number;
}

static int compare(const struct config *config, const struct snapshot_record *record,
                   struct config_removal *removal)
{
    const char  *content = record->content + HASH_KEY_SIZE;
    struct marks marks;
    uint8_t      key[HASH_KEY_SIZE];

    if (record->content_len < HASH_KEY_SIZE)
        return -1;
    memcpy(key, record->content, sizeof key);
    memset(removal, 0, sizeof *removal);
    removal->running = (record->content_len - HASH_KEY_SIZE) / sizeof(uint64_t);
    removal->limit.number = (unsigned)record->number;
    removal->limit.percent = (record->number >> 32 & 1) != 0;
    removal->limit.set = (record->number >> 33 & 1) != 0;
    if (!make_marks(config, key, &marks))
        return -1;
    for (size_t i = 0; i < removal->running; i++) {
        uint64_t one;

        memcpy(&one, content + i * sizeof one, sizeof one);
        removal->removed += !is_served(config, &marks, one);
    }
    free(marks.slots);
    removal->refused = is_over(removal);
    return 0;
}

int config_removal(const struct config *config, int running_snapshot,
                   struct config_removal *removal)
{
    struct snapshot        snapshot;
    struct snapshot_record record = { 0 };
    const char            *why;
    int                    result = -1;

    if (snapshot_open(&snapshot, running_snapshot, &why) != 0)
        return -1;
    while (record.kind != RECORD_DOMAINS && snapshot_next(&snapshot, &record))
        continue;
    if (record.kind == RECORD_DOMAINS)
        result = compare(config, &record, removal);
    snapshot_close(&snapshot);
    return result;
}
