#include "tool/check_copy.h"

#include <string.h>

static const char *copy(struct region *region, const char *bytes, size_t len, bool *lost)
{
    char *string = region_string(region, bytes, len);

    *lost |= string == NULL;
    return string;
}

static const char *copy_text(struct region *region, const char *text, bool *lost)
{
    return text == NULL ? NULL : copy(region, text, strlen(text), lost);
}

void check_copy_answer(struct region *region, const struct resolver_answer *from,
                       struct resolver_answer *to, bool *lost)
{
    struct resolver_record *records = region_alloc(region, from->count * sizeof(*records));

    *to = *from;
    to->why = copy_text(region, from->why, lost);
    to->records = records;
    if (records == NULL) {
        to->count = 0;
        *lost = true;
    }
    for (size_t i = 0; i < to->count; i++) {
        records[i] = from->records[i];
        records[i].text = copy(region, from->records[i].text, from->records[i].len, lost);
        if (records[i].text == NULL) {
            records[i].text = "";
            records[i].len = 0;
        }
    }
}

void check_copy_visit(struct region *region, const struct visit *from, struct visit *to, bool *lost)
{
    *to = *from;
    to->location = copy_text(region, from->location, lost);
    to->content_type = copy_text(region, from->content_type, lost);
    to->content_encoding = copy_text(region, from->content_encoding, lost);
    to->body = from->body == NULL ? NULL : copy(region, from->body, from->body_len, lost);
    if (to->body == NULL)
        to->body_len = 0;
}
