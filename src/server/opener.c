#include "server/opener.h"

#include "common/certopen.h"
#include "common/hostname.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: the opening of a FIFO returns at once; O_NOCTTY: a terminal does not become ours. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW };

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

int opener_token(const char *acme_dir, const char *token, size_t len)
{
    char        name[OPENER_TOKEN_MAX + 1];
    struct stat status;
    int         folder, fd, error;

    if (!opener_token_valid(token, len)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(name, token, len);
    name[len] = '\0';
    folder = open(acme_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    fd = openat(folder, name, OPEN_FLAGS);
    error = errno;
    close(folder);
    if (fd < 0) {
        errno = error;
        return -1;
    }
    error = fstat(fd, &status) != 0 ? errno : token_refusal(&status);
    return error != 0 ? close_with(fd, error) : fd;
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
    const char         *acme_dir = config_server(config)->acme_dir;
    struct config_match match;
    enum certopen_file  failed;

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
        fds[0] = acme_dir ? opener_token(acme_dir, request->name, request->name_len) : -1;
        if (fds[0] < 0)
            refuse(answer, MESSAGE_STEP_TOKEN, acme_dir ? errno : ENOENT);
        else
            *fd_count = 1;
        break;
    default:
        refuse(answer, MESSAGE_STEP_NAME, EINVAL);
        break;
    }
}
