/*
 * tlsrpt: one TLS report (RFC 8460 section 4), as its sender wrote it.
 *
 * Real senders bend the rules. So what is there is read, what is not there is NULL or
 * TLSRPT_UNSAID, and what was odd about it is told in bits: no number is ever made up. Memory is
 * bounded: a text has at most TLSRPT_BYTES_MAX bytes, and its values are counted before they are
 * parsed. Pure functions.
 */
#ifndef TOOL_TLSRPT_H
#define TOOL_TLSRPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TLSRPT_BYTES_MAX = 32 * 1024 * 1024, /* bytes of a report's text */
    TLSRPT_VALUES_MAX = 1000000,         /* JSON values in it: 160 bytes each at most, parsed */
    TLSRPT_DEPTH_MAX = 32,  /* a report has 6 levels, and fields to come may have more */
    TLSRPT_TEXT_MAX = 1000, /* bytes of a text in it; a longer one is not said */
    TLSRPT_WHY_MAX = 200    /* bytes of why one cannot be read, with the NUL */
};

#define TLSRPT_COUNT_MAX INT64_C(1000000000000) /* sessions; no sender has that many in a day */

enum { TLSRPT_UNSAID = -1 };     /* a number of sessions that the sender did not say */
#define TLSRPT_NO_TIME INT64_MIN /* a time that the sender did not say */

/* policy-type. Senders report the same sessions under each: they are never to be added. */
enum tlsrpt_type { TLSRPT_STS, TLSRPT_TLSA, TLSRPT_NONE, TLSRPT_OTHER };

/* "sts", "tlsa", "none" (no-policy-found) or "other". */
const char *tlsrpt_type_name(enum tlsrpt_type type);

/* The mode that a sender saw in an MTA-STS policy (RFC 8461 section 3.2). */
enum tlsrpt_mode { TLSRPT_MODE_UNSAID, TLSRPT_MODE_NONE, TLSRPT_MODE_TESTING, TLSRPT_MODE_ENFORCE };

/* One of failure-details. A text that the sender left out, or left empty, is NULL. */
struct tlsrpt_detail {
    const char *result_type;  /* such as "certificate-expired" */
    const char *sending_ip;   /* sending-mta-ip */
    const char *host;         /* receiving-mx-hostname */
    const char *helo;         /* receiving-mx-helo */
    const char *receiving_ip; /* receiving-ip */
    const char *information;  /* additional-information: where to read more */
    const char *reason;       /* failure-reason-code: free text in practice */
    int64_t     sessions;     /* failed-session-count */
};

struct tlsrpt_policy {
    enum tlsrpt_type type;
    enum tlsrpt_mode mode;   /* in policy-string; of TLSRPT_STS alone */
    const char      *domain; /* policy-domain, canonical where it is a name (common/hostname) */
    int64_t          worked; /* total-successful-session-count */
    int64_t          failed; /* total-failure-session-count */
    struct tlsrpt_detail *details; /* their sum may be another than failed */
    size_t                detail_count;
};

struct tlsrpt {
    const char           *organization; /* organization-name */
    const char           *contact;      /* contact-info */
    const char           *id;           /* report-id, without <> */
    int64_t               start, end;   /* date-range, seconds since 1970 */
    struct tlsrpt_policy *policies;
    size_t                policy_count;
    uint32_t              odd; /* bits of 1 << enum tlsrpt_odd */
};

/* Where real reports leave the RFC's path. */
enum tlsrpt_odd {
    TLSRPT_ODD_LABEL,     /* the mail's label says gzip, and it is not; or the other way round */
    TLSRPT_ODD_BOM,       /* a byte order mark */
    TLSRPT_ODD_UTF8,      /* bytes that are no UTF-8, each read as "?" */
    TLSRPT_ODD_CONTROL,   /* raw control characters in a text, each read as a blank */
    TLSRPT_ODD_KEY_TWICE, /* the last one counts */
    TLSRPT_ODD_FIELD,     /* a value of another kind than the RFC says, passed over */
    TLSRPT_ODD_LONG,      /* a text over TLSRPT_TEXT_MAX, passed over */
    TLSRPT_ODD_EMPTY,     /* a text that is empty */
    TLSRPT_ODD_NO_ORGANIZATION,
    TLSRPT_ODD_NO_CONTACT,
    TLSRPT_ODD_NO_ID,
    TLSRPT_ODD_NO_DATES,    /* one of both is missing, or cannot be read */
    TLSRPT_ODD_DATE_FORM,   /* a date that is not RFC 3339; without a zone it is taken for UTC */
    TLSRPT_ODD_RANGE,       /* another range than one day, such as until 00:00 of the next */
    TLSRPT_ODD_NO_POLICIES, /* an empty list */
    TLSRPT_ODD_NO_DOMAIN,
    TLSRPT_ODD_DOMAIN_FORM,      /* no name in A-labels */
    TLSRPT_ODD_POLICY_TYPE,      /* missing or unknown */
    TLSRPT_ODD_NO_POLICY_STRING, /* where there was a policy */
    TLSRPT_ODD_POLICY_STRING,    /* one text, not an array */
    TLSRPT_ODD_POLICY_LINES,     /* its lines end in CR or LF */
    TLSRPT_ODD_NO_MX_HOST,       /* of type sts */
    TLSRPT_ODD_MX_HOST,          /* one text, not an array */
    TLSRPT_ODD_COUNT_FORM,       /* digits in a text, or 12.0 */
    TLSRPT_ODD_COUNT,            /* negative, broken, too large: not counted */
    TLSRPT_ODD_NO_SUMMARY,       /* a number of sessions is missing, there or in a detail */
    TLSRPT_ODD_NO_DETAILS,       /* failed sessions, and not a word of why */
    TLSRPT_ODD_SUM,              /* details that add up to another number than the summary's */
    TLSRPT_ODD_RESULT_TYPE,      /* missing, or not one of RFC 8460 section 4.3 */
    TLSRPT_ODDS                  /* how many there are */
};

/* In a few words, such as "dates without a zone (taken for UTC)". */
const char *tlsrpt_odd_text(enum tlsrpt_odd odd);

/* A short name that stays, for programs, such as "date-form". */
const char *tlsrpt_odd_name(enum tlsrpt_odd odd);

enum tlsrpt_result {
    TLSRPT_READ,
    TLSRPT_REFUSED, /* it is no report, or over a bound: why says so */
    TLSRPT_NO_MEMORY
};

/*
 * Reads the report at the start of the len bytes of text, in which it may replace bytes that are no
 * UTF-8. On TLSRPT_READ, *report is the caller's to free, valid without the text, and *used is how
 * much of the text it was, with the blanks behind it: senders' files have one report, those of
 * people several. why holds TLSRPT_WHY_MAX bytes, and may quote what a stranger wrote.
 */
enum tlsrpt_result tlsrpt_read(char *text, size_t len, struct tlsrpt **report, size_t *used,
                               char *why);

void tlsrpt_free(struct tlsrpt *report); /* accepts NULL */

#endif
