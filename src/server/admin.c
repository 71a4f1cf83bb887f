#include "server/admin.h"

#include "common/log.h"
#include "server/instance.h"
#include "server/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 16 };

enum client_state {
    CLIENT_CONNECTED, /* has sent nothing yet */
    CLIENT_WAITING,   /* for the answer to its request */
    CLIENT_RELOADING  /* its reload has begun */
};

struct client {
    int                fd; /* -1: this place is free */
    enum client_state  state;
    enum admin_request request;
    int64_t            deadline; /* CONNECTED */
};

static struct {
    struct admin_address addresses[2];
    int                  listening[2]; /* -1: not held */
    int64_t              retry_at;     /* for those not held; 0: none */
    struct client        clients[ADMIN_CLIENTS_MAX];
} admin = { .listening = { -1, -1 } };

/* --- Addresses */

static int set_address(struct admin_address *address, const char *directory, size_t len,
                       const char *instance)
{
    struct sockaddr_un *un = &address->address;
    size_t              size = sizeof(un->sun_path);
    int                 written;

    memset(address, 0, sizeof(*address));
    un->sun_family = AF_UNIX;
    if (directory != NULL)
        written = snprintf(un->sun_path, size, "%.*s/%s.sock", (int)len, directory, instance);
    else
        written = 1 + snprintf(un->sun_path + 1, size - 1, "mta-stsd/%s", instance);
    if (written < 0 || (size_t)written >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    /* The NUL belongs to a path, and would be one more byte of an abstract address. */
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)written +
                               (directory != NULL));
    return 0;
}

int admin_addresses(const char *config_path, struct admin_address addresses[2])
{
    const char *directory = getenv("RUNTIME_DIRECTORY"); /* systemd.exec(5): a list, with colons */
    char        instance[INSTANCE_NAME_LEN + 1];

    addresses[0].len = addresses[1].len = 0;
    if (instance_name(config_path, instance) != 0 ||
        set_address(&addresses[1], NULL, 0, instance) != 0)
        return -1;
    if (directory == NULL || directory[0] != '/')
        return 0;
    return set_address(&addresses[0], directory, strcspn(directory, ":"), instance);
}

/* --- Listening */

/* A socket file that a killed server has left: no process accepts on it. */
static bool is_stale(const struct admin_address *address)
{
    int  fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused;

    if (fd < 0)
        return false;
    refused = connect(fd, (const struct sockaddr *)&address->address, address->len) != 0 &&
              errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static bool is_file(const struct admin_address *address)
{
    return address->address.sun_path[0] != '\0';
}

/* -1 with errno. */
static int listen_on(const struct admin_address *address)
{
    int    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask;
    int    bound;
    int    saved;

    if (fd < 0)
        return -1;
    if (is_file(address) && is_stale(address))
        unlink(address->address.sun_path);
    mask = umask(0177);
    bound = bind(fd, (const struct sockaddr *)&address->address, address->len);
    saved = errno;
    umask(mask);
    errno = saved;
    if (bound == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void show(const struct admin_address *address, char *text, size_t size)
{
    snprintf(text, size, "%s%s", is_file(address) ? "" : "@",
             address->address.sun_path + !is_file(address));
}

/* Tries those that are not held; first: warns. */
static void listen_on_all(bool first)
{
    char text[sizeof(admin.addresses[0].address.sun_path) + 1];

    admin.retry_at = 0;
    for (size_t i = 0; i < 2; i++) {
        if (admin.listening[i] >= 0 || admin.addresses[i].len == 0)
            continue;
        admin.listening[i] = listen_on(&admin.addresses[i]);
        show(&admin.addresses[i], text, sizeof(text));
        if (admin.listening[i] < 0) {
            admin.retry_at = process_now_ms() + ADMIN_RETRY_MS;
            if (first)
                log_warn("mta-stsd -H, -r and -s cannot use %s, which is tried again every %d s",
                         text, ADMIN_RETRY_MS / 1000);
        } else if (!first) {
            log_info("mta-stsd -H, -r and -s can use %s now", text);
        }
    }
}

void admin_open(const char *config_path)
{
    admin_forget();
    if (admin_addresses(config_path, admin.addresses) != 0)
        log_warn("mta-stsd -H, -r and -s will not find this server: %s", config_path);
    listen_on_all(true);
}

static void close_client(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

void admin_close(void)
{
    for (size_t i = 0; i < 2; i++) {
        if (admin.listening[i] < 0)
            continue;
        close(admin.listening[i]);
        if (is_file(&admin.addresses[i]))
            unlink(admin.addresses[i].address.sun_path);
    }
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin.clients[i].fd >= 0)
            close_client(&admin.clients[i]);
    admin_forget();
}

void admin_forget(void)
{
    admin.listening[0] = admin.listening[1] = -1;
    admin.addresses[0].len = admin.addresses[1].len = 0;
    admin.retry_at = 0;
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        admin.clients[i].fd = -1;
}

/* --- Clients */

/* For one more client: a free place, or that of the oldest client that has sent nothing. Silent clients would
   otherwise keep a probe out. NULL: all wait for answers. */
static struct client *find_place(void)
{
    struct client *oldest = NULL;

    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        struct client *client = &admin.clients[i];

        if (client->fd < 0)
            return client;
        if (client->state == CLIENT_CONNECTED &&
            (oldest == NULL || client->deadline < oldest->deadline))
            oldest = client;
    }
    return oldest;
}

/* In a user namespace, a user that is not mapped there appears as the overflow user: neither of the two. */
static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t    len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static bool is_request(char byte)
{
    return byte == ADMIN_HEALTH || byte == ADMIN_RELOAD || byte == ADMIN_RELOAD_FORCED ||
           byte == ADMIN_STATUS;
}

/* A client that has gone, or sends anything but a request, is closed; a reload that it asked for goes on. */
static void read_request(struct client *client, void (*asked)(enum admin_request request))
{
    char    packet[2];
    ssize_t len = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT);

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len != 1 || client->state != CLIENT_CONNECTED || !is_request(packet[0])) {
        close_client(client);
        return;
    }
    client->state = CLIENT_WAITING;
    client->request = (enum admin_request)packet[0];
    asked(client->request);
}

