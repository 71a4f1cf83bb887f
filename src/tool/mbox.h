/*
 * mbox: the mails in an mbox, one after the other, as its bytes arrive.
 *
 * Splitting is ours and not GMime's, which would hold a mail of any size: here one of more than
 * MBOX_MAIL_MAX bytes is told, and passed over. A mail begins with a line "From " at the start or
 * behind an empty line, as RFC 4155 has it; and where a program left that out, with one that ends
 * in a date. A ">" that was put before a line's "From " stays there: no report has such a line.
 */
#ifndef TOOL_MBOX_H
#define TOOL_MBOX_H

#include "tool/buffer.h"

enum { MBOX_MAIL_MAX = 32 * 1024 * 1024 /* bytes */ };

struct mbox {
    /* Each mail, without its line "From "; bytes NULL: it was too long. False ends it all. */
    bool (*visit)(void *context, const char *bytes, size_t len);
    void *context;
    /* mbox's own, at first all zero. */
    struct buffer mail;
    enum { MBOX_LINE_START, MBOX_LINE, MBOX_FROM_LINE } state;
    size_t matched; /* bytes of "From " at a line's start, not in mail yet */
    size_t doubted; /* where in mail such a line began that no empty line is before; 0: none did */
    bool   begun;   /* a mail */
    bool   blank;   /* there is nothing in this line, or the one before, but its end */
    bool   too_long;
};

/* Whether the bytes begin as an mbox does. */
bool mbox_is(const char *bytes, size_t len);

enum mbox_result { MBOX_ON, MBOX_STOPPED /* by visit */, MBOX_NO_MEMORY };

enum mbox_result mbox_feed(struct mbox *mbox, const char *bytes, size_t len);
enum mbox_result mbox_end(struct mbox *mbox); /* the last mail */

void mbox_fini(struct mbox *mbox);

#endif
