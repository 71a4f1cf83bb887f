#include "server/message.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel passes beside one packet: an aligned buffer for MESSAGE_FDS_MAX descriptors. */
union control {
    struct cmsghdr header;
    char           bytes[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
};

void message_init(struct message *message, enum message_kind kind, uint32_t number)
{
    memset(message, 0, sizeof(*message)); /* padding too: it travels */
    message->kind   = (uint8_t)kind;
    message->number = number;
}

bool message_set_name(struct message *message, const char *name, size_t len)
{
    if (len > MESSAGE_NAME_MAX)
        return false;
    memset(message->name, 0, sizeof(message->name));
    memcpy(message->name, name, len);
    message->name_len = (uint8_t)len;
    return true;
}

/* The fields that were checked, and zeros everywhere else. */
static bool take_name(const struct message *packet, struct message *message)
{
    if (packet->name_len == 0 || memchr(packet->name, '\0', packet->name_len) ||
        packet->name[packet->name_len] != '\0')
        return false;
    return message_set_name(message, packet->name, packet->name_len);
}

bool message_request_read(const void *packet, size_t len, struct message *message)
{
    struct message given;

    if (len != sizeof(given))
        return false;
    memcpy(&given, packet, sizeof(given));
    message_init(message, (enum message_kind)given.kind, given.number);
    if (given.error != 0 || given.step != MESSAGE_STEP_NONE)
        return false;
    switch (given.kind) {
    case MESSAGE_UP:
        return given.name_len == 0;
    case MESSAGE_CERTIFICATE:
    case MESSAGE_TOKEN:
        return take_name(&given, message);
    default:
        return false;
    }
}

bool message_reply_read(const void *packet, size_t len, struct message *message)
{
    struct message given;

    if (len != sizeof(given))
        return false;
    memcpy(&given, packet, sizeof(given));
    message_init(message, (enum message_kind)given.kind, given.number);
    if (given.name_len != 0)
        return false;
    message->error = given.error;
    message->step  = given.step;
    switch (given.kind) {
    case MESSAGE_GO:
    case MESSAGE_RECHECK:
        return given.error == 0 && given.step == MESSAGE_STEP_NONE;
    case MESSAGE_ANSWER:
        return given.step <= MESSAGE_STEP_TOKEN &&
               (given.error != 0 || given.step == MESSAGE_STEP_NONE);
    default:
        return false;
    }
}

int message_send(int socket, const struct message *message, const int *fds, size_t fd_count)
{
    struct message copy = *message;
    struct iovec   part = {.iov_base = &copy, .iov_len = sizeof(copy)};
    struct msghdr  head = {.msg_iov = &part, .msg_iovlen = 1};
    union control  control;

    assert(fd_count <= MESSAGE_FDS_MAX);
    if (fd_count > 0) {
        memset(&control, 0, sizeof(control));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type  = SCM_RIGHTS;
        control.header.cmsg_len   = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
        head.msg_control    = control.bytes;
        head.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    }
    return sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Every descriptor that came is ours now: kept up to MESSAGE_FDS_MAX, the others closed. */
static void collect(struct msghdr *head, int fds[MESSAGE_FDS_MAX], size_t *fd_count)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(head); at; at = CMSG_NXTHDR(head, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (at->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
            if (*fd_count < MESSAGE_FDS_MAX)
                fds[(*fd_count)++] = fd;
            else
                close(fd);
        }
    }
}

long message_receive(int socket, void *packet, size_t size, int fds[MESSAGE_FDS_MAX],
                     size_t *fd_count)
{
    struct iovec  part = {.iov_base = packet, .iov_len = size};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    size_t        count = 0;
    long          len;

    if (fds) { /* without a place for them, the kernel closes what comes */
        head.msg_control    = control.bytes;
        head.msg_controllen = sizeof(control);
    }
    len = recvmsg(socket, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len >= 0 && fds)
        collect(&head, fds, &count);
    if (len <= 0) /* an empty packet reads as the peer's end: nothing of ours is empty */
        while (count > 0)
            close(fds[--count]);
    if (fd_count)
        *fd_count = count;
    return len;
}
