/* What the body says (RFC 8461 section 3.2), and whether it is what is configured. */
#include "tool/check_judge_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const enum check_code codes[] = {
    [BODY_EMPTY] = ANSWER_EMPTY,
    [BODY_HTML] = ANSWER_HTML,
    [BODY_BOM] = POLICY_BOM,
    [BODY_LF] = POLICY_LF,
    [BODY_CR] = POLICY_CR,
    [BODY_NUL] = POLICY_CONTROL,
    [BODY_BLANK_LINE] = POLICY_BLANK_LINE,
    [BODY_BLANK_LINE_AT_END] = POLICY_BLANK_LINE_AT_END,
    [BODY_BLANKS_LINE] = POLICY_BLANKS_LINE,
    [BODY_NO_LAST_END] = POLICY_NO_LAST_END,
    [BODY_NO_COLON] = POLICY_NO_COLON,
    [BODY_COMMENT] = POLICY_COMMENT,
    [BODY_BLANK_BEFORE_KEY] = POLICY_BLANK_BEFORE_KEY,
    [BODY_BLANK_BEFORE_COLON] = POLICY_BLANK_BEFORE_COLON,
    [BODY_KEY_CASE] = POLICY_KEY_CASE,
    [BODY_BAD_KEY] = POLICY_BAD_KEY,
    [BODY_UNKNOWN_KEY] = POLICY_UNKNOWN_KEY,
    [BODY_SECOND_COLON] = POLICY_SECOND_COLON,
    [BODY_NO_VALUE] = POLICY_NO_VALUE,
    [BODY_BAD_VALUE] = POLICY_BAD_VALUE,
    [BODY_UTF8] = POLICY_UTF8,
    [BODY_VERSION_NOT_FIRST] = POLICY_VERSION_NOT_FIRST,
    [BODY_NO_VERSION] = POLICY_NO_VERSION,
    [BODY_WRONG_VERSION] = POLICY_WRONG_VERSION,
    [BODY_VERSION_CASE] = POLICY_VERSION_CASE,
    [BODY_VERSION_TWICE] = POLICY_VERSION_TWICE,
    [BODY_NO_MODE] = POLICY_NO_MODE,
    [BODY_UNKNOWN_MODE] = POLICY_UNKNOWN_MODE,
    [BODY_MODE_CASE] = POLICY_MODE_CASE,
    [BODY_MODE_TWICE] = POLICY_MODE_TWICE,
    [BODY_NO_MX] = POLICY_NO_MX,
    [BODY_NONE_WITHOUT_MX] = POLICY_NONE_WITHOUT_MX,
    [BODY_MX_DOT] = POLICY_MX_DOT,
    [BODY_MX_UPPER] = POLICY_MX_UPPER,
    [BODY_MX_UTF8] = POLICY_MX_UTF8,
    [BODY_MX_STAR] = POLICY_MX_STAR,
    [BODY_MX_INNER_STAR] = POLICY_MX_INNER_STAR,
    [BODY_MX_LEADING_DOT] = POLICY_MX_LEADING_DOT,
    [BODY_MX_IPV4] = POLICY_MX_IPV4,
    [BODY_MX_IPV6] = POLICY_MX_IPV6,
    [BODY_MX_MANY] = POLICY_MX_MANY,
    [BODY_MX_UNDERSCORE] = POLICY_MX_UNDERSCORE,
    [BODY_MX_EMPTY] = POLICY_MX_EMPTY,
    [BODY_MX_BAD] = POLICY_MX_BAD,
    [BODY_MX_TWICE] = POLICY_MX_TWICE,
    [BODY_AGE_ZERO] = POLICY_AGE_ZERO,
    [BODY_NO_AGE] = POLICY_NO_AGE,
    [BODY_AGE_EMPTY] = POLICY_AGE_EMPTY,
    [BODY_AGE_NEGATIVE] = POLICY_AGE_NEGATIVE,
    [BODY_AGE_OVER] = POLICY_AGE_OVER,
    [BODY_AGE_MAX] = POLICY_AGE_MAX,
    [BODY_AGE_DIGITS] = POLICY_AGE_DIGITS,
    [BODY_AGE_UNIT] = POLICY_AGE_UNIT,
    [BODY_AGE_BAD] = POLICY_AGE_BAD,
    [BODY_AGE_SHORT] = POLICY_AGE_SHORT,
    [BODY_AGE_VERY_SHORT] = POLICY_AGE_VERY_SHORT,
    [BODY_AGE_TWICE] = POLICY_AGE_TWICE,
};

/* While a body is read. */
struct reading {
    struct judge *judge;
    bool          none; /* it is no policy at all: the rest of it is no news */
    size_t        patterns;
};

