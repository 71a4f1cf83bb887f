/*
 * check_rules: everything that mta-sts check can find, and how bad each is, twice.
 *
 * One table. A rule has a code for programs, the row of docs/senders.md that it comes from, its
 * effect by the RFC, its effect on the strictest sender and who that is, and what to do about it. A
 * test holds the table against that document.
 */
#ifndef TOOL_CHECK_RULES_H
#define TOOL_CHECK_RULES_H

enum check_step {
    STEP_RECORD,   /* TXT _mta-sts (RFC 8461 section 3.1) */
    STEP_HOST,     /* addresses of the policy host, and whether they can be reached */
    STEP_TLS,      /* its certificate and handshake (section 3.3) */
    STEP_ANSWER,   /* what it answers over HTTP (section 3.3) */
    STEP_POLICY,   /* what the body says (section 3.2) */
    STEP_MX,       /* the domain's MX records against the policy (section 4.1) */
    STEP_STARTTLS, /* each MX host's certificate (section 4.2) */
    STEP_REPORTS,  /* TXT _smtp._tls (RFC 8460 section 3) */
    STEPS
};

/* What comes of it, mildest first. What is worse than a note is a problem. */
enum check_effect {
    EFFECT_NONE,
    EFFECT_NOTE,   /* nobody is hurt */
    EFFECT_UNSEEN, /* it could not be looked at from here */
    EFFECT_RISK,   /* the policy counts, and this may soon, or sometimes, keep it from counting */
    EFFECT_NO_REPORTS, /* nobody is told of failures */
    EFFECT_STALE,      /* senders keep an old policy */
    EFFECT_NO_POLICY,  /* the policy does not count: mail goes unprotected */
    EFFECT_NO_MAIL     /* an enforced policy holds mail up, or has it returned */
};

enum check_code {
#define CHECK_RULE(code, step, name, row, rfc, strictest, senders, advice) code,
#include "tool/check_rules_list.h"
#undef CHECK_RULE
    CHECK_CODES
};

struct check_rule {
    enum check_step   step;
    const char       *name; /* "record-two": stable */
    const char       *row;  /* of docs/senders.md: "D1"; "": none */
    enum check_effect rfc;
    enum check_effect strictest; /* never milder than rfc */
    const char       *senders; /* "tlspol, mox": those of strictest, where rfc is milder; else "" */
    const char       *advice;  /* a sentence or two: what to do */
};

extern const struct check_rule check_rules[CHECK_CODES];

const char *check_step_name(enum check_step step);       /* "record", "starttls" */
const char *check_effect_name(enum check_effect effect); /* "no-policy", "fine" for _NONE */

#endif
