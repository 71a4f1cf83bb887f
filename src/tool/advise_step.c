#include "tool/advise_step.h"

#include "tool/datetime.h"

static const int64_t day_seconds = 86400;

enum { KEEP_DAYS = 28 }; /* when all is done: a look now and then does */

static struct advice take(enum advise_step step)
{
    return (struct advice){ .step = step };
}

static struct advice change(enum advise_step step, enum policy_mode mode, uint32_t max_age)
{
    return (struct advice){ .step = step, .change = true, .mode = mode, .max_age = max_age };
}

static uint32_t shorter(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t advise_longer(uint32_t max_age)
{
    uint32_t age = ADVISE_AGE_FIRST;

    while (age <= max_age && age <= ADVISE_AGE_TOP / 2)
        age *= 2;
    return age > max_age ? age : ADVISE_AGE_TOP;
}

int32_t advise_evidence_since(const struct advise_seen *seen)
{
    int64_t since;

    if (seen == NULL)
        return REPORT_NO_DAY;
    since = seen->mx_since;
    /* What was reported under a shorter max_age doesn't speak for a longer one. Of mode testing every
       day with reports does, be it from before the first look. */
    if (seen->last != 0 && seen->mode == POLICY_ENFORCE && seen->id_since > since)
        since = seen->id_since;
    return since == 0 ? REPORT_NO_DAY
                      : datetime_day(since) + 1; /* the day itself is half and half */
}

/* --- Is the evidence enough? */

static unsigned missing_of(const struct advise_situation *situation)
{
    const struct advise_evidence *evidence = situation->evidence;
    unsigned                      missing = 0;

    if (!evidence->given)
        missing |= ADVISE_MISSING_REPORTS;
    else if (evidence->days < ADVISE_DAYS)
        missing |= ADVISE_MISSING_DAYS;
    else if (evidence->last_day < datetime_day(situation->now) - ADVISE_FRESH)
        missing |= ADVISE_MISSING_FRESH;
    if (evidence->given && evidence->senders < ADVISE_SENDERS)
        missing |= ADVISE_MISSING_SENDERS;
    if (evidence->unread > 0)
        missing |= ADVISE_MISSING_UNREAD;
    if (!situation->mx_looked_at)
        missing |= ADVISE_MISSING_MX_LOOK;
    return missing;
}

/* For a longer max_age: else each call would advise one, on the same reports. */
static unsigned missing_for_age(const struct advise_situation *situation)
{
    return missing_of(situation) | (situation->seen == NULL ? ADVISE_MISSING_STATE : 0);
}

/* From when the missing days can begin. */
static int64_t counting_from(const struct advise_situation *situation)
{
    int32_t since = advise_evidence_since(situation->seen);

    return since == REPORT_NO_DAY || since * day_seconds < situation->now ? situation->now
                                                                          : since * day_seconds;
}

static struct advice wait_for(const struct advise_situation *situation, unsigned missing)
{
    struct advice advice = take(ADVISE_WAIT);
    int64_t       days = ADVISE_DAYS - (int64_t)situation->evidence->days;

    advice.missing = missing;
    if ((missing & (ADVISE_MISSING_REPORTS | ADVISE_MISSING_DAYS)) != 0)
        advice.ask_again = counting_from(situation) + days * day_seconds;
    else if ((missing & (ADVISE_MISSING_SENDERS | ADVISE_MISSING_FRESH)) != 0)
        advice.ask_again = situation->now + ADVISE_FRESH * day_seconds;
    else if ((missing & ADVISE_MISSING_STATE) != 0)
        advice.ask_again = situation->now + ADVISE_DAYS * day_seconds;
    return advice;
}

static struct advice look_into_failures(const struct advise_situation *situation)
{
    struct advice advice = take(ADVISE_FAILURES);

    advice.ask_again = situation->evidence->clean_on * day_seconds;
    if (advice.ask_again <= situation->now)
        advice.ask_again = situation->now + ADVISE_FRESH * day_seconds;
    return advice;
}

/* --- What senders still keep */

static bool keeps_enforced(const struct advise_situation *situation)
{
    const struct advise_seen *seen = situation->seen;

    return seen != NULL && seen->enforced && situation->now < advise_state_cached_until(seen);
}

static struct advice with_until(const struct advise_situation *situation, struct advice advice)
{
    advice.assumed = situation->seen == NULL || situation->seen->last == 0;
    advice.until = advice.assumed ? situation->now + POLICY_MAX_AGE_MAX
                                  : advise_state_cached_until(situation->seen);
    return advice;
}

/* A record that is gone teaches nobody: who keeps a policy enforces it until it is over, whatever
   becomes of the MX hosts, and hears of no other. */
static struct advice restore(const struct advise_situation *situation)
{
    struct advice advice = take(ADVISE_RESTORE);

    if (!situation->configured)
        advice = change(ADVISE_RESTORE, POLICY_NONE, ADVISE_AGE_LEAVING);
    return with_until(situation, advice);
}

/* --- The way out (RFC 8461 section 8.3) */

static struct advice go_on_leaving(const struct advise_situation *situation)
{
    struct advice wait;

    if (!situation->served)
        return take(ADVISE_MEND);
    if (!situation->as_configured)
        return take(ADVISE_RELOAD);
    if (situation->stale)
        return take(ADVISE_PUBLISH_ID);
    wait = with_until(situation, take(ADVISE_LEAVE_WAIT));
    if (!wait.assumed && situation->now >= wait.until)
        return take(ADVISE_REMOVE);
    wait.ask_again = wait.until + day_seconds - 1; /* the day after, or at midnight that day */
    return wait;
}

static struct advice leave(const struct advise_situation *situation)
{
    bool is_out = situation->served && situation->mode == POLICY_NONE && situation->as_configured;

    if (!situation->published)
        return keeps_enforced(situation) ? restore(situation) : take(ADVISE_LEFT);
    if (situation->configured_max_age > ADVISE_AGE_LEAVING && !(is_out && !situation->stale))
        return change(ADVISE_LEAVE, POLICY_NONE, ADVISE_AGE_LEAVING);
    return go_on_leaving(situation);
}

/* --- The way in */

static struct advice begin(const struct advise_situation *situation)
{
    if (!situation->configured)
        return change(ADVISE_CONFIGURE, POLICY_TESTING, ADVISE_AGE_FIRST);
    if (situation->configured_mode == POLICY_ENFORCE)
        return change(ADVISE_TAKE_BACK, POLICY_TESTING,
                      shorter(situation->configured_max_age, ADVISE_AGE_FIRST));
    if (!situation->served)
        return take(ADVISE_SERVE);
    if (!situation->as_configured)
        return take(ADVISE_RELOAD);
    if (situation->problems > 0)
        return take(ADVISE_MEND);
    return take(situation->reports ? ADVISE_PUBLISH : ADVISE_REPORTS);
}

/* --- Is more configured than may be yet? What senders keep can't be taken back. */

/* Is what was in force last, before this look or at it, enforced? */
static bool was_enforced(const struct advise_situation *situation)
{
    const struct advise_seen *seen = situation->seen;

    if (situation->served && situation->mode == POLICY_ENFORCE && !situation->stale)
        return true;
    return seen != NULL && seen->last != 0 ? seen->mode == POLICY_ENFORCE
                                           : situation->evidence->enforced;
}

/* Enforce, though testing has not shown that it is safe; or with too long a max_age at once. */
static bool is_rash_mode(const struct advise_situation *situation, struct advice *back)
{
    if (situation->configured_mode != POLICY_ENFORCE || was_enforced(situation))
        return false;
    if (missing_of(situation) == 0 && situation->evidence->failures == 0) {
        *back = change(ADVISE_TAKE_BACK, POLICY_ENFORCE, ADVISE_AGE_FIRST);
        return situation->configured_max_age > ADVISE_AGE_FIRST;
    }
    *back = change(ADVISE_TAKE_BACK, POLICY_TESTING,
                   shorter(situation->configured_max_age, ADVISE_AGE_FIRST));
    if (situation->served && situation->mode == POLICY_TESTING)
        back->max_age = situation->max_age; /* then nothing changes outside */
    back->missing = missing_of(situation);
    return true;
}

/* A max_age that is longer than the next step's, or than what is served before that is proven. */
static bool is_rash_age(const struct advise_situation *situation, struct advice *back)
{
    uint32_t allowed = situation->max_age;

    if (situation->configured_mode != POLICY_ENFORCE || !situation->served ||
        situation->mode != POLICY_ENFORCE)
        return false;
    if (missing_for_age(situation) == 0 && situation->evidence->failures == 0)
        allowed = advise_longer(allowed);
    *back = change(ADVISE_TAKE_BACK, POLICY_ENFORCE, allowed);
    back->missing = missing_for_age(situation);
    return situation->configured_max_age > allowed;
}

static bool is_rash(const struct advise_situation *situation, struct advice *back)
{
    return situation->configured && (is_rash_mode(situation, back) || is_rash_age(situation, back));
}

/* --- One step on */

static struct advice raise_max_age(const struct advise_situation *situation)
{
    struct advice keep = take(ADVISE_KEEP);
    unsigned      missing = missing_for_age(situation);

    if (situation->max_age >
        ADVISE_AGE_TOP) /* which Stalwart takes for a day: no evidence needed */
        return change(ADVISE_MAX_AGE, POLICY_ENFORCE, ADVISE_AGE_TOP);
    if (situation->max_age < ADVISE_AGE_TOP)
        return missing != 0
                   ? wait_for(situation, missing)
                   : change(ADVISE_MAX_AGE, POLICY_ENFORCE, advise_longer(situation->max_age));
    keep.ask_again = situation->now + KEEP_DAYS * day_seconds;
    return keep;
}

static struct advice go_on(const struct advise_situation *situation)
{
    unsigned missing = missing_of(situation);

    if (situation->problems > 0 || !situation->served)
        return take(ADVISE_MEND);
    if (!situation->reports)
        return take(ADVISE_REPORTS);
    if (situation->evidence->failures > 0)
        return look_into_failures(situation);
    if (situation->mode == POLICY_ENFORCE)
        return raise_max_age(situation);
    if (missing != 0)
        return wait_for(situation, missing);
    return change(ADVISE_ENFORCE, POLICY_ENFORCE, ADVISE_AGE_FIRST);
}

static struct advice follow_configuration(const struct advise_situation *situation)
{
    bool enforces = situation->configured_mode == POLICY_ENFORCE;
    bool adds = enforces && (!situation->served || situation->mode != POLICY_ENFORCE);

    if (!situation->served || (adds && situation->problems > 0))
        return take(ADVISE_MEND);
    if (!situation->as_configured)
        return take(ADVISE_RELOAD);
    /* A new id makes senders look, and keep what they find: not while mail would suffer from it. */
    if (situation->stale && !(enforces && situation->problems > 0))
        return take(ADVISE_PUBLISH_ID);
    return go_on(situation);
}

struct advice advise_next(const struct advise_situation *situation)
{
    struct advice back;
    bool          wants_none = situation->configured ? situation->configured_mode == POLICY_NONE
                                                     : situation->served && situation->mode == POLICY_NONE;

    if (!situation->looked)
        return take(ADVISE_LOOK_AGAIN);
    if (wants_none)
        return leave(situation);
    if (!situation->published && keeps_enforced(situation))
        return restore(situation);
    if (situation->null_mx)
        return situation->published ? change(ADVISE_LEAVE, POLICY_NONE, ADVISE_AGE_LEAVING)
                                    : take(ADVISE_NOT_NEEDED);
    if (!situation->published)
        return begin(situation);
    if (is_rash(situation, &back))
        return back;
    return situation->configured ? follow_configuration(situation) : go_on(situation);
}

const char *advise_step_name(enum advise_step step)
{
    static const char *const names[ADVISE_STEPS] = {
        [ADVISE_LOOK_AGAIN] = "look-again",
        [ADVISE_MEND] = "mend",
        [ADVISE_FAILURES] = "failures",
        [ADVISE_NOT_NEEDED] = "not-needed",
        [ADVISE_CONFIGURE] = "configure",
        [ADVISE_TAKE_BACK] = "take-back",
        [ADVISE_SERVE] = "serve",
        [ADVISE_RELOAD] = "reload",
        [ADVISE_REPORTS] = "reports",
        [ADVISE_PUBLISH] = "publish",
        [ADVISE_PUBLISH_ID] = "publish-id",
        [ADVISE_WAIT] = "wait",
        [ADVISE_ENFORCE] = "enforce",
        [ADVISE_MAX_AGE] = "max-age",
        [ADVISE_KEEP] = "keep",
        [ADVISE_RESTORE] = "restore",
        [ADVISE_LEAVE] = "leave",
        [ADVISE_LEAVE_WAIT] = "leave-wait",
        [ADVISE_REMOVE] = "remove",
        [ADVISE_LEFT] = "left",
    };

    return names[step];
}
