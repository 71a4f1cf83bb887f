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
    int down[2], up[2], ping[2], line[2];
};

static void ways_close(const struct ways *ways)
{
    const int *pairs[] = { ways->down, ways->up, ways->ping, ways->line };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][0] >= 0)
            close_pair(pairs[i]);
}

/* All four, or none: -1 with errno. */
static int ways_open(struct ways *ways)
{
    *ways = (struct ways){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    if (pipe2(ways->down, O_CLOEXEC) == 0 && pipe2(ways->up, O_CLOEXEC | O_NONBLOCK) == 0 &&
        pipe2(ways->ping, O_CLOEXEC | O_NONBLOCK) == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ways->line) == 0)
        return 0;
    ways_close(ways);
    return -1;
}

static int fork_keeper(struct generation *generation, const struct keeper_start *start)
{
    struct ways ways;

    if (ways_open(&ways) != 0)
        return -1;
    generation->keeper = fork();
    if (generation->keeper < 0) {
        ways_close(&ways);
        return -1;
    }
    if (generation->keeper == 0) {
        struct keeper_start own = *start;

        own.control = ways.line[1];
        own.leash_down = ways.down[0];
        own.leash_up = ways.up[1];
        own.ping = ways.ping[0];
        keeper_run(&own);
    }
    generation->group = generation->keeper;
    close(ways.down[0]);
    close(ways.up[1]);
    close(ways.ping[0]);
    close(ways.line[1]);
    generation->control = ways.line[0];
    generation->leash_down = ways.down[1];
    generation->leash_up = ways.up[0];
    generation->ping = ways.ping[1];
    return 0;
}

struct generation *generation_start(const struct keeper_start *start)
{
    struct generation *generation = calloc(1, sizeof(*generation));

    if (generation == NULL)
        return NULL;
    generation->number = start->generation;
    generation->snapshot = -1;
    if (fork_keeper(generation, start) == 0)
        return generation;
    free(generation);
    return NULL;
}

bool generation_answered(const struct generation *generation)
{
    char answers[4096]; /* more than there can be, unless a worker is out of order */

    return read(generation->leash_up, answers, sizeof(answers)) > 0;
}

void generation_ping(const struct generation *generation)
{
    (void)generation_answered(generation);
    /* A full pipe has pings enough in it. */
    if (generation->ping >= 0 && write(generation->ping, "", 1) < 0)
        return;
}

void generation_unready(struct generation *generation)
{
    close_fd(&generation->ping);
}

void generation_drain(struct generation *generation)
{
    close_fd(&generation->snapshot);
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

bool generation_listener(struct generation *generation, const char *name,
                         enum config_listener_kind kind, int fd)
{
    if (listener_set_add(&generation->uses, name, -1, false, kind) == 0 &&
        (fd < 0 || listener_set_add(&generation->bound, name, fd, false, kind) == 0))
        return true;
    close_fd(&fd);
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
    close_fd(&generation->ping);
    close_fd(&generation->snapshot);
    free(generation);
}
