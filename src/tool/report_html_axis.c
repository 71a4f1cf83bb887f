#include "tool/report_html_internal.h"

#include <stdlib.h>

enum {
    WEEK = 7,
    MONTH = 4 * WEEK,
    HALF = HTML_BINS_MAX * MONTH / 2 - MONTH, /* of the days around the one in the middle */
    MONDAY = 3                                /* 1970-01-01 was a Thursday */
};

static int order(const void *first, const void *second)
{
    const int32_t a = *(const int32_t *)first, b = *(const int32_t *)second;

    return (a > b) - (a < b);
}

static size_t count_days(const struct report_sums *sums)
{
    size_t count = 0;

    for (size_t i = 0; i < sums->group_count; i++)
        count += sums->groups[i].day_count;
    return count;
}

/* All that are known, in order. Gives how many. */
static size_t gather(const struct report_sums *sums, int32_t *days)
{
    size_t count = 0;

    for (size_t i = 0; i < sums->group_count; i++) {
        for (size_t j = 0; j < sums->groups[i].day_count; j++) {
            int32_t day = sums->groups[i].days[j].day;

            if (day != REPORT_NO_DAY)
                days[count++] = day;
        }
    }
    qsort(days, count, sizeof(*days), order);
    return count;
}

/* Weeks begin on Mondays. */
static int32_t monday_before(int32_t day)
{
    int32_t past = (day + MONDAY) % WEEK;

    return day - (past < 0 ? past + WEEK : past);
}

static int32_t step_for(int32_t days)
{
    if (days <= HTML_BINS_MAX)
        return 1;
    return days <= (HTML_BINS_MAX - 1) * WEEK ? WEEK : MONTH;
}

static void choose(struct html_axis *axis, const int32_t *days, size_t count)
{
    int64_t middle = days[count / 2];
    size_t  first = 0, last = count - 1;

    while (days[first] < middle - HALF)
        first++;
    while (days[last] > middle + HALF)
        last--;
    axis->first = days[first];
    axis->last = days[last];
    axis->step = step_for(axis->last - axis->first + 1);
    if (axis->step > 1)
        axis->first = monday_before(axis->first);
    axis->bins = (size_t)((axis->last - axis->first) / axis->step) + 1;
}

bool html_axis_init(struct html_axis *axis, struct region *memory, const struct report_sums *sums)
{
    size_t   count = count_days(sums);
    int32_t *days = region_alloc(memory, count * sizeof(*days));

    *axis = (struct html_axis){ .first = 0, .last = -1, .step = 1 };
    if (days == NULL)
        return false;
    count = gather(sums, days);
    if (count > 0)
        choose(axis, days, count);
    return true;
}

size_t html_axis_bin(const struct html_axis *axis, int32_t day)
{
    if (day < axis->first || day > axis->last)
        return axis->bins;
    return (size_t)((day - axis->first) / axis->step);
}
