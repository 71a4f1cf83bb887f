/* The JSON of a domain that was checked (docs/mta-sts.1 says what is in it). */
#include "tool/check_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes UTF-8 alone. A stranger's bytes that are none become "?". */
static json_t *bytes(const char *at, size_t len)
{
    json_t *value = json_stringn(at, len);
    char   *copy = value == NULL ? malloc(len + 1) : NULL;

    if (copy == NULL)
        return value;
    for (size_t i = 0; i < len; i++)
        copy[i] = (char)((unsigned char)at[i] < 0x80 ? at[i] : '?');
    value = json_stringn(copy, len);
    free(copy);
    return value;
}

static json_t *text(const char *string)
{
    return string == NULL ? json_null() : bytes(string, strlen(string));
}

static const char *result_name(enum visit_result result)
{
    static const char *const names[] = {
        [VISIT_OK] = "ok",
        [VISIT_NO_WAY] = "no-way",
        [VISIT_DEAD] = "dead",
        [VISIT_TLS_OLD] = "tls-old",
        [VISIT_TLS_FAILED] = "tls-failed",
        [VISIT_UNTRUSTED] = "untrusted",
        [VISIT_TIMED_OUT] = "timed-out",
        [VISIT_BROKEN] = "broken",
        [VISIT_NO_STARTTLS] = "no-starttls",
        [VISIT_REFUSED] = "refused",
        [VISIT_UNTRIED] = "untried",
        [VISIT_NO_MEMORY] = "no-memory",
    };

    return names[result];
}

static json_t *certificate(const struct chain *chain)
{
    if (!chain->present)
        return json_null();
    return json_pack("{s:o, s:o, s:I, s:I}", "names", text(chain->names), "issuer",
                     text(chain->issuer), "not_before", (json_int_t)chain->not_before, "not_after",
                     (json_int_t)chain->not_after);
}

static json_t *place(const struct check_place *place)
{
    const struct visit *visit = &place->visit;

    return json_pack("{s:o, s:s, s:o, s:f, s:i, s:o, s:o}", "address", text(place->address),
                     "result", result_name(visit->result), "why", text(visit->why), "seconds",
                     visit->seconds, "status", (int)visit->status, "content_type",
                     text(visit->content_type), "certificate", certificate(&visit->chain));
}

static json_t *places(const struct check_places *places_)
{
    json_t *array = json_array();

    for (size_t i = 0; i < places_->count; i++)
        json_array_append_new(array, place(&places_->at[i]));
    return array;
}

static json_t *exchangers(const struct check_facts *facts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct check_mx *mx = &facts->mx[i];

        json_array_append_new(
            array, json_pack("{s:o, s:i, s:o}", "host", text(mx->written), "preference",
                             (int)mx->preference, "addresses",
                             mx->exchanger == NULL ? json_null() : places(&mx->exchanger->places)));
    }
    return array;
}

static json_t *texts(const struct resolver_answer *answer)
{
    json_t *array = json_array();

    for (size_t i = 0; i < answer->count; i++)
        json_array_append_new(array, bytes(answer->records[i].text, answer->records[i].len));
    return array;
}

static json_t *policy(const struct check_judgement *judgement)
{
    json_t *mx;

    if (!judgement->has_policy)
        return json_null();
    mx = json_array();
    for (size_t i = 0; i < judgement->policy.mx_count; i++)
        json_array_append_new(mx, text(judgement->patterns[i]));
    return json_pack(
        "{s:s?, s:o, s:o}", "mode", policy_body_mode_name(judgement->policy.mode), "max_age",
        judgement->policy.has_age ? json_integer(judgement->policy.max_age) : json_null(), "mx",
        mx);
}

static json_t *finding(const struct check_finding *finding)
{
    const struct check_rule *rule = finding->rule;

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "step",
                     check_step_name(rule->step), "code", rule->name, "row", rule->row, "rfc",
                     check_effect_name(finding->rfc), "strictest",
                     check_effect_name(finding->strictest), "senders", rule->senders, "where",
                     text(finding->where), "evidence", text(finding->what), "advice", rule->advice);
}

static json_t *findings(const struct check_judgement *judgement)
{
    json_t *array = json_array();

    for (const struct check_finding *at = judgement->findings; at != NULL; at = at->next)
        json_array_append_new(array, finding(at));
    return array;
}

bool check_print_json(const struct check_facts *facts, const struct check_judgement *judgement)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:{s:b, s:b}, s:{s:o, s:o}, s:{s:s, s:o}, s:o, s:o, s:o, s:o}", "domain",
        facts->domain, "verdict", check_verdict_name(judgement->verdict), "counts", "rfc",
        judgement->counts_rfc, "strictest", judgement->counts_strictest, "record", "id",
        text(judgement->id), "texts", texts(&facts->record), "host", "name", facts->host,
        "addresses", places(&facts->places), "policy", policy(judgement), "mx", exchangers(facts),
        "reports", texts(&facts->reports), "findings", findings(judgement));
    bool printed = object != NULL &&
                   json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4)) == 0;

    json_decref(object);
    return printed;
}
