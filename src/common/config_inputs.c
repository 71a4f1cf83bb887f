#include "common/config_internal.h"

#include "common/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REASON_MAX = CONFIG_PATH_MAX + 256 };

__attribute__((format(printf, 2, 3))) static char *refuse(char        reason[REASON_MAX],
                                                          const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, REASON_MAX, format, arguments);
    va_end(arguments);
    return NULL;
}

/* What a finding about the whole file calls it: those of the main file begin with its name. */
static const char *name_of(struct place place, const char *path)
{
    return place.line == 0 ? "the configuration" : path;
}

/* Opens a regular file of a size that makes sense. -1, and why not in reason. */
static int open_file(const char *path, const char *name, struct stat *status,
                     char reason[REASON_MAX])
{
    /* O_NONBLOCK: a FIFO would hold us up before we could refuse it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, status) != 0) {
        refuse(reason, "cannot open %s: %s", name, strerror(errno));
    } else if (!S_ISREG(status->st_mode)) {
        refuse(reason, "%s is no regular file", name);
    } else if (status->st_size > CONFIG_FILE_MAX) {
        refuse(reason, "%s has more than %d bytes", name, CONFIG_FILE_MAX);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads to the end, not to the size: the file may be growing. Malloced; NULL, and why in reason,
   or without memory. */
static char *read_all(struct loader *loader, const char *name, int fd, size_t expected, size_t *len,
                      char reason[REASON_MAX])
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
                refuse(reason, "cannot read %s: %s", name, strerror(errno));
            else
                refuse(reason, "%s has more than %d bytes", name, CONFIG_FILE_MAX);
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

static char *from_disk(struct loader *loader, struct place place, const char *path, size_t *len,
                       struct stat *status, char reason[REASON_MAX])
{
    const char *name = name_of(place, path);
    int         fd = open_file(path, name, status, reason);
    char       *bytes;

    if (fd < 0)
        return NULL;
    bytes = read_all(loader, name, fd, (size_t)status->st_size, len, reason);
    close(fd);
    return bytes;
}

static char *from_snapshot(struct loader *loader, struct place place, const char *path, size_t *len,
                           struct stat *status, char reason[REASON_MAX])
{
    struct snapshot_record record;
    char                  *bytes;

    memset(status, 0, sizeof *status);
    status->st_ino = place.line; /* only the main file is named at line 0: no other is it */
    if (!config_replay(loader, 0, path, &record))
        return NULL;
    if (record.kind == RECORD_MISSING)
        return refuse(reason, "%s", record.content);
    if (record.kind != RECORD_FILE) {
        config_corrupt(loader);
        return NULL;
    }
    *len = record.content_len;
    bytes = malloc(*len + 1);
    if (bytes == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    return memcpy(bytes, record.content, *len);
}

/* What is hashed is what is parsed: each file is read once. Of one that cannot be read it is the
   name: that it is named no more is a change too. */
static void digest_file(struct loader *loader, const char *path, const char *bytes, size_t len)
{
    uint64_t length = bytes != NULL ? len : UINT64_MAX;

    hash_128_update(&loader->digest, path, strlen(path) + 1);
    hash_128_update(&loader->digest, &length, sizeof length);
    if (bytes != NULL)
        hash_128_update(&loader->digest, bytes, len);
}

char *config_load_file(struct loader *loader, struct place place, const char *path, size_t *len,
                       struct stat *status)
{
    char  reason[REASON_MAX];
    char *bytes = loader->replay != NULL ? from_snapshot(loader, place, path, len, status, reason)
                                         : from_disk(loader, place, path, len, status, reason);

    if (loader->no_memory) {
        free(bytes);
        return NULL;
    }
    digest_file(loader, path, bytes, bytes != NULL ? *len : 0);
    if (bytes != NULL) {
        config_record(loader, RECORD_FILE, path, 0, bytes, *len);
    } else {
        config_record(loader, RECORD_MISSING, path, 0, reason, strlen(reason));
        config_error(loader, place, "%s", reason);
    }
    return bytes;
}

void config_corrupt(struct loader *loader)
{
    if (loader->no_memory)
        return;
    loader->no_memory = true;
    loader->errors++;
    loader->report(loader->context, CONFIG_ERROR, loader->config->path, 0,
                   "the kept configuration is not usable: it lacks one of its files");
}

bool config_replay(struct loader *loader, enum record_kind kind, const char *name,
                   struct snapshot_record *record)
{
    if (snapshot_next(loader->replay, record) && (kind == 0 || record->kind == kind) &&
        (name == NULL || strcmp(record->name, name) == 0))
        return true;
    config_corrupt(loader);
    return false;
}

void config_record(struct loader *loader, enum record_kind kind, const char *name, uint64_t number,
                   const void *content, size_t content_len)
{
    struct snapshot_record record = { .kind = kind,
                                      .number = number,
                                      .name = name,
                                      .name_len = strlen(name),
                                      .content = content,
                                      .content_len = content_len };

    if (loader->record != NULL)
        snapshot_put(loader->record, &record);
}

int config_directory(const struct loader *loader, char *out, size_t size)
{
    if (loader->directory == NULL)
        return getcwd(out, size) != NULL ? 0 : -1;
    if (strlen(loader->directory) >= size || loader->directory[0] != '/') {
        errno = ENOENT;
        return -1;
    }
    strcpy(out, loader->directory);
    return 0;
}

/* The first record, and the name of the main file in the second. */
static bool begin_replay(struct loader *loader, int fd)
{
    struct config         *config = loader->config;
    struct snapshot_record record;
    const char            *why;
    char                   text[256];
    size_t                 at;

    loader->replay = calloc(1, sizeof *loader->replay);
    if (loader->replay == NULL) {
        config_no_memory(loader);
        return false;
    }
    if (snapshot_open(loader->replay, fd, &why) != 0) {
        if (strcmp(why, strerror(ENOMEM)) == 0) {
            config_no_memory(loader);
            return false;
        }
        snprintf(text, sizeof text, "the kept configuration is not usable: %s", why);
        loader->errors++;
        loader->report(loader->context, CONFIG_ERROR, config->path, 0, text);
        return false;
    }
    if (!config_replay(loader, RECORD_START, NULL, &record))
        return false;
    config->time = (time_t)record.number;
    loader->directory = record.name;
    at = loader->replay->at;
    if (!config_replay(loader, RECORD_FILE, NULL, &record))
        return false;
    loader->replay->at = at;
    config->path = region_string(config->region, record.name, record.name_len);
    if (config->path == NULL)
        config_no_memory(loader);
    return config->path != NULL;
}

static bool begin_record(struct loader *loader, int fd)
{
    char directory[CONFIG_PATH_MAX + 1];

    loader->record = malloc(sizeof *loader->record);
    if (loader->record == NULL) {
        config_no_memory(loader);
        return false;
    }
    snapshot_begin(loader->record, fd);
    if (config_directory(loader, directory, sizeof directory) != 0)
        directory[0] = '\0'; /* only a relative path needs it, and fails then */
    config_record(loader, RECORD_START, directory, (uint64_t)loader->config->time, "", 0);
    return true;
}

bool config_inputs_begin(struct loader *loader, const struct config_source *source)
{
    loader->last_good = source->last_good;
    loader->find_last_good = source->find_last_good;
    if (source->replay >= 0 && !begin_replay(loader, source->replay))
        return false;
    return source->record < 0 || begin_record(loader, source->record);
}

static void empty(int fd)
{
    if (ftruncate(fd, 0) == 0)
        (void)lseek(fd, 0, SEEK_SET);
}

void config_inputs_end(struct loader *loader)
{
    static const struct place whole = { 0, 0 };

    if (loader->record == NULL)
        return;
    if (loader->errors > 0) {
        empty(loader->record->fd);
    } else if (snapshot_end(loader->record) != 0) {
        config_warning(loader, whole, "the configuration cannot be kept: %s", strerror(errno));
        empty(loader->record->fd);
    }
}

void config_inputs_free(struct loader *loader)
{
    free(loader->record);
    if (loader->replay != NULL)
        snapshot_close(loader->replay);
    free(loader->replay);
}
