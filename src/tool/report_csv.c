#include "tool/printable.h"
#include "tool/report_out.h"
#include "tool/report_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In quotes. What a spreadsheet would take for a formula has a ' before it. */
static void put(FILE *out, const char *text)
{
    size_t len;

    fputc('"', out);
    if (*text != '\0' && strchr("=+-@", *text) != NULL)
        fputc('\'', out);
    while (*text != '\0') {
        len = strcspn(text, "\"");
        printable_put_bytes(text, len, out);
        text += len;
        if (*text == '"') {
            fputs("\"\"", out);
            text++;
        }
    }
    fputc('"', out);
}

/* The columns that all lines have. */
static void put_place(FILE *out, const struct report_group *group, int32_t day,
                      const char *result_type)
{
    char text[REPORT_DAY_TEXT_MAX];

    put(out, group->domain);
    fputc(',', out);
    put(out, group->sender);
    fprintf(out, ",%s,", tlsrpt_type_name(group->type));
    put(out, result_type);
    fprintf(out, ",%s,", day != REPORT_NO_DAY ? report_day_text(day, text) : "");
}

static void put_day(FILE *out, const struct report_group *group, const struct report_day *day)
{
    put_place(out, group, day->day, "");
    fprintf(out, "%" PRIu64 ",%" PRIu64 ",\r\n", day->worked, day->failed);
}

static int by_type_and_day(const void *a, const void *b)
{
    const struct report_failure *first = *(const struct report_failure *const *)a;
    const struct report_failure *second = *(const struct report_failure *const *)b;
    int                          order = strcmp(first->type, second->type);

    return order != 0 ? order : (first->day > second->day) - (first->day < second->day);
}

/* What one failure type comes to on one day, at all hosts. failures are in that order. Gives how
   many it put. */
static size_t put_failure(FILE *out, const struct report_group *group,
                          const struct report_failure *const *failures, size_t count)
{
    uint64_t sessions = 0;
    size_t   at = 0;

    for (; at < count && by_type_and_day(&failures[at], &failures[0]) == 0; at++) {
        if (__builtin_add_overflow(sessions, failures[at]->sessions, &sessions))
            sessions = UINT64_MAX;
    }
    put_place(out, group, failures[0]->day, failures[0]->type);
    if (sessions > 0)
        fprintf(out, ",,%" PRIu64 "\r\n", sessions);
    else
        fputs(",,\r\n", out); /* it is not said */
    return at;
}

static bool put_failures(FILE *out, const struct report_group *group)
{
    size_t                        count = group->failure_count, at = 0;
    const struct report_failure **failures = calloc(count + 1, sizeof(*failures));

    if (failures == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        failures[i] = &group->failures[i];
    qsort(failures, count, sizeof(*failures), by_type_and_day);
    while (at < count)
        at += put_failure(out, group, failures + at, count - at);
    free(failures);
    return true;
}

bool report_csv(const struct report_sums *sums, FILE *out)
{
    fputs("domain,sender,policy_type,result_type,day,worked,failed,sessions\r\n", out);
    for (size_t i = 0; i < sums->group_count; i++) {
        const struct report_group *group = &sums->groups[i];

        for (size_t day = 0; day < group->day_count; day++)
            put_day(out, group, &group->days[day]);
        if (!put_failures(out, group))
            return false;
    }
    return true;
}
