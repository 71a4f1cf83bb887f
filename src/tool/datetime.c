#include "tool/datetime.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400, HOUR = 3600, MINUTE = 60 /* seconds */ };

/* Takes as many digits as pattern has "0", and what else stands in it as it is; false: the text
   is another. The numbers go to out, one for each row of "0". */
static bool take(const char **text, const char *pattern, int *out)
{
    const char *at = *text;

    for (; *pattern != '\0'; pattern++, at++) {
        if (*pattern != '0') {
            if (*at != *pattern)
                return false;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        *out = *out * 10 + (*at - '0');
        if (pattern[1] != '0')
            out++;
    }
    *text = at;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool take_day(const char **text, int64_t *seconds)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int              n[3] = { 0 };
    int64_t          years, days;

    if (!take(text, "0000-00-00", n) || n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1)
        return false;
    if (n[2] > lengths[n[1] - 1] + (n[1] == 2 && is_leap(n[0])))
        return false;
    years = n[0] - 1; /* whole ones since the year 0 */
    days = years * 365 + years / 4 - years / 100 + years / 400 - 719162;
    days += before[n[1] - 1] + (n[1] > 2 && is_leap(n[0])) + n[2] - 1;
    *seconds = days * DAY;
    return true;
}

static bool take_time(const char **text, int64_t *seconds)
{
    int n[3] = { 0 };

    /* RFC 3339 section 5.7: a minute may have a leap second. */
    if (!take(text, "00:00:00", n) || n[0] > 23 || n[1] > 59 || n[2] > 60)
        return false;
    *seconds += n[0] * HOUR + n[1] * MINUTE + n[2];
    if (**text != '.')
        return true;
    if ((*text)[1] < '0' || (*text)[1] > '9')
        return false;
    *text += 1 + strspn(*text + 1, "0123456789");
    return true;
}

static enum datetime_form take_zone(const char *text, int64_t *seconds)
{
    int                n[2] = { 0 }, ahead;
    enum datetime_form form = DATETIME_RFC3339;
    char               sign = *text;

    if (sign == '\0')
        return DATETIME_LOOSE;
    text++;
    if ((sign == 'Z' || sign == 'z') && *text == '\0')
        return form;
    if (!take(&text, "00:00", n)) {
        form = DATETIME_LOOSE;
        memset(n, 0, sizeof(n));
        if (!take(&text, "0000", n)) /* as one number */
            return DATETIME_NONE;
        n[1] = n[0] % 100;
        n[0] /= 100;
    }
    if ((sign != '+' && sign != '-') || *text != '\0' || n[0] > 23 || n[1] > 59)
        return DATETIME_NONE;
    ahead = n[0] * HOUR + n[1] * MINUTE;
    *seconds += sign == '-' ? ahead : -ahead;
    return form;
}

enum datetime_form datetime_read(const char *text, int64_t *seconds)
{
    enum datetime_form form;
    char               between;

    if (!take_day(&text, seconds))
        return DATETIME_NONE;
    between = *text;
    if (between == '\0')
        return DATETIME_DAY;
    text++;
    if ((between != 'T' && between != 't' && between != ' ') || !take_time(&text, seconds))
        return DATETIME_NONE;
    form = take_zone(text, seconds);
    return form == DATETIME_RFC3339 && between == ' ' ? DATETIME_LOOSE : form;
}

int32_t datetime_day(int64_t seconds)
{
    return (int32_t)(seconds / DAY - (seconds % DAY < 0));
}

const char *datetime_day_text(int32_t day, char out[DATETIME_DAY_SIZE])
{
    time_t    seconds = (time_t)day * DAY;
    struct tm when;

    if (gmtime_r(&seconds, &when) == NULL ||
        strftime(out, DATETIME_DAY_SIZE, "%Y-%m-%d", &when) == 0)
        abort(); /* not for a day of the years that datetime_read knows */
    return out;
}
