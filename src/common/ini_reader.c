#include "common/ini_reader.h"

/* Debian's inih passes the line as a fifth argument whatever its header says; upstream's
   passes four. The handler takes five and never looks at the last. */
#define INI_HANDLER_LINENO 1
#include <ini.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Debian's run-time options. With an inih that has none of them this still builds and links:
   the addresses are NULL then. */
// NOLINTBEGIN(readability-redundant-declaration): weak where the header has them, known where it has not
extern int   ini_max_line __attribute__((weak));
extern int   ini_initial_alloc __attribute__((weak));
extern bool  ini_use_stack __attribute__((weak));
extern bool  ini_allow_realloc __attribute__((weak));
extern bool  ini_allow_multiline __attribute__((weak));
extern bool  ini_allow_inline_comments __attribute__((weak));
extern char *ini_inline_comment_prefixes __attribute__((weak));
extern char *ini_start_comment_prefixes __attribute__((weak));
extern bool  ini_stop_on_first_error __attribute__((weak));
extern bool  ini_allow_no_value __attribute__((weak));
// NOLINTEND(readability-redundant-declaration)

enum {
    LINE_END = 2,      /* bytes: the line feed and the NUL that inih's buffer holds too */
    INI_NO_MEMORY = -2 /* what inih returns then */
};

/* Where the keys go that follow. */
enum place {
    ABOVE_SECTIONS, /* an error */
    IN_SECTION,
    IN_BAD_SECTION /* the header was the error */
};

struct reader {
    const char               *rest; /* of the file */
    size_t                    left; /* bytes of it */
    const struct ini_handler *handler;
    void                     *context;
    unsigned                  line;
    enum place                place;
    bool                      handed; /* the line is with inih and not yet come back */
    size_t                    len;
    char                      text[INI_READER_LINE_MAX + 1]; /* the line */
};

static void set_options(void)
{
    static char semicolon[] = ";";
    static char semicolon_and_hash[] = ";#";

    if (&ini_max_line != NULL)
        ini_max_line = INI_READER_LINE_MAX + LINE_END + 1;
    if (&ini_initial_alloc != NULL)
        ini_initial_alloc = INI_READER_LINE_MAX + LINE_END + 1;
    if (&ini_use_stack != NULL)
        ini_use_stack = false;
    if (&ini_allow_realloc != NULL)
        ini_allow_realloc = true;
    if (&ini_allow_multiline != NULL)
        ini_allow_multiline = false;
    if (&ini_allow_inline_comments != NULL)
        ini_allow_inline_comments = true;
    if (&ini_inline_comment_prefixes != NULL)
        ini_inline_comment_prefixes = semicolon;
    if (&ini_start_comment_prefixes != NULL)
        ini_start_comment_prefixes = semicolon_and_hash;
    if (&ini_stop_on_first_error != NULL)
        ini_stop_on_first_error = false;
    if (&ini_allow_no_value != NULL)
        ini_allow_no_value = false;
}

