#include "tool/check_rules.h"

const struct check_rule check_rules[CHECK_CODES] = {
#define CHECK_RULE(code, step, name, row, rfc, strictest, senders, advice) \
    [code] = { step, name, row, rfc, strictest, senders, advice },
#include "tool/check_rules_list.h"
#undef CHECK_RULE
};

const char *check_step_name(enum check_step step)
{
    static const char *const names[] = {
        [STEP_RECORD] = "record",     [STEP_HOST] = "host",       [STEP_TLS] = "tls",
        [STEP_ANSWER] = "answer",     [STEP_POLICY] = "policy",   [STEP_MX] = "mx",
        [STEP_STARTTLS] = "starttls", [STEP_REPORTS] = "reports",
    };

    return names[step];
}

const char *check_effect_name(enum check_effect effect)
{
    static const char *const names[] = {
        [EFFECT_NONE] = "fine",
        [EFFECT_NOTE] = "note",
        [EFFECT_UNSEEN] = "unseen",
        [EFFECT_RISK] = "risk",
        [EFFECT_NO_REPORTS] = "no-reports",
        [EFFECT_STALE] = "stale",
        [EFFECT_NO_POLICY] = "no-policy",
        [EFFECT_NO_MAIL] = "no-mail",
    };

    return names[effect];
}
