#include "server/opener.h"

#include "common/certopen.h"
#include "common/hostname.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: the opening of a FIFO returns at once; O_NOCTTY: a terminal does not become ours. */
enum {
    OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW,
    BELOW_MAX = sizeof(CONFIG_ACME_BELOW_WEBROOT) + OPENER_TOKEN_MAX + 1 /* bytes with NUL */
};

static int close_with(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

bool opener_token_valid(const char *token, size_t len)
{
    static const char base64url[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    if (len == 0 || len > OPENER_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!memchr(base64url, token[i], sizeof(base64url) - 1))
            return false;
    return true;
}

/* What lies in the folder may be anyone's doing: a link (hard or soft) to a secret of root's,
   or a file that its owner did not mean for the world, must not be published. */
static int token_refusal(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return EINVAL;
    if (status->st_nlink != 1)
        return EMLINK;
    if (!(status->st_mode & S_IROTH))
        return EACCES;
    return status->st_size > OPENER_TOKEN_FILE_MAX ? EFBIG : 0;
}

/* One directory, which is no symbolic link. -1 with errno: ELOOP for a link. */
static int open_directory(int at, const char *name)
{
    struct stat status;
    int         fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int         error;

    if (fd < 0)
        return -1;
    error = fstat(fd, &status) != 0    ? errno
            : S_ISLNK(status.st_mode)  ? ELOOP
            : !S_ISDIR(status.st_mode) ? ENOTDIR
                                       : 0;
    return error != 0 ? close_with(fd, error) : fd;
}

/* Opens the directory that the last part of path is in, a new descriptor; *last is that part.
   -1 with errno; then path ends with the directory that failed. */
static int walk(int at, char *path, char **last)
{
    int directory = fcntl(at, F_DUPFD_CLOEXEC, 0);

    for (*last = path; directory >= 0; (*last)++) {
        char *slash = strchr(*last, '/');
        int   above = directory;

        if (slash == NULL)
            break;
        *slash = '\0';
        directory = open_directory(above, *last);
        if (directory < 0)
            return close_with(above, errno);
        close(above);
        *slash = '/';
        *last = slash;
    }
    return directory;
}

/* The same without openat2: before Linux 5.6, and under a seccomp filter that does not know it. */
static int walk_and_open(int at, char *path)
{
    char *last;
    int   directory = walk(at, path, &last);
    int   fd;

    if (directory < 0)
        return -1;
    fd = openat(directory, last, OPEN_FLAGS);
    if (fd < 0)
        return close_with(directory, errno);
    close(directory);
    return fd;
}

/* Opens a file below the directory at. Links are refused, because the user of an ACME client may
   write there: with a link, that user could publish files that only root can reach. */
static int open_below(int at, char *path)
{
    const struct open_how how = { .flags = OPEN_FLAGS,
                                  .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
    long                  fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return walk_and_open(at, path);
    return (int)fd;
}

static void path_below(const struct config_server *server, const char *token, size_t len,
                       char path[BELOW_MAX])
{
    snprintf(path, BELOW_MAX, "%s%s%.*s", server->acme_below,
             server->acme_below[0] == '\0' ? "" : "/", (int)len, token);
}

int opener_token(const struct config_server *server, const char *token, size_t len)
{
    char        path[BELOW_MAX];
    struct stat status;
    int         directory, fd, error;

    if (!opener_token_valid(token, len)) {
        errno = EINVAL;
        return -1;
    }
    path_below(server, token, len, path);
    directory = open(server->acme_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -1;
    fd = open_below(directory, path);
    error = errno;
    close(directory);
    if (fd < 0) {
        errno = error;
        return -1;
    }
    error = fstat(fd, &status) != 0 ? errno : token_refusal(&status);
    return error != 0 ? close_with(fd, error) : fd;
}

bool opener_judge_acme(const struct config_server *server, char *text)
{
    char  path[BELOW_MAX];
    char *last;
    int   at, directory, error;

    if (server->acme_dir == NULL)
        return true;
    at = open(server->acme_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        snprintf(text, OPENER_TEXT_MAX, "%s = %s: %s",
                 server->acme_below[0] == '\0' ? "acme_dir" : "acme_webroot", server->acme_dir,
                 strerror(errno));
        return false;
    }
    path_below(server, "", 0, path);
    directory = walk(at, path, &last);
    error = directory < 0 ? errno : 0;
    close(at);
    if (directory >= 0)
        close(directory);
    if (error == ELOOP)
        snprintf(text, OPENER_TEXT_MAX,
                 "%s/%s is a symbolic link, and links below acme_webroot are not followed: "
                 "set acme_dir to the directory that the link leads to",
                 server->acme_dir, path);
    else if (error != 0)
        snprintf(text, OPENER_TEXT_MAX, "%s/%s: %s", server->acme_dir, path, strerror(error));
    return error == 0 || error == ENOENT; /* ACME clients make and remove what is below */
}

/* Canonical and the configuration's: only then is the name anything to us. */
static bool find_host(const struct config *config, const struct message *request,
                      struct config_match *match)
{
    char canonical[HOSTNAME_MAX + 1];

    return hostname_canonical(request->name, request->name_len, HOSTNAME_MAX, canonical) ==
               HOSTNAME_OK &&
           strcmp(canonical, request->name) == 0 &&
           config_find_host(config, request->name, request->name_len, match);
}

static void refuse(struct message *answer, enum message_step step, int error)
{
    answer->step = (uint8_t)step;
    answer->error = (uint16_t)(error > 0 ? error : EIO); /* never taken for a success */
}

void opener_answer(const struct config *config, const struct message *request,
                   struct message *answer, int fds[MESSAGE_FDS_MAX], size_t *fd_count)
{
    const struct config_server *server = config_server(config);
    struct config_match         match;
    enum certopen_file          failed;

    *fd_count = 0;
    message_init(answer, MESSAGE_ANSWER, request->number);
    switch (request->kind) {
    case MESSAGE_CERTIFICATE:
        if (!find_host(config, request, &match))
            refuse(answer, MESSAGE_STEP_NAME, ENOENT);
        else if (certopen(match.policy, match.domain, match.domain_len, fds, &failed) != 0)
            refuse(answer, failed == CERTOPEN_KEY ? MESSAGE_STEP_KEY : MESSAGE_STEP_CERTIFICATE,
                   errno);
        else
            *fd_count = fds[1] < 0 ? 1 : 2;
        break;
    case MESSAGE_TOKEN:
        fds[0] = server->acme_dir ? opener_token(server, request->name, request->name_len) : -1;
        if (fds[0] < 0)
            refuse(answer, MESSAGE_STEP_TOKEN, server->acme_dir ? errno : ENOENT);
        else
            *fd_count = 1;
        break;
    default:
        refuse(answer, MESSAGE_STEP_NAME, EINVAL);
        break;
    }
}
