/*
 * clienthello_read on any bytes: no state between calls, no verdict that more
 * bytes would change, and none that depends on how records split the message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/clienthello.h"

enum { EVERY_PREFIX_UP_TO = 300 }; /* bytes; of longer inputs, some prefixes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Each read finds other dirt in *hello, and exactly len bytes in its buffer. */
static enum clienthello_result read_copy(const uint8_t *data, size_t len, int dirt,
                                         struct clienthello *hello)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    require(copy != NULL);
    memcpy(copy, data, len);
    memset(hello, dirt, sizeof *hello);
    enum clienthello_result result = clienthello_read(copy, len, hello);
    free(copy);
    return result;
}

static void require_same(const uint8_t *a_data, size_t a_len, const uint8_t *b_data, size_t b_len)
{
    struct clienthello      a, b;
    enum clienthello_result result = read_copy(a_data, a_len, 0x00, &a);

    require(result == read_copy(b_data, b_len, 0xff, &b));
    if (result == CLIENTHELLO_REFUSED)
        require(a.alert == b.alert);
    if (result == CLIENTHELLO_OK) {
        require(a.has_name == b.has_name && a.name_len == b.name_len);
        require(memcmp(a.name, b.name, a.name_len + 1) == 0);
        require(a.offers_tls13 == b.offers_tls13 && a.offers_aes128 == b.offers_aes128);
    }
}

static void check_prefix(const uint8_t *data, size_t len, size_t size)
{
    struct clienthello hello;

    switch (read_copy(data, len, 0x5a, &hello)) {
    case CLIENTHELLO_MORE:
        require(len < CLIENTHELLO_MAX);
        return;
    case CLIENTHELLO_OK:
        require(hello.name_len <= CLIENTHELLO_NAME_MAX && hello.name[hello.name_len] == '\0');
        require(hello.has_name || hello.name_len == 0);
        break;
    case CLIENTHELLO_REFUSED:
        require(hello.alert == ALERT_UNEXPECTED_MESSAGE || hello.alert == ALERT_ILLEGAL_PARAMETER ||
                hello.alert == ALERT_DECODE_ERROR);
        break;
    case CLIENTHELLO_NOT_TLS:
        break;
    }
    require_same(data, len, data, size);
}

/* The fragments of the records one after the other, as far as the records are whole. */
static size_t join_records(const uint8_t *data, size_t size, uint8_t *message)
{
    size_t len = 0;

    for (size_t at = 0, take; at + 5 <= size; at += 5 + take) {
        take = (size_t)data[at + 3] << 8 | data[at + 4];
        if (data[at] != 22 || data[at + 1] != 3 || take == 0 || take > 16384 ||
            take > size - at - 5)
            break;
        memcpy(message + len, data + at + 5, take);
        len += take;
    }
    return len;
}

/* The message of data, which is whole, in records of at most piece bytes. */
static size_t split_records(const uint8_t *message, size_t len, size_t piece, uint8_t *wire)
{
    size_t at = 0;

    for (size_t done = 0, take; done < len; done += take) {
        take = len - done < piece ? len - done : piece;
        wire[at++] = 22;
        wire[at++] = 3;
        wire[at++] = 1;
        wire[at++] = (uint8_t)(take >> 8);
        wire[at++] = (uint8_t)take;
        memcpy(wire + at, message + done, take);
        at += take;
    }
    return at;
}

static void check_split(const uint8_t *data, size_t size)
{
    uint8_t *message = malloc(size + 1), *wire = malloc(6 * size + 1);
    size_t   have, len;

    require(message != NULL && wire != NULL);
    have = join_records(data, size, message);
    if (have >= 4) {
        len = 4 + ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]);
        /* Only a message that stays under the size limit in any pieces. */
        if (len <= have && len <= CLIENTHELLO_MAX / 6) {
            for (size_t piece = 1; piece <= 64; piece = piece * 2 + len % 3)
                // NOLINTNEXTLINE(readability-suspicious-call-argument): split_records writes to wire
                require_same(data, size, wire, split_records(message, len, piece, wire));
        }
    }
    free(message);
    free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t step = size > EVERY_PREFIX_UP_TO ? size / 16 : 1;

    require_same(data, size, data, size);
    for (size_t len = 0; len < size; len += step)
        check_prefix(data, len, size);
    check_prefix(data, size, size);
    check_split(data, size);
    return 0;
}
