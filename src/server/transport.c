#include "server/transport.h"

#include <errno.h>
#include <sys/socket.h>

enum io transport_receive(int fd, void *bytes, size_t size, size_t *count)
{
    ssize_t got;

    do
        got = recv(fd, bytes, size, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        *count = (size_t)got;
        return IO_DONE;
    }
    if (got == 0 || errno == ECONNRESET)
        return IO_END;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_WANT_READ : IO_FAILED;
}

enum io transport_send(int fd, const void *bytes, size_t len, size_t *count)
{
    ssize_t sent;

    do
        sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent > 0) {
        *count = (size_t)sent;
        return IO_DONE;
    }
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return IO_WANT_WRITE;
    return sent < 0 && (errno == EPIPE || errno == ECONNRESET) ? IO_END : IO_FAILED;
}

static enum io plain_read(void *state, void *bytes, size_t size, size_t *count)
{
    return transport_receive(*(const int *)state, bytes, size, count);
}

static enum io plain_write(void *state, const void *bytes, size_t len, size_t *count)
{
    return transport_send(*(const int *)state, bytes, len, count);
}

static enum io plain_flush(void *state)
{
    (void)state;
    return IO_DONE;
}

static bool plain_holds(const void *state)
{
    (void)state;
    return false;
}

static void plain_free(void *state)
{
    (void)state;
}

const struct transport transport_plain = {
    .read = plain_read,
    .write = plain_write,
    .flush = plain_flush,
    .holds = plain_holds,
    .finish = plain_flush,
    .free = plain_free,
};
