/* advise_step: situations of a domain, and the step that a careful postmaster takes in each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/advise_step.h"

#define DAY      INT64_C(86400)
#define TODAY    20000 /* days since 1970 */
#define NOW      (TODAY * DAY + 3600)
#define WEEK     604800
#define YEAR     31557600
#define ENFORCED POLICY_ENFORCE
#define TESTING  POLICY_TESTING
#define NONE     POLICY_NONE

/* --- What reports prove */

#define CLEAN(count) \
    .given = true, .days = (count), .last_day = TODAY - 1, .worked = 900, .clean_on = REPORT_NO_DAY

static const struct advise_evidence no_reports = { .last_day = REPORT_NO_DAY,
                                                   .clean_on = REPORT_NO_DAY };
static const struct advise_evidence empty = { .given = true,
                                              .last_day = REPORT_NO_DAY,
                                              .clean_on = REPORT_NO_DAY };
static const struct advise_evidence thirteen = { CLEAN(13), .senders = 2 };
static const struct advise_evidence good = { CLEAN(14), .senders = 2 };
static const struct advise_evidence good_enforced = { CLEAN(20), .senders = 3, .enforced = true };
static const struct advise_evidence one_sender = { CLEAN(25), .senders = 1 };
static const struct advise_evidence explained = { CLEAN(16), .senders = 2, .explained = 2 };
static const struct advise_evidence old = {
    .given = true, .days = 14, .senders = 2, .last_day = TODAY - 8, .clean_on = REPORT_NO_DAY
};
static const struct advise_evidence a_week_old = {
    .given = true, .days = 14, .senders = 2, .last_day = TODAY - 7, .clean_on = REPORT_NO_DAY
};
static const struct advise_evidence unread = { CLEAN(14), .senders = 2, .unread = 1 };
static const struct advise_evidence failing = { .given = true,
                                                .days = 20,
                                                .senders = 2,
                                                .last_day = TODAY - 1,
                                                .failures = 1,
                                                .clean_on = TODAY + 9 };
static const struct advise_evidence failing_for_long = { .given = true,
                                                         .days = 20,
                                                         .senders = 2,
                                                         .last_day = TODAY - 1,
                                                         .failures = 1,
                                                         .clean_on = TODAY - 2 };
static const struct advise_evidence thin_enforced = { CLEAN(3), .senders = 2, .enforced = true };

/* --- What was seen before */

/* clang-format off */
#define SEEN(a_mode, days)                                                                         \
    .first = NOW - 300 * DAY, .last = NOW, .mode = (a_mode), .id = "1", .since = NOW - (days)*DAY, \
    .id_since = NOW - (days)*DAY, .longest = WEEK
/* clang-format on */

static const struct advise_seen nothing_yet = { .first = NOW };
static const struct advise_seen tested = { SEEN(TESTING, 20) };
static const struct advise_seen tested_again = { SEEN(TESTING, 3), .enforced = true };
static const struct advise_seen enforcing = { SEEN(ENFORCED, 20), .enforced = true };
static const struct advise_seen enforcing_new = { SEEN(ENFORCED, 0), .enforced = true };
static const struct advise_seen none_new = { SEEN(NONE, 0), .enforced = true };
static const struct advise_seen none_6_days = { SEEN(NONE, 6), .enforced = true };
static const struct advise_seen none_7_days = { SEEN(NONE, 7), .enforced = true };
static const struct advise_seen none_joined_late = { .first = NOW - 30 * DAY,
                                                     .from_policy = true,
                                                     .last = NOW,
                                                     .mode = NONE,
                                                     .since = NOW - 20 * DAY,
                                                     .longest = WEEK,
                                                     .enforced = true };
static const struct advise_seen enforced_2_days_ago = { .first = NOW - 90 * DAY,
                                                        .last = NOW - 2 * DAY,
                                                        .mode = ENFORCED,
                                                        .since = NOW - 60 * DAY,
                                                        .longest = WEEK,
                                                        .enforced = true };
static const struct advise_seen enforced_8_days_ago = { .first = NOW - 90 * DAY,
                                                        .last = NOW - 8 * DAY,
                                                        .mode = ENFORCED,
                                                        .since = NOW - 60 * DAY,
                                                        .longest = WEEK,
                                                        .enforced = true };
