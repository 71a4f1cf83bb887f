#include "server/control.h"

#include "server/packet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void control_init(struct control *control, enum control_kind kind)
{
    memset(control, 0, sizeof(*control));
    control->kind = kind;
}

int control_send(int socket, const struct control *control, int fd)
{
    return packet_send(socket, control, sizeof(*control), &fd, fd >= 0 ? 1 : 0);
}

static bool well_formed(const struct control *control)
{
    return control->kind >= CONTROL_LISTENER && control->kind <= CONTROL_RECHECK &&
           control->listener <= CONFIG_HEALTH &&
           memchr(control->name, '\0', sizeof(control->name)) != NULL &&
           memchr(control->text, '\0', sizeof(control->text)) != NULL;
}

enum control_result control_receive(int socket, struct control *control, int *fd)
{
    char   packet[sizeof(*control) + 1];
    int    fds[PACKET_FDS_MAX];
    size_t fd_count;
    long   len = packet_receive(socket, packet, sizeof(packet), fds, &fd_count);

    *fd = -1;
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? CONTROL_NOTHING : CONTROL_END;
    if (len == (long)sizeof(*control) && fd_count <= 1) {
        memcpy(control, packet, sizeof(*control));
        if (well_formed(control)) {
            if (fd_count == 1)
                *fd = fds[0];
            return CONTROL_GOT;
        }
    }
    while (len > 0 && fd_count > 0)
        close(fds[--fd_count]);
    return CONTROL_END;
}
