#include "server/health.h"

#include "common/config.h"
#include "server/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum result { ALIVE, DEAD, ELSEWHERE }; /* ELSEWHERE: this listener can't be there, ask the next */

/* RFC 5246 section 7.4.1.2, RFC 6066 section 3: lengths are of what follows them. */
static const char hello[] =
    "\x16\x03\x01\x00\x48"             /* record: handshake, 72 bytes */
    "\x01\x00\x00\x44\x03\x03"         /* client_hello, 68 bytes; TLS 1.2 */
    "mta-stsd -H: are you still there" /* random: 32 bytes, which protect nothing here */
    "\x00"                             /* no session */
    "\x00\x04\xc0\x2b\xc0\x2f"         /* suites: ECDHE with AES-128-GCM, ECDSA and RSA */
    "\x01\x00"                         /* no compression */
    "\x00\x17\x00\x00\x00\x13\x00\x11" /* extensions; server_name; its list */
    "\x00\x00\x0e" HEALTH_NAME;        /* a host_name of 14 bytes */

const void *health_hello(size_t *len)
{
    *len = sizeof(hello) - 1;
    return hello;
}

bool health_is_expected(const unsigned char *alert)
{
    /* RFC 8446 section 5.1 and 6: an alert's record of 2 bytes, fatal, unrecognized_name.
       The record's minor version says nothing. */
    return alert[0] == 21 && alert[1] == 3 && alert[3] == 0 && alert[4] == 2 && alert[5] == 2 &&
           alert[6] == 112;
}

static enum result dead(const char *name, const char *why)
{
    fprintf(stderr, "not alive: %s: %s\n", name, why);
    return DEAD;
}

/* 0, or an errno value. */
static int wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd waiting = { .fd = fd, .events = events };
    int           ready;

    do {
        ready = poll(&waiting, 1, (int)process_left_ms(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return errno;
    return ready == 0 ? ETIMEDOUT : 0;
}

/* 0, or an errno value. */
static int connect_until(int fd, const struct sockaddr_storage *address, socklen_t len,
                         int64_t deadline)
{
    int       error = 0;
    socklen_t error_len = sizeof(error);
    int       waited;

    if (connect(fd, (const struct sockaddr *)address, len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    waited = wait_for(fd, POLLOUT, deadline);
    if (waited != 0)
        return waited;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 ? error : errno;
}

/* Reads exactly len bytes. 0, or an errno value; EPIPE when the peer ended before. */
static int read_until(int fd, unsigned char *bytes, size_t len, int64_t deadline)
{
    while (len > 0) {
        int     waited = wait_for(fd, POLLIN, deadline);
        ssize_t got = waited == 0 ? recv(fd, bytes, len, 0) : 0;

        if (waited != 0)
            return waited;
        if (got == 0)
            return EPIPE;
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
        if (got > 0) {
            bytes += got;
            len -= (size_t)got;
        }
    }
    return 0;
}

static enum result converse(int fd, const char *name, int64_t deadline)
{
    unsigned char alert[HEALTH_ALERT_LEN];
    int           error;

    /* A fresh connection's send buffer has room for all of it. */
    if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(hello) - 1)
        return dead(name, strerror(errno));
    error = read_until(fd, alert, sizeof(alert), deadline);
    if (error != 0)
        return dead(name, error == EPIPE ? "it closed without an alert" : strerror(error));
    if (!health_is_expected(alert))
        return dead(name, "it answers, but not as mta-stsd does");
    return ALIVE;
}

/* Where a client on this machine finds a socket that is bound to this address. */
static void to_loopback(struct sockaddr_storage *address)
{
    struct sockaddr_in  *in = (void *)address;
    struct sockaddr_in6 *in6 = (void *)address;

    if (address->ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
        in6->sin6_addr = in6addr_loopback;
}

/* The server has skipped such a listener, with a warning (see listener_open). */
static bool means_no_ipv6(int family, int error)
{
    return family == AF_INET6 && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

static enum result probe(const struct config_listener *listener, int64_t deadline)
{
    struct sockaddr_storage address = listener->address;
    enum result             result;
    int                     error;
    int                     fd;

    to_loopback(&address);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = fd < 0 ? errno : connect_until(fd, &address, listener->address_len, deadline);
    if (error == 0)
        result = converse(fd, listener->name, deadline);
    else if (means_no_ipv6(address.ss_family, error))
        result = ELSEWHERE;
    else
        result = dead(listener->name, strerror(error));
    if (fd >= 0)
        close(fd);
    return result;
}

static enum result probe_first(const struct config_server *server)
{
    int64_t     deadline = process_now_ms() + HEALTH_TIMEOUT_MS;
    enum result result = ELSEWHERE;

    for (size_t i = 0; i < server->listener_count && result == ELSEWHERE; i++) {
        const struct config_listener *listener = &server->listeners[i];

        if (listener->kind == CONFIG_HTTPS && listener->systemd == NULL)
            result = probe(listener, deadline);
    }
    if (result == ELSEWHERE)
        return dead("no listener", "the configuration names no address that can be asked here");
    return result;
}

/* The first error is the one line that is printed. */
static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    bool *told = context;
    char  finding[CONFIG_FINDING_MAX];

    if (severity != CONFIG_ERROR || *told)
        return;
    fprintf(stderr, "%s\n", config_finding(severity, file, line, text, finding));
    *told = true;
}

int health_run(const char *config_path)
{
    static const uint8_t any_key[HASH_KEY_SIZE]; /* nothing is compared, and no stranger asks */
    bool                 told = false;
    struct config       *config = config_load(config_path, any_key, report, &told);
    enum result          result;

    if (config == NULL)
        return 1;
    result = probe_first(config_server(config));
    config_free(config);
    return result == ALIVE ? 0 : 1;
}
