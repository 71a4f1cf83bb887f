#include "tool/advise_evidence.h"

#include <string.h>

/* What one sender says under one type, and what it is looked at for. */
struct view {
    const struct report_sums   *sums;
    const struct report_group  *group;
    const struct advise_wanted *wanted;
    struct advise_evidence     *evidence;
};

static bool is_recent(const struct view *view, int32_t day)
{
    return day > view->wanted->today - ADVISE_WINDOW && day <= view->wanted->today;
}

/* --- Days */

/* Was something delivered under a policy in this mode? */
static bool is_of_mode(const struct view *view, const struct report_day *day)
{
    if (day->worked == 0)
        return false;
    return day->mode == TLSRPT_MODE_ENFORCE ||
           (day->mode == TLSRPT_MODE_TESTING && !view->wanted->enforced);
}

static bool counts(const struct view *view, const struct report_day *day)
{
    return is_of_mode(view, day) && is_recent(view, day->day) && day->day >= view->wanted->since;
}

/* days_seen: bits, of the days of the window from today backwards. */
static void add_days(const struct view *view, uint32_t *days_seen)
{
    struct advise_evidence *evidence = view->evidence;
    bool                    any = false;

    if (view->group->type != TLSRPT_STS)
        return;
    for (size_t i = 0; i < view->group->day_count; i++) {
        const struct report_day *day = &view->group->days[i];

        evidence->enforced |= day->mode == TLSRPT_MODE_ENFORCE;
        if (!counts(view, day)) {
            evidence->older += is_of_mode(view, day) && day->day <= view->wanted->today;
            continue;
        }
        any = true;
        *days_seen |= UINT32_C(1) << (view->wanted->today - day->day);
        evidence->worked += day->worked;
        if (day->day > evidence->last_day)
            evidence->last_day = day->day;
    }
    evidence->senders += any;
}

/* --- Failures */

/* Ends when a certificate, STARTTLS or the policy host is mended (RFC 8460 section 4.3). */
static bool can_be_mended(const char *type)
{
    static const char *const types[] = { "starttls-not-supported", "certificate-host-mismatch",
                                         "certificate-expired",    "certificate-not-trusted",
                                         "sts-policy-fetch-error", "sts-policy-invalid",
                                         "sts-webpki-invalid" };

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(type, types[i]) == 0)
            return true;
    }
    return false;
}

static bool has_worked_after(const struct report_group *group, int32_t day)
{
    for (size_t i = 0; i < group->day_count; i++) {
        if (group->days[i].day > day && group->days[i].worked > 0)
            return true;
    }
    return false;
}

/* Has this sender delivered after that day? Who found no policy may have found one later. */
static bool worked_after(const struct view *view, int32_t day)
{
    for (size_t i = 0; i < view->sums->group_count; i++) {
        const struct report_group *group = &view->sums->groups[i];

        if (group->type != TLSRPT_TLSA && strcmp(group->domain, view->group->domain) == 0 &&
            strcmp(group->sender, view->group->sender) == 0 && has_worked_after(group, day))
            return true;
    }
    return false;
}

static void add_failure(const struct view *view, const char *type, const char *host, int32_t day)
{
    struct advise_evidence *evidence = view->evidence;
    bool                    mendable = can_be_mended(type);
    int32_t                 clean_on = mendable ? day + ADVISE_DAYS : day + ADVISE_WINDOW;

    if (day == REPORT_NO_DAY)
        clean_on = view->wanted->today + ADVISE_WINDOW; /* it may be of today */
    else if (!is_recent(view, day) && day <= view->wanted->today)
        return;
    else if (mendable && clean_on <= view->wanted->today && worked_after(view, day)) {
        evidence->explained++;
        return;
    }
    evidence->failures++;
    if (clean_on > evidence->clean_on)
        evidence->clean_on = clean_on;
    if (evidence->example.sender == NULL || day >= evidence->example.day)
        evidence->example = (struct advise_failure){ view->group->sender, type, host, day };
}

static bool is_same(const struct report_failure *a, const struct report_failure *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->host, b->host) == 0;
}

static bool has_detail(const struct report_group *group, int32_t day)
{
    for (size_t i = 0; i < group->failure_count; i++) {
        if (group->failures[i].day == day)
            return true;
    }
    return false;
}

static void add_failures(const struct view *view)
{
    const struct report_group *group = view->group;

    if (group->type == TLSRPT_TLSA)
        return;
    for (size_t i = 0; i < group->failure_count; i++) {
        const struct report_failure *failure = &group->failures[i];

        /* They are in order: the last day of each type and host stands for it. */
        if (i + 1 == group->failure_count || !is_same(failure, failure + 1))
            add_failure(view, failure->type, failure->host, failure->day);
    }
    for (size_t i = 0; i < group->day_count; i++) {
        if (group->days[i].failed > 0 && !has_detail(group, group->days[i].day))
            add_failure(view, "", "", group->days[i].day); /* and not a word of why */
    }
}

void advise_evidence(const struct report_sums *sums, const struct advise_wanted *wanted,
                     struct advise_evidence *evidence)
{
    uint32_t days_seen = 0;

    *evidence = (struct advise_evidence){ .given = sums != NULL,
                                          .last_day = REPORT_NO_DAY,
                                          .clean_on = REPORT_NO_DAY };
    for (size_t i = 0; sums != NULL && i < sums->group_count; i++) {
        const struct view view = { sums, &sums->groups[i], wanted, evidence };

        if (strcmp(view.group->domain, wanted->domain) != 0)
            continue;
        add_days(&view, &days_seen);
        add_failures(&view);
    }
    for (; days_seen != 0; days_seen &= days_seen - 1)
        evidence->days++;
}
