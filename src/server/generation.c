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

/* errno stays. */
static void close_pair(const int pair[2])
{
    int saved = errno;

    close(pair[0]);
    close(pair[1]);
    errno = saved;
}

/* What leads from a master to its keeper. */
struct ways {
    int down[2], up[2], line[2];
};

/* All three, or none: -1 with errno. */
static int ways_open(struct ways *ways)
{
    if (pipe2(ways->down, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(ways->up, O_CLOEXEC) == 0) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ways->line) == 0)
            return 0;
        close_pair(ways->up);
    }
    close_pair(ways->down);
    return -1;
}

static int fork_keeper(struct generation *generation, const struct keeper_start *start)
{
    struct ways ways;

    if (ways_open(&ways) != 0)
        return -1;
    generation->keeper = fork();
    if (generation->keeper < 0) {
        close_pair(ways.down);
        close_pair(ways.up);
        close_pair(ways.line);
        return -1;
    }
    if (generation->keeper == 0) {
        struct keeper_start own = *start;

        own.control = ways.line[1];
        own.leash_down = ways.down[0];
        own.leash_up = ways.up[1];
        keeper_run(&own);
    }
    generation->group = generation->keeper;
    close(ways.down[0]);
    close(ways.up[1]);
    close(ways.line[1]);
    generation->control = ways.line[0];
    generation->leash_down = ways.down[1];
    generation->leash_up = ways.up[0];
    return 0;
}

struct generation *generation_start(const struct keeper_start *start)
{
    struct generation *generation = calloc(1, sizeof(*generation));

    if (generation == NULL)
        return NULL;
    generation->number = start->generation;
    if (fork_keeper(generation, start) == 0)
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
    /* The keeper first and by its own number: it may not lead its group yet, and forks no worker once it is killed. */
    if (generation->keeper > 0)
        kill(generation->keeper, SIGKILL);
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
