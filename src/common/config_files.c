#include "common/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_FIRST = 64 };

bool config_add_file(struct loader *loader, const char *path, uint32_t parent, bool aliases,
                     uint32_t *index)
{
    if (loader->file_count == loader->file_size) {
        uint32_t            size = loader->file_size == 0 ? FILES_FIRST : loader->file_size * 2;
        struct config_file *files = realloc(loader->files, size * sizeof *files);

        if (files == NULL) {
            config_no_memory(loader);
            return false;
        }
        loader->files = files;
        loader->file_size = size;
    }
    *index = loader->file_count;
    loader->files[loader->file_count++] = (struct config_file){ .name = path,
                                                                .parent = parent,
                                                                .aliases = aliases };
    return true;
}

char *config_beside(struct loader *loader, const char *path, const char *value)
{
    const char *slash = strrchr(path, '/');
    size_t      folder = value[0] == '/' || slash == NULL ? 0 : (size_t)(slash - path) + 1;
    size_t      len = strlen(value);
    char       *joined = region_bytes(loader->scratch, folder + len + 1);

    if (joined == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    memcpy(joined, path, folder);
    memcpy(joined + folder, value, len + 1);
    return joined;
}

bool config_mark_folder(const char *path, size_t folder, const char *special, char mark, char *out,
                        size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < folder; i++) {
        if (len + 3 > size)
            return false;
        if (strchr(special, path[i]) != NULL)
            out[len++] = mark;
        out[len++] = path[i];
    }
    out[len] = '\0';
    return true;
}

static char *refuse_path(struct loader *loader, struct place place)
{
    config_error(loader, place, "a path of more than %d bytes", CONFIG_PATH_MAX);
    return NULL;
}

/* The absolute folder of a file, with its slash, into out, which holds CONFIG_PATH_MAX + 1 bytes.
   False after an error. */
static bool absolute_folder(struct loader *loader, struct place place, const char *file, char *out)
{
    const char *slash = strrchr(file, '/');
    size_t      folder = slash != NULL ? (size_t)(slash - file) + 1 : 0;
    size_t      len;

    out[0] = '\0';
    if (file[0] != '/' && config_directory(loader, out, CONFIG_PATH_MAX) != 0) {
        config_error(loader, place, "the current folder is not known: %s", strerror(errno));
        return false;
    }
    len = strlen(out);
    if (len > 0 && out[len - 1] != '/')
        out[len++] = '/';
    if (len + folder > CONFIG_PATH_MAX) {
        refuse_path(loader, place);
        return false;
    }
    memcpy(out + len, file, folder);
    out[len + folder] = '\0';
    return true;
}

char *config_absolute(struct loader *loader, struct place place, const char *value, bool pattern)
{
    char  where[CONFIG_PATH_MAX + 1] = "";
    char  folder[2 * CONFIG_PATH_MAX];
    char *path;

    if (value[0] != '/' && !absolute_folder(loader, place, config_file_name(loader, place), where))
        return NULL;
    if (!config_mark_folder(where, strlen(where), pattern ? "%" : "", '%', folder, sizeof folder) ||
        strlen(folder) + strlen(value) > CONFIG_PATH_MAX)
        return refuse_path(loader, place);
    path = region_bytes(loader->scratch, strlen(folder) + strlen(value) + 1);
    if (path == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    return strcat(strcpy(path, folder), value);
}

bool config_read_main(struct loader *loader, const char *path)
{
    struct place whole = { 0, 0 };
    struct stat  status;
    uint32_t     file;
    size_t       len;
    char        *bytes;

    if (!config_add_file(loader, path, 0, false, &file))
        return false;
    bytes = config_load_file(loader, whole, path, &len, &status);
    if (bytes == NULL)
        return false;
    loader->isolate = config_wants_isolation(bytes, len);
    loader->main_device = status.st_dev;
    loader->main_inode = status.st_ino;
    config_read_sections(loader, file, bytes, len);
    free(bytes);
    return true;
}
