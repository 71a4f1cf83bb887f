#include "common/region.h"
#include "tool/tlsrpt_internal.h"

#include <stdio.h>
#include <string.h>

/* What is read, and where all of it is. */
struct document {
    struct tlsrpt  report;
    struct region *memory;
};

/* --- Memory: a region a report. Jansson's own way, a block for each value, takes a third of the
   time that there is. Its values are never let go of: they are gone with the region. */

static struct region *memory;  /* of the report that is being read */
static bool           lacking; /* of which there was too little: Jansson does not always say so */

static void *take(size_t size)
{
    void *block = region_alloc(memory, size);

    lacking = lacking || block == NULL;
    return block;
}

static void leave(void *block)
{
    (void)block;
}

void *tlsrpt_zeros(size_t count, size_t size)
{
    void *zeros = region_alloc(memory, count * size);

    return zeros != NULL ? memset(zeros, 0, count * size) : NULL;
}

const char *tlsrpt_type_name(enum tlsrpt_type type)
{
    static const char *const names[] = { [TLSRPT_STS] = "sts",
                                         [TLSRPT_TLSA] = "tlsa",
                                         [TLSRPT_NONE] = "none",
                                         [TLSRPT_OTHER] = "other" };

    return names[type];
}

/* --- From text to a document */

static size_t blanks(const char *text, size_t len)
{
    size_t count = 0;

    while (count < len && strchr(" \t\r\n", text[count]) != NULL && text[count] != '\0')
        count++;
    return count;
}

/* What stands before the document (RFC 8259 section 8.1 knows no byte order mark). */
static size_t preamble(const char *text, size_t len, uint32_t *odd)
{
    size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    if (mark > 0)
        *odd |= 1U << TLSRPT_ODD_BOM;
    return mark + blanks(text + mark, len - mark);
}

/* NULL: it cannot be parsed, and *result and why say why not. */
static json_t *parse(const char *text, size_t len, uint32_t *odd, enum tlsrpt_result *result,
                     char *why)
{
    json_error_t error;
    json_t      *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (root == NULL && json_error_code(&error) == json_error_duplicate_key) {
        *odd |= 1U << TLSRPT_ODD_KEY_TWICE;
        root = json_loadb(text, len, JSON_ALLOW_NUL, &error);
    }
    if (root != NULL)
        return root;
    *result = lacking ? TLSRPT_NO_MEMORY : TLSRPT_REFUSED;
    snprintf(why, TLSRPT_WHY_MAX, "no JSON: line %d: %s", error.line, error.text);
    return NULL;
}

/* --- From a document to a report */

static bool is_one_day(const struct tlsrpt *report)
{
    enum { DAY = 86400 };

    return report->start % DAY == 0 && report->end - report->start == DAY - 1;
}

static void read_dates(struct tlsrpt *report, const json_t *range)
{
    report->start = tlsrpt_time(report, range, "start-datetime");
    report->end = tlsrpt_time(report, range, "end-datetime");
    if (report->start != TLSRPT_NO_TIME && report->end != TLSRPT_NO_TIME && !is_one_day(report))
        tlsrpt_note(report, TLSRPT_ODD_RANGE);
}

/* Some write it as a message-id is written; it is the same with and without. */
static bool read_id(struct tlsrpt *report, json_t *value)
{
    const char *text = tlsrpt_text_of(report, value);
    size_t      len = text != NULL ? strlen(text) : 0;
    char        bare[TLSRPT_TEXT_MAX];

    if (text == NULL)
        tlsrpt_note(report, TLSRPT_ODD_NO_ID);
    report->id = text;
    if (len < 3 || text[0] != '<' || text[len - 1] != '>')
        return true;
    memcpy(bare, text + 1, len - 2);
    if (json_string_setn(value, bare, len - 2) != 0)
        return false;
    report->id = json_string_value(value);
    return true;
}

static bool read_report(struct tlsrpt *report, const json_t *root)
{
    report->organization = tlsrpt_text(report, root, "organization-name");
    report->contact = tlsrpt_text(report, root, "contact-info");
    if (report->organization == NULL)
        tlsrpt_note(report, TLSRPT_ODD_NO_ORGANIZATION);
    if (report->contact == NULL)
        tlsrpt_note(report, TLSRPT_ODD_NO_CONTACT);
    read_dates(report, tlsrpt_object(report, root, "date-range"));
    return read_id(report, json_object_get(root, "report-id")) &&
           tlsrpt_policies(report, json_object_get(root, "policies"));
}

/* All but memory, which it takes from the region. */
static enum tlsrpt_result read_text(char *text, size_t len, struct tlsrpt *report, size_t *used,
                                    char *why)
{
    size_t             before = preamble(text, len, &report->odd), size;
    enum tlsrpt_result result = TLSRPT_REFUSED;
    json_t            *root;

    if (before == len || text[before] != '{') {
        snprintf(why, TLSRPT_WHY_MAX, "no TLS report: it does not begin with \"{\"");
        return TLSRPT_REFUSED;
    }
    size = tlsrpt_scan(text + before, len - before, &report->odd, why);
    if (size == 0)
        return TLSRPT_REFUSED;
    root = parse(text + before, size, &report->odd, &result, why);
    if (root == NULL)
        return result;
    if (!json_is_array(json_object_get(root, "policies"))) {
        snprintf(why, TLSRPT_WHY_MAX, "no TLS report: it has no list of policies");
        return TLSRPT_REFUSED;
    }
    *used = before + size + blanks(text + before + size, len - before - size);
    return read_report(report, root) ? TLSRPT_READ : TLSRPT_NO_MEMORY;
}

enum tlsrpt_result tlsrpt_read(char *text, size_t len, struct tlsrpt **report, size_t *used,
                               char *why)
{
    struct document   *document;
    json_malloc_t      usual_take;
    json_free_t        usual_leave;
    enum tlsrpt_result result = TLSRPT_NO_MEMORY;

    if (len > TLSRPT_BYTES_MAX) {
        snprintf(why, TLSRPT_WHY_MAX, "over %d bytes", TLSRPT_BYTES_MAX);
        return TLSRPT_REFUSED;
    }
    memory = region_new();
    if (memory == NULL)
        return TLSRPT_NO_MEMORY;
    lacking = false;
    json_get_alloc_funcs(&usual_take, &usual_leave);
    json_set_alloc_funcs(take, leave);
    document = tlsrpt_zeros(1, sizeof(*document));
    if (document != NULL) {
        document->memory = memory;
        result = read_text(text, len, &document->report, used, why);
    }
    json_set_alloc_funcs(usual_take, usual_leave);
    if (result == TLSRPT_READ)
        *report = &document->report;
    else
        region_free(memory);
    return result;
}

void tlsrpt_free(struct tlsrpt *report)
{
    if (report != NULL)
        region_free(((struct document *)(void *)report)->memory);
}
