#include "tool/advise_see.h"

#include "common/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_found(const struct check_judgement *judgement, enum check_code code,
                     enum check_effect least)
{
    for (const struct check_finding *finding = judgement->findings; finding;
         finding = finding->next) {
        if (finding->rule == &check_rules[code] && finding->strictest >= least)
            return true;
    }
    return false;
}

static bool is_any_found(const struct check_judgement *judgement, const enum check_code *codes,
                         size_t count, enum check_effect least)
{
    for (size_t i = 0; i < count; i++) {
        if (is_found(judgement, codes[i], least))
            return true;
    }
    return false;
}

static bool is_looked_at(const struct check_judgement *judgement)
{
    static const enum check_code unseen[] = { RECORD_DNS_FAILED, HOST_DNS_FAILED, HOST_UNSEEN,
                                              MX_DNS_FAILED, REPORTS_DNS_FAILED };

    /* As a note it is of one address, and another was seen. */
    return !is_any_found(judgement, unseen, sizeof(unseen) / sizeof(*unseen), EFFECT_UNSEEN);
}

static bool are_exchangers_looked_at(const struct check_judgement *judgement)
{
    static const enum check_code unseen[] = { MX_MANY, SMTP_UNSEEN, SMTP_MANY, SMTP_REFUSED };

    return !is_any_found(judgement, unseen, sizeof(unseen) / sizeof(*unseen), EFFECT_UNSEEN);
}

/* Would a sender that was led here by a record take it? */
static bool is_served(const struct check_judgement *judgement)
{
    for (const struct check_finding *finding = judgement->findings; finding;
         finding = finding->next) {
        enum check_step step = finding->rule->step;

        if (finding->rfc == EFFECT_NO_POLICY && step >= STEP_HOST && step <= STEP_POLICY)
            return false;
    }
    return judgement->has_policy && judgement->policy.has_age &&
           judgement->policy.mode != BODY_MODE_MISSING;
}

static enum policy_mode mode_of(enum policy_body_mode mode)
{
    if (mode == BODY_MODE_ENFORCE)
        return POLICY_ENFORCE;
    return mode == BODY_MODE_TESTING ? POLICY_TESTING : POLICY_NONE;
}

bool advise_is_problem(const struct check_finding *finding)
{
    static const enum check_code steps[] = { RECORD_MISSING, RECORD_STALE, POLICY_NOT_CONFIGURED };

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        if (finding->rule == &check_rules[steps[i]])
            return false;
    }
    return finding->strictest > EFFECT_UNSEEN;
}

static uint32_t count_problems(const struct check_judgement *judgement)
{
    uint32_t count = 0;

    for (const struct check_finding *finding = judgement->findings; finding;
         finding = finding->next)
        count += advise_is_problem(finding);
    return count;
}

void advise_see(const struct check_facts *facts, const struct check_judgement *judgement,
                int64_t now, struct advise_situation *situation)
{
    static const enum check_code no_record[] = { RECORD_MISSING, RECORD_ALMOST };
    static const enum check_code no_reports[] = { REPORTS_MISSING, REPORTS_ALMOST };

    *situation = (struct advise_situation){
        .now = now,
        .looked = is_looked_at(judgement),
        .null_mx = is_found(judgement, MX_NULL, EFFECT_NONE),
        .configured = facts->configured != NULL,
        .published = !is_any_found(judgement, no_record, 2, EFFECT_NONE),
        .stale = is_found(judgement, RECORD_STALE, EFFECT_NONE),
        .served = is_served(judgement),
        .as_configured = !is_found(judgement, POLICY_NOT_CONFIGURED, EFFECT_NONE),
        .reports = !is_any_found(judgement, no_reports, 2, EFFECT_NONE),
        .problems = count_problems(judgement),
        .mx_looked_at = facts->smtp && are_exchangers_looked_at(judgement),
    };
    if (facts->configured != NULL) {
        situation->configured_mode = facts->configured->mode;
        situation->configured_max_age = facts->configured->max_age;
    }
    if (situation->served) {
        situation->mode = mode_of(judgement->policy.mode);
        situation->max_age = judgement->policy.max_age;
    }
}

/* --- The look */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Which MX hosts there are, whatever their order. */
static bool digest_mx(const struct check_facts *facts, char *digest)
{
    static const uint8_t key[HASH_KEY_SIZE] =
        "mta-sts advise"; /* no stranger gains by a collision */
    const char **names = calloc(facts->mx_count + 1, sizeof(*names));
    uint8_t      out[HASH_128_SIZE];
    struct hash  hash;

    if (names == NULL)
        return false;
    for (size_t i = 0; i < facts->mx_count; i++)
        names[i] = facts->mx[i].written;
    qsort(names, facts->mx_count, sizeof(*names), compare);
    hash_128_init(&hash, key);
    for (size_t i = 0; i < facts->mx_count; i++)
        hash_128_update(&hash, names[i], strlen(names[i]) + 1);
    hash_128_final(&hash, out);
    for (size_t i = 0; i < ADVISE_MX_DIGEST / 2; i++)
        snprintf(digest + 2 * i, 3, "%02x", out[i]);
    free(names);
    return true;
}

bool advise_see_look(const struct check_facts *facts, const struct check_judgement *judgement,
                     const struct advise_situation *situation, struct advise_look *look)
{
    *look = (struct advise_look){
        .now = situation->now,
        .published = situation->published,
        .served = situation->served,
        .in_force = situation->published && situation->served && !situation->stale &&
                    situation->as_configured && judgement->id != NULL,
        .mode = situation->mode,
        .max_age = situation->max_age < POLICY_MAX_AGE_MAX ? situation->max_age
                                                           : POLICY_MAX_AGE_MAX,
        .id = judgement->id,
    };
    return digest_mx(facts, look->mx);
}
