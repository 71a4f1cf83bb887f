#include "common/hostname.h"
#include "tool/datetime.h"
#include "tool/report_sums_internal.h"

#include <stdlib.h>
#include <string.h>

struct report_counter {
    struct report_wanted wanted;
    struct kept          kept;
    struct report_sums   sums;
    struct region       *sorted;    /* the arrays of sums */
    bool                 is_sorted; /* they have all that was added */
};

/* The report that is being counted. */
struct counting {
    struct report_counter      *counter;
    const struct tlsrpt        *report;
    const struct report_origin *origin;
    const char                 *sender; /* a kept text */
    int32_t                     day;
};

struct report_counter *report_counter_new(const struct report_wanted *wanted)
{
    struct report_counter *counter = calloc(1, sizeof(*counter));

    if (counter == NULL)
        return NULL;
    counter->wanted = *wanted;
    if (kept_init(&counter->kept))
        return counter;
    report_counter_free(counter);
    return NULL;
}

void report_counter_free(struct report_counter *counter)
{
    if (counter == NULL)
        return;
    kept_fini(&counter->kept);
    region_free(counter->sorted);
    free(counter);
}

/* --- Numbers and texts */

/* What would not fit any more stays at the most that fits. */
static void add(uint64_t *sum, int64_t count)
{
    if (count != TLSRPT_UNSAID && __builtin_add_overflow(*sum, (uint64_t)count, sum))
        *sum = UINT64_MAX;
}

/* The canonical form of a name, or what else is written there. name holds HOSTNAME_MAX + 1. */
static const char *canonical(const char *text, char *name)
{
    if (hostname_canonical(text, strlen(text), HOSTNAME_MAX, name) == HOSTNAME_OK)
        return name;
    return text;
}

static const char *domain_of(const struct counting *counting, const struct tlsrpt_policy *policy,
                             char *name)
{
    if (policy->domain != NULL)
        return policy->domain; /* canonical already */
    return counting->origin->domain != NULL ? canonical(counting->origin->domain, name) : "";
}

/* He is named by his organization; a report that leaves it out, by where mail reaches him. */
static const char *sender_of(const struct tlsrpt *report, const struct report_origin *origin)
{
    const char *at = report->contact != NULL ? strrchr(report->contact, '@') : NULL;

    if (report->organization != NULL)
        return report->organization;
    if (at != NULL && at[1] != '\0')
        return at + 1;
    return origin->submitter != NULL ? origin->submitter : "";
}

/* --- Whether a report counts */

static bool is_of_domain(const struct counting *counting)
{
    const char *wanted = counting->counter->wanted.domain;
    char        name[HOSTNAME_MAX + 1];

    for (size_t i = 0; wanted != NULL && i < counting->report->policy_count; i++) {
        if (strcmp(domain_of(counting, &counting->report->policies[i], name), wanted) == 0)
            return true;
    }
    return wanted == NULL;
}

static bool is_wanted(const struct counting *counting)
{
    struct report_sums *sums = &counting->counter->sums;
    int64_t             since = counting->counter->wanted.since;

    if (since != TLSRPT_NO_TIME && counting->report->start == TLSRPT_NO_TIME)
        sums->undated++;
    else if (since != TLSRPT_NO_TIME && counting->report->start < since)
        sums->before++;
    else if (!is_of_domain(counting))
        sums->elsewhere++;
    else
        return true;
    return false;
}

/* How long it is without the blanks at its end, of which a mail and a file may have others. */
static size_t without_blanks(const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL && text[len - 1] != '\0')
        len--;
    return len;
}

static void digest(const struct counting *counting, const char *text, size_t len,
                   uint8_t id[HASH_128_SIZE])
{
    const char *told = counting->report->id;
    struct hash hash;

    hash_128_init(&hash, counting->counter->kept.key);
    hash_128_update(&hash, counting->sender, strlen(counting->sender) + 1);
    if (told != NULL)
        hash_128_update(&hash, told, strlen(told));
    else
        hash_128_update(&hash, text, without_blanks(text, len));
    hash_128_final(&hash, id);
}

/* What tells a report that came twice from another of the same name: its numbers. */
static uint64_t content_of(const struct counting *counting)
{
    struct hash hash;
    uint8_t     sum[HASH_128_SIZE];
    uint64_t    content;

    hash_128_init(&hash, counting->counter->kept.key);
    for (size_t i = 0; i < counting->report->policy_count; i++) {
        const struct tlsrpt_policy *policy = &counting->report->policies[i];
        int64_t                     numbers[] = { policy->type, policy->worked, policy->failed };
        const char                 *domain = policy->domain != NULL ? policy->domain : "";

        hash_128_update(&hash, domain, strlen(domain) + 1);
        hash_128_update(&hash, numbers, sizeof(numbers));
    }
    hash_128_final(&hash, sum);
    memcpy(&content, sum, sizeof(content));
    return content;
}

/* --- Counting */

static bool count_address(struct kept *kept, struct report_failure *failure, const char *address)
{
    const char *text;

    if (address == NULL)
        return true;
    text = kept_text(kept, address);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < failure->from_count; i++) {
        if (failure->from[i] == text)
            return true;
    }
    if (failure->from_count < REPORT_FROM_MAX)
        failure->from[failure->from_count++] = text;
    else
        failure->from_more = true;
    return true;
}

