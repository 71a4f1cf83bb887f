#include "tool/report_table.h"

#include <stdlib.h>

enum { FIRST = 64 /* slots */ };

struct report_entry *
report_table_find(const struct report_table *table, uint64_t                                   hash,
                  bool (*same)(const struct report_entry *entry, const void *key), const void *key)
{
    struct report_entry *entry = table->size > 0 ? table->slots[hash & (table->size - 1)] : NULL;

    while (entry != NULL && (entry->hash != hash || !same(entry, key)))
        entry = entry->next;
    return entry;
}

static void put(struct report_entry **slots, size_t size, struct report_entry *entry)
{
    struct report_entry **slot = &slots[entry->hash & (size - 1)];

    entry->next = *slot;
    *slot = entry;
}

/* To twice as many slots, one for each entry on average. */
static bool grow(struct report_table *table)
{
    size_t                size = table->size > 0 ? 2 * table->size : FIRST;
    struct report_entry **slots = calloc(size, sizeof(struct report_entry *));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->size; i++) {
        struct report_entry *next;

        for (struct report_entry *entry = table->slots[i]; entry != NULL; entry = next) {
            next = entry->next;
            put(slots, size, entry);
        }
    }
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

bool report_table_add(struct report_table *table, struct report_entry *entry)
{
    if (table->count >= table->size && !grow(table))
        return false;
    put(table->slots, table->size, entry);
    table->count++;
    return true;
}

void report_table_fini(struct report_table *table)
{
    free(table->slots);
    *table = (struct report_table){ 0 };
}
