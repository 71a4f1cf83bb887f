#include "server/admin_client.h"

#include "server/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct call {
    int         fd;
    const char *config_path;
    const char *failed; /* how a line about a failure begins */
    int64_t     deadline;
};

static int fail(const struct call *call, const char *why)
{
    fprintf(stderr, "%s: %s\n", call->failed, why);
    return 1;
}

/* An abstract address may belong to any local user. */
static bool is_trusted(int fd, uid_t *server)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    *server = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid();
}

/* 0, or -1 with errno. */
static int connect_to(struct call *call, const struct admin_address *address)
{
    int64_t        left = process_left_ms(call->deadline);
    struct timeval patience = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
    int            saved;

    call->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (call->fd < 0)
        return -1;
    /* The server's queue may be full: connect waits, and fails with EAGAIN. */
    setsockopt(call->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(call->fd, (const struct sockaddr *)&address->address, address->len) == 0)
        return 0;
    saved = errno;
    close(call->fd);
    call->fd = -1;
    errno = saved;
    return -1;
}

/* The file's address first: no other user can have taken it. */
static int find_server(struct call *call)
{
    struct admin_address addresses[2];
    char                 text[256];
    uid_t                server = 0;

    if (admin_addresses(call->config_path, addresses) != 0 && addresses[1].len == 0) {
        snprintf(text, sizeof(text), "%.200s: %s", call->config_path, strerror(errno));
        return fail(call, text);
    }
    if ((addresses[0].len == 0 || connect_to(call, &addresses[0]) != 0) &&
        connect_to(call, &addresses[1]) != 0) {
        if (errno == EAGAIN)
            return fail(call, "the server does not accept requests");
        snprintf(text, sizeof(text), "no server runs with the configuration %.180s",
                 call->config_path);
        return fail(call, text);
    }
    if (is_trusted(call->fd, &server))
        return 0;
    snprintf(
        text, sizeof(text),
        "the process that answers belongs to user %u: run this command as that user, if it is the "
        "server",
        (unsigned)server);
    return fail(call, text);
}

static int wait_for_packet(const struct call *call)
{
    struct pollfd waiting = { .fd = call->fd, .events = POLLIN };
    int           ready;

    do {
        ready = poll(&waiting, 1, (int)process_left_ms(call->deadline));
    } while (ready < 0 && errno == EINTR);
    return ready;
}

/* The server ends the connection of a user that it does not allow, before or after the request. */
static int fail_closed(const struct call *call, int error)
{
    if (error != 0 && error != EPIPE && error != ECONNRESET)
        return fail(call, strerror(error));
    return fail(call,
                "the server closed the connection: it has ended, or does not allow this user");
}

/* The last packet's line. */
static int finish(enum admin_request request, const char *packet)
{
    int         status = packet[1] == '0' ? 0 : 1;
    const char *text = packet + 2;
    bool        written = fflush(stdout) == 0; /* the findings, before a line to standard error */

    if (text[0] != '\0' && status != 0 && request == ADMIN_HEALTH)
        fprintf(stderr, "not alive: %s\n", text);
    else if (text[0] != '\0')
        fprintf(status == 0 ? stdout : stderr, "%s\n", text);
    if (fflush(stdout) != 0 || !written) {
        perror("mta-stsd: standard output");
        return 1;
    }
    return status;
}

static int converse(const struct call *call, enum admin_request request)
{
    static char packet[ADMIN_LINE_MAX + 1];
    const char  byte = (char)request;

    if (send(call->fd, &byte, 1, MSG_NOSIGNAL) != 1)
        return fail_closed(call, errno);
    for (;;) {
        ssize_t len;

        if (wait_for_packet(call) != 1)
            return fail(call, "the server did not answer in time");
        len = recv(call->fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);
        if (len < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (len <= 0)
            return fail_closed(call, len < 0 ? errno : 0);
        packet[len] = '\0';
        if (packet[0] == 'L')
            puts(packet + 1);
        else if (packet[0] == 'E' && len >= 2)
            return finish(request, packet);
        else
            return fail(call, "the process that answers is not mta-stsd");
    }
}

int admin_client_run(const char *config_path, enum admin_request request)
{
    bool        reload = request == ADMIN_RELOAD || request == ADMIN_RELOAD_FORCED;
    struct call call = {
        .fd = -1,
        .config_path = config_path,
        .failed = request == ADMIN_HEALTH   ? "not alive"
                  : request == ADMIN_STATUS ? "no status"
                                            : "no reload",
        .deadline = process_now_ms() + (reload ? ADMIN_CLIENT_RELOAD_MS : ADMIN_CLIENT_MS),
    };
    int status = find_server(&call);

    if (status == 0)
        status = converse(&call, request);
    if (call.fd >= 0)
        close(call.fd);
    return status;
}
