/*
 * report_table: a hash table of what its user allocates. What is put into it stays.
 */
#ifndef TOOL_REPORT_TABLE_H
#define TOOL_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of what is put in. */
struct report_entry {
    struct report_entry *next;
    uint64_t             hash;
};

/* All zero is an empty one. */
struct report_table {
    struct report_entry **slots;
    size_t                size; /* slots, a power of two */
    size_t                count;
};

/* The first entry with this hash for which same says so; NULL: there is none. */
struct report_entry *
report_table_find(const struct report_table *table, uint64_t                                   hash,
                  bool (*same)(const struct report_entry *entry, const void *key), const void *key);

/* False: there is no memory. */
bool report_table_add(struct report_table *table, struct report_entry *entry);

void report_table_fini(struct report_table *table);

#endif
