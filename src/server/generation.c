#include "server/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pair(int pair[2])
{
    close_fd(&pair[0]);
    close_fd(&pair[1]);
}

static void fork_keeper(struct generation *generation, const struct keeper_start *start)
{
    int down[2] = { -1, -1 }, up[2] = { -1, -1 }, line[2] = { -1, -1 };
    int saved;

    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line) != 0)
        goto fail;
    generation->keeper = fork();
    if (generation->keeper == 0) {
        struct keeper_start own = *start;

        setpgid(0, 0);
        own.control = line[1];
        own.leash_down = down[0];
        own.leash_up = up[1];
        keeper_run(&own);
    }
    if (generation->keeper < 0)
        goto fail;
    setpgid(generation->keeper, generation->keeper); /* on both sides: whoever comes first */
    generation->group = generation->keeper;
    close(down[0]);
    close(up[1]);
    close(line[1]);
    generation->control = line[0];
    generation->leash_down = down[1];
    generation->leash_up = up[0];
    return;
fail:
    saved = errno;
    close_pair(down);
    close_pair(up);
    close_pair(line);
    generation->keeper = -1;
    errno = saved;
}

struct generation *generation_start(const struct keeper_start *start)
{
    struct generation *generation = calloc(1, sizeof(*generation));

    if (generation == NULL)
        return NULL;
    generation->number = start->generation;
    generation->control = generation->leash_down = generation->leash_up = -1;
    fork_keeper(generation, start);
    if (generation->keeper > 0)
        return generation;
    free(generation);
    return NULL;
}

void generation_drain(struct generation *generation)
{
    close_fd(&generation->leash_down);
    close_fd(&generation->control);
}

bool generation_gone(const struct generation *generation)
{
    struct pollfd leash = { .fd = generation->leash_up };

    return poll(&leash, 1, 0) == 1;
}

void generation_kill(struct generation *generation)
{
    if (generation->keeper > 0 ||
        !generation_gone(generation)) /* else the number may be another's */
        kill(-generation->group, SIGKILL);
    generation_drain(generation);
}

bool generation_listener(struct generation *generation, const char *name, int fd)
{
    if (generation->name_count == LISTENER_SET_MAX ||
        (fd >= 0 && listener_set_add(&generation->bound, name, fd, false, CONFIG_HTTPS) != 0)) {
        close_fd(&fd);
        return false;
    }
    strcpy(generation->names[generation->name_count++], name); /* control has measured it */
    return true;
}

bool generation_uses(const struct generation *generation, const char *name)
{
    for (size_t i = 0; i < generation->name_count; i++)
        if (strcmp(generation->names[i], name) == 0)
            return true;
    return false;
}

void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    listener_set_close(&generation->bound);
    close_fd(&generation->control);
    close_fd(&generation->leash_down);
    close_fd(&generation->leash_up);
    free(generation);
}
