#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEMD_PREFIX "systemd:"
enum { SYSTEMD_FIRST_FD = 3 }; /* SD_LISTEN_FDS_START of sd_listen_fds(3) */

__attribute__((format(printf, 2, 3))) static void explain(char *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, LISTENER_ERROR_MAX, format, arguments);
    va_end(arguments);
}

/* --- The set */

int listener_set_add(struct listener_set *set, const char *name, int fd, bool given,
                     enum config_listener_kind kind)
{
    struct listener *listener;

    if (set->count == LISTENER_SET_MAX || strlen(name) > LISTENER_NAME_MAX)
        return -1;
    listener = &set->at[set->count++];
    memset(listener, 0, sizeof(*listener)); /* it travels whole, from keeper to master */
    strcpy(listener->name, name);
    listener->fd = fd;
    listener->given = given;
    listener->kind = kind;
    return 0;
}

bool listener_is(const struct listener *listener, const char *name, enum config_listener_kind kind)
{
    size_t len = strlen(name);

    if (strcmp(listener->name, name) != 0)
        return false;
    /* Only addresses with port 0 may be written once for each kind. */
    return listener->given || listener->kind == kind || strcmp(name + len - 2, ":0") != 0;
}

bool listener_set_has(const struct listener_set *set, const char *name,
                      enum config_listener_kind kind)
{
    for (size_t i = 0; i < set->count; i++) {
        if (listener_is(&set->at[i], name, kind))
            return true;
    }
    return false;
}

bool listener_set_has_fd(const struct listener_set *set, int fd)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->at[i].fd == fd)
            return true;
    }
    return false;
}

void listener_set_close(struct listener_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        close(set->at[i].fd);
    set->count = 0;
}

/* --- Addresses as text */

void listener_peer(const struct sockaddr *peer, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)peer;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    } else if (peer->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)peer;
        bool                       mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

        if (mapped)
            inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof(host));
        else
            inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, size, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        snprintf(text, size, "unix");
    }
}

void listener_address(int fd, char *text, size_t size)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t               len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        listener_peer((const struct sockaddr *)&address, text, size);
    else
        snprintf(text, size, "unknown");
}

const char *listener_kind_name(enum config_listener_kind kind)
{
    static const char *const names[] = {
        [CONFIG_HTTPS] = "https", [CONFIG_ACME] = "acme", [CONFIG_HEALTH] = "health"
    };

    return names[kind];
}

/* --- What systemd hands over */

static int socket_option(int fd, int level, int name)
{
    int       value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, name, &value, &len) == 0 ? value : -1;
}

static int take_given(struct listener_set *set, int fd, const char *name, size_t len, char *error)
{
    char full[LISTENER_NAME_MAX + 1];
    int  flags = fcntl(fd, F_GETFL);

    if (len > LISTENER_NAME_MAX - strlen(SYSTEMD_PREFIX)) {
        explain(error,
                "systemd handed over a socket with a name of %zu bytes: set a shorter "
                "FileDescriptorName=",
                len);
        return -1;
    }
    snprintf(full, sizeof(full), SYSTEMD_PREFIX "%.*s", (int)len, name);
    if (flags < 0 || socket_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
        socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1) {
        explain(error,
                "%s: descriptor %d is no listening stream socket: "
                "use ListenStream= and Accept=no in the socket unit",
                full, fd);
        return -1;
    }
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        explain(error, "%s: %s", full, strerror(errno));
        return -1;
    }
    if (listener_set_add(set, full, fd, true, CONFIG_HTTPS) != 0) {
        explain(error, "systemd handed over more than %d sockets", LISTENER_SET_MAX);
        return -1;
    }
    return 0;
}

