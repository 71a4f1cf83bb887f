#include "server/health.h"

#include "server/process.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* 1, the exit status. */
static int dead(const char *name, const char *why)
{
    fprintf(stderr, "not alive: %s: %s\n", name, why);
    return 1;
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

static int converse(int fd, const char *name, int64_t deadline)
{
    unsigned char alert[HEALTH_ALERT_LEN];
    int           error;

    /* A fresh connection's send buffer has room for all of it. */
    if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(hello) - 1)
        return dead(name, strerror(errno));
    error = read_until(fd, alert, sizeof(alert), deadline);
    if (error != 0)
        return dead(name, error == EPIPE ? "it closed without an alert" : strerror(error));
    if (memcmp(alert, "HTTP/1.", sizeof(alert)) == 0)
        return dead(name, "it speaks HTTP without TLS: ask a health listener for /livez");
    if (!health_is_expected(alert))
        return dead(name, "it answers, but not as mta-stsd does");
    return 0;
}

/* getaddrinfo takes "65536" for 0, and signs and spaces before a number. */
static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    long   port = strtol(text, NULL, 10);

    return len > 0 && len <= 5 && text[len] == '\0' && port > 0 && port <= UINT16_MAX;
}

/* "192.0.2.1:443" or "[2001:db8::1]:443": numbers alone, so that no look-up can fail or take time. */
static bool parse_address(const char *text, struct sockaddr_storage *address, socklen_t *len)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo      *found;
    const char           *colon = strrchr(text, ':');
    char                  host[INET6_ADDRSTRLEN + IF_NAMESIZE + 3];
    size_t                host_len = colon != NULL ? (size_t)(colon - text) : 0;
    char                 *start = host;

    if (host_len == 0 || host_len >= sizeof(host) || !is_port(colon + 1))
        return false;
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    if (host[0] == '[' && host[host_len - 1] == ']') {
        host[host_len - 1] = '\0';
        start++;
    } else if (strchr(host, ':') != NULL) {
        return false; /* IPv6 without brackets: which colon ends it is a guess */
    }
    if (getaddrinfo(start, colon + 1, &hints, &found) != 0)
        return false;
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

int health_run(const char *text)
{
    int64_t                 deadline = process_now_ms() + HEALTH_TIMEOUT_MS;
    struct sockaddr_storage address;
    socklen_t               len;
    int                     error;
    int                     status = 1;
    int                     fd;

    if (!parse_address(text, &address, &len)) {
        fprintf(stderr,
                "mta-stsd: \"%s\" is not an address and a port, such as 127.0.0.1:443 or "
                "[::1]:443\n",
                text);
        return HEALTH_USAGE;
    }
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = fd < 0 ? errno : connect_until(fd, &address, len, deadline);
    if (error == 0)
        status = converse(fd, text, deadline);
    else
        dead(text, strerror(error));
    if (fd >= 0)
        close(fd);
    return status;
}
