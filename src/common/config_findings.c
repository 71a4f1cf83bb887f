#include "common/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_MAX = 2 * (CONFIG_PATH_MAX + 1) + 1024, /* bytes; a text may name two files */
    WORD_MAX = 32
};

const char *config_file_name(const struct loader *loader, struct place place)
{
    return loader->files[place.file].name;
}

/* A value may hold what a terminal would obey; the report is one line of text. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

const char *config_finding(enum config_severity severity, const char *file, unsigned line,
                           const char *text, char out[CONFIG_FINDING_MAX])
{
    static const char *const levels[] = { "error", "warning", "warning: isolated" };
    const char              *level = levels[severity];

    if (line > 0)
        snprintf(out, CONFIG_FINDING_MAX, "%s:%u: %s: %s", file, line, level, text);
    else
        snprintf(out, CONFIG_FINDING_MAX, "%s: %s: %s", file, level, text);
    make_printable(out);
    return out;
}

static void tell(struct loader *loader, enum config_severity severity, struct place place,
                 const char *format, va_list arguments)
{
    char text[TEXT_MAX];

    vsnprintf(text, sizeof text, format, arguments);
    make_printable(text);
    loader->report(loader->context, severity, config_file_name(loader, place), place.line, text);
}

void config_tell(struct loader *loader, enum config_severity severity, struct place place,
                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(loader, severity, place, format, arguments);
    va_end(arguments);
}

void config_error(struct loader *loader, struct place place, const char *format, ...)
{
    va_list arguments;

    if (loader->no_memory)
        return;
    va_start(arguments, format);
    if (loader->isolate && loader->unit.kind != UNIT_ALL)
        config_isolate(loader, place, format, arguments);
    else if (loader->errors++ < CONFIG_ERRORS_MAX)
        tell(loader, CONFIG_ERROR, place, format, arguments);
    va_end(arguments);
}

void config_warning(struct loader *loader, struct place place, const char *format, ...)
{
    va_list arguments;

    if (loader->no_memory || loader->warnings++ >= CONFIG_ERRORS_MAX)
        return;
    va_start(arguments, format);
    tell(loader, CONFIG_WARNING, place, format, arguments);
    va_end(arguments);
}

void config_no_memory(struct loader *loader)
{
    if (loader->no_memory)
        return;
    loader->no_memory = true;
    loader->errors++;
    loader->report(loader->context, CONFIG_ERROR,
                   loader->file_count > 0 ? loader->files[0].name : "configuration", 0, NO_MEMORY);
}

static void count_rest(struct loader *loader, enum config_severity severity, unsigned all,
                       const char *noun)
{
    char text[64];

    if (all <= CONFIG_ERRORS_MAX || loader->no_memory)
        return;
    snprintf(text, sizeof text, "%u more %s%s", all - CONFIG_ERRORS_MAX, noun,
             all - CONFIG_ERRORS_MAX == 1 ? "" : "s");
    loader->report(loader->context, severity, loader->files[0].name, 0, text);
}

void config_count_rest(struct loader *loader)
{
    count_rest(loader, CONFIG_WARNING, loader->warnings, "warning");
    count_rest(loader, CONFIG_ISOLATED, loader->isolated_count, "finding");
    count_rest(loader, CONFIG_ERROR, loader->errors, "error");
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/*
 * Damerau-Levenshtein distance (a letter missing, one too many, another one, or two
 * swapped), in the form where no part is changed twice. Three rows of the table are enough.
 */
int config_nearness(const char *word, const char *candidate)
{
    int word_len = (int)strnlen(word, WORD_MAX + 1);
    int candidate_len = (int)strnlen(candidate, WORD_MAX + 1);
    int rows[3][WORD_MAX + 1];
    int distance;

    if (word_len > WORD_MAX || candidate_len > WORD_MAX)
        return -1;
    for (int j = 0; j <= candidate_len; j++)
        rows[0][j] = j;
    for (int i = 1; i <= word_len; i++) {
        const int *before = rows[(i - 1) % 3];
        const int *two_before = rows[(i + 1) % 3];
        int       *row = rows[i % 3];

        row[0] = i;
        for (int j = 1; j <= candidate_len; j++) {
            char w = lower(word[i - 1]);
            char c = lower(candidate[j - 1]);

            row[j] = least(least(before[j], row[j - 1]) + 1, before[j - 1] + (w != c));
            if (i > 1 && j > 1 && w == lower(candidate[j - 2]) && lower(word[i - 2]) == c)
                row[j] = least(row[j], two_before[j - 2] + 1);
        }
    }
    distance = rows[word_len % 3][candidate_len];
    return distance <= 2 && distance < word_len ? distance : -1;
}
