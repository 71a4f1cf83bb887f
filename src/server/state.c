#include "server/state.h"

#include "common/snapshot.h"
#include "server/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_SIZE = 64 * 1024 };

__attribute__((format(printf, 2, 3))) static int refuse(char        error[STATE_ERROR_MAX],
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, STATE_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -1;
}

/* An open descriptor of the directory, or -1. */
static int open_directory(const char *dir, bool create, char error[STATE_ERROR_MAX])
{
    struct stat status;
    int         fd;

    if (dir[0] != '/')
        return refuse(error, "state_dir %s is not an absolute path", dir);
    if (create && mkdir(dir, 0700) != 0 && errno != EEXIST)
        return refuse(error, "cannot make state_dir %s: %s", dir, strerror(errno));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return refuse(error, "state_dir %s is not a directory", dir);
    if (fd < 0 || fstat(fd, &status) != 0)
        refuse(error, "cannot open state_dir %s: %s", dir, strerror(errno));
    else if (status.st_uid != geteuid())
        refuse(error, "state_dir %s belongs to user %lu, not to user %lu, who starts mta-stsd", dir,
               (unsigned long)status.st_uid, (unsigned long)geteuid());
    else if ((status.st_mode & 077) != 0)
        refuse(error, "state_dir %s has mode %04o: other users may enter it; chmod 0700", dir,
               (unsigned)status.st_mode & 07777);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* INSTANCE.snapshot, or INSTANCE.new: the name within the directory. */
static int file_name(const char *config_path, const char *suffix, char out[NAME_MAX + 1],
                     char error[STATE_ERROR_MAX])
{
    char instance[INSTANCE_NAME_LEN + 1];

    if (instance_name(config_path, instance) != 0)
        return refuse(error, "the directory of %s cannot be entered: %s", config_path,
                      strerror(errno));
    snprintf(out, NAME_MAX + 1, "%s.%s", instance, suffix);
    return 0;
}

int state_check(const char *dir, bool create, char error[STATE_ERROR_MAX])
{
    int fd = open_directory(dir, create, error);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

/* The reason is "" when there is no such file. */
static int open_snapshot(int dir_fd, const char *dir, const char *name, char error[STATE_ERROR_MAX])
{
    int             fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat     status;
    struct snapshot snapshot;
    const char     *why = NULL;

    if (fd < 0 && errno == ENOENT)
        return refuse(error, "%s", "");
    if (fd < 0 || fstat(fd, &status) != 0)
        why = strerror(errno);
    else if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
        why = "it is not a regular file of this user";
    else if (snapshot_open(&snapshot, fd, &why) == 0) {
        snapshot_close(&snapshot);
        return fd;
    }
    refuse(error, "cannot use %s/%s: %s", dir, name, why);
    if (fd >= 0)
        close(fd);
    return -1;
}

int state_open(const char *dir, const char *config_path, int *fd, char error[STATE_ERROR_MAX])
{
    char name[NAME_MAX + 1];
    int  dir_fd;

    *fd = -1;
    if (access(dir, F_OK) != 0 && errno == ENOENT)
        return refuse(error, "%s", "");
    dir_fd = open_directory(dir, false, error);
    if (dir_fd < 0)
        return -1;
    if (file_name(config_path, "snapshot", name, error) == 0)
        *fd = open_snapshot(dir_fd, dir, name, error);
    close(dir_fd);
    return *fd >= 0 ? 0 : -1;
}

/* 0, or -1 with errno. */
static int copy(int from, int to)
{
    char  buffer[COPY_SIZE];
    off_t at = 0;

    for (;;) {
        ssize_t got = pread(from, buffer, sizeof buffer, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        for (ssize_t done = 0; done < got;) {
            ssize_t written = write(to, buffer + done, (size_t)(got - done));

            if (written < 0 && errno != EINTR)
                return -1;
            done += written > 0 ? written : 0;
        }
        at += got;
    }
}

static int write_copy(int dir_fd, const char *name, int snapshot)
{
    int fd;
    int result;
    int error;

    /* What an earlier start left there, of whatever kind, is not written through. */
    if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
        return -1;
    fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    result = copy(snapshot, fd) == 0 && fsync(fd) == 0 ? 0 : -1;
    error = errno;
    if (close(fd) != 0 && result == 0) {
        result = -1;
        error = errno;
    }
    if (result != 0)
        (void)unlinkat(dir_fd, name, 0);
    errno = error;
    return result;
}

int state_write(const char *dir, const char *config_path, int snapshot, char error[STATE_ERROR_MAX])
{
    char name[NAME_MAX + 1];
    int  dir_fd = open_directory(dir, false, error);
    int  result;

    if (dir_fd < 0)
        return -1;
    result = file_name(config_path, "new", name, error);
    if (result == 0 && write_copy(dir_fd, name, snapshot) != 0)
        result = refuse(error, "cannot write %s/%s: %s", dir, name, strerror(errno));
    close(dir_fd);
    return result;
}

int state_commit(const char *dir, const char *config_path, char error[STATE_ERROR_MAX])
{
    char from[NAME_MAX + 1];
    char to[NAME_MAX + 1];
    int  dir_fd = open_directory(dir, false, error);
    int  result;

    if (dir_fd < 0)
        return -1;
    result = file_name(config_path, "new", from, error);
    if (result == 0)
        result = file_name(config_path, "snapshot", to, error);
    if (result == 0 && (renameat(dir_fd, from, dir_fd, to) != 0 || fsync(dir_fd) != 0))
        result = refuse(error, "cannot write %s/%s: %s", dir, to, strerror(errno));
    close(dir_fd);
    return result;
}