static const struct advise_seen tested_2_days_ago = { .first = NOW - 90 * DAY,
                                                      .last = NOW - 2 * DAY,
                                                      .mode = TESTING,
                                                      .since = NOW - 60 * DAY,
                                                      .longest = WEEK };

/* --- Situations */

#define LOOKED .now = NOW, .looked = true, .mx_looked_at = true
#define SECTION(a_mode, age) \
    .configured = true, .configured_mode = (a_mode), .configured_max_age = (age)
#define SERVED(a_mode, age) .served = true, .mode = (a_mode), .max_age = (age)
#define SAME                .as_configured = true
#define RECORD              .published = true
#define REPORTED            .reports = true
/* All in place, as configured. */
#define OUT(mode, age) LOOKED, SECTION(mode, age), SERVED(mode, age), SAME, RECORD, REPORTED

/* What is to be advised. */
struct wanted {
    enum advise_step step;
    unsigned         missing;
    uint32_t         max_age; /* 0: no line is to be changed */
    enum policy_mode mode;
    int64_t          in; /* days until one is to ask again; 0: not said */
};

static const struct {
    const char             *name;
    struct advise_situation situation;
    struct wanted           wanted;
} rows[] = {
    /* Nothing yet, and the way to testing. */
    { "nothing at all",
      { LOOKED, SAME, .evidence = &no_reports },
      { .step = ADVISE_CONFIGURE, .max_age = WEEK, .mode = TESTING } },
    { "nothing at all, looked at for the second time",
      { LOOKED, SAME, .evidence = &no_reports, .seen = &nothing_yet },
      { .step = ADVISE_CONFIGURE, .max_age = WEEK, .mode = TESTING } },
    { "a domain that takes no mail",
      { LOOKED, .null_mx = true, SAME, .evidence = &no_reports },
      { .step = ADVISE_NOT_NEEDED } },
    { "nothing could be looked at",
      { .now = NOW, SECTION(TESTING, WEEK), .evidence = &no_reports },
      { .step = ADVISE_LOOK_AGAIN } },
    { "configured, the policy host is not there yet",
      { LOOKED, SECTION(TESTING, WEEK), SAME, .problems = 1, .evidence = &no_reports },
      { .step = ADVISE_SERVE } },
    { "enforce is configured at once",
      { LOOKED, SECTION(ENFORCED, WEEK), SAME, .evidence = &no_reports },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = TESTING } },
    { "enforce for a year is configured and served, the record alone is missing",
      { LOOKED, SECTION(ENFORCED, YEAR), SERVED(ENFORCED, YEAR), SAME, REPORTED,
        .evidence = &no_reports },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = TESTING } },
    { "served, but not as configured, and without a record",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), .evidence = &no_reports },
      { .step = ADVISE_RELOAD } },
    { "served, and nobody would hear of failures",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), SAME, .evidence = &no_reports },
      { .step = ADVISE_REPORTS } },
    { "served, and something is wrong with it",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), SAME, REPORTED, .problems = 2,
        .evidence = &no_reports },
      { .step = ADVISE_MEND } },
    { "served, reports asked for, no record",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), SAME, REPORTED,
        .evidence = &no_reports },
      { .step = ADVISE_PUBLISH } },
    { "the record is there, and what it leads to is not",
      { LOOKED, SECTION(TESTING, WEEK), SAME, RECORD, REPORTED, .problems = 1,
        .evidence = &no_reports },
      { .step = ADVISE_MEND } },
    { "a record without a section, and nothing is served",
      { LOOKED, SAME, RECORD, .problems = 1, .evidence = &no_reports },
      { .step = ADVISE_MEND } },

    /* Testing. */
    { "testing, no reports given",
      { OUT(TESTING, WEEK), .evidence = &no_reports },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_REPORTS, .in = 14 } },
    { "testing, no report of this domain",
      { OUT(TESTING, WEEK), .evidence = &empty },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_DAYS | ADVISE_MISSING_SENDERS, .in = 14 } },
    { "testing, a day too few",
      { OUT(TESTING, WEEK), .evidence = &thirteen },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_DAYS, .in = 1 } },
    { "testing, enough",
      { OUT(TESTING, WEEK), .evidence = &good },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing, enough, and state is kept",
      { OUT(TESTING, WEEK), .evidence = &good, .seen = &tested },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing with a max_age of a day: enforce is for a week",
      { OUT(TESTING, 86400), .evidence = &good },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing with a max_age of a year: enforce is for a week",
      { OUT(TESTING, YEAR), .evidence = &good },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing, long enough, but one sender reports alone",
      { OUT(TESTING, WEEK), .evidence = &one_sender },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_SENDERS, .in = 7 } },
    { "testing, reports have stopped coming",
      { OUT(TESTING, WEEK), .evidence = &old },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_FRESH, .in = 7 } },
    { "testing, the last report is of a week ago",
      { OUT(TESTING, WEEK), .evidence = &a_week_old },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing, enough but for a failure of late",
      { OUT(TESTING, WEEK), .evidence = &failing },
      { .step = ADVISE_FAILURES, .in = 9 } },
    { "testing, a failure is old, and its sender has not delivered since",
      { OUT(TESTING, WEEK), .evidence = &failing_for_long },
      { .step = ADVISE_FAILURES, .in = 7 } },
    { "testing, failures that are explained",
      { OUT(TESTING, WEEK), .evidence = &explained },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing, enough, but an MX host's certificate has just ended",
      { OUT(TESTING, WEEK), .problems = 1, .evidence = &good },
      { .step = ADVISE_MEND } },
    { "testing, enough, but the MX hosts could not be looked at",
      { .now = NOW,
        .looked = true,
        SECTION(TESTING, WEEK),
        SERVED(TESTING, WEEK),
        SAME,
        RECORD,
        REPORTED,
        .evidence = &good },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_MX_LOOK } },
    { "testing, enough, but a report could not be read",
      { OUT(TESTING, WEEK), .evidence = &unread },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_UNREAD } },
    { "testing, and where reports go has vanished",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), SAME, RECORD, .evidence = &good },
      { .step = ADVISE_REPORTS } },
    { "testing by somebody else's server, enough",
      { LOOKED, SERVED(TESTING, WEEK), SAME, RECORD, REPORTED, .evidence = &good },
      { .step = ADVISE_ENFORCE, .max_age = WEEK, .mode = ENFORCED } },
    { "testing, the section was changed, the server not reloaded",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .problems = 1, .evidence = &good },
      { .step = ADVISE_RELOAD } },
    { "testing, the body is new, the id is not",
      { OUT(TESTING, WEEK), .stale = true, .evidence = &good },
      { .step = ADVISE_PUBLISH_ID } },

    /* From testing to enforce. */
    { "enforce is configured on thin evidence, nobody has seen it",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, 86400), RECORD, REPORTED, .stale = true,
        .evidence = &thirteen },
      { .step = ADVISE_TAKE_BACK,
        .missing = ADVISE_MISSING_DAYS,
        .max_age = 86400,
        .mode = TESTING } },
    { "enforce is configured and served on thin evidence, DNS has still testing's id",
      { OUT(ENFORCED, 2 * WEEK), .stale = true, .evidence = &one_sender },
      { .step = ADVISE_TAKE_BACK,
        .missing = ADVISE_MISSING_SENDERS,
        .max_age = WEEK,
        .mode = TESTING } },
    { "enforce is configured though something fails",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &failing },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = TESTING } },
    { "enforce is configured as advised",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &good },
      { .step = ADVISE_RELOAD } },
    { "enforce is configured as advised, and then something broke",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .problems = 1, .evidence = &good },
      { .step = ADVISE_MEND } },
    { "back in testing for failures, and enforce again too early",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &failing, .seen = &tested_again },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = TESTING } },
    { "the same without state",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &failing },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = TESTING } },
    { "enforce with another mx is served, DNS has still the id of the policy before",
      { OUT(ENFORCED, WEEK), .stale = true, .evidence = &thin_enforced },
      { .step = ADVISE_PUBLISH_ID } },
    { "the same, with a state that knows that it was enforced",
      { OUT(ENFORCED, WEEK), .stale = true, .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_PUBLISH_ID } },
    { "the same, with a state that has not seen any policy in force",
      { OUT(ENFORCED, WEEK), .stale = true, .evidence = &thin_enforced, .seen = &nothing_yet },
      { .step = ADVISE_PUBLISH_ID } },
    { "back to testing is served for a moment, and enforce goes on",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(TESTING, 86400), RECORD, REPORTED, .stale = true,
        .evidence = &thin_enforced, .seen = &enforcing },
      { .step = ADVISE_RELOAD } },
    { "enforce, and the policy host is gone",
      { LOOKED, SECTION(ENFORCED, WEEK), SAME, RECORD, REPORTED, .problems = 1,
        .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_MEND } },
    { "enforce is configured for a year at once",
      { LOOKED, SECTION(ENFORCED, YEAR), SERVED(TESTING, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &good },
      { .step = ADVISE_TAKE_BACK, .max_age = WEEK, .mode = ENFORCED } },
    { "enforce is served as advised, DNS has still testing's id",
      { OUT(ENFORCED, WEEK), .stale = true, .evidence = &good },
      { .step = ADVISE_PUBLISH_ID } },
    { "enforce is served as advised, DNS has still testing's id, and mail would suffer",
      { OUT(ENFORCED, WEEK), .stale = true, .problems = 1, .evidence = &good },
      { .step = ADVISE_MEND } },

    /* Enforce. */
    { "enforce, too few days",
      { OUT(ENFORCED, WEEK), .evidence = &thin_enforced, .seen = &enforcing },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_DAYS, .in = 11 } },
    { "enforce without any reports",
      { OUT(ENFORCED, WEEK), .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_REPORTS, .in = 14 } },
    { "enforce since today: the first day is half and half",
      { OUT(ENFORCED, WEEK), .evidence = &empty, .seen = &enforcing_new },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_DAYS | ADVISE_MISSING_SENDERS, .in = 15 } },
    { "enforce, enough, and no state",
      { OUT(ENFORCED, WEEK), .evidence = &good_enforced },
      { .step = ADVISE_WAIT, .missing = ADVISE_MISSING_STATE, .in = 14 } },
    { "enforce, enough",
      { OUT(ENFORCED, WEEK), .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_MAX_AGE, .max_age = 2 * WEEK, .mode = ENFORCED } },
    { "enforce for 16 weeks, enough",
      { OUT(ENFORCED, 16 * WEEK), .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_MAX_AGE, .max_age = 32 * WEEK, .mode = ENFORCED } },
    { "enforce for 32 weeks, enough",
      { OUT(ENFORCED, 32 * WEEK), .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_MAX_AGE, .max_age = YEAR - 1, .mode = ENFORCED } },
    { "enforce for a year, all but a second",
      { OUT(ENFORCED, YEAR - 1), .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_KEEP, .in = 28 } },
    { "enforce for a year, which Stalwart takes for a day",
      { OUT(ENFORCED, YEAR), .evidence = &no_reports },
      { .step = ADVISE_MAX_AGE, .max_age = YEAR - 1, .mode = ENFORCED } },
    { "enforce, a longer max_age is configured too early",
      { LOOKED, SECTION(ENFORCED, 2 * WEEK), SERVED(ENFORCED, WEEK), RECORD, REPORTED,
        .stale = true, .evidence = &thin_enforced, .seen = &enforcing },
      { .step = ADVISE_TAKE_BACK,
        .missing = ADVISE_MISSING_DAYS,
        .max_age = WEEK,
        .mode = ENFORCED } },
    { "enforce, too long a max_age is configured",
      { LOOKED, SECTION(ENFORCED, YEAR - 1), SERVED(ENFORCED, WEEK), RECORD, REPORTED,
        .stale = true, .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_TAKE_BACK, .max_age = 2 * WEEK, .mode = ENFORCED } },
    { "enforce, and an MX host that the policy does not have is in DNS",
      { OUT(ENFORCED, WEEK), .problems = 1, .evidence = &good_enforced, .seen = &enforcing },
      { .step = ADVISE_MEND } },
    { "enforce, and failures of late",
      { OUT(ENFORCED, WEEK), .evidence = &failing, .seen = &enforcing },
      { .step = ADVISE_FAILURES, .in = 9 } },
    { "enforce, and the section has an MX host more",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(ENFORCED, WEEK), RECORD, REPORTED, .stale = true,
        .problems = 1, .evidence = &thin_enforced, .seen = &enforcing },
      { .step = ADVISE_RELOAD } },
    { "enforce, and back to testing is configured and served: who looks learns of it by the id",
      { OUT(TESTING, WEEK), .stale = true, .problems = 3, .evidence = &failing,
        .seen = &enforcing },
      { .step = ADVISE_PUBLISH_ID } },

    /* The way out. */
    { "enforce, and no mail comes here any more",
      { OUT(ENFORCED, WEEK), .null_mx = true, .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_LEAVE, .max_age = 86400, .mode = NONE } },
    { "none is configured with a long max_age",
      { LOOKED, SECTION(NONE, WEEK), SERVED(ENFORCED, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_LEAVE, .max_age = 86400, .mode = NONE } },
    { "none with a long max_age is served, and its id is not out yet",
      { OUT(NONE, WEEK), .stale = true, .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_LEAVE, .max_age = 86400, .mode = NONE } },
    { "none is served, and configured with a longer max_age",
      { LOOKED, SECTION(NONE, WEEK), SERVED(NONE, 86400), RECORD, REPORTED, .stale = true,
        .evidence = &no_reports, .seen = &none_6_days },
      { .step = ADVISE_LEAVE, .max_age = 86400, .mode = NONE } },
    { "none is configured, enforce is served",
      { LOOKED, SECTION(NONE, 86400), SERVED(ENFORCED, WEEK), RECORD, REPORTED, .stale = true,
        .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_RELOAD } },
    { "none is served, DNS has still the old id",
      { OUT(NONE, 86400), .stale = true, .evidence = &no_reports, .seen = &enforcing },
      { .step = ADVISE_PUBLISH_ID } },
    { "none is published today",
      { OUT(NONE, 86400), .evidence = &no_reports, .seen = &none_new },
      { .step = ADVISE_LEAVE_WAIT, .in = 8 } },
    { "none, a day too early",
      { OUT(NONE, 86400), .evidence = &no_reports, .seen = &none_6_days },
      { .step = ADVISE_LEAVE_WAIT, .in = 2 } },
    { "none, and the longest max_age is over",
      { OUT(NONE, 86400), .evidence = &no_reports, .seen = &none_7_days },
      { .step = ADVISE_REMOVE } },
    { "none with a long max_age is out already: another id would gain nothing",
      { OUT(NONE, WEEK), .evidence = &no_reports, .seen = &none_7_days },
      { .step = ADVISE_REMOVE } },
    { "none, and nobody knows what was served before",
      { OUT(NONE, 86400), .evidence = &no_reports },
      { .step = ADVISE_LEAVE_WAIT, .in = 366 } },
    { "none, and what was served before the first look is not known",
      { OUT(NONE, 86400), .evidence = &no_reports, .seen = &none_joined_late },
      { .step = ADVISE_LEAVE_WAIT, .in = 336 } },
    { "none, and its host is gone too early",
      { LOOKED, SECTION(NONE, 86400), SAME, RECORD, .problems = 1, .evidence = &no_reports,
        .seen = &none_6_days },
      { .step = ADVISE_MEND } },
    { "none, and the record is gone too early",
      { LOOKED, SECTION(NONE, 86400), SERVED(NONE, 86400), SAME, .evidence = &no_reports,
        .seen = &none_6_days },
      { .step = ADVISE_RESTORE } },
    { "none, and the record is gone in time",
      { LOOKED, SECTION(NONE, 86400), SERVED(NONE, 86400), SAME, .evidence = &no_reports,
        .seen = &none_7_days },
      { .step = ADVISE_LEFT } },
    { "the record was removed while senders keep enforce",
      { LOOKED, SECTION(ENFORCED, WEEK), SERVED(ENFORCED, WEEK), SAME, REPORTED,
        .evidence = &no_reports, .seen = &enforced_2_days_ago },
      { .step = ADVISE_RESTORE } },
    { "record and section were removed while senders keep enforce",
      { LOOKED, SAME, .evidence = &no_reports, .seen = &enforced_2_days_ago },
      { .step = ADVISE_RESTORE, .max_age = 86400, .mode = NONE } },
    { "record and section were removed, and it is over",
      { LOOKED, SAME, .evidence = &no_reports, .seen = &enforced_8_days_ago },
      { .step = ADVISE_CONFIGURE, .max_age = WEEK, .mode = TESTING } },
    { "the record was removed while senders keep testing, which stops no mail",
      { LOOKED, SECTION(TESTING, WEEK), SERVED(TESTING, WEEK), SAME, REPORTED,
        .evidence = &no_reports, .seen = &tested_2_days_ago },
      { .step = ADVISE_PUBLISH } },
};

