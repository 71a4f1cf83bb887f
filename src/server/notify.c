#include "server/notify.h"

#include "common/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { MESSAGE_SIZE = 512 };

static int                socket_fd = -1;
static struct sockaddr_un manager;
static socklen_t          manager_len;

/* A path, or an abstract name behind "@". */
static int set_manager(const char *name)
{
    size_t len = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(manager.sun_path))
        return -1;
    memset(&manager, 0, sizeof(manager));
    manager.sun_family = AF_UNIX;
    memcpy(manager.sun_path, name, len);
    if (name[0] == '@')
        manager.sun_path[0] = '\0';
    /* An abstract name is as long as it is said to be: no NUL at its end. */
    manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

void notify_init(void)
{
    const char *name = getenv("NOTIFY_SOCKET");

    if (name == NULL)
        return;
    if (set_manager(name) != 0)
        log_warnx("NOTIFY_SOCKET=%s is neither a path nor an abstract name: nobody is notified",
                  name);
    else if ((socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        log_warn("no socket for NOTIFY_SOCKET");
    unsetenv("NOTIFY_SOCKET"); /* nobody below the master is to speak for it */
}

int notify_fd(void)
{
    return socket_fd;
}

/* A service manager that does not listen is worth a line, and nothing more. */
__attribute__((format(printf, 1, 2))) static void send_message(const char *format, ...)
{
    char    message[MESSAGE_SIZE];
    va_list arguments;

    if (socket_fd < 0)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (sendto(socket_fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
               manager_len) < 0)
        log_warn("cannot notify the service manager");
}

void notify_ready(const char *status)
{
    if (status != NULL)
        send_message("READY=1\nSTATUS=%s", status);
    else
        send_message("READY=1");
}

void notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    /* sd_notify(3): the clock is how Type=notify-reload knows that this is no older reload */
    send_message("RELOADING=1\nMONOTONIC_USEC=%llu",
                 (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
    send_message("STOPPING=1");
}
