/*
 * report_read: finds TLS reports in files, folders and mails, and has them counted.
 *
 * What a file is, is told by its bytes: a report or several, a gzip of these, a mail, an mbox, or a
 * gzip of that. A folder is read with what is in it, of a Maildir (one with cur and new) these two
 * alone; what begins with a dot is passed over. What cannot be read or is refused is told in a line
 * of standard error, and does not stop the rest. Memory: a file but an mbox has at most
 * REPORT_FILE_MAX bytes, and what is packed as many.
 */
#ifndef TOOL_REPORT_READ_H
#define TOOL_REPORT_READ_H

#include "tool/buffer.h"
#include "tool/mbox.h"
#include "tool/report_sums.h"

enum { REPORT_FILE_MAX = 32 * 1024 * 1024 /* bytes */ };

struct report_reader {
    struct report_counter *counter;
    /* What has been met so far. */
    uint32_t refused;       /* files, mails in an mbox and parts of a mail that were told */
    uint32_t without;       /* mails that are about something else */
    bool     out_of_memory; /* nothing more is read then */
    /* report_read's own, at first all zero. */
    const char   *path;
    struct mbox   mbox;
    size_t        mail;     /* in the mbox, from 1 on */
    struct buffer file;     /* as it is read */
    struct buffer unpacked; /* what was in it */
    struct buffer part;     /* what was packed in a mail */
};

/* A file, a folder, or "-" for standard input. */
void report_read(struct report_reader *reader, const char *path);

void report_reader_fini(struct report_reader *reader);

#endif