static int64_t days_until(int64_t when)
{
    return when == 0 ? 0 : when / DAY - TODAY;
}

static bool is_as_wanted(const struct advice *advice, const struct wanted *wanted)
{
    if (advice->step != wanted->step || advice->missing != wanted->missing ||
        days_until(advice->ask_again) != wanted->in || advice->change != (wanted->max_age != 0))
        return false;
    return !advice->change || (advice->mode == wanted->mode && advice->max_age == wanted->max_age);
}

static void each_situation_has_the_step_of_a_careful_postmaster(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct advice advice = advise_next(&rows[i].situation);

        if (is_as_wanted(&advice, &rows[i].wanted))
            continue;
        print_error("%s: %s, missing %u, in %d days, %s %s %u\n", rows[i].name,
                    advise_step_name(advice.step), advice.missing,
                    (int)days_until(advice.ask_again), advice.change ? "change to" : "no change",
                    policy_mode_name(advice.mode), advice.max_age);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static bool is_strengthened(const struct advise_situation *situation)
{
    struct advice advice = advise_next(situation);

    return advice.change && advice.mode == POLICY_ENFORCE &&
           (situation->mode != POLICY_ENFORCE || advice.max_age > situation->max_age);
}

/* Whatever else is so: no row above is advised to enforce, or for longer, once its evidence is thin. */
static void thin_evidence_never_leads_to_more(void **state)
{
    static const struct advise_evidence *const thin[] = { &no_reports,       &empty, &thirteen,
                                                          &one_sender,       &old,   &failing,
                                                          &failing_for_long, &unread };
    size_t                                     strengthened = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct advise_situation situation = rows[i].situation;

        strengthened += is_strengthened(&situation);
        for (size_t j = 0; j < sizeof(thin) / sizeof(*thin); j++) {
            situation.evidence = thin[j];
            if (is_strengthened(&situation))
                fail_msg("%s: with evidence %zu", rows[i].name, j);
        }
        situation = rows[i].situation;
        situation.problems = 1;
        if (is_strengthened(&situation) && situation.as_configured && situation.max_age != YEAR)
            fail_msg("%s: with a problem", rows[i].name);
    }
    assert_true(strengthened > 5);
}

