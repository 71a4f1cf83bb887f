/*
 * report_sums: what many TLS reports say together, by policy domain, sender and policy type.
 *
 * Policy types are counted apart and never added: senders report the same sessions under each. A
 * report that was counted already, by its sender and report-id, is not counted again. Texts are the
 * senders' own, and so to be escaped before they are shown (tool/printable). Memory is bounded by
 * what differs, and REPORT_SUMS_BYTES_MAX.
 */
#ifndef TOOL_REPORT_SUMS_H
#define TOOL_REPORT_SUMS_H

#include "tool/tlsrpt.h"

enum {
    REPORT_SUMS_BYTES_MAX = 256 * 1024 * 1024, /* no report is begun when there are more */
    REPORT_FROM_MAX = 3                        /* sending addresses that a failure names */
};

#define REPORT_NO_DAY INT32_MIN /* a day that the sender did not say; before all others */

/* One failure type at one receiving host on one day. */
struct report_failure {
    const char *type;     /* result-type, as sent; "" where the sender said none */
    const char *host;     /* receiving-mx-hostname in lower case; "" where the sender said none */
    int32_t     day;      /* on which the report began, days since 1970, UTC */
    uint64_t    sessions; /* 0: the sender did not say how many */
    const char *from[REPORT_FROM_MAX]; /* sending addresses, the first ones, each once */
    size_t      from_count;
    bool        from_more;   /* there are others */
    const char *to;          /* a receiving address; NULL: not said */
    const char *reason;      /* the first failure-reason-code; NULL: not said */
    const char *information; /* the first additional-information; NULL: not said */
};

struct report_day {
    int32_t          day;
    uint32_t         policies;       /* how many policies of reports were counted into it */
    uint64_t         worked, failed; /* sessions, as the summaries say */
    enum tlsrpt_mode mode; /* that the sender saw; the strictest of the day; of TLSRPT_STS alone */
};

/* What one sender says of one domain under one policy type. */
struct report_group {
    const char              *domain; /* "" where the sender did not say it */
    const char              *sender;
    enum tlsrpt_type         type;
    uint64_t                 worked, failed; /* of all days */
    uint32_t                 unsaid;       /* how many policies did not say one of these, or both */
    uint64_t                 unexplained;  /* failed ones that no detail of their policy tells of */
    const struct report_day *days;         /* by day */
    size_t                   day_count;    /* at least one */
    const struct report_failure *failures; /* by type, host and day */
    size_t                       failure_count;
};

struct report_sender {
    const char *name;             /* organization-name; where there is none, what else names him */
    uint32_t    reports;          /* that were counted */
    uint32_t    duplicates;       /* that were not, since they were there before */
    uint32_t    contradictions;   /* of these, how many say something else than the first one */
    uint32_t    odd[TLSRPT_ODDS]; /* in how many counted reports; by enum tlsrpt_odd */
};

struct report_sums {
    const struct report_group  *groups; /* by domain, sender and type */
    size_t                      group_count;
    const struct report_sender *senders; /* by name */
    size_t                      sender_count;
    uint32_t                    reports;    /* that were counted */
    uint32_t                    duplicates; /* that were not: there before */
    uint32_t                    before;     /* that began before what was asked for */
    uint32_t undated;   /* whose day is not known, where a time was asked for: not counted */
    uint32_t elsewhere; /* that say nothing of the domain that was asked for */
};

/* Which of them count. */
struct report_wanted {
    int64_t     since; /* seconds since 1970: those that began then or later; TLSRPT_NO_TIME: all */
    const char *domain; /* canonical; NULL: any */
};

/* What the report itself leaves out, from the mail that brought it; each may be NULL. */
struct report_origin {
    const char *submitter; /* a domain */
    const char *domain;    /* the policy domain */
};

struct report_counter;

/* NULL: there is no memory, or no random numbers. wanted is copied, what it points to is not. */
struct report_counter *report_counter_new(const struct report_wanted *wanted);

enum report_counted {
    REPORT_COUNTED,  /* or not, for one of the reasons that the sums have a number of */
    REPORT_FULL,     /* there is too much already that differs; nothing of it was counted */
    REPORT_NO_MEMORY /* the sums are good for nothing any more */
};

/* Counts one report. The text that it was read from tells it from others where it has no id: what a
   mail calls it, the same report in a file does not. */
enum report_counted report_counter_add(struct report_counter *counter, const struct tlsrpt *report,
                                       const struct report_origin *origin, const char *text,
                                       size_t len);

/* The sums of what was added, until the next is; NULL: there is no memory. The counter owns them. */
const struct report_sums *report_counter_sums(struct report_counter *counter);

void report_counter_free(struct report_counter *counter); /* accepts NULL */

#endif