/* names is LISTEN_FDNAMES, "a:b:c", or NULL. */
static int take_all_given(struct listener_set *set, long count, const char *names, char *error)
{
    for (long i = 0; i < count; i++) {
        size_t len = names != NULL ? strcspn(names, ":") : 0;
        int    fd = (int)(SYSTEMD_FIRST_FD + i);

        if (take_given(set, fd, len > 0 ? names : "unknown", len > 0 ? len : 7, error) != 0)
            return -1;
        if (names != NULL)
            names += len + (names[len] == ':');
    }
    return 0;
}

int listener_from_systemd(struct listener_set *set, char *error)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    int         result = 0;

    if (pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid())
        result = take_all_given(set, strtol(count, NULL, 10), getenv("LISTEN_FDNAMES"), error);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_PIDFDID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return result;
}

/* --- Overlaps: why an address is in use */

/* What a bound socket covers. */
struct cover {
    bool     v4, v6; /* the families; systemd's dual-stack sockets have both */
    bool     wildcard;
    unsigned port;
    uint8_t  bytes[16];
};

static bool cover_of(const struct sockaddr *address, bool v6only, struct cover *cover)
{
    memset(cover, 0, sizeof(*cover));
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;

        cover->v4 = true;
        cover->wildcard = in->sin_addr.s_addr == htonl(INADDR_ANY);
        cover->port = ntohs(in->sin_port);
        memcpy(cover->bytes, &in->sin_addr, 4);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;

        cover->wildcard = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
        cover->v6 = true;
        cover->v4 = cover->wildcard && !v6only;
        cover->port = ntohs(in6->sin6_port);
        memcpy(cover->bytes, &in6->sin6_addr, 16);
        return true;
    }
    return false;
}

static bool overlaps(const struct cover *a, const struct cover *b)
{
    return a->port == b->port && ((a->v4 && b->v4) || (a->v6 && b->v6)) &&
           (a->wildcard || b->wildcard || memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
}

static const struct listener *find_overlap(const struct config_listener *wanted,
                                           const struct listener_set    *set)
{
    struct cover ours;

    if (!cover_of((const struct sockaddr *)&wanted->address, true, &ours))
        return NULL;
    for (size_t i = 0; i < set->count; i++) {
        struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
        socklen_t               len = sizeof(address);
        int                     fd = set->at[i].fd;
        struct cover            theirs;

        if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
            cover_of((const struct sockaddr *)&address,
                     socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1, &theirs) &&
            overlaps(&ours, &theirs))
            return &set->at[i];
    }
    return NULL;
}

static unsigned port_of(const struct config_listener *wanted)
{
    struct cover cover;

    return cover_of((const struct sockaddr *)&wanted->address, true, &cover) ? cover.port : 0;
}

static void explain_in_use(const struct config_listener *wanted, const struct listener_set *held,
                           const struct listener_set *used, char *error)
{
    const struct listener *of_ours = find_overlap(wanted, used);
    const struct listener *of_held = find_overlap(wanted, held);

    if (of_held != NULL && of_held->given)
        explain(error,
                "%s overlaps %s, which systemd handed over: "
                "write listen = %s, or take it out of the socket unit",
                wanted->name, of_held->name, of_held->name);
    else if (of_ours != NULL)
        explain(error, "%s overlaps %s of the same configuration: keep one of the two",
                wanted->name, of_ours->name);
    else if (of_held != NULL)
        explain(error, "%s overlaps %s, which this server still holds: needs a restart",
                wanted->name, of_held->name);
    else
        explain(error, "%s is in use by another program: find it with ss -ltnp 'sport = :%u'",
                wanted->name, port_of(wanted));
}

/* --- Opening */

static bool is_ipv6(const struct config_listener *wanted)
{
    return wanted->address.ss_family == AF_INET6;
}

/* [::] and [::1] are on every machine that has IPv6 at all. */
static bool means_no_ipv6(const struct config_listener *wanted, int error_number)
{
    const struct sockaddr_in6 *in6 = (const void *)&wanted->address;

    return is_ipv6(wanted) &&
           (error_number == EAFNOSUPPORT ||
            (error_number == EADDRNOTAVAIL &&
             (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))));
}

