#include "tool/report_sums_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

bool kept_init(struct kept *kept)
{
    kept->region = region_new();
    return kept->region != NULL && getrandom(kept->key, sizeof(kept->key), 0) == sizeof(kept->key);
}

void kept_fini(struct kept *kept)
{
    struct report_table *tables[] = { &kept->texts, &kept->senders,  &kept->groups,
                                      &kept->days,  &kept->failures, &kept->reports };

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        report_table_fini(tables[i]);
    region_free(kept->region);
}

size_t kept_size(const struct kept *kept)
{
    const struct report_table *tables[] = { &kept->texts, &kept->senders,  &kept->groups,
                                            &kept->days,  &kept->failures, &kept->reports };
    size_t                     size = region_size(kept->region);

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        size += tables[i]->size * sizeof(*tables[i]->slots);
    return size;
}

/* Zeros of the region, in the table. */
static void *add(struct kept *kept, struct report_table *table, uint64_t hash, size_t size)
{
    void *entry = region_alloc(kept->region, size);

    if (entry == NULL)
        return NULL;
    memset(entry, 0, size);
    return report_table_add(table, hash, entry) ? entry : NULL;
}

/* --- Texts */

static bool is_text(const void *entry, const void *key)
{
    return strcmp(entry, key) == 0;
}

const char *kept_text(struct kept *kept, const char *text)
{
    size_t   len = strlen(text);
    uint64_t hash = hash_64(kept->key, text, len);
    char    *same = report_table_find(&kept->texts, hash, is_text, text);

    if (same != NULL)
        return same;
    same = region_string(kept->region, text, len);
    return same != NULL && report_table_add(&kept->texts, hash, same) ? same : NULL;
}

/* --- What is found by several things, each kept once: by their addresses and numbers */

struct key {
    uintptr_t part[4];
};

static uint64_t hash_of(const struct kept *kept, const struct key *key)
{
    return hash_64(kept->key, key, sizeof(*key));
}

static bool is_sender(const void *entry, const void *key)
{
    const struct kept_sender *sender = entry;

    return (uintptr_t)sender->sender.name == ((const struct key *)key)->part[0];
}

struct report_sender *kept_sender(struct kept *kept, const char *name)
{
    struct key          key = { { (uintptr_t)name } };
    uint64_t            hash = hash_of(kept, &key);
    struct kept_sender *sender = report_table_find(&kept->senders, hash, is_sender, &key);

    if (sender == NULL) {
        sender = add(kept, &kept->senders, hash, sizeof(*sender));
        if (sender == NULL)
            return NULL;
        sender->sender.name = name;
        sender->next = kept->first_sender;
        kept->first_sender = sender;
    }
    return &sender->sender;
}

static bool is_group(const void *entry, const void *key)
{
    const struct report_group *group = &((const struct kept_group *)entry)->group;
    const struct key          *is = key;

    return (uintptr_t)group->domain == is->part[0] && (uintptr_t)group->sender == is->part[1] &&
           group->type == is->part[2];
}

struct kept_group *kept_group(struct kept *kept, const char *domain, const char *sender,
                              enum tlsrpt_type type)
{
    struct key         key = { { (uintptr_t)domain, (uintptr_t)sender, type } };
    uint64_t           hash = hash_of(kept, &key);
    struct kept_group *group = report_table_find(&kept->groups, hash, is_group, &key);

    if (group == NULL) {
        group = add(kept, &kept->groups, hash, sizeof(*group));
        if (group == NULL)
            return NULL;
        group->group.domain = domain;
        group->group.sender = sender;
        group->group.type = type;
        group->next = kept->first_group;
        kept->first_group = group;
    }
    return group;
}

static bool is_day(const void *entry, const void *key)
{
    const struct kept_day *day = entry;
    const struct key      *is = key;

    return (uintptr_t)day->group == is->part[0] && (uint32_t)day->day.day == is->part[1];
}

struct report_day *kept_day(struct kept *kept, struct kept_group *group, int32_t number)
{
    struct key       key = { { (uintptr_t)group, (uint32_t)number } };
    uint64_t         hash = hash_of(kept, &key);
    struct kept_day *day = report_table_find(&kept->days, hash, is_day, &key);

    if (day == NULL) {
        day = add(kept, &kept->days, hash, sizeof(*day));
        if (day == NULL)
            return NULL;
        day->group = group;
        day->day.day = number;
        day->next = group->days;
        group->days = day;
        group->group.day_count++;
    }
    return &day->day;
}

static bool is_failure(const void *entry, const void *key)
{
    const struct kept_failure *failure = entry;
    const struct key          *is = key;

    return (uintptr_t)failure->group == is->part[0] &&
           (uintptr_t)failure->failure.type == is->part[1] &&
           (uintptr_t)failure->failure.host == is->part[2] &&
           (uint32_t)failure->failure.day == is->part[3];
}

struct report_failure *kept_failure(struct kept *kept, struct kept_group *group, const char *type,
                                    const char *host, int32_t day)
{
    struct key key = { { (uintptr_t)group, (uintptr_t)type, (uintptr_t)host, (uint32_t)day } };
    uint64_t   hash = hash_of(kept, &key);
    struct kept_failure *failure = report_table_find(&kept->failures, hash, is_failure, &key);

    if (failure == NULL) {
        failure = add(kept, &kept->failures, hash, sizeof(*failure));
        if (failure == NULL)
            return NULL;
        failure->group = group;
        failure->failure.type = type;
        failure->failure.host = host;
        failure->failure.day = day;
        failure->next = group->failures;
        group->failures = failure;
        group->group.failure_count++;
    }
    return &failure->failure;
}

/* --- Reports */

static bool is_report(const void *entry, const void *key)
{
    return memcmp(((const struct kept_report *)entry)->id, key, HASH_128_SIZE) == 0;
}

struct kept_report *kept_report(struct kept *kept, const uint8_t id[HASH_128_SIZE], bool *known)
{
    uint64_t            hash = hash_64(kept->key, id, HASH_128_SIZE);
    struct kept_report *report = report_table_find(&kept->reports, hash, is_report, id);

    *known = report != NULL;
    if (report == NULL) {
        report = add(kept, &kept->reports, hash, sizeof(*report));
        if (report != NULL)
            memcpy(report->id, id, HASH_128_SIZE);
    }
    return report;
}
