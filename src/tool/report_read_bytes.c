#include "tool/mail.h"
#include "tool/report_read_internal.h"
#include "tool/unpack.h"

#include <stdio.h>
#include <string.h>

static const struct report_origin no_origin;

/* --- Reports */

static void count(struct report_reader *reader, const struct tlsrpt *report,
                  const struct report_origin *origin, const char *text, size_t len)
{
    switch (report_counter_add(reader->counter, report, origin, text, len)) {
    case REPORT_COUNTED:
        break;
    case REPORT_FULL:
        report_refuse(reader, "there is too much already that differs; give fewer reports at once, "
                              "or --since or --domain");
        break;
    case REPORT_NO_MEMORY:
        reader->out_of_memory = true;
        break;
    }
}

/* The report at the start of the bytes. Gives how long it is; 0: there is none, and why says so. */
static size_t take_one(struct report_reader *reader, char *bytes, size_t len,
                       const struct report_origin *origin, uint32_t odd, char *why)
{
    struct tlsrpt     *report = NULL;
    size_t             used = 0;
    enum tlsrpt_result result = tlsrpt_read(bytes, len, &report, &used, why);

    if (result == TLSRPT_NO_MEMORY)
        reader->out_of_memory = true;
    if (result != TLSRPT_READ)
        return 0;
    report->odd |= odd;
    count(reader, report, origin, bytes, used);
    tlsrpt_free(report);
    return used;
}

/* All reports in the bytes. False: there is none, and why says so; what follows one is told. */
static bool take_reports(struct report_reader *reader, char *bytes, size_t len,
                         const struct report_origin *origin, uint32_t odd, char *why)
{
    size_t used = take_one(reader, bytes, len, origin, odd, why);
    bool   some = used > 0;

    for (size_t at = used; used > 0 && at < len && !reader->out_of_memory; at += used) {
        char what[TLSRPT_WHY_MAX + 40];

        used = take_one(reader, bytes + at, len - at, origin, odd, why);
        if (used > 0 || reader->out_of_memory)
            continue;
        snprintf(what, sizeof(what), "what follows the report: %s", why);
        report_refuse(reader, what);
    }
    return some;
}

/* False: out holds nothing of use, and why says why. */
static bool open_gzip(struct report_reader *reader, const char *bytes, size_t len,
                      struct buffer *out, char *why)
{
    switch (unpack(bytes, len, REPORT_FILE_MAX, out)) {
    case UNPACK_DONE:
        return true;
    case UNPACK_BROKEN:
        snprintf(why, TLSRPT_WHY_MAX, "a broken gzip");
        break;
    case UNPACK_LARGE:
        snprintf(why, TLSRPT_WHY_MAX, "a gzip of over %d bytes", REPORT_FILE_MAX);
        break;
    case UNPACK_NO_MEMORY:
        reader->out_of_memory = true;
        break;
    }
    return false;
}

/* --- Mails */

struct taken {
    struct report_reader *reader;
    const bool           *says_report;
    bool                  found, told;
};

/* Where neither the part nor the mail says that it is a report, it need not be one. */
static bool take_part(void *context, const struct mail_part *part,
                      const struct report_origin *origin)
{
    struct taken         *taken = context;
    struct report_reader *reader = taken->reader;
    bool                  packed = unpack_is_gzip(part->bytes, part->len);
    enum mail_label       is = packed ? MAIL_LABEL_GZIP : MAIL_LABEL_JSON;
    uint32_t              odd = 0;
    char                  why[TLSRPT_WHY_MAX] = "";
    bool                  good;

    if (part->label != MAIL_LABEL_NONE && part->label != is)
        odd = 1U << TLSRPT_ODD_LABEL;
    if (packed)
        good = open_gzip(reader, part->bytes, part->len, &reader->part, why) &&
               take_reports(reader, reader->part.bytes, reader->part.len, origin, odd, why);
    else
        good = take_reports(reader, part->bytes, part->len, origin, odd, why);
    taken->found = taken->found || good;
    if (!good && !reader->out_of_memory && *taken->says_report) {
        report_refuse(reader, why);
        taken->told = true;
    }
    return !reader->out_of_memory;
}

static void take_mail(struct report_reader *reader, const char *bytes, size_t len)
{
    bool         says_report = false;
    struct taken taken = { .reader = reader, .says_report = &says_report };
    char         why[MAIL_WHY_MAX];

    if (!mail_each(bytes, len, take_part, &taken, &says_report, why))
        report_refuse(reader, why);
    else if (!taken.found && !says_report)
        reader->without++;
    else if (!taken.found && !taken.told && !reader->out_of_memory)
        report_refuse(reader, "the mail says that it has a TLS report, and has none");
}

bool report_read_mail_of_mbox(void *context, const char *bytes, size_t len)
{
    struct report_reader *reader = context;
    char                  why[60];

    reader->mail++;
    if (bytes != NULL) {
        take_mail(reader, bytes, len);
    } else {
        snprintf(why, sizeof(why), "a mail of over %d bytes", MBOX_MAIL_MAX);
        report_refuse(reader, why);
    }
    return !reader->out_of_memory;
}

static void take_mbox(struct report_reader *reader, const char *bytes, size_t len)
{
    if (mbox_feed(&reader->mbox, bytes, len) == MBOX_NO_MEMORY ||
        mbox_end(&reader->mbox) == MBOX_NO_MEMORY)
        reader->out_of_memory = true;
}

/* --- Files */

static void take_plain(struct report_reader *reader, char *bytes, size_t len)
{
    char why[TLSRPT_WHY_MAX] = "";

    if (mbox_is(bytes, len))
        take_mbox(reader, bytes, len);
    else if (mail_is(bytes, len))
        take_mail(reader, bytes, len);
    else if (!take_reports(reader, bytes, len, &no_origin, 0, why) && !reader->out_of_memory)
        report_refuse(reader, why);
}

void report_read_bytes(struct report_reader *reader, char *bytes, size_t len)
{
    char why[TLSRPT_WHY_MAX] = "";

    if (len == 0)
        report_refuse(reader, "empty");
    else if (len >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        report_refuse(reader, "a zip archive: please unpack it");
    else if (!unpack_is_gzip(bytes, len))
        take_plain(reader, bytes, len);
    else if (open_gzip(reader, bytes, len, &reader->unpacked, why))
        take_plain(reader, reader->unpacked.bytes, reader->unpacked.len);
    else if (!reader->out_of_memory)
        report_refuse(reader, why);
}
