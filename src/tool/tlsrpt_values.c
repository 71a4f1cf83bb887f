#include "tool/datetime.h"
#include "tool/tlsrpt_internal.h"

#include <math.h>
#include <string.h>

void tlsrpt_note(struct tlsrpt *report, enum tlsrpt_odd odd)
{
    report->odd |= 1U << odd;
}

const char *tlsrpt_text_of(struct tlsrpt *report, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t      len = json_string_length(value);

    if (value == NULL || json_is_null(value))
        return NULL;
    if (text == NULL || strlen(text) != len)
        tlsrpt_note(report, TLSRPT_ODD_FIELD);
    else if (len == 0)
        tlsrpt_note(report, TLSRPT_ODD_EMPTY);
    else if (len > TLSRPT_TEXT_MAX)
        tlsrpt_note(report, TLSRPT_ODD_LONG);
    else
        return text;
    return NULL;
}

const char *tlsrpt_text(struct tlsrpt *report, const json_t *object, const char *key)
{
    return tlsrpt_text_of(report, json_object_get(object, key));
}

const json_t *tlsrpt_object(struct tlsrpt *report, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL || json_is_null(value) || json_is_object(value))
        return json_is_null(value) ? NULL : value;
    tlsrpt_note(report, TLSRPT_ODD_FIELD);
    return NULL;
}

static int64_t count_of_digits(const char *digits)
{
    int64_t count = 0;

    for (; *digits >= '0' && *digits <= '9' && count <= TLSRPT_COUNT_MAX; digits++)
        count = count * 10 + (*digits - '0');
    return *digits == '\0' ? count : TLSRPT_UNSAID;
}

int64_t tlsrpt_count(struct tlsrpt *report, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t       count = TLSRPT_UNSAID;

    if (value == NULL || json_is_null(value)) {
        tlsrpt_note(report, TLSRPT_ODD_NO_SUMMARY);
        return TLSRPT_UNSAID;
    }
    if (json_is_integer(value)) {
        count = json_integer_value(value);
    } else if (json_is_string(value) && json_string_length(value) > 0) {
        tlsrpt_note(report, TLSRPT_ODD_COUNT_FORM);
        count = count_of_digits(json_string_value(value));
    } else if (json_is_real(value)) {
        double real = json_real_value(value), whole;

        tlsrpt_note(report, TLSRPT_ODD_COUNT_FORM);
        if (real >= 0 && real <= (double)TLSRPT_COUNT_MAX && !(modf(real, &whole) > 0))
            count = (int64_t)real;
    }
    if (count >= 0 && count <= TLSRPT_COUNT_MAX)
        return count;
    tlsrpt_note(report, TLSRPT_ODD_COUNT);
    return TLSRPT_UNSAID;
}

int64_t tlsrpt_time(struct tlsrpt *report, const json_t *object, const char *key)
{
    const char        *text = tlsrpt_text(report, object, key);
    int64_t            seconds = 0;
    enum datetime_form form = text != NULL ? datetime_read(text, &seconds) : DATETIME_NONE;

    if (form == DATETIME_NONE) {
        tlsrpt_note(report, TLSRPT_ODD_NO_DATES);
        return TLSRPT_NO_TIME;
    }
    if (form != DATETIME_RFC3339)
        tlsrpt_note(report, TLSRPT_ODD_DATE_FORM);
    return seconds;
}
