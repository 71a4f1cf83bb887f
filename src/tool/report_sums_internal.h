/*
 * report_sums_internal: what is counted, while it is.
 *
 * report_sums decides which reports count, report_sums_kept keeps what differs (texts, senders,
 * groups, days, failures: each once, in one region, found by its hash), report_sums_sorted makes
 * arrays of it.
 */
#ifndef TOOL_REPORT_SUMS_INTERNAL_H
#define TOOL_REPORT_SUMS_INTERNAL_H

#include "common/hash.h"
#include "common/region.h"
#include "tool/report_sums.h"
#include "tool/report_table.h"

struct kept_sender {
    struct kept_sender  *next;
    struct report_sender sender;
};

struct kept_day {
    struct kept_group *group;
    struct kept_day   *next; /* of the group */
    struct report_day  day;
};

struct kept_failure {
    struct kept_group    *group;
    struct kept_failure  *next; /* of the group */
    struct report_failure failure;
};

struct kept_group {
    struct kept_group   *next;
    struct kept_day     *days;
    struct kept_failure *failures;
    struct report_group  group; /* with the numbers of days and failures */
};

/* A report that was counted. */
struct kept_report {
    uint8_t  id[HASH_128_SIZE]; /* of sender and report-id */
    uint64_t content;           /* of what it says */
};

struct kept {
    uint8_t             key[HASH_KEY_SIZE]; /* no stranger can choose what collides */
    struct region      *region;
    struct report_table texts, senders, groups, days, failures, reports;
    struct kept_sender *first_sender;
    struct kept_group  *first_group;
};

bool kept_init(struct kept *kept); /* false: there is no memory, or no random numbers */
void kept_fini(struct kept *kept);

/* Bytes of all that is kept, and of what finds it. */
size_t kept_size(const struct kept *kept);

/* Each gives what is there, or makes it, all zero but for what it is found by. NULL: there is no
   memory. */
const char            *kept_text(struct kept *kept, const char *text);
struct report_sender  *kept_sender(struct kept *kept, const char *name);
struct kept_group     *kept_group(struct kept *kept, const char *domain, const char *sender,
                                  enum tlsrpt_type type);
struct report_day     *kept_day(struct kept *kept, struct kept_group *group, int32_t number);
struct report_failure *kept_failure(struct kept *kept, struct kept_group *group, const char *type,
                                    const char *host, int32_t day);
/* *known: it was there. */
struct kept_report *kept_report(struct kept *kept, const uint8_t id[HASH_128_SIZE], bool *known);

/* The arrays of sums, in memory that *memory keeps. False: there is not enough. */
bool kept_sort(const struct kept *kept, struct report_sums *sums, struct region **memory);

#endif
