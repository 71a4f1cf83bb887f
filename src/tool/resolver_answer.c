/* What c-ares lets through has the question's number and name. Its own readers of records take
   those of any name for the answer, so they are read here. */
#include "tool/resolver_internal.h"

#include "common/hostname.h"
#include "common/region.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 12,      /* bytes, RFC 1035 section 4.1.1 */
    QUESTION_END = 4, /* bytes of a question behind its name */
    RECORD_FIXED = 10 /* bytes of a record between its name and its data */
};

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28, CLASS_IN = 1 };

enum { RCODE_OK = 0, RCODE_NO_NAME = 3 };

struct message {
    const unsigned char *bytes;
    int                  len;
    int                  answers; /* where they begin */
    unsigned             count;
};

struct record {
    char                *owner; /* for ares_free_string */
    unsigned             type;
    const unsigned char *data;
    unsigned             len;
};

enum step { STEP_ON, STEP_BAD, STEP_NO_MEMORY };

static unsigned number(const unsigned char *bytes)
{
    return ((unsigned)bytes[0] << 8) | bytes[1];
}

static enum step step_of(int status)
{
    return status == ARES_SUCCESS ? STEP_ON : status == ARES_ENOMEM ? STEP_NO_MEMORY : STEP_BAD;
}

/* A name at an offset, and where what follows it begins. */
static enum step read_name(const struct message *message, int at, char **name, int *next)
{
    long      taken;
    enum step step;

    if (at >= message->len)
        return STEP_BAD;
    step = step_of(
        ares_expand_name(message->bytes + at, message->bytes, message->len, name, &taken));
    if (step == STEP_ON)
        *next = at + (int)taken;
    return step;
}

static enum step read_record(const struct message *message, int *at, struct record *record)
{
    const unsigned char *fixed;
    int                  next;
    enum step            step = read_name(message, *at, &record->owner, &next);

    if (step != STEP_ON)
        return step;
    fixed = message->bytes + next;
    if (message->len - next < RECORD_FIXED ||
        message->len - next - RECORD_FIXED < (int)number(fixed + 8)) {
        ares_free_string(record->owner);
        return STEP_BAD;
    }
    record->type = number(fixed + 2) == CLASS_IN ? number(fixed) : 0;
    record->data = fixed + RECORD_FIXED;
    record->len = number(fixed + 8);
    *at = next + RECORD_FIXED + (int)record->len;
    return STEP_ON;
}

/* The header, and the one question, whose name c-ares has compared. */
static enum step read_head(struct message *message)
{
    char     *name;
    enum step step;

    if (message->len < HEADER || number(message->bytes + 4) != 1)
        return STEP_BAD;
    message->count = number(message->bytes + 6);
    step = read_name(message, HEADER, &name, &message->answers);
    if (step != STEP_ON)
        return step;
    ares_free_string(name);
    message->answers += QUESTION_END;
    return STEP_ON;
}

static bool is_of(const struct record *record, const char *name)
{
    return hostname_equal(record->owner, strlen(record->owner), name, strlen(name));
}

/* --- Where the CNAMEs lead --- */

/* One of them. *name stays NULL where there is none. */
static enum step find_alias(const struct message *message, const char *owner, char **name)
{
    struct record record;
    int           at = message->answers, next;

    for (unsigned i = 0; i < message->count; i++) {
        enum step step = read_record(message, &at, &record);
        bool      fits;

        if (step != STEP_ON)
            return step;
        fits = record.type == TYPE_CNAME && is_of(&record, owner);
        ares_free_string(record.owner);
        if (fits)
            return read_name(message, (int)(record.data - message->bytes), name, &next);
    }
    return STEP_ON;
}

/* From *name, which is the region's, to the last. More than RESOLVER_CNAMES_MAX go in a circle. */
static enum step follow_aliases(const struct message *message, struct region *region,
                                const char **name, bool *circle)
{
    *circle = false;
    for (unsigned i = 0; i <= RESOLVER_CNAMES_MAX; i++) {
        char     *next = NULL;
        enum step step = find_alias(message, *name, &next);

        if (step != STEP_ON || !next)
            return step;
        *name = region_string(region, next, strlen(next));
        ares_free_string(next);
        if (!*name)
            return STEP_NO_MEMORY;
    }
    *circle = true;
    return STEP_ON;
}

/* --- The records --- */

static enum step read_txt(const struct record *from, struct region *region,
                          struct resolver_record *to)
{
    char *text = region_bytes(region, (size_t)from->len + 1);

    if (!text)
        return STEP_NO_MEMORY;
    if (from->len == 0) /* RFC 1035 section 3.3.14: one or more */
        return STEP_BAD;
    to->text = text;
    for (unsigned at = 0; at < from->len; at += 1U + from->data[at]) {
        unsigned len = from->data[at];

        if (len >= from->len - at)
            return STEP_BAD;
        memcpy(text + to->len, from->data + at + 1, len);
        to->len += len;
        to->strings++;
    }
    text[to->len] = '\0';
    return STEP_ON;
}