static void max_age_is_doubled_until_the_top(void **state)
{
    uint32_t age = 0;
    int      steps = 0;

    (void)state;
    assert_int_equal(advise_longer(86400), WEEK);
    assert_int_equal(advise_longer(WEEK), 2 * WEEK);
    assert_int_equal(advise_longer(WEEK + 1), 2 * WEEK);
    for (; age != ADVISE_AGE_TOP && steps < 20; steps++)
        age = advise_longer(age);
    assert_int_equal(steps, 7);
}

static void reports_count_from_when_what_they_are_of_began(void **state)
{
    struct advise_seen seen = enforcing;

    (void)state;
    assert_int_equal(advise_evidence_since(NULL), REPORT_NO_DAY);
    assert_int_equal(advise_evidence_since(&tested), REPORT_NO_DAY);
    assert_int_equal(advise_evidence_since(&enforcing), TODAY - 19);
    seen.mx_since = NOW - 3 * DAY; /* the MX hosts are others now */
    assert_int_equal(advise_evidence_since(&seen), TODAY - 2);
    seen = tested;
    seen.mx_since = NOW;
    assert_int_equal(advise_evidence_since(&seen), TODAY + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_the_step_of_a_careful_postmaster),
        cmocka_unit_test(thin_evidence_never_leads_to_more),
        cmocka_unit_test(max_age_is_doubled_until_the_top),
        cmocka_unit_test(reports_count_from_when_what_they_are_of_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
