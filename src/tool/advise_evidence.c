#include "tool/advise_evidence.h"

#include <string.h>

/* What one sender says under one type, and what it is looked at for. */
struct view {
    const struct report_group  *groups; /* all of the domain */
    size_t                      group_count;
    const struct report_group  *group; /* this one */
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

/* Which mode has been seen last? */
static void note_mode(const struct view *view, const struct report_day *day)
{
    struct advise_evidence *evidence = view->evidence;
    bool                    enforced = day->mode == TLSRPT_MODE_ENFORCE;

    if (day->mode == TLSRPT_MODE_UNSAID || day->day < evidence->mode_day)
        return;
    evidence->enforced = enforced || (evidence->enforced && day->day == evidence->mode_day);
    evidence->mode_day = day->day;
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

        note_mode(view, day);
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
    for (size_t i = 0; i < view->group_count; i++) {
        const struct report_group *group = &view->groups[i];

        if (group->type != TLSRPT_TLSA && strcmp(group->sender, view->group->sender) == 0 &&
            has_worked_after(group, day))
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

/* The first group of the domain, or of one behind it: they are in order. */
static size_t first_of(const struct report_sums *sums, const char *domain)
{
    size_t from = 0, to = sums->group_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (strcmp(sums->groups[middle].domain, domain) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static size_t count_of(const struct report_sums *sums, size_t first, const char *domain)
{
    size_t at = first;

    while (at < sums->group_count && strcmp(sums->groups[at].domain, domain) == 0)
        at++;
    return at - first;
}

void advise_evidence(const struct report_sums *sums, const struct advise_wanted *wanted,
                     struct advise_evidence *evidence)
{
    struct view view = { .wanted = wanted, .evidence = evidence };
    uint32_t    days_seen = 0;

    *evidence = (struct advise_evidence){ .given = sums != NULL,
                                          .last_day = REPORT_NO_DAY,
                                          .mode_day = REPORT_NO_DAY,
                                          .clean_on = REPORT_NO_DAY };
    if (sums == NULL)
        return;
    view.groups = sums->groups + first_of(sums, wanted->domain);
    view.group_count = count_of(sums, (size_t)(view.groups - sums->groups), wanted->domain);
    for (size_t i = 0; i < view.group_count; i++) {
        view.group = &view.groups[i];
        add_days(&view, &days_seen);
        add_failures(&view);
    }
    for (; days_seen != 0; days_seen &= days_seen - 1)
        evidence->days++;
}
