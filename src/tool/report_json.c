#include "tool/report_out.h"
#include "tool/report_words.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* An object a line, as it is made: the whole would be many times as large as the sums. */
struct json {
    FILE *out;
    bool  lost; /* there was no memory for one */
};

/* Of what a terminal obeys, Jansson leaves one byte as it is, which only a text may have. */
static int write_piece(const char *bytes, size_t len, void *out)
{
    while (len > 0) {
        const char *del = memchr(bytes, '\x7f', len);
        size_t      plain = del != NULL ? (size_t)(del - bytes) : len;

        fwrite(bytes, 1, plain, out);
        if (del == NULL)
            break;
        fputs("\\u007f", out);
        bytes += plain + 1;
        len -= plain + 1;
    }
    return 0;
}

/* Takes the object. flags: JSON_EMBED is without its braces, for more to come. */
static void put(struct json *json, size_t flags, json_t *object)
{
    if (object == NULL ||
        json_dump_callback(object, write_piece, json->out, flags | JSON_ENSURE_ASCII) != 0)
        json->lost = true;
    json_decref(object);
}

static json_int_t number(uint64_t count)
{
    return count <= INT64_MAX ? (json_int_t)count : INT64_MAX;
}

/* NULL where it is not said. */
static const char *day_text(int32_t day, char out[REPORT_DAY_TEXT_MAX])
{
    return day != REPORT_NO_DAY ? report_day_text(day, out) : NULL;
}

static const char *text_or_null(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

static json_t *day_object(const struct report_day *day)
{
    static const char *const modes[] = { [TLSRPT_MODE_UNSAID] = NULL,
                                         [TLSRPT_MODE_NONE] = "none",
                                         [TLSRPT_MODE_TESTING] = "testing",
                                         [TLSRPT_MODE_ENFORCE] = "enforce" };
    char                     text[REPORT_DAY_TEXT_MAX];

    return json_pack("{s:s?, s:I, s:I, s:s?}", "day", day_text(day->day, text), "worked",
                     number(day->worked), "failed", number(day->failed), "mode", modes[day->mode]);
}

static json_t *addresses(const struct report_failure *failure)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < failure->from_count; i++) {
        if (json_array_append_new(list, json_string(failure->from[i])) == 0)
            continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

/* null where it is not said. */
static json_t *sessions_of(const struct report_failure *failure)
{
    return failure->sessions > 0 ? json_integer(number(failure->sessions)) : json_null();
}

static json_t *failure_object(const struct report_failure *failure)
{
    char    text[REPORT_DAY_TEXT_MAX];
    json_t *from = addresses(failure);

    if (from == NULL)
        return NULL;
    return json_pack("{s:s?, s:s?, s:s?, s:o, s:o, s:b, s:s?, s:s?, s:s?}", "result_type",
                     text_or_null(failure->type), "host", text_or_null(failure->host), "day",
                     day_text(failure->day, text), "sessions", sessions_of(failure), "from", from,
                     "from_more", failure->from_more, "to", failure->to, "reason", failure->reason,
                     "information", failure->information);
}

static void put_group(struct json *json, const struct report_group *group)
{
    put(json, JSON_EMBED,
        json_pack("{s:s?, s:s?, s:s, s:I, s:I, s:I}", "domain", text_or_null(group->domain),
                  "sender", text_or_null(group->sender), "policy_type",
                  tlsrpt_type_name(group->type), "worked", number(group->worked), "failed",
                  number(group->failed), "unsaid", (json_int_t)group->unsaid));
    fputs(", \"days\": [", json->out);
    for (size_t i = 0; i < group->day_count; i++) {
        fputs(i == 0 ? "\n    " : ",\n    ", json->out);
        put(json, 0, day_object(&group->days[i]));
    }
    fputs("], \"failures\": [", json->out);
    for (size_t i = 0; i < group->failure_count; i++) {
        fputs(i == 0 ? "\n    " : ",\n    ", json->out);
        put(json, 0, failure_object(&group->failures[i]));
    }
    fputc(']', json->out);
}

/* Only what there is, and in how many reports. */
static json_t *oddities(const struct report_sender *sender)
{
    json_t *odd = json_object();

    for (unsigned i = 0; odd != NULL && i < TLSRPT_ODDS; i++) {
        if (sender->odd[i] == 0 ||
            json_object_set_new(odd, tlsrpt_odd_name(i), json_integer(sender->odd[i])) == 0)
            continue;
        json_decref(odd);
        odd = NULL;
    }
    return odd;
}

static void put_sender(struct json *json, const struct report_sender *sender)
{
    json_t *odd = oddities(sender);

    put(json, JSON_EMBED,
        odd == NULL
            ? NULL
            : json_pack("{s:s?, s:I, s:I, s:I, s:o}", "name", text_or_null(sender->name), "reports",
                        (json_int_t)sender->reports, "duplicates", (json_int_t)sender->duplicates,
                        "contradictions", (json_int_t)sender->contradictions, "odd", odd));
}

bool report_json(const struct report_sums *sums, FILE *out)
{
    struct json json = { .out = out };

    fputc('{', out);
    put(&json, JSON_EMBED,
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "reports", (json_int_t)sums->reports, "duplicates",
                  (json_int_t)sums->duplicates, "before", (json_int_t)sums->before, "undated",
                  (json_int_t)sums->undated, "elsewhere", (json_int_t)sums->elsewhere));
    fputs(",\n\"groups\": [", out);
    for (size_t i = 0; i < sums->group_count; i++) {
        fputs(i == 0 ? "\n  {" : ",\n  {", out);
        put_group(&json, &sums->groups[i]);
        fputc('}', out);
    }
    fputs("\n],\n\"senders\": [", out);
    for (size_t i = 0; i < sums->sender_count; i++) {
        fputs(i == 0 ? "\n  {" : ",\n  {", out);
        put_sender(&json, &sums->senders[i]);
        fputc('}', out);
    }
    fputs("\n]}\n", out);
    return !json.lost;
}
