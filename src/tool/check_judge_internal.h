/*
 * check_judge_internal: what the steps of check_judge share. Each step is a function, called in the
 * order of enum check_step; a later one may read what an earlier one left in the judgement.
 */
#ifndef TOOL_CHECK_JUDGE_INTERNAL_H
#define TOOL_CHECK_JUDGE_INTERNAL_H

#include "tool/check_judge.h"

/* The findings of one rule. */
struct judge_tally {
    size_t                found; /* also those that were not kept */
    struct check_finding *last;  /* that was kept */
};

struct judge {
    struct region            *region;
    const struct check_facts *facts;
    time_t                    now;
    struct check_judgement   *out;
    struct check_finding    **last;      /* where the next finding goes */
    bool                     *malformed; /* which of the judgement's patterns are told of as such */
    struct judge_tally        tallies[CHECK_CODES];
    size_t                    unsaid[STEPS]; /* that judge_see did not keep */
};

void judge_record(struct judge *judge);
void judge_host(struct judge *judge);
void judge_tls(struct judge *judge);
void judge_answer(struct judge *judge);
void judge_policy(struct judge *judge);
void judge_mx(struct judge *judge);
void judge_starttls(struct judge *judge);
void judge_reports(struct judge *judge);

/* What is found the same at several places is one finding with all of them, and as bad as the worst.
   where may be NULL. Of many places, and of many findings of one rule, the first are kept, and the
   last of these says how many more there are. */
void judge_find(struct judge *judge, enum check_code code, const char *where, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* The same, but a note at worst. */
void judge_note(struct judge *judge, enum check_code code, const char *where, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* What was seen in a step; more is put behind it, with a comma between. */
void judge_see(struct judge *judge, enum check_step step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A stranger's bytes as a string: cut with "..." where they are many, and without NUL. */
const char *judge_quote(struct judge *judge, struct txt_slice slice);

/* Names for what a chain can lack, in one step. */
struct judge_chain_codes {
    enum check_code failed, old, wrong_name, deep_wildcard, no_san, expired, not_yet, self_signed,
        no_intermediate, untrusted, ends_soon;
};

/* All that is wrong with the TLS of a place that was visited for host. */
void judge_chain(struct judge *judge, const struct judge_chain_codes *codes, const char *where,
                 const char *host, const struct visit *visit);

/* Was it left unseen, for a reason that is not the place's own? */
bool judge_unseen(const struct check_place *place);

/* "until 2026-12-01, 7 days left", as far as there are any. */
enum { JUDGE_TERM_MAX = 64 };
const char *judge_term(const struct judge *judge, time_t end, char out[JUDGE_TERM_MAX]);

/* Was there a conversation, good or bad, at this place? */
bool judge_reached(const struct check_place *place);
bool judge_any_reached(const struct check_places *places);

/* Of these places, those whose address means another machine, or none, to whoever is elsewhere:
   what was seen there, perhaps on this very machine, is not what a sender gets. */
void judge_local(struct judge *judge, enum check_code code, const char *host,
                 const struct check_places *places);

/* Did DNS fail to answer? Else there are records, or there are none. */
bool judge_unanswered(const struct resolver_answer *answer);

#endif
