#include "tool/report_table.h"

#include <stdlib.h>

enum { FIRST = 64 /* slots */ };

void *report_table_find(const struct report_table *table, uint64_t                    hash,
                        bool (*same)(const void *entry, const void *key), const void *key)
{
    size_t at = (size_t)hash;

    if (table->size == 0)
        return NULL;
    for (;; at++) {
        const struct report_slot *slot = &table->slots[at & (table->size - 1)];

        if (slot->entry == NULL || (slot->hash == hash && same(slot->entry, key)))
            return slot->entry;
    }
}

static void put(struct report_slot *slots, size_t size, struct report_slot slot)
{
    size_t at = (size_t)slot.hash;

    while (slots[at & (size - 1)].entry != NULL)
        at++;
    slots[at & (size - 1)] = slot;
}

static bool grow(struct report_table *table)
{
    size_t              size = table->size > 0 ? 2 * table->size : FIRST;
    struct report_slot *slots = calloc(size, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->size; i++) {
        if (table->slots[i].entry != NULL)
            put(slots, size, table->slots[i]);
    }
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

bool report_table_add(struct report_table *table, uint64_t hash, void *entry)
{
    if (table->count >= table->size / 4 * 3 && !grow(table))
        return false;
    put(table->slots, table->size, (struct report_slot){ .hash = hash, .entry = entry });
    table->count++;
    return true;
}

void report_table_fini(struct report_table *table)
{
    free(table->slots);
    *table = (struct report_table){ 0 };
}
