/*
 * child: tests of what a process can do only once or only to itself, each in a
 * forked child. CHECK says what went wrong; what the child prints to standard
 * error is its parent's to judge.
 */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SKIPPED = 77, CHILD_SAID_MAX = 4096 };

#define CHECK(condition) ((condition) ? (void)0 : child_fail(__FILE__, __LINE__, #condition))

_Noreturn static inline void child_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s (errno: %s)\n", file, line, condition, strerror(errno));
    _exit(1);
}

/* Reads to the end; what does not fit is dropped. Returns how much is kept. */
static inline size_t child_heard(int fd, char *text, size_t size)
{
    char    more[512];
    size_t  len = 0;
    ssize_t got;

    while ((got = read(fd, more, sizeof(more))) > 0) {
        size_t fits = (size_t)got < size - len ? (size_t)got : size - len;

        memcpy(text + len, more, fits);
        len += fits;
    }
    return len;
}

/* Runs body in a child. Returns its exit status, 128 + the signal that ended it, or -1; said,
   of CHILD_SAID_MAX bytes, is what it printed to standard error. */
static inline int child_run(void (*body)(void), char *said)
{
    int    ends[2], status;
    size_t len;
    pid_t  pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        return -1;
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body();
        _exit(0);
    }
    close(ends[1]);
    len = child_heard(ends[0], said, CHILD_SAID_MAX - 1);
    said[len] = '\0';
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Passes, in silence, or is skipped, which is told. */
static inline void assert_child_passes(void (*body)(void))
{
    char said[CHILD_SAID_MAX];
    int  status = child_run(body, said);

    if (status == CHILD_SKIPPED)
        skip();
    if (status != 0 || said[0] != '\0')
        fail_msg("exit status %d: %s", status, said);
}

/* In a child: from here on, the system call fails with that errno value; with first_argument
   not -1, only when that is its first argument. */
static inline void child_refuse(int number, int error, int64_t first_argument)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)first_argument, 0, first_argument >= 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* In a child: a network with nothing in it but a loopback that is down. Ends the child as
   skipped where neither root nor a user namespace makes one. */
static inline void child_own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        _exit(CHILD_SKIPPED);
}

static inline void child_loopback_up(void)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int          fd = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0);
    close(fd);
}

#endif