static void tell(const struct reader *reader, const char *text)
{
    reader->handler->error(reader->context, reader->line, text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void tell_header(struct reader *reader, const char *text)
{
    const char *header = reader->text + strcspn(reader->text, "[") + 1;

    reader->place = IN_BAD_SECTION;
    reader->handler->bad_header(reader->context, reader->line, text, header);
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The next line into text, without its line feed. False at the end of the file;
   *whole is false when the line had more bytes than text takes. */
static bool next_line(struct reader *reader, bool *whole)
{
    const char *feed = memchr(reader->rest, '\n', reader->left);
    size_t      len = feed != NULL ? (size_t)(feed - reader->rest) : reader->left;
    size_t      behind = feed != NULL ? len + 1 : len;

    if (reader->left == 0)
        return false;
    *whole = len <= INI_READER_LINE_MAX;
    reader->len = *whole ? len : INI_READER_LINE_MAX;
    memcpy(reader->text, reader->rest, reader->len);
    reader->text[reader->len] = '\0';
    reader->rest += behind;
    reader->left -= behind;
    reader->line++;
    return true;
}

/* Takes off what means nothing: a BOM, a CR at the end, blanks at both ends. */
static void strip(struct reader *reader)
{
    size_t start = 0;

    if (reader->line == 1 && reader->len >= 3 && memcmp(reader->text, "\xef\xbb\xbf", 3) == 0)
        start = 3;
    if (reader->len > start && reader->text[reader->len - 1] == '\r')
        reader->len--;
    while (start < reader->len && is_blank(reader->text[start]))
        start++;
    while (reader->len > start && is_blank(reader->text[reader->len - 1]))
        reader->len--;
    reader->len -= start;
    memmove(reader->text, reader->text + start, reader->len);
    reader->text[reader->len] = '\0';
}

/* The text of the error that a control character is, or NULL. */
static const char *find_control(const struct reader *reader)
{
    for (size_t i = 0; i < reader->len; i++) {
        if (is_control(reader->text[i]))
            return reader->text[i] == '\0' ? "a NUL byte: is this a text file?"
                                           : "a control character";
    }
    return NULL;
}

/* An error in a line of which only the beginning counts. */
static bool refuse_line(struct reader *reader, const char *text)
{
    if (reader->text[strspn(reader->text, " \t")] == '[')
        tell_header(reader, text);
    else
        tell(reader, text);
    return false;
}

static void take_header(struct reader *reader)
{
    char *name = reader->text + 1;
    char *end = strchr(name, ']');
    char *rest;

    if (end == NULL) {
        tell_header(reader, "a section header without its ]");
        return;
    }
    rest = end + 1;
    while (is_blank(*rest))
        rest++;
    if (*rest != '\0' && *rest != ';') {
        tell_header(reader, "nothing but a ; comment may follow a section header");
        return;
    }
    while (is_blank(*name))
        name++;
    while (end > name && is_blank(end[-1]))
        end--;
    if (end == name) {
        tell_header(reader, "a section header without a name");
        return;
    }
    *end = '\0';
    reader->place = IN_SECTION;
    reader->handler->section(reader->context, reader->line, name);
}

/* inih takes = or :, whichever comes first, and a comment from a blank and a ; on. */
static bool is_key_line(const struct reader *reader)
{
    const char *text = reader->text;
    size_t      at = strcspn(text, "=:");
    bool        commented = false;

    for (size_t i = 1; i < at; i++)
        commented = commented || (text[i] == ';' && is_blank(text[i - 1]));
    if (text[at] == '\0' || commented)
        tell(reader, "neither a [section] nor \"key = value\"");
    else if (text[at] == ':')
        tell(reader, "a key and its value are separated by =, not by :");
    else if (at == 0)
        tell(reader, "a value without a key");
    else
        return true;
    return false;
}

/* True when the line is one for inih: a key and a value in a good section. */
static bool take_line(struct reader *reader, bool whole)
{
    char        text[64];
    const char *control;

    if (!whole) {
        snprintf(text, sizeof text, "a line of more than %d bytes", INI_READER_LINE_MAX);
        return refuse_line(reader, text);
    }
    strip(reader);
    control = find_control(reader);
    if (control != NULL)
        return refuse_line(reader, control);
    if (reader->len == 0 || reader->text[0] == ';' || reader->text[0] == '#')
        return false;
    if (reader->text[0] == '[') {
        take_header(reader);
        return false;
    }
    if (!is_key_line(reader) || reader->place == IN_BAD_SECTION)
        return false;
    if (reader->place == ABOVE_SECTIONS)
        tell(reader, "a key above every [section]");
    return reader->place == IN_SECTION;
}

/* A handed line that inih did not answer to is one it did not understand. */
static void settle(struct reader *reader)
{
    if (reader->handed)
        tell(reader, "not understood as \"key = value\"");
    reader->handed = false;
}

/* For ini_parse_stream, in place of fgets. */
static char *give_line(char *out, int size, void *context)
{
    struct reader *reader = context;
    bool           whole;

    settle(reader);
    while (next_line(reader, &whole)) {
        if (!take_line(reader, whole))
            continue;
        if (size < 0 || reader->len + LINE_END > (size_t)size) {
            char text[96];

            snprintf(text, sizeof text,
                     "a line of more than %d bytes, the most that this inih takes",
                     size - LINE_END);
            tell(reader, text);
            continue;
        }
        memcpy(out, reader->text, reader->len);
        memcpy(out + reader->len, "\n", 2);
        reader->handed = true;
        return out;
    }
    return NULL;
}

static int take_key(void *context, const char *section, const char *key, const char *value,
                    int line)
{
    struct reader *reader = context;

    (void)section;
    (void)line;
    if (reader->handed)
        reader->handler->key(reader->context, reader->line, key, value);
    reader->handed = false;
    return 1;
}

int ini_reader_run(const char *text, size_t len, const struct ini_handler *handler, void *context)
{
    struct reader reader;
    int           result;

    reader.rest = text;
    reader.left = len;
    reader.handler = handler;
    reader.context = context;
    reader.line = 0;
    reader.place = ABOVE_SECTIONS;
    reader.handed = false;
    set_options();
    result = ini_parse_stream(give_line, &reader, take_key, &reader);
    settle(&reader);
    return result == INI_NO_MEMORY ? -1 : 0;
}
