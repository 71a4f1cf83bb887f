#include "server/packet.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel passes beside one packet: an aligned buffer for PACKET_FDS_MAX descriptors. */
union control {
    struct cmsghdr header;
    char           bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
};

_Static_assert(CMSG_SPACE(PACKET_FDS_MAX * sizeof(int)) == CMSG_LEN(PACKET_FDS_MAX * sizeof(int)),
               "no padding, in which one more descriptor could arrive");

int packet_send(int socket, const void *packet, size_t len, const int *fds, size_t fd_count)
{
    struct iovec  part = { .iov_base = (void *)(uintptr_t)packet, .iov_len = len };
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1 };
    union control control;

    assert(fd_count <= PACKET_FDS_MAX);
    if (fd_count > 0) {
        memset(&control, 0, sizeof(control));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
        head.msg_control = control.bytes;
        head.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    }
    return sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Every descriptor that came is ours now. For more than PACKET_FDS_MAX there was no room: the kernel
   has closed them. */
static size_t collect(struct msghdr *head, int fds[PACKET_FDS_MAX])
{
    const struct cmsghdr *first = CMSG_FIRSTHDR(head);
    size_t                count;

    if (!first || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_RIGHTS)
        return 0;
    count = (first->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(first), count * sizeof(int));
    return count;
}

long packet_receive(int socket, void *packet, size_t size, int fds[PACKET_FDS_MAX],
                    size_t *fd_count)
{
    struct iovec  part = { .iov_base = packet, .iov_len = size };
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1 };
    union control control;
    size_t        count = 0;
    long          len;

    if (fds) { /* without a place for them, the kernel closes what comes */
        head.msg_control = control.bytes;
        head.msg_controllen = sizeof(control);
    }
    len = recvmsg(socket, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len >= 0 && fds)
        count = collect(&head, fds);
    if (len <= 0) /* an empty packet reads as the peer's end: nothing of ours is empty */
        while (count > 0)
            close(fds[--count]);
    if (fd_count)
        *fd_count = count;
    return len;
}
