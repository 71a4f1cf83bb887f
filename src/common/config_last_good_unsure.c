#include "common/config_internal.h"

#include <stdlib.h>
#include <string.h>

#define NO_FILE UINT32_MAX

/* The file of the loader with the name of each file of the last good configuration, or NO_FILE.
   NULL: no memory. */
static uint32_t *match_files(struct loader *loader, const struct config *last)
{
    struct domains names = { 0 };
    uint32_t      *same = calloc((size_t)last->file_count + 1, sizeof *same);
    uint32_t       index;
    bool           good = same != NULL;

    for (uint32_t i = 0; i < loader->file_count && good; i++) {
        const char *name = loader->files[i].name;

        good = domains_add(&names, last->key, name, strlen(name), i, &index) != DOMAINS_NO_MEMORY;
        if (good && loader->files[i].unsure) /* one that is named twice is unsure as a whole */
            loader->files[names.entries[index].policy].unsure = true;
    }
    for (uint32_t i = 0; i < last->file_count && good; i++) {
        const char          *name = last->files[i].name;
        const struct domain *found = domains_find(&names, last->key, name, strlen(name));

        same[i] = found != NULL ? found->policy : NO_FILE;
    }
    domains_free(&names);
    if (good)
        return same;
    config_no_memory(loader);
    free(same);
    return NULL;
}

/* A file that is named and absent, and that the last good configuration did not have, may be one of
   its files by another name. */
static void note_renamed(struct loader *loader, const struct config *last, const uint32_t *same)
{
    bool *known = calloc(loader->file_count, sizeof *known);

    if (known == NULL) {
        config_no_memory(loader);
        return;
    }
    for (uint32_t i = 0; i < last->file_count; i++) {
        if (same[i] != NO_FILE)
            known[same[i]] = true;
    }
    for (uint32_t i = 0; i < loader->file_count; i++) {
        const struct config_file *file = &loader->files[i];

        if (file->absent && !known[i])
            loader->files[file->parent].renamed[file->aliases] = true;
    }
    free(known);
}

/*
 * The loader's file by which a file of the last good configuration is unsure, or NO_FILE: itself; or,
 * when it is read no more, the one that named it, where that may have meant to.
 */
static uint32_t unsure_by(const struct loader *loader, const struct config *last,
                          const uint32_t *same, uint32_t file)
{
    for (;;) {
        bool                      aliases = last->files[file].aliases;
        uint32_t                  parent = last->files[file].parent;
        uint32_t                  found = same[file];
        const struct config_file *namer;

        if (found != NO_FILE)
            return loader->files[found].unsure ? found : NO_FILE;
        if (same[parent] == NO_FILE) {
            if (parent == file)
                return NO_FILE;
            file = parent;
            continue;
        }
        namer = &loader->files[same[parent]];
        return namer->renamed[aliases] || (aliases && namer->unsure) ? same[parent] : NO_FILE;
    }
}

/* The loader's file for a place in a file of the last good configuration. */
static uint32_t file_for(struct loader *loader, const struct config *last, uint32_t *same,
                         uint32_t file)
{
    uint32_t    parent = 0;
    uint32_t    index;
    const char *name;

    if (same[file] != NO_FILE)
        return same[file];
    if (last->files[file].parent != file && same[last->files[file].parent] != NO_FILE)
        parent = same[last->files[file].parent];
    name = region_string(loader->scratch, last->files[file].name, strlen(last->files[file].name));
    if (name == NULL || !config_add_file(loader, name, parent, last->files[file].aliases, &index)) {
        config_no_memory(loader);
        return 0;
    }
    return same[file] = index;
}

static void add_domain(struct loader *loader, struct last_good *last, uint32_t i, uint32_t file)
{
    const struct config *from = last->config;
    struct domains      *domains = &loader->config->domains;
    struct place         place = { file, from->places[i].line };
    const char          *name = domains_name(&from->domains, i);
    uint32_t             policy;
    uint32_t             index;

    policy = config_last_good_keep(loader, last, from->domains.entries[i].policy, name, 0, place);
    if (policy == NO_POLICY)
        return;
    if (domains_add(domains, loader->config->key, name, strlen(name), policy, &index) !=
            DOMAINS_NEW ||
        !config_keep_place(loader, index, place))
        config_no_memory(loader);
}

/* by: unsure_by of each file. */
static void add_domains(struct loader *loader, struct last_good *last, uint32_t *same, uint32_t *by)
{
    const struct config *from = last->config;

    for (uint32_t i = 0; i < from->file_count; i++)
        by[i] = unsure_by(loader, from, same, i);
    for (uint32_t i = 0; i < from->domains.count && !loader->no_memory; i++) {
        const char *name = domains_name(&from->domains, i);
        uint32_t    file = from->places[i].file;

        if ((by[file] == NO_FILE && !last->whole) ||
            domains_find(&loader->config->domains, from->key, name, strlen(name)) != NULL)
            continue;
        if (by[file] != NO_FILE)
            loader->files[by[file]].kept++;
        add_domain(loader, last, i, file_for(loader, from, same, file));
    }
}

void config_last_good_unsure(struct loader *loader, struct last_good *last)
{
    uint32_t *same = match_files(loader, last->config);
    uint32_t *by = calloc((size_t)last->config->file_count + 1, sizeof *by);

    if (same == NULL || by == NULL) {
        config_no_memory(loader);
    } else {
        if (!last->whole)
            same[0] = 0; /* the main file, by whatever path it was given */
        note_renamed(loader, last->config, same);
        add_domains(loader, last, same, by);
    }
    free(same);
    free(by);
}
