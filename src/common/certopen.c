#include "common/certopen.h"

#include "common/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: the opening of a FIFO returns at once; O_NOCTTY: a terminal does not become ours. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

static int close_with(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

static int open_regular(const char *path)
{
    struct stat status;
    int         fd = open(path, OPEN_FLAGS);

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0)
        return close_with(fd, errno);
    if (!S_ISREG(status.st_mode))
        return close_with(fd, EINVAL);
    return fd;
}

/* The pattern, filled in, fits: config has made sure of it for the longest domain. */
static int open_pattern(const char *pattern, const char *domain, size_t domain_len)
{
    char path[CONFIG_PATH_MAX + 1];

    if (policy_path(pattern, domain, domain_len, path, sizeof(path)) < 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open_regular(path);
}

int certopen(const struct policy *policy, const char *domain, size_t domain_len, int fds[2],
             enum certopen_file *failed)
{
    fds[1] = -1;
    *failed = CERTOPEN_CERTIFICATE;
    fds[0] = open_pattern(policy->certificate, domain, domain_len);
    if (fds[0] < 0)
        return -1;
    if (!policy->key)
        return 0;
    fds[1] = open_pattern(policy->key, domain, domain_len);
    if (fds[1] >= 0)
        return 0;
    *failed = CERTOPEN_KEY;
    close_with(fds[0], errno);
    fds[0] = -1;
    return -1;
}

void certopen_path(const struct policy *policy, enum certopen_file file, const char *domain,
                   size_t domain_len, char *path)
{
    const char *pattern = file == CERTOPEN_KEY ? policy->key : policy->certificate;

    if (policy_path(pattern, domain, domain_len, path, CONFIG_PATH_MAX + 1) < 0)
        path[0] = '\0';
}
