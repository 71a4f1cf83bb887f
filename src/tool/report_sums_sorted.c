#include "tool/report_sums_internal.h"

#include <stdlib.h>
#include <string.h>

static int order_senders(const void *a, const void *b)
{
    return strcmp(((const struct report_sender *)a)->name, ((const struct report_sender *)b)->name);
}

static int order_groups(const void *a, const void *b)
{
    const struct report_group *first = a, *second = b;
    int                        order = strcmp(first->domain, second->domain);

    if (order == 0)
        order = strcmp(first->sender, second->sender);
    return order != 0 ? order : (int)first->type - (int)second->type;
}

static int order_numbers(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

static int order_days(const void *a, const void *b)
{
    return order_numbers(((const struct report_day *)a)->day, ((const struct report_day *)b)->day);
}

static int order_failures(const void *a, const void *b)
{
    const struct report_failure *first = a, *second = b;
    int                          order = strcmp(first->type, second->type);

    if (order == 0)
        order = strcmp(first->host, second->host);
    return order != 0 ? order : order_numbers(first->day, second->day);
}

static void fill_group(struct report_group *group, const struct kept_group *from,
                       struct report_day *days, struct report_failure *failures)
{
    size_t at = 0;

    *group = from->group;
    group->days = days;
    group->failures = failures;
    for (const struct kept_day *each = from->days; each != NULL; each = each->next)
        days[at++] = each->day;
    qsort(days, at, sizeof(*days), order_days);
    at = 0;
    for (const struct kept_failure *each = from->failures; each != NULL; each = each->next)
        failures[at++] = each->failure;
    qsort(failures, at, sizeof(*failures), order_failures);
}

static void fill_groups(const struct kept *kept, struct report_group *groups,
                        struct report_day *days, struct report_failure *failures)
{
    size_t at = 0;

    for (const struct kept_group *each = kept->first_group; each != NULL; each = each->next) {
        fill_group(&groups[at++], each, days, failures);
        days += each->group.day_count;
        failures += each->group.failure_count;
    }
    qsort(groups, at, sizeof(*groups), order_groups);
}

static void fill_senders(const struct kept *kept, struct report_sender *senders)
{
    size_t at = 0;

    for (const struct kept_sender *each = kept->first_sender; each != NULL; each = each->next)
        senders[at++] = each->sender;
    qsort(senders, at, sizeof(*senders), order_senders);
}

bool kept_sort(const struct kept *kept, struct report_sums *sums, struct region **memory)
{
    struct report_sender  *senders;
    struct report_group   *groups;
    struct report_day     *days;
    struct report_failure *failures;

    region_free(*memory);
    *memory = region_new();
    if (*memory == NULL)
        return false;
    senders = region_alloc(*memory, kept->senders.count * sizeof(*senders));
    groups = region_alloc(*memory, kept->groups.count * sizeof(*groups));
    days = region_alloc(*memory, kept->days.count * sizeof(*days));
    failures = region_alloc(*memory, kept->failures.count * sizeof(*failures));
    if (senders == NULL || groups == NULL || days == NULL || failures == NULL)
        return false;
    fill_senders(kept, senders);
    fill_groups(kept, groups, days, failures);
    sums->senders = senders;
    sums->sender_count = kept->senders.count;
    sums->groups = groups;
    sums->group_count = kept->groups.count;
    return true;
}
