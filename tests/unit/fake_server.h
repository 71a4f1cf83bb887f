/*
 * fake_server: a server on loopback in a child process, which ends with the test.
 */
#ifndef UNIT_FAKE_SERVER_H
#define UNIT_FAKE_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake_server {
    pid_t    pid;
    unsigned port;
};

static inline struct sockaddr_in fake_server_address(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A socket of that type on loopback; *port 0 takes any, and says which. */
static inline int fake_server_socket(int type, unsigned *port)
{
    struct sockaddr_in address = fake_server_address(*port);
    socklen_t          len = sizeof(address);
    int                fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        (type == SOCK_STREAM && listen(fd, 64) != 0) ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

/* In a child that does not outlive its parent. */
static inline pid_t fake_server_fork(void)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        abort();
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(1);
    return pid;
}

/* A TCP server: each connection is served by a child of its own, and closed. */
static inline struct fake_server fake_server_start(void (*serve)(int fd))
{
    struct fake_server server = { 0, 0 };
    int                listener = fake_server_socket(SOCK_STREAM, &server.port), fd;

    server.pid = fake_server_fork();
    if (server.pid == 0) {
        signal(SIGCHLD, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
            if (fake_server_fork() == 0) {
                close(listener);
                serve(fd);
                _exit(0);
            }
            close(fd);
        }
        _exit(1);
    }
    close(listener);
    return server;
}

/* Its children end with it. One with pid 0 never was. */
static inline void fake_server_stop(const struct fake_server *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

#endif
