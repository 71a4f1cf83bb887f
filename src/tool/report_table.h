/*
 * report_table: a hash table of what its user allocates. What is put into it stays.
 */
#ifndef TOOL_REPORT_TABLE_H
#define TOOL_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hash stands beside what it is of: looking for what is not there, which most is when it is
   looked for first, touches nothing else. */
struct report_slot {
    uint64_t hash;
    void    *entry; /* NULL: it is free */
};

/* All zero is an empty one. */
struct report_table {
    struct report_slot *slots;
    size_t              size;  /* slots, a power of two, of which a quarter is free */
    size_t              count; /* entries */
};

/* The first entry with this hash for which same says so; NULL: there is none. */
void *report_table_find(const struct report_table *table, uint64_t                    hash,
                        bool (*same)(const void *entry, const void *key), const void *key);

/* False: there is no memory. */
bool report_table_add(struct report_table *table, uint64_t hash, void *entry);

void report_table_fini(struct report_table *table);

#endif