static enum step read_mx(const struct message *message, const struct record *from,
                         struct region *region, struct resolver_record *to)
{
    char     *host;
    int       next;
    enum step step;

    if (from->len < 3)
        return STEP_BAD;
    step = read_name(message, (int)(from->data - message->bytes) + 2, &host, &next);
    if (step != STEP_ON)
        return step;
    to->preference = number(from->data);
    to->len = strlen(host);
    to->text = region_string(region, host, to->len);
    ares_free_string(host);
    return to->text ? STEP_ON : STEP_NO_MEMORY;
}

static enum step read_address(int family, const struct record *from, struct region *region,
                              struct resolver_record *to)
{
    char text[INET6_ADDRSTRLEN];

    if (from->len != (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
        return STEP_BAD;
    inet_ntop(family, from->data, text, sizeof(text));
    to->len = strlen(text);
    to->text = region_string(region, text, to->len);
    return to->text ? STEP_ON : STEP_NO_MEMORY;
}

static enum step read_data(const struct message *message, const struct record *from,
                           struct region *region, struct resolver_record *to)
{
    switch (from->type) {
    case TYPE_TXT:
        return read_txt(from, region, to);
    case TYPE_MX:
        return read_mx(message, from, region, to);
    default:
        return read_address(from->type == TYPE_A ? AF_INET : AF_INET6, from, region, to);
    }
}

static int by_preference(const void *a, const void *b)
{
    const struct resolver_record *left = a, *right = b;

    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return strcmp(left->text, right->text); /* one order, whatever the resolver's */
}

/* Those of the name. *stray: there are such records, of other names. */
static enum step read_records(const struct message *message, const char *name, unsigned type,
                              struct region *region, struct resolver_answer *answer, bool *stray)
{
    struct resolver_record *records = region_alloc(region, RESOLVER_RECORDS_MAX * sizeof(*records));
    struct record           record;
    int                     at = message->answers;
    enum step               step = records ? STEP_ON : STEP_NO_MEMORY;

    *stray = false;
    for (unsigned i = 0; step == STEP_ON && i < message->count; i++) {
        bool fits;

        if ((step = read_record(message, &at, &record)) != STEP_ON)
            break;
        fits = record.type == type && is_of(&record, name);
        *stray = *stray || (record.type == type && !fits);
        ares_free_string(record.owner);
        if (fits && answer->count == RESOLVER_RECORDS_MAX) {
            answer->more = true;
        } else if (fits) {
            records[answer->count] = (struct resolver_record){ 0 };
            step = read_data(message, &record, region, &records[answer->count++]);
        }
    }
    if (step == STEP_ON && type == TYPE_MX && answer->count > 0)
        qsort(records, answer->count, sizeof(*records), by_preference);
    answer->records = records;
    return step;
}

/* --- The whole --- */

static void fail(struct resolver_answer *answer, const char *why)
{
    *answer = (struct resolver_answer){ .result = RESOLVER_FAILED, .why = why };
}

static const char *name_of_failure(unsigned rcode)
{
    static const char *const names[] = { NULL, "FORMERR", "SERVFAIL", NULL, "NOTIMP", "REFUSED" };

    return rcode < sizeof(names) / sizeof(*names) && names[rcode] ? names[rcode]
                                                                  : "an unusual error code";
}

static enum step read_good(const struct message *message, const char *name, unsigned type,
                           struct region *region, struct resolver_answer *answer)
{
    bool      circle, stray;
    enum step step = follow_aliases(message, region, &name, &circle);

    if (step != STEP_ON)
        return step;
    if (circle) {
        fail(answer, "its CNAMEs go in a circle, or are too many");
        return STEP_ON;
    }
    step = read_records(message, name, type, region, answer, &stray);
    if (step != STEP_ON)
        return step;
    if (answer->count > 0)
        answer->result = RESOLVER_OK;
    else if (stray)
        fail(answer, "the answer is about another name");
    else
        answer->result = RESOLVER_NO_DATA;
    return STEP_ON;
}

bool resolver_read_answer(const unsigned char *message, int len, const char *name,
                          enum resolver_type type, struct region *region,
                          struct resolver_answer *answer)
{
    static const unsigned types[] = {
        [RESOLVER_TXT] = TYPE_TXT,
        [RESOLVER_MX] = TYPE_MX,
        [RESOLVER_A] = TYPE_A,
        [RESOLVER_AAAA] = TYPE_AAAA,
    };
    struct message whole = { message, len, 0, 0 };
    unsigned       rcode = len < HEADER ? RCODE_OK : message[3] & 0x0f;
    enum step      step = STEP_ON;

    *answer = (struct resolver_answer){ 0 };
    if (rcode == RCODE_NO_NAME)
        answer->result = RESOLVER_NO_NAME;
    else if (rcode != RCODE_OK)
        fail(answer, name_of_failure(rcode));
    else if ((step = read_head(&whole)) == STEP_ON)
        step = read_good(&whole, name, types[type], region, answer);
    if (step == STEP_BAD)
        fail(answer, "the answer can't be read");
    return step != STEP_NO_MEMORY;
}
