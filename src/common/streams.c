#include "common/streams.h"

#include <fcntl.h>
#include <unistd.h>

int streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* the lowest number that is free, which is fd, since those below are open */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return -1;
    }
    return 0;
}

int streams_detach(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int done = 0;

    if (null < 0)
        return -1;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        done = -1;
    close(null);
    return done;
}