static void accept_all(int listening, void (*asked)(enum admin_request request))
{
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        struct client *place = find_place();
        int            fd;

        if (place == NULL)
            return; /* the others wait in the queue */
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (!is_allowed(fd)) {
            close(fd);
            continue;
        }
        if (place->fd >= 0)
            close_client(place);
        *place = (struct client){ .fd = fd, .deadline = process_now_ms() + ADMIN_REQUEST_MS };
        read_request(place, asked); /* most clients have sent it by now, and so are not evicted */
    }
}

size_t admin_poll(struct pollfd fds[ADMIN_POLL_MAX])
{
    size_t count = 0;
    bool   room = find_place() != NULL;

    for (size_t i = 0; i < 2; i++)
        if (admin.listening[i] >= 0 && room)
            fds[count++] = (struct pollfd){ .fd = admin.listening[i], .events = POLLIN };
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin.clients[i].fd >= 0)
            fds[count++] = (struct pollfd){ .fd = admin.clients[i].fd, .events = POLLIN };
    return count;
}

int64_t admin_deadline(void)
{
    int64_t next = admin.retry_at;

    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        const struct client *client = &admin.clients[i];

        if (client->fd >= 0 && client->state == CLIENT_CONNECTED &&
            (next == 0 || client->deadline < next))
            next = client->deadline;
    }
    return next;
}

static struct client *client_of(int fd)
{
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin.clients[i].fd == fd)
            return &admin.clients[i];
    return NULL;
}

void admin_work(const struct pollfd *fds, size_t count, void (*asked)(enum admin_request request))
{
    if (admin.retry_at != 0 && process_left_ms(admin.retry_at) == 0)
        listen_on_all(false);
    for (size_t i = 0; i < count; i++) {
        struct client *client = client_of(fds[i].fd);

        if (fds[i].revents != 0 && client != NULL)
            read_request(client, asked);
    }
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        struct client *client = &admin.clients[i];

        if (client->fd >= 0 && client->state == CLIENT_CONNECTED &&
            process_left_ms(client->deadline) == 0)
            close_client(client);
    }
    for (size_t i = 0; i < 2; i++) /* last, so that no descriptor of fds is another's by now */
        if (admin.listening[i] >= 0)
            accept_all(admin.listening[i], asked);
}

/* --- Answers */

static bool send_packet(int socket, const char *start, const char *text)
{
    char packet[ADMIN_LINE_MAX];
    int  len = snprintf(packet, sizeof(packet), "%s%s", start, text);

    if (len < 0)
        return false;
    if ((size_t)len >= sizeof(packet)) {
        len = sizeof(packet) - 1;
        memcpy(packet + len - 3, "...", 3);
    }
    return send(socket, packet, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len;
}

bool admin_send_line(int socket, const char *text)
{
    struct pollfd client = { .fd = socket, .events = POLLOUT };

    /* unix(7) sockets are writable while three quarters of their buffer are free. */
    return poll(&client, 1, ADMIN_LINE_MS) == 1 && send_packet(socket, "L", text);
}

static void end_client(struct client *client, int exit_status, const char *text)
{
    send_packet(client->fd, exit_status == 0 ? "E0" : "E1", text);
    close_client(client);
}

static bool is_reload(enum admin_request request)
{
    return request == ADMIN_RELOAD || request == ADMIN_RELOAD_FORCED;
}

void admin_answer(enum admin_request request, int exit_status, const char *text)
{
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        struct client *client = &admin.clients[i];

        if (client->fd >= 0 && client->state == CLIENT_WAITING &&
            (client->request == request || (is_reload(request) && is_reload(client->request))))
            end_client(client, exit_status, text);
    }
}

bool admin_begin_reload(void)
{
    bool forced = false;

    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
        struct client *client = &admin.clients[i];

        if (client->fd < 0 || client->state == CLIENT_CONNECTED || !is_reload(client->request))
            continue;
        client->state = CLIENT_RELOADING;
        forced = forced || client->request == ADMIN_RELOAD_FORCED;
    }
    return forced;
}

size_t admin_reload_sockets(int sockets[ADMIN_CLIENTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin.clients[i].fd >= 0 && admin.clients[i].state == CLIENT_RELOADING)
            sockets[count++] = admin.clients[i].fd;
    return count;
}

void admin_end_reload(int exit_status, const char *text)
{
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin.clients[i].fd >= 0 && admin.clients[i].state == CLIENT_RELOADING)
            end_client(&admin.clients[i], exit_status, text);
}