static void on_flaw(void *context, enum policy_body_flaw flaw, struct txt_slice where,
                    unsigned line)
{
    struct reading *reading = context;
    struct judge   *judge = reading->judge;

    if (reading->none)
        return;
    reading->none = flaw == BODY_EMPTY || flaw == BODY_HTML;
    if (flaw >= BODY_MX_DOT && flaw <= BODY_MX_BAD && flaw != BODY_MX_UPPER &&
        flaw != BODY_MX_EMPTY)
        judge->malformed[reading->patterns - 1] = true;
    if (flaw == BODY_HTML)
        return; /* judge_answer has said so */
    if (flaw == BODY_EMPTY)
        judge_find(judge, ANSWER_EMPTY, NULL, "there is nothing in it");
    else if (line == 0)
        judge_find(judge, codes[flaw], NULL, "there is none");
    else
        judge_find(judge, codes[flaw], NULL, "line %u: \"%s\"", line, judge_quote(judge, where));
}

static void count_mx(void *context, struct txt_slice pattern, unsigned line)
{
    (void)pattern;
    (void)line;
    ++*(size_t *)context;
}

static void ignore_flaw(void *context, enum policy_body_flaw flaw, struct txt_slice where,
                        unsigned line)
{
    (void)context;
    (void)flaw;
    (void)where;
    (void)line;
}

static void keep_mx(void *context, struct txt_slice pattern, unsigned line)
{
    struct reading *reading = context;

    struct judge *judge = reading->judge;
    const char   *kept = region_string(judge->region, pattern.at, pattern.len);

    (void)line;
    judge->out->lost |= kept == NULL;
    judge->malformed[reading->patterns] = false; /* unless it is told of next */
    judge->out->patterns[reading->patterns++] = kept == NULL ? "" : kept;
}

/* Room for all patterns, however many there are. */
static bool make_room(struct judge *judge, const char *bytes, size_t len)
{
    struct policy_body body;
    size_t             count = 0;

    policy_body_read(bytes, len, &body, count_mx, ignore_flaw, &count);
    judge->out->patterns = region_alloc(judge->region, count * sizeof(*judge->out->patterns));
    judge->malformed = region_alloc(judge->region, count * sizeof(*judge->malformed));
    if (judge->out->patterns != NULL && judge->malformed != NULL)
        return true;
    judge->out->lost = true;
    return false;
}

/* Of a body that was cut off, the lines that are whole. */
static size_t whole_lines(const struct visit *visit)
{
    const char *end = visit->body_over ? memrchr(visit->body, '\n', visit->body_len) : NULL;

    return end == NULL ? visit->body_len : (size_t)(end + 1 - visit->body);
}

static void read_policy(struct judge *judge, const struct visit *visit)
{
    struct check_judgement *out = judge->out;
    struct reading          reading = { .judge = judge };
    size_t                  len = whole_lines(visit);
    const char             *mode;

    if (!make_room(judge, visit->body, len))
        return;
    policy_body_read(visit->body, len, &out->policy, keep_mx, on_flaw, &reading);
    if (reading.none)
        return;
    out->has_policy = true;
    mode = policy_body_mode_name(out->policy.mode);
    judge_see(judge, STEP_POLICY, "%s, max_age %u, %zu mx", mode != NULL ? mode : "no mode",
              (unsigned)out->policy.max_age, out->policy.mx_count);
    if (out->policy.mode == BODY_MODE_NONE)
        judge_find(judge, POLICY_MODE_NONE, NULL, "mode: none");
}

/* --- The same everywhere, and as configured */

static bool same_body(const struct visit *a, const struct visit *b)
{
    return a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0;
}

static void hold_against_configured(struct judge *judge, const struct check_place *place)
{
    const struct policy *policy = judge->facts->configured;
    const char          *domain = judge->facts->domain;
    struct visit         wanted = { .body_len = policy_body_length(policy, strlen(domain)) };
    char                *body = region_bytes(judge->region, wanted.body_len + 1);

    if (body == NULL) {
        judge->out->lost = true;
        return;
    }
    policy_body_write(policy, domain, strlen(domain), body);
    wanted.body = body;
    if (!same_body(&wanted, &place->visit))
        judge_find(judge, POLICY_NOT_CONFIGURED, place->address,
                   "the policy that is served is not the one that is configured");
}

static bool has_body(const struct visit *visit)
{
    return visit->result == VISIT_OK && visit->status == 200 && visit->body != NULL &&
           (visit->content_encoding == NULL ||
            strcasecmp(visit->content_encoding, "identity") == 0);
}

void judge_policy(struct judge *judge)
{
    const struct check_places *places = &judge->facts->places;
    const struct check_place  *first = NULL;

    for (size_t i = 0; i < places->count; i++) {
        const struct check_place *place = &places->at[i];

        if (!has_body(&place->visit))
            continue;
        if (judge->facts->configured != NULL)
            hold_against_configured(judge, place);
        if (first == NULL) {
            first = place;
            read_policy(judge, &place->visit);
        } else if (!same_body(&first->visit, &place->visit)) {
            judge_find(judge, HOST_DIFFERS, place->address, "it serves another policy than %s",
                       first->address);
        }
    }
}
