#include "common/config_internal.h"

#include "common/ini_reader.h"
#include "common/snapshot.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOUND_FIRST = 64 };

/* One name that an include led to. */
struct found {
    const char  *path;     /* in scratch */
    struct place place;    /* of the include */
    bool         repeated; /* another include led there before: told, not read */
    bool         named;    /* by the include itself, not by a pattern */
};

struct found_list {
    struct found *found;
    size_t        count;
    size_t        size;
};

bool config_set_include(struct loader *loader, struct item *item, char *value)
{
    struct include *include = region_alloc(loader->scratch, sizeof *include);

    if (include == NULL) {
        config_no_memory(loader);
        return false;
    }
    include->next = NULL;
    include->place = item->place;
    include->value = region_string(loader->scratch, value, strlen(value));
    if (include->value == NULL) {
        config_no_memory(loader);
        return false;
    }
    if (loader->last_include != NULL)
        loader->last_include->next = include;
    else
        loader->first_include = include;
    loader->last_include = include;
    return true;
}

static bool is_pattern(const struct include *include)
{
    return strpbrk(include->value, "*?[") != NULL;
}

static void add_found(struct loader *loader, struct found_list *list, const char *path,
                      const struct include *include)
{
    if (list->count == list->size) {
        size_t        size = list->size == 0 ? FOUND_FIRST : list->size * 2;
        struct found *found = realloc(list->found, size * sizeof *found);

        if (found == NULL) {
            config_no_memory(loader);
            return;
        }
        list->found = found;
        list->size = size;
    }
    list->found[list->count++] = (struct found){ .path = path,
                                                 .place = include->place,
                                                 .named = !is_pattern(include) };
}

static int compare_paths(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right); /* byte order, whatever the locale */
}

/* glob's only way to say which folder it could not read, and why. */
static int glob_errno;

static int on_glob_error(const char *folder, int error)
{
    (void)folder;
    glob_errno = error;
    return error != ENOENT;
}

/* The value of an include as a pattern for glob: the folder of the main file in front, its
   own characters taken literally. */
static bool make_pattern(const struct loader *loader, const struct include *include, char *out,
                         size_t size)
{
    const char *main_file = loader->files[0].name;
    const char *slash = strrchr(main_file, '/');
    size_t      folder = 0;

    if (include->value[0] != '/' && slash != NULL)
        folder = (size_t)(slash - main_file) + 1;
    if (!config_mark_folder(main_file, folder, "*?[]\\", '\\', out, size) ||
        strlen(out) + strlen(include->value) >= size)
        return false;
    strcat(out, include->value);
    return true;
}

static void tell_unmatched(struct loader *loader, const struct include *include, int result)
{
    if (result == GLOB_NOSPACE)
        config_no_memory(loader);
    else if (result == GLOB_ABORTED)
        config_error(loader, include->place, "cannot read the folder of " SHOW ": %s",
                     include->value, strerror(glob_errno));
    else if (glob_errno == ENOENT)
        config_warning(loader, include->place, "the folder of " SHOW " does not exist",
                       include->value);
}

static void add_match(struct loader *loader, struct found_list *list, const char *match,
                      const struct include *include)
{
    const char *path = region_string(loader->scratch, match, strlen(match));

    if (path == NULL)
        config_no_memory(loader);
    else
        add_found(loader, list, path, include);
    config_record(loader, RECORD_PATH, match, 0, "", 0);
}

/* The number of a pattern's record: how many paths follow it, what glob returned, its errno. */
static uint64_t record_number(size_t count, int result)
{
    return (uint64_t)count << 32 | (uint64_t)(result & 0xffff) << 16 |
           (uint64_t)(glob_errno & 0xffff);
}

static int from_snapshot(struct loader *loader, const char *pattern, const struct include *include,
                         struct found_list *list)
{
    struct snapshot_record record;
    uint64_t               number;

    if (!config_replay(loader, RECORD_PATTERN, pattern, &record))
        return 0;
    number = record.number;
    glob_errno = (int)(number & 0xffff);
    config_record(loader, RECORD_PATTERN, pattern, number, "", 0);
    for (uint64_t i = number >> 32; i > 0; i--) {
        if (!config_replay(loader, RECORD_PATH, NULL, &record))
            return 0;
        add_match(loader, list, record.name, include);
    }
    return (int)(number >> 16 & 0xffff);
}

