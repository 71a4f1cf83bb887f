#include "common/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_FIRST = 64 };

bool config_add_file(struct loader *loader, const char *path, uint32_t *index)
{
    if (loader->file_count == loader->file_size) {
        uint32_t     size = loader->file_size == 0 ? FILES_FIRST : loader->file_size * 2;
        const char **files = realloc(loader->files, size * sizeof *files);

        if (files == NULL) {
            config_no_memory(loader);
            return false;
        }
        loader->files = files;
        loader->file_size = size;
    }
    *index = loader->file_count;
    loader->files[loader->file_count++] = path;
    return true;
}

/* What a finding about the whole file calls it: the main file's findings begin with its name. */
static const char *name_of(struct place place, const char *path)
{
    return place.line == 0 ? "the configuration" : path;
}

/* A regular file of a size that makes sense, opened; its errors are told at place. */
static int open_file(struct loader *loader, struct place place, const char *path,
                     struct stat *status)
{
    /* O_NONBLOCK: a FIFO would hold us up before we could refuse it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, status) != 0) {
        config_error(loader, place, "cannot open %s: %s", name_of(place, path), strerror(errno));
    } else if (!S_ISREG(status->st_mode)) {
        config_error(loader, place, "%s is no regular file", name_of(place, path));
    } else if (status->st_size > CONFIG_FILE_MAX) {
        config_error(loader, place, "%s has more than %d bytes", name_of(place, path),
                     CONFIG_FILE_MAX);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads to the end, not to the size: the file may be growing. Malloced; NULL after an error. */
static char *read_all(struct loader *loader, struct place place, const char *path, int fd,
                      size_t expected, size_t *len)
{
    size_t  size = expected + 1; /* room to see the end */
    char   *bytes = malloc(size);
    char   *more;
    ssize_t got;

    *len = 0;
    while (bytes != NULL) {
        got = read(fd, bytes + *len, size - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            return bytes;
        if (got < 0 || *len + (size_t)got > CONFIG_FILE_MAX) {
            if (got < 0)
                config_error(loader, place, "cannot read %s: %s", name_of(place, path),
                             strerror(errno));
            else
                config_error(loader, place, "%s has more than %d bytes", name_of(place, path),
                             CONFIG_FILE_MAX);
            free(bytes);
            return NULL;
        }
        *len += (size_t)got;
        if (*len < size)
            continue;
        more = realloc(bytes, size * 2);
        if (more == NULL)
            break;
        bytes = more;
        size *= 2;
    }
    free(bytes);
    config_no_memory(loader);
    return NULL;
}

/* What is hashed is what is parsed: each file is read once. */
static void digest_file(struct loader *loader, const char *path, const char *bytes, size_t len)
{
    uint64_t length = len;

    hash_128_update(&loader->digest, path, strlen(path) + 1);
    hash_128_update(&loader->digest, &length, sizeof length);
    hash_128_update(&loader->digest, bytes, len);
}

char *config_load_file(struct loader *loader, struct place place, const char *path, size_t *len,
                       struct stat *status)
{
    int   fd = open_file(loader, place, path, status);
    char *bytes;

    if (fd < 0)
        return NULL;
    bytes = read_all(loader, place, path, fd, (size_t)status->st_size, len);
    close(fd);
    if (bytes != NULL)
        digest_file(loader, path, bytes, *len);
    return bytes;
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
    if (file[0] != '/' && getcwd(out, CONFIG_PATH_MAX) == NULL) {
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

    if (!config_add_file(loader, path, &file))
        return false;
    bytes = config_load_file(loader, whole, path, &len, &status);
    if (bytes == NULL)
        return false;
    loader->main_device = status.st_dev;
    loader->main_inode = status.st_ino;
    config_read_sections(loader, file, bytes, len);
    free(bytes);
    return true;
}
