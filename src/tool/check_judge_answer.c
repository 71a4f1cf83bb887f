/* What the policy host answers over HTTP, up to the body (RFC 8461 section 3.3). */
#include "tool/check_judge_internal.h"
#include "wire/media_type.h"

#include <string.h>
#include <strings.h>

enum { SHORT_BODY = 10240 /* bytes: chasquid reads no further */ };

static void judge_status(struct judge *judge, const char *where, const struct visit *visit)
{
    enum check_code code = ANSWER_ERROR;

    if (visit->status >= 300 && visit->status < 400) {
        judge_find(judge, ANSWER_REDIRECT, where, "status %u, to %s", visit->status,
                   visit->location != NULL ? visit->location : "nowhere");
        return;
    }
    if (visit->status > 200 && visit->status < 300)
        code = ANSWER_OTHER_2XX;
    else if (visit->status == 404 || visit->status == 410)
        code = ANSWER_NOT_FOUND;
    judge_find(judge, code, where, "status %u", visit->status);
}

/* --- Header fields */

static bool is_page(const struct visit *visit)
{
    const char *at = visit->body;

    while (at != NULL && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
        at++;
    return at != NULL && *at == '<';
}

static void judge_type(struct judge *judge, const char *where, const struct visit *visit)
{
    static const struct {
        unsigned        flaw;
        enum check_code code;
    } codes[] = {
        { MEDIA_TYPE_BAD, ANSWER_BAD_TYPE },
        { MEDIA_TYPE_OTHER, ANSWER_OTHER_TYPE },
        { MEDIA_TYPE_CASE, ANSWER_TYPE_CASE },
        { MEDIA_TYPE_CHARSET, ANSWER_CHARSET },
        { MEDIA_TYPE_NO_VALUE, ANSWER_CHARSET_EMPTY },
        { MEDIA_TYPE_CHARSET_TWICE, ANSWER_BAD_TYPE },
    };
    struct media_type type;

    if (visit->content_type_twice)
        judge_find(judge, ANSWER_TYPE_TWICE, where, "there are two, the first is %s",
                   visit->content_type);
    if (visit->content_type == NULL) {
        judge_find(judge, ANSWER_NO_TYPE, where, "there is no Content-Type");
        return;
    }
    media_type_read(visit->content_type, strlen(visit->content_type), &type);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        if ((type.flaws & codes[i].flaw) != 0)
            judge_find(judge, codes[i].code, where, "Content-Type: %s", visit->content_type);
    }
}

static bool is_encoded(const struct visit *visit)
{
    return visit->content_encoding != NULL && strcasecmp(visit->content_encoding, "identity") != 0;
}

/* --- Time and size */

static void judge_time(struct judge *judge, const char *where, const struct visit *visit)
{
    static const struct {
        double          seconds;
        enum check_code code;
    } limits[] = { { 15, ANSWER_SLOW_15 }, { 4, ANSWER_SLOW_4 }, { 2, ANSWER_SLOW_2 } };

    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        if (visit->seconds > limits[i].seconds) {
            judge_find(judge, limits[i].code, where, "it took %.1f seconds", visit->seconds);
            return;
        }
    }
}

static void judge_size(struct judge *judge, const char *where, const struct visit *visit)
{
    if (visit->body_over)
        judge_find(judge, ANSWER_OVER_64K, where, "it has more than %d bytes", VISIT_BODY_MAX);
    else if (visit->body_len > SHORT_BODY)
        judge_find(judge, ANSWER_OVER_10K, where, "it has %zu bytes", visit->body_len);
}

/* --- All of it */

static void judge_200(struct judge *judge, const char *where, const struct visit *visit)
{
    if (is_page(visit))
        judge_find(judge, ANSWER_HTML, where, "it is a web page");
    else
        judge_type(judge, where, visit);
    if (is_encoded(visit))
        judge_find(judge, ANSWER_ENCODED, where, "Content-Encoding: %s", visit->content_encoding);
    judge_time(judge, where, visit);
    judge_size(judge, where, visit);
}

static void see(struct judge *judge, const struct visit *visit)
{
    judge_see(judge, STEP_ANSWER, "%u, %s, %zu bytes in %.2f s", visit->status,
              visit->content_type != NULL ? visit->content_type : "no Content-Type",
              visit->body_len, visit->seconds);
}

void judge_answer(struct judge *judge)
{
    const struct check_places *places = &judge->facts->places;

    for (size_t i = 0; i < places->count; i++) {
        const struct visit *visit = &places->at[i].visit;
        const char         *where = places->at[i].address;

        if (visit->result == VISIT_TIMED_OUT)
            judge_find(judge, ANSWER_TIMED_OUT, where, "%s", visit->why);
        else if (visit->result == VISIT_BROKEN)
            judge_find(judge, ANSWER_BROKEN, where, "%s", visit->why);
        if (visit->result != VISIT_OK)
            continue;
        if (judge->out->seen[STEP_ANSWER] == NULL)
            see(judge, visit);
        if (visit->status == 200)
            judge_200(judge, where, visit);
        else
            judge_status(judge, where, visit);
    }
}
