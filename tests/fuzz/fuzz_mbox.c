/*
 * mbox on any bytes: the same mails however the bytes are cut, and every byte of them in one of these
 * or in a line "From ". The first byte says where they are cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tool/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct mails {
    struct buffer bytes; /* of all, with the length of each before it */
    size_t        count, len;
};

static bool visit(void *context, const char *bytes, size_t len)
{
    struct mails *mails = context;

    mails->count++;
    mails->len += len;
    require(bytes != NULL);
    require(buffer_add(&mails->bytes, (const char *)&len, sizeof(len)));
    require(buffer_add(&mails->bytes, bytes, len));
    return true;
}

static void read_all(const char *bytes, size_t len, size_t piece, struct mails *mails)
{
    struct mbox mbox = { .visit = visit, .context = mails };

    for (size_t at = 0; at < len; at += piece) {
        size_t now = len - at < piece ? len - at : piece;
        char  *copy = malloc(now);

        require(copy != NULL);
        memcpy(copy, bytes + at, now);
        require(mbox_feed(&mbox, copy, now) == MBOX_ON);
        free(copy);
    }
    require(mbox_end(&mbox) == MBOX_ON);
    mbox_fini(&mbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mails whole = { 0 }, pieces = { 0 };
    const char  *bytes = (const char *)data + 1;

    if (size < 2 || !mbox_is(bytes, size - 1))
        return 0;
    read_all(bytes, size - 1, size, &whole);
    read_all(bytes, size - 1, (size_t)data[0] + 1, &pieces);
    require(whole.count > 0 && whole.count == pieces.count && whole.bytes.len == pieces.bytes.len);
    require(memcmp(whole.bytes.bytes, pieces.bytes.bytes, whole.bytes.len) == 0);
    require(whole.len < size);
    buffer_fini(&whole.bytes);
    buffer_fini(&pieces.bytes);
    return 0;
}
