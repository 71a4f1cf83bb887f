#include "tool/mbox.h"

#include <string.h>

static const char from[] = "From ";

enum { FROM_LEN = sizeof(from) - 1 };

bool mbox_is(const char *bytes, size_t len)
{
    return len >= FROM_LEN && memcmp(bytes, from, FROM_LEN) == 0;
}

/* Gives what was gathered to visit. */
static enum mbox_result give(struct mbox *mbox)
{
    const char *bytes = mbox->mail.len > 0 ? mbox->mail.bytes : "";
    bool        on = true;

    if (mbox->begun)
        on = mbox->visit(mbox->context, mbox->too_long ? NULL : bytes, mbox->mail.len);
    mbox->mail.len = 0;
    mbox->too_long = false;
    return on ? MBOX_ON : MBOX_STOPPED;
}

static enum mbox_result gather(struct mbox *mbox, const char *bytes, size_t len)
{
    if (mbox->mail.len + len > MBOX_MAIL_MAX)
        mbox->too_long = true;
    if (mbox->too_long || buffer_add(&mbox->mail, bytes, len))
        return MBOX_ON;
    return MBOX_NO_MEMORY;
}

/* The line turned out not to begin with "From ". */
static enum mbox_result gather_matched(struct mbox *mbox)
{
    size_t len = mbox->matched;

    mbox->state = MBOX_LINE;
    mbox->matched = 0;
    if (len > 0)
        mbox->blank = false;
    return gather(mbox, from, len);
}

/* One byte more of a line that may begin with "From ". */
static enum mbox_result match(struct mbox *mbox, char byte, bool *taken)
{
    enum mbox_result result;
    bool             first = mbox->matched == 0;

    *taken = byte == from[mbox->matched];
    if (!*taken) {
        result = gather_matched(mbox);
        mbox->blank = first;
        return result;
    }
    if (++mbox->matched < FROM_LEN)
        return MBOX_ON;
    if (mbox->begun && !mbox->blank) {
        mbox->doubted = mbox->mail.len;
        return gather_matched(mbox);
    }
    mbox->matched = 0;
    mbox->state = MBOX_FROM_LINE;
    result = give(mbox);
    mbox->begun = true;
    return result;
}

static bool is_blank(const char *bytes, size_t len)
{
    while (len > 0 && (bytes[len - 1] == '\r' || bytes[len - 1] == '\n'))
        len--;
    return len == 0;
}

/* Whether the line ends as "Tue Nov 24 12:00:00 2026" does. */
static bool is_dated(const char *line, size_t len)
{
    static const char form[] = "00:00:00 0000";
    size_t            form_len = sizeof(form) - 1;

    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len < form_len)
        return false;
    line += len - form_len;
    for (size_t i = 0; i < form_len; i++) {
        if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
            return false;
    }
    return true;
}

/* At the end of a doubted line: if a mail begins with it, that before has ended. */
static enum mbox_result settle(struct mbox *mbox)
{
    size_t at = mbox->doubted;

    mbox->doubted = 0;
    if (at == 0 || at > mbox->mail.len || !is_dated(mbox->mail.bytes + at, mbox->mail.len - at))
        return MBOX_ON;
    mbox->mail.len = at;
    return give(mbox);
}

/* The rest of a line, or what there is of it. */
static enum mbox_result pass_line(struct mbox *mbox, const char *bytes, size_t len)
{
    enum mbox_result result = MBOX_ON;
    bool             ends = bytes[len - 1] == '\n';

    if (mbox->state == MBOX_FROM_LINE) {
        mbox->blank = false;
    } else {
        mbox->blank = mbox->blank && is_blank(bytes, len);
        result = gather(mbox, bytes, len);
    }
    if (!ends)
        return result;
    mbox->state = MBOX_LINE_START;
    return result == MBOX_ON ? settle(mbox) : result;
}

enum mbox_result mbox_feed(struct mbox *mbox, const char *bytes, size_t len)
{
    const char      *end = bytes + len;
    enum mbox_result result = MBOX_ON;

    while (bytes < end && result == MBOX_ON) {
        bool taken = false;

        if (mbox->state == MBOX_LINE_START)
            result = match(mbox, *bytes, &taken);
        if (taken) {
            bytes++;
        } else if (result == MBOX_ON) {
            const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
            size_t      line = (size_t)((feed != NULL ? feed + 1 : end) - bytes);

            result = pass_line(mbox, bytes, line);
            bytes += line;
        }
    }
    return result;
}

enum mbox_result mbox_end(struct mbox *mbox)
{
    enum mbox_result result = gather_matched(mbox);

    return result == MBOX_ON ? give(mbox) : result;
}

void mbox_fini(struct mbox *mbox)
{
    buffer_fini(&mbox->mail);
}