/* What matches, in byte order. */
static int from_disk(struct loader *loader, const char *pattern, const struct include *include,
                     struct found_list *list)
{
    glob_t matches = { 0 };
    size_t count = 0;
    int    result;

    glob_errno = 0;
    result = glob(pattern, GLOB_NOSORT, on_glob_error, &matches);
    if (result == 0) {
        count = matches.gl_pathc;
        qsort(matches.gl_pathv, count, sizeof matches.gl_pathv[0], compare_paths);
    }
    config_record(loader, RECORD_PATTERN, pattern, record_number(count, result), "", 0);
    for (size_t i = 0; i < count && !loader->no_memory; i++)
        add_match(loader, list, matches.gl_pathv[i], include);
    globfree(&matches);
    return result;
}

/* What matches a pattern; nothing is fine. */
static void expand(struct loader *loader, const struct include *include, struct found_list *list)
{
    char pattern[2 * CONFIG_PATH_MAX + INI_READER_LINE_MAX];
    int  result;

    if (!make_pattern(loader, include, pattern, sizeof pattern)) {
        config_error(loader, include->place, "a path of more than %d bytes", CONFIG_PATH_MAX);
        return;
    }
    result = loader->replay != NULL ? from_snapshot(loader, pattern, include, list)
                                    : from_disk(loader, pattern, include, list);
    if (result != 0)
        tell_unmatched(loader, include, result);
}

/* By path; those of one path in the order of their includes. */
static int compare_found(const void *a, const void *b)
{
    const struct found *left = *(const struct found *const *)a;
    const struct found *right = *(const struct found *const *)b;
    int                 order = strcmp(left->path, right->path);

    return order != 0 ? order : (left > right) - (left < right);
}

/* A file that two includes lead to is told with both, and read once: twice, it would repeat
   each of its domains. */
static void mark_repeated(struct loader *loader, struct found_list *list)
{
    struct found **sorted;

    if (list->count < 2)
        return;
    sorted = malloc(list->count * sizeof *sorted);
    if (sorted == NULL) {
        config_no_memory(loader);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->found[i];
    qsort(sorted, list->count, sizeof *sorted, compare_found);
    for (size_t i = 1; i < list->count; i++) {
        struct place before = sorted[i - 1]->place;

        if (strcmp(sorted[i]->path, sorted[i - 1]->path) != 0)
            continue;
        sorted[i]->repeated = true;
        config_error(loader, sorted[i]->place, "%s is already included at %s:%u", sorted[i]->path,
                     config_file_name(loader, before), before.line);
    }
    free(sorted);
}

static void read_include(struct loader *loader, const struct found *found)
{
    struct stat status;
    uint32_t    file;
    size_t      len;
    char       *bytes;

    if (!config_add_file(loader, found->path, 0, false, &file))
        return;
    config_take_out(loader, UNIT_FILE, file, false);
    bytes = config_load_file(loader, found->place, found->path, &len, &status);
    config_take_out(loader, UNIT_ALL, 0, false);
    if (bytes == NULL)
        loader->files[file].absent = found->named;
    else if (status.st_dev == loader->main_device && status.st_ino == loader->main_inode)
        config_error(loader, found->place, "%s is this file itself", found->path);
    else
        config_read_sections(loader, file, bytes, len);
    free(bytes);
}

void config_read_includes(struct loader *loader)
{
    struct found_list list = { 0 };

    for (struct include *include = loader->first_include; include != NULL;
         include = include->next) {
        if (is_pattern(include)) {
            expand(loader, include, &list);
        } else {
            const char *path = config_beside(loader, loader->files[0].name, include->value);

            if (path != NULL)
                add_found(loader, &list, path, include);
        }
    }
    mark_repeated(loader, &list);
    for (size_t i = 0; i < list.count && !loader->no_memory; i++) {
        if (!list.found[i].repeated)
            read_include(loader, &list.found[i]);
    }
    free(list.found);
}
