/*
 * mail: the TLS reports in a mail (RFC 8460 section 5.3), taken out of it by GMime.
 *
 * Senders label them in many ways, so every part that begins as a gzip or JSON does is shown. What
 * makes GMime take memory or stack is bounded before it sees the mail: headers, and lines that may
 * begin a part. Where there is no memory all the same, GLib aborts the program.
 */
#ifndef TOOL_MAIL_H
#define TOOL_MAIL_H

#include "tool/report_sums.h"

enum {
    MAIL_HEADERS_MAX = 256 * 1024, /* bytes of all headers together, the parts' too */
    MAIL_COLONS_MAX = 1000,        /* in a field: GMime calls itself for each group of addresses */
    MAIL_PARTS_MAX = 10000,        /* lines that may begin or end a part */
    MAIL_DEPTH_MAX = 100,          /* parts in parts; GMime ends at some 1,000 without a word */
    MAIL_WHY_MAX = 100             /* bytes of why one is refused, with the NUL */
};

enum mail_label { MAIL_LABEL_NONE, MAIL_LABEL_JSON, MAIL_LABEL_GZIP };

struct mail_part {
    char           *bytes; /* decoded; the visitor may write to them */
    size_t          len;
    enum mail_label label; /* as application/tlsrpt+...; which may be wrong */
};

/* Once, before all, and after all. */
void mail_start(void);
void mail_end(void);

/*
 * Calls visit for each part that may be a report; false ends it. origin is what the mail says
 * itself. False: the mail is refused, and why says so; it says MAIL_WHY_MAX bytes. *says_report:
 * the mail says that it has one.
 */
bool mail_each(const char *bytes, size_t len,
               bool (*visit)(void *context, const struct mail_part *part,
                             const struct report_origin *origin),
               void *context, bool *says_report, char *why);

/* Whether these bytes begin as a mail does: with a header field. */
bool mail_is(const char *bytes, size_t len);

#endif
