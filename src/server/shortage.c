#include "server/shortage.h"

#include "common/log.h"
#include "server/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MINUTE_MS = 60 * 1000, TEXT_MAX = 512 /* bytes */ };

static struct {
    int64_t       since_ms; /* of the minute */
    unsigned      lines;    /* in it */
    unsigned long left_out;
} told;

static bool may_tell(void)
{
    int64_t now_ms = process_now_ms();

    if (told.lines == 0 || now_ms - told.since_ms >= MINUTE_MS) {
        if (told.left_out > 0)
            log_warnx("out of memory: %lu more, not told", told.left_out);
        told.since_ms = now_ms;
        told.lines = 0;
        told.left_out = 0;
    }
    if (told.lines >= SHORTAGE_LINES) {
        told.left_out++;
        return false;
    }
    told.lines++;
    return true;
}

bool shortage_spare(size_t blocks)
{
    void *volatile block[SHORTAGE_BLOCKS_MAX]; /* else the compiler may leave both calls out */
    size_t count = 0;
    int    before = errno;

    while (count < blocks && (block[count] = malloc(SHORTAGE_BLOCK)) != NULL)
        count++;
    for (size_t i = 0; i < count; i++)
        free(block[i]);
    errno = before;
    return count == blocks;
}

void shortage_tell(const char *format, ...)
{
    char    text[TEXT_MAX];
    va_list arguments;

    if (!may_tell())
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_warnx("out of memory: %s", text);
}
