/*
 * reader: what the tests of txt, policy_body and media_type share. Their input stands at the end of
 * a page whose successor cannot be read, so that one byte too far ends the program; and what they
 * tell becomes a line of text.
 */
#ifndef UNIT_READER_H
#define UNIT_READER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wire/txt.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { GUARDED_MAX = 2 * 1024 * 1024 }; /* bytes of an input */

static char  *guarded_end; /* the next byte after it faults */
static char   told[8192];  /* of one input */
static size_t told_len;

static int map_guard(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = GUARDED_MAX + page;
    char  *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (area == MAP_FAILED || mprotect(area + GUARDED_MAX, page, PROT_NONE) != 0)
        return -1;
    guarded_end = area + GUARDED_MAX;
    return 0;
}

/* Nothing is told yet of these bytes. */
static struct txt_slice guarded(const char *bytes, size_t len)
{
    told_len = 0;
    told[0] = '\0';
    if (len > 0)
        memcpy(guarded_end - len, bytes, len);
    return (struct txt_slice){ guarded_end - len, len };
}

static void tell(const char *format, ...)
{
    va_list arguments;
    int     len;

    va_start(arguments, format);
    len = vsnprintf(told + told_len, sizeof told - told_len, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof told - told_len)
        fail_msg("more is told than there is room for");
    told_len += (size_t)len;
}

/* Bytes that are no visible ASCII as \xNN. */
static void tell_bytes(struct txt_slice slice)
{
    for (size_t i = 0; i < slice.len; i++) {
        unsigned char byte = (unsigned char)slice.at[i];

        tell(byte < ' ' || byte > '~' ? "\\x%02x" : "%c", byte);
    }
}

static void assert_told(const char *name, const char *expected)
{
    if (strcmp(told, expected) != 0)
        fail_msg("%s: told \"%s\" instead of \"%s\"", name, told, expected);
}

#endif