static int set_option(int fd, int level, int name)
{
    int one = 1;

    return setsockopt(fd, level, name, &one, sizeof(one));
}

/* A listening socket, or -1 with errno. */
static int bind_and_listen(const struct config_listener *wanted)
{
    int fd = socket(wanted->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved;

    if (fd < 0)
        return -1;
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) == 0 &&
        (!is_ipv6(wanted) || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0) &&
        set_option(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
        bind(fd, (const struct sockaddr *)&wanted->address, wanted->address_len) == 0 &&
        listen(fd, LISTENER_BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static enum listener_result explain_bind(const struct config_listener *wanted,
                                         const struct listener_set    *held,
                                         const struct listener_set *used, int error_number,
                                         char *error)
{
    if (means_no_ipv6(wanted, error_number)) {
        explain(error, "%s is skipped: this machine has no IPv6", wanted->name);
        return LISTENER_SKIPPED;
    }
    if (error_number == EADDRINUSE)
        explain_in_use(wanted, held, used, error);
    else if (error_number == EACCES)
        explain(error,
                "%s needs CAP_NET_BIND_SERVICE: start as root, or grant it (systemd: "
                "AmbientCapabilities=, docker: --cap-add=NET_BIND_SERVICE), or lower "
                "net.ipv4.ip_unprivileged_port_start to %u",
                wanted->name, port_of(wanted));
    else if (error_number == EADDRNOTAVAIL)
        explain(error, "%s: no interface of this machine has the address (ip addr lists them)",
                wanted->name);
    else
        explain(error, "%s: %s", wanted->name, strerror(error_number));
    return LISTENER_FAILED;
}

static void explain_not_given(const struct config_listener *wanted, const struct listener_set *held,
                              char *error)
{
    char   names[LISTENER_ERROR_MAX / 2] = "";
    size_t len = 0;

    for (size_t i = 0; i < held->count && len < sizeof(names); i++) {
        if (held->at[i].given)
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "",
                                    held->at[i].name);
    }
    explain(error,
            "%s was not handed over (%s): set FileDescriptorName=%s in the socket unit, and "
            "start by it",
            wanted->name, len > 0 ? names : "systemd handed over none", wanted->systemd);
}

static int use(struct listener_set *used, const struct config_listener *wanted, int fd, bool given,
               char *error)
{
    if (listener_set_add(used, wanted->name, fd, given, wanted->kind) == 0)
        return 0;
    explain(error, "%s: more than %d sockets to listen on", wanted->name, LISTENER_SET_MAX);
    return -1;
}

/* Adds what is held for that listener. 1 when there was any, 0 when not, -1 with a text. */
static int use_held(const struct config_listener *wanted, const struct listener_set *held,
                    struct listener_set *used, char *error)
{
    int found = 0;

    for (size_t i = 0; i < held->count; i++) {
        if (!listener_is(&held->at[i], wanted->name, wanted->kind))
            continue;
        if (use(used, wanted, held->at[i].fd, held->at[i].given, error) != 0)
            return -1;
        found = 1;
    }
    return found;
}

enum listener_result listener_open(const struct config_listener *wanted,
                                   const struct listener_set *held, struct listener_set *used,
                                   bool *fresh, char *error)
{
    int found = use_held(wanted, held, used, error);
    int fd;

    *fresh = false;
    if (found != 0)
        return found > 0 ? LISTENER_OK : LISTENER_FAILED;
    if (wanted->systemd != NULL) {
        explain_not_given(wanted, held, error);
        return LISTENER_FAILED;
    }
    fd = bind_and_listen(wanted);
    if (fd < 0)
        return explain_bind(wanted, held, used, errno, error);
    if (use(used, wanted, fd, false, error) != 0) {
        close(fd);
        return LISTENER_FAILED;
    }
    *fresh = true;
    return LISTENER_OK;
}