/* Keeps the first text that there is. */
static bool count_text(struct kept *kept, const char **kept_one, const char *text)
{
    if (*kept_one == NULL && text != NULL)
        *kept_one = kept_text(kept, text);
    return text == NULL || *kept_one != NULL;
}

static bool count_detail(const struct counting *counting, struct kept_group *group,
                         const struct tlsrpt_detail *detail)
{
    struct kept           *kept = &counting->counter->kept;
    char                   name[HOSTNAME_MAX + 1];
    const char            *type = detail->result_type != NULL ? detail->result_type : "";
    const char            *host = detail->host != NULL ? canonical(detail->host, name) : "";
    struct report_failure *failure;

    type = kept_text(kept, type);
    host = kept_text(kept, host);
    if (type == NULL || host == NULL)
        return false;
    failure = kept_failure(kept, group, type, host, counting->day);
    if (failure == NULL)
        return false;
    add(&failure->sessions, detail->sessions);
    return count_address(kept, failure, detail->sending_ip) &&
           count_text(kept, &failure->to, detail->receiving_ip) &&
           count_text(kept, &failure->reason, detail->reason) &&
           count_text(kept, &failure->information, detail->information);
}

/* How many failed sessions its details say nothing of; 0 where a number is missing. Those of other
   policies, which may tell of too many, make up for none. */
static int64_t unexplained(const struct tlsrpt_policy *policy)
{
    int64_t left = policy->failed;

    for (size_t i = 0; i < policy->detail_count; i++) {
        if (policy->details[i].sessions == TLSRPT_UNSAID)
            return 0;
        left -= policy->details[i].sessions;
    }
    return left > 0 ? left : 0;
}

static bool count_policy(const struct counting *counting, const struct tlsrpt_policy *policy)
{
    struct kept       *kept = &counting->counter->kept;
    char               name[HOSTNAME_MAX + 1];
    const char        *domain = domain_of(counting, policy, name);
    struct kept_group *group;
    struct report_day *day;

    if (counting->counter->wanted.domain != NULL &&
        strcmp(domain, counting->counter->wanted.domain) != 0)
        return true;
    domain = kept_text(kept, domain);
    group = domain != NULL ? kept_group(kept, domain, counting->sender, policy->type) : NULL;
    day = group != NULL ? kept_day(kept, group, counting->day) : NULL;
    if (day == NULL)
        return false;
    add(&group->group.worked, policy->worked);
    add(&group->group.failed, policy->failed);
    group->group.unsaid += policy->worked == TLSRPT_UNSAID || policy->failed == TLSRPT_UNSAID;
    add(&group->group.unexplained, unexplained(policy));
    add(&day->worked, policy->worked);
    add(&day->failed, policy->failed);
    day->policies++;
    if (policy->mode > day->mode)
        day->mode = policy->mode;
    for (size_t i = 0; i < policy->detail_count; i++) {
        if (!count_detail(counting, group, &policy->details[i]))
            return false;
    }
    return true;
}

static bool count_report(const struct counting *counting, struct report_sender *sender)
{
    counting->counter->sums.reports++;
    sender->reports++;
    for (unsigned odd = 0; odd < TLSRPT_ODDS; odd++)
        sender->odd[odd] += counting->report->odd >> odd & 1;
    for (size_t i = 0; i < counting->report->policy_count; i++) {
        if (!count_policy(counting, &counting->report->policies[i]))
            return false;
    }
    return true;
}

/* A report that is there already is not counted again. False: there is no memory. */
static bool count_once(const struct counting *counting, const char *text, size_t len)
{
    struct kept          *kept = &counting->counter->kept;
    struct report_sender *sender = kept_sender(kept, counting->sender);
    uint64_t              content = content_of(counting);
    struct kept_report   *report;
    uint8_t               id[HASH_128_SIZE];
    bool                  known;

    digest(counting, text, len, id);
    report = kept_report(kept, id, &known);
    if (sender == NULL || report == NULL)
        return false;
    if (!known) {
        report->content = content;
        return count_report(counting, sender);
    }
    counting->counter->sums.duplicates++;
    sender->duplicates++;
    sender->contradictions += report->content != content;
    return true;
}

enum report_counted report_counter_add(struct report_counter *counter, const struct tlsrpt *report,
                                       const struct report_origin *origin, const char *text,
                                       size_t len)
{
    struct counting counting = { .counter = counter, .report = report, .origin = origin };

    counter->is_sorted = false;
    if (!is_wanted(&counting))
        return REPORT_COUNTED;
    if (kept_size(&counter->kept) > REPORT_SUMS_BYTES_MAX)
        return REPORT_FULL;
    counting.day = REPORT_NO_DAY;
    if (report->start != TLSRPT_NO_TIME)
        counting.day = datetime_day(report->start);
    counting.sender = kept_text(&counter->kept, sender_of(report, origin));
    if (counting.sender == NULL || !count_once(&counting, text, len))
        return REPORT_NO_MEMORY;
    return REPORT_COUNTED;
}

const struct report_sums *report_counter_sums(struct report_counter *counter)
{
    if (!counter->is_sorted)
        counter->is_sorted = kept_sort(&counter->kept, &counter->sums, &counter->sorted);
    return counter->is_sorted ? &counter->sums : NULL;
}
