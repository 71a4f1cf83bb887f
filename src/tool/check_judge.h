/*
 * check_judge: what is wrong with what was seen of a domain, by the RFC and by the strictest sender.
 *
 * A pure function of the facts and the time. What strangers wrote is printable in all texts of a
 * judgement (tool/printable).
 */
#ifndef TOOL_CHECK_JUDGE_H
#define TOOL_CHECK_JUDGE_H

#include "common/region.h"
#include "tool/check_facts.h"
#include "tool/check_rules.h"
#include "wire/policy_body.h"

#include <time.h>

struct check_finding {
    const struct check_rule *rule;
    enum check_effect        rfc, strictest; /* the rule's, or milder ones: see below */
    const char              *where;          /* addresses, hosts; NULL: nothing in particular */
    size_t                   places;         /* how many, also those that where does not name */
    const char              *what;           /* the evidence */
    struct check_finding    *next;           /* in the order of the steps; NULL: the last */
};

enum check_verdict {
    CHECK_FINE,     /* notes at most */
    CHECK_UNSEEN,   /* nothing wrong was seen, but not all could be looked at */
    CHECK_PROBLEMS, /* what stops or endangers mail, its protection, or reports */
    CHECK_VERDICTS
};

struct check_judgement {
    struct check_finding *findings;
    const char        *seen[STEPS]; /* what was seen, in a line; NULL: there was nothing to see */
    enum check_verdict verdict;
    bool               counts_rfc; /* does a policy count? */
    bool               counts_strictest;
    const char        *id; /* of the record; NULL: none */
    bool               has_policy;
    struct policy_body policy;   /* as served; only where has_policy */
    const char       **patterns; /* its mx, policy.mx_count of them */
    bool               lost;     /* there was no memory for all of it */
};

/*
 * What is said of MX hosts is milder than the rules have it where the policy is not enforced: with
 * testing, and where there is no policy that could be read, at most a risk, with none a note; by
 * the RFC at most a risk where its policy does not count. What
 * could not be looked at at one address is a note where another one was.
 */
void check_judge(struct region *region, const struct check_facts *facts, time_t now,
                 struct check_judgement *judgement);

const char *check_verdict_name(enum check_verdict verdict); /* "fine", "unseen", "problems" */

#endif
