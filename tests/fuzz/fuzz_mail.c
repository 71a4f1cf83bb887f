/*
 * mail_each on any bytes: the same parts each time, each of which may be a report, and little memory.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tool/mail.h"
#include "tool/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct seen {
    size_t parts, bytes;
    bool   labelled;
};

static void require_text(const char *text)
{
    require(text == NULL || strlen(text) <= TLSRPT_TEXT_MAX);
}

static bool visit(void *context, const struct mail_part *part, const struct report_origin *origin)
{
    struct seen *seen = context;

    seen->parts++;
    seen->bytes += part->len;
    seen->labelled = seen->labelled || part->label != MAIL_LABEL_NONE;
    require(part->label != MAIL_LABEL_NONE || unpack_is_gzip(part->bytes, part->len) ||
            memchr(part->bytes, '{', part->len) != NULL);
    require_text(origin->submitter);
    require_text(origin->domain);
    memset(part->bytes, 0x5a, part->len); /* they are the visitor's to write to */
    return true;
}

static bool see(const uint8_t *data, size_t size, struct seen *seen, bool *says)
{
    char  why[MAIL_WHY_MAX];
    char *copy = malloc(size > 0 ? size : 1);
    bool  good;

    require(copy != NULL);
    memcpy(copy, data, size);
    memset(why, 0x5a, sizeof(why));
    good = mail_each(copy, size, visit, seen, says, why);
    require(good || memchr(why, '\0', sizeof(why)) != NULL);
    free(copy);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    struct seen first = { 0 }, second = { 0 };
    bool        says = false, says_again = true, good;

    if (!started)
        mail_start();
    started = true;
    good = see(data, size, &first, &says);
    require(see(data, size, &second, &says_again) == good);
    require(says == says_again && (says || !first.labelled));
    require(first.parts == second.parts && first.bytes == second.bytes);
    require(good || first.parts == 0);
    return 0;
}
