/*
 * datetime: days and times as reports and people write them. Pure; everything is UTC.
 */
#ifndef TOOL_DATETIME_H
#define TOOL_DATETIME_H

#include <stdint.h>

enum datetime_form {
    DATETIME_NONE,    /* it is neither */
    DATETIME_RFC3339, /* 2026-11-24T00:00:00Z, +01:00 for Z, and fractions of seconds */
    DATETIME_LOOSE, /* without a zone, which is taken for UTC, or with +0100, or with a blank for T */
    DATETIME_DAY    /* 2026-11-24: when it begins */
};

/* The time, of years 1970 to 9999, in whole seconds since 1970, fractions cut off. */
enum datetime_form datetime_read(const char *text, int64_t *seconds);

/* The day since 1970 in which a time is. */
int32_t datetime_day(int64_t seconds);

enum { DATETIME_DAY_SIZE = 16 }; /* bytes of a day's text, with the NUL */

/* "2026-11-24". day is of years 1970 to 9999, or a little beyond. Gives out. */
const char *datetime_day_text(int32_t day, char out[DATETIME_DAY_SIZE]);

#endif
