#include "server/message.h"

#include <string.h>

void message_init(struct message *message, enum message_kind kind, uint32_t number)
{
    memset(message, 0, sizeof(*message)); /* padding too: it travels */
    message->kind = (uint8_t)kind;
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
    case MESSAGE_SCANNED:
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
    message->step = given.step;
    switch (given.kind) {
    case MESSAGE_GO:
    case MESSAGE_RECHECK:
    case MESSAGE_SCANNED:
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
    return packet_send(socket, message, sizeof(*message), fds, fd_count);
}

long message_receive(int socket, void *packet, size_t size, int fds[MESSAGE_FDS_MAX],
                     size_t *fd_count)
{
    return packet_receive(socket, packet, size, fds, fd_count);
}
