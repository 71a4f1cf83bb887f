/*
 * tlsrpt_read on any bytes, and all that is made of what it reads: no state between calls, no number
 * that is none, nothing on a terminal that it would obey.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/report_out.h"
#include "tool/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A copy, since reading may write to it, of just that size. */
static enum tlsrpt_result read_copy(const uint8_t *data, size_t size, struct tlsrpt **report,
                                    size_t *used)
{
    char              *copy = malloc(size > 0 ? size : 1);
    char               why[TLSRPT_WHY_MAX];
    enum tlsrpt_result result;

    require(copy != NULL);
    memcpy(copy, data, size);
    memset(why, 0x5a, sizeof(why));
    *report = NULL;
    result = tlsrpt_read(copy, size, report, used, why);
    require(result != TLSRPT_REFUSED || memchr(why, '\0', sizeof(why)) != NULL);
    free(copy);
    return result;
}

static void require_text(const char *text)
{
    require(text == NULL || (*text != '\0' && strlen(text) <= TLSRPT_TEXT_MAX));
}

static void require_count(int64_t count)
{
    require(count >= TLSRPT_UNSAID && count <= TLSRPT_COUNT_MAX);
}

static void require_policy(const struct tlsrpt_policy *policy)
{
    require(policy->type <= TLSRPT_OTHER && policy->mode <= TLSRPT_MODE_ENFORCE);
    require(policy->type == TLSRPT_STS || policy->mode == TLSRPT_MODE_UNSAID);
    require_text(policy->domain);
    require_count(policy->worked);
    require_count(policy->failed);
    for (size_t i = 0; i < policy->detail_count; i++) {
        const struct tlsrpt_detail *detail = &policy->details[i];

        require_text(detail->result_type);
        require_text(detail->sending_ip);
        require_text(detail->host);
        require_text(detail->helo);
        require_text(detail->receiving_ip);
        require_text(detail->information);
        require_text(detail->reason);
        require_count(detail->sessions);
    }
}

static void require_good(const struct tlsrpt *report)
{
    require_text(report->organization);
    require_text(report->contact);
    require_text(report->id);
    require(report->odd >> TLSRPT_ODDS == 0);
    for (size_t i = 0; i < report->policy_count; i++)
        require_policy(&report->policies[i]);
}

/* Lines of UTF-8, but for the byte that RFC 4180 ends them with, and nothing that a terminal obeys. */
static void require_harmless(const char *text, size_t len)
{
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t code;

        step = utf8_read(text + at, len - at, &code);
        require(step > 0);
        require(code == '\n' || code == '\r' || (code >= ' ' && !(code >= 0x7f && code < 0xa0)));
        require(!(code >= 0x200b && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e));
    }
}

/* What the sums look like in one form; the caller's to free. */
static char *shown(bool (*show)(const struct report_sums *sums, FILE *out),
                   const struct report_sums *sums, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    require(out != NULL && show(sums, out) && fclose(out) == 0);
    require_harmless(text, *len);
    return text;
}

static void require_sums(const struct report_sums *sums)
{
    size_t  len;
    char   *text = shown(report_json, sums, &len);
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    require(json != NULL);
    json_decref(json);
    free(text);
    free(shown(report_text, sums, &len));
    free(shown(report_csv, sums, &len));
    for (size_t i = 0; i < sums->group_count; i++) {
        const struct report_group *group = &sums->groups[i];
        uint64_t                   worked = 0, failed = 0;

        require(group->day_count > 0);
        for (size_t day = 0; day < group->day_count; day++) {
            worked += group->days[day].worked;
            failed += group->days[day].failed;
        }
        require(worked == group->worked && failed == group->failed);
    }
}

/* The same report twice, and once more as another's. */
static void count(const struct tlsrpt *report, const uint8_t *data, size_t size)
{
    static const struct report_wanted all = { .since = TLSRPT_NO_TIME };
    static const struct report_origin none, some = { "submitter.example", "Example.ORG" };
    struct report_counter            *counter = report_counter_new(&all);
    const struct report_sums         *sums;

    require(counter != NULL);
    for (int i = 0; i < 2; i++)
        require(report_counter_add(counter, report, &none, (const char *)data, size) ==
                REPORT_COUNTED);
    sums = report_counter_sums(counter);
    require(sums != NULL && sums->reports == 1 && sums->duplicates == 1);
    require(sums->senders[0].contradictions == 0);
    require_sums(sums);
    require(report_counter_add(counter, report, &some, (const char *)data, size) == REPORT_COUNTED);
    sums = report_counter_sums(counter);
    require(sums != NULL && sums->reports + sums->duplicates == 3);
    require_sums(sums);
    report_counter_free(counter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsrpt     *report, *again;
    size_t             used = 0, used_again = 0;
    enum tlsrpt_result result = read_copy(data, size, &report, &used);

    require(result != TLSRPT_NO_MEMORY);
    require(read_copy(data, size, &again, &used_again) == result && used == used_again);
    if (result == TLSRPT_READ) {
        require(used > 0 && used <= size && again->odd == report->odd);
        require(again->policy_count == report->policy_count);
        require_good(report);
        count(report, data, used);
    }
    tlsrpt_free(report);
    tlsrpt_free(again);
    return 0;
}
