#include "tool/file_replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
    bool (*write)(const void *context, FILE *out);
    const void *context;
};

/* To a stream that is closed in any case. */
static bool write_and_close(const struct job *job, FILE *out)
{
    bool written = job->write(job->context, out) && fflush(out) == 0;
    int  error = errno;

    /* What cannot be synchronised, such as a pipe, needs none. */
    if (written && fsync(fileno(out)) != 0 && errno != EINVAL && errno != EROFS) {
        written = false;
        error = errno;
    }
    if (fclose(out) != 0 && written)
        return false;
    errno = error;
    return written;
}

/* Who may read what was there may read the new one. */
static mode_t mode_for(const struct stat *there)
{
    mode_t mask;

    if (there != NULL)
        return there->st_mode & 0777;
    mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool write_beside(const struct job *job, char *beside, const char *path, mode_t mode)
{
    int   fd = mkstemp(beside);
    FILE *out;
    int   error;

    if (fd < 0)
        return false;
    out = fdopen(fd, "w");
    if (out == NULL)
        close(fd);
    if (out != NULL && write_and_close(job, out) && chmod(beside, mode) == 0 &&
        rename(beside, path) == 0)
        return true;
    error = errno;
    unlink(beside);
    errno = error;
    return false;
}

static bool replace(const struct job *job, const char *path, const struct stat *there)
{
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char  *beside = malloc(size);
    bool   written;

    if (beside == NULL)
        return false;
    snprintf(beside, size, "%s.XXXXXX", path);
    written = write_beside(job, beside, path, mode_for(there));
    free(beside);
    return written;
}

bool file_replace(const char *path, bool (*write)(const void *context, FILE *out),
                  const void *context)
{
    const struct job job = { write, context };
    struct stat      there;
    char            *target;
    bool             written;
    FILE            *out;

    if (stat(path, &there) != 0)
        return errno == ENOENT && replace(&job, path, NULL);
    if (!S_ISREG(there.st_mode)) { /* a device or a pipe has no other to take its place */
        out = fopen(path, "w");
        return out != NULL && write_and_close(&job, out);
    }
    target = realpath(path, NULL); /* where a link leads */
    if (target == NULL)
        return false;
    written = replace(&job, target, &there);
    free(target);
    return written;
}
