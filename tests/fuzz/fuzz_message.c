/*
 * message_request_read, as the keeper reads what a worker that strangers broke into may send, and
 * message_reply_read: no state between calls, nothing taken that is not well formed, and
 * nothing left of the bytes that were not checked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/message.h"

typedef bool reader(const void *packet, size_t len, struct message *message);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Each read finds other dirt in *message, and exactly size bytes in its buffer. */
static bool read_copy(reader *read, const uint8_t *data, size_t size, int dirt,
                      struct message *message)
{
    void *copy = malloc(size > 0 ? size : 1);
    bool  good;

    require(copy != NULL);
    memcpy(copy, data, size);
    memset(message, dirt, sizeof(*message));
    good = read(copy, size, message);
    free(copy);
    return good;
}

static bool read_twice(reader *read, const uint8_t *data, size_t size, struct message *message)
{
    struct message again;
    bool           good = read_copy(read, data, size, 0x00, message);

    require(read_copy(read, data, size, 0xff, &again) == good);
    if (!good)
        return false;
    require(size == sizeof(*message));
    require(memcmp(message, &again, sizeof(again)) == 0); /* padding too */
    require(read_copy(read, (const uint8_t *)message, sizeof(*message), 0xa5, &again));
    require(memcmp(message, &again, sizeof(again)) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char zeros[sizeof(struct message)];
    struct message    message;

    if (read_twice(message_request_read, data, size, &message)) {
        bool named = message.kind == MESSAGE_CERTIFICATE || message.kind == MESSAGE_TOKEN;

        require(named || message.kind == MESSAGE_UP || message.kind == MESSAGE_SCANNED);
        require(named == (message.name_len > 0));
        require(strlen(message.name) == message.name_len);
        require(memcmp(message.name + message.name_len, zeros,
                       sizeof(message.name) - message.name_len) == 0);
        require(message.error == 0 && message.step == MESSAGE_STEP_NONE);
        if (message.kind != MESSAGE_SCANNED) /* which goes both ways */
            require(!message_reply_read(data, size, &message));
    }
    if (read_twice(message_reply_read, data, size, &message)) {
        bool failed = message.kind == MESSAGE_ANSWER && message.error != 0;

        require(message.kind == MESSAGE_GO || message.kind == MESSAGE_RECHECK ||
                message.kind == MESSAGE_ANSWER || message.kind == MESSAGE_SCANNED);
        require(message.name_len == 0 && memcmp(message.name, zeros, sizeof(message.name)) == 0);
        require(message.step <= MESSAGE_STEP_TOKEN);
        require(failed || (message.error == 0 && message.step == MESSAGE_STEP_NONE));
    }
    return 0;
}
