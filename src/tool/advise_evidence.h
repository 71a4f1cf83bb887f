/*
 * advise_evidence: what TLS reports (RFC 8460) prove of a domain, and what they don't.
 *
 * A day counts for a sender when he reports of it, under policy type sts and a policy in mode testing
 * or enforce, that something was delivered, and it is of the last ADVISE_WINDOW days. Types are never
 * added: days are those of type sts alone.
 *
 * A failure counts under any type but tlsa, whose senders go by DANE and not by the policy. It is
 * explained only where all of this is so: its type is one that mending a certificate, STARTTLS or the
 * policy host ends; it was ADVISE_DAYS ago or more; the same sender has delivered on a later day, and
 * reported no such failure since. Whether what is seen today is mended is check's to say. What is
 * called validation-failure, has no type or a new one, is never explained: it goes with its time, after
 * ADVISE_WINDOW days.
 *
 * Pure functions.
 */
#ifndef TOOL_ADVISE_EVIDENCE_H
#define TOOL_ADVISE_EVIDENCE_H

#include "tool/report_sums.h"

enum {
    ADVISE_DAYS = 14,   /* days with reports, before a step that cannot be taken back at once */
    ADVISE_SENDERS = 2, /* that they come from */
    ADVISE_WINDOW = 30, /* days: what is older says nothing of today */
    ADVISE_FRESH = 7    /* days that the last report may be old */
};

/* One failure, as an example. Its texts are a sender's own (tool/printable), and the sums'. */
struct advise_failure {
    const char *sender, *type, *host;
    int32_t     day;
};

struct advise_evidence {
    bool     given;    /* reports were given to look at, be it that none is of this domain */
    uint32_t unread;   /* files that could not be read: the caller's to fill in */
    uint32_t days;     /* that count, each once, whoever reports of it */
    uint32_t senders;  /* that report of them */
    int32_t  last_day; /* of these; REPORT_NO_DAY: none */
    uint64_t worked;   /* sessions on these days */
    bool     enforced; /* the policy that a sender has seen last was in mode enforce */
    int32_t  mode_day; /* when that was; REPORT_NO_DAY: nobody said */
    uint32_t older;    /* days like these, but of before */
    uint32_t failures; /* not explained; by sender, type and host */
    uint32_t explained;
    int32_t
        clean_on; /* the first day on which these failures may count no more; REPORT_NO_DAY: none */
    struct advise_failure example; /* the last; only where there are failures */
};

/* What counts. */
struct advise_wanted {
    const char *domain;   /* canonical */
    int32_t     today;    /* days since 1970, UTC */
    int32_t     since;    /* days before this one are older; REPORT_NO_DAY: no other bound */
    bool        enforced; /* only days on which the sender saw mode enforce */
};

/* sums NULL: no reports were given. */
void advise_evidence(const struct report_sums *sums, const struct advise_wanted *wanted,
                     struct advise_evidence *evidence);

#endif
