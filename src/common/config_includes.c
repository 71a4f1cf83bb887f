#include "common/config_internal.h"

#include "common/ini_reader.h"

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

static void add_found(struct loader *loader, struct found_list *list, const char *path,
                      struct place place)
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
    list->found[list->count++] = (struct found){ path, place, false };
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
    const char *main_file = loader->files[0];
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

/* What matches a pattern, in byte order; nothing is fine. */
static void expand(struct loader *loader, const struct include *include, struct found_list *list)
{
    char   pattern[2 * CONFIG_PATH_MAX + INI_READER_LINE_MAX];
    glob_t matches = { 0 };
    int    result;

    if (!make_pattern(loader, include, pattern, sizeof pattern)) {
        config_error(loader, include->place, "a path of more than %d bytes", CONFIG_PATH_MAX);
        return;
    }
    glob_errno = 0;
    result = glob(pattern, GLOB_NOSORT, on_glob_error, &matches);
    if (result != 0) {
        tell_unmatched(loader, include, result);
    } else {
        qsort(matches.gl_pathv, matches.gl_pathc, sizeof matches.gl_pathv[0], compare_paths);
        for (size_t i = 0; i < matches.gl_pathc && !loader->no_memory; i++) {
            const char *path = region_string(loader->scratch, matches.gl_pathv[i],
                                             strlen(matches.gl_pathv[i]));

            if (path == NULL)
                config_no_memory(loader);
            else
                add_found(loader, list, path, include->place);
        }
    }
    globfree(&matches);
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
    char       *bytes = config_load_file(loader, found->place, found->path, &len, &status);

    if (bytes == NULL)
        return;
    if (status.st_dev == loader->main_device && status.st_ino == loader->main_inode)
        config_error(loader, found->place, "%s is this file itself", found->path);
    else if (config_add_file(loader, found->path, &file))
        config_read_sections(loader, file, bytes, len);
    free(bytes);
}

void config_read_includes(struct loader *loader)
{
    struct found_list list = { 0 };

    for (struct include *include = loader->first_include; include != NULL;
         include = include->next) {
        if (strpbrk(include->value, "*?[") != NULL) {
            expand(loader, include, &list);
        } else {
            const char *path = config_beside(loader, loader->files[0], include->value);

            if (path != NULL)
                add_found(loader, &list, path, include->place);
        }
    }
    mark_repeated(loader, &list);
    for (size_t i = 0; i < list.count && !loader->no_memory; i++) {
        if (!list.found[i].repeated)
            read_include(loader, &list.found[i]);
    }
    free(list.found);
}
