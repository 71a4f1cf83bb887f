/*
 * ini_reader: INI files read so that nothing is lost, truncated or ignored.
 *
 * inih splits keys from values and takes comments off. Lines and headers are
 * ours, since inih cuts section names to 49 bytes, hides empty sections, merges
 * repeated ones, splits long lines and takes indented lines for continuations.
 * Our line reader stands in front of it: it counts lines, strips leading blanks
 * and a BOM, refuses overlong lines, NULs and other control characters, "key: value",
 * lines that are neither and junk after ], and keeps the headers to itself: inih
 * sees one line with a key and a value at a time.
 */
#ifndef COMMON_INI_READER_H
#define COMMON_INI_READER_H

#include <stddef.h>

enum { INI_READER_LINE_MAX = 8000 }; /* bytes of a line without its line feed */

/* All strings are valid only during the call. line counts from 1. Keys arrive
   without blanks around them, values and names of sections too, in the order of the
   file. A value may be empty, a key or a name never is. */
struct ini_handler {
    void (*section)(void *context, unsigned line, const char *name);
    /* section is always called before the first key; a key above every header is an error */
    void (*key)(void *context, unsigned line, const char *key, const char *value);
    void (*error)(void *context, unsigned line, const char *text);
    /* An error in a header, which is what follows "["; the keys below it, up to the next header, are
       not reported. */
    void (*bad_header)(void *context, unsigned line, const char *text, const char *header);
};

/* Reads a whole file of len bytes, past errors too, and reports each. 0, or -1 when there was
   no memory; what was wrong in the file is not counted here. */
int ini_reader_run(const char *text, size_t len, const struct ini_handler *handler, void *context);

#endif
