#include "common/config_internal.h"

#include "common/ini_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool config_set_alias(struct loader *loader, struct item *item, char *value)
{
    char *rest = value;
    char *word;
    bool  good = true;

    while ((word = config_word(&rest)) != NULL && !loader->no_memory)
        good = config_add_domain(loader, item->place, word, strlen(word), false) && good;
    return good;
}

/* One line without its line feed: a domain, blanks around it, a # comment, or nothing. */
static void read_alias_line(struct loader *loader, struct place place, const char *line, size_t len)
{
    size_t start = 0;
    size_t end;

    if (len > INI_READER_LINE_MAX) {
        config_error(loader, place, "a line of more than %d bytes", INI_READER_LINE_MAX);
        return;
    }
    if (len > 0 && line[len - 1] == '\r')
        len--;
    while (start < len && (line[start] == ' ' || line[start] == '\t'))
        start++;
    if (start == len || line[start] == '#')
        return;
    end = start;
    while (end < len && line[end] != ' ' && line[end] != '\t')
        end++;
    for (size_t i = end; i < len && line[i] != '#'; i++) {
        if (line[i] != ' ' && line[i] != '\t') {
            config_error(loader, place, "one domain a line, and # comments");
            return;
        }
    }
    config_add_domain(loader, place, line + start, end - start, false);
}

static void read_aliases(struct loader *loader, uint32_t file, const char *bytes, size_t len)
{
    struct place place = { file, 0 };
    const char  *end = bytes + len;

    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        bytes += 3;
    while (bytes < end && !loader->no_memory) {
        const char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = feed != NULL ? feed : end;

        place.line++;
        read_alias_line(loader, place, bytes, (size_t)(stop - bytes));
        bytes = feed != NULL ? feed + 1 : end;
    }
}

bool config_set_alias_file(struct loader *loader, struct item *item, char *value)
{
    char       *path = config_beside(loader, config_file_name(loader, item->place), value);
    struct unit line;
    struct stat status;
    uint32_t    file;
    size_t      len;
    char       *bytes;
    bool        good;

    if (path == NULL || !config_add_file(loader, path, item->place.file, true, &file))
        return false;
    line = config_take_out(loader, UNIT_FILE, file, false);
    bytes = config_load_file(loader, item->place, path, &len, &status);
    config_take_out(loader, line.kind, line.index, false);
    if (bytes != NULL)
        read_aliases(loader, file, bytes, len);
    else
        loader->files[file].absent = true;
    good = bytes != NULL;
    free(bytes);
    return good;
}
