#include "tool/dns_format.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void print_nothing(void)
{
}

static bool end_nothing(void)
{
    return true;
}

static void print_no_name(const char *domain)
{
    (void)domain;
}

/* --- What zone files and nsupdate share (RFC 1035 section 5.1) */

/* Strings of at most 255 bytes in quotes. Visible ASCII and blanks; but quotes and backslashes. */
static void print_strings(const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at++) {
        if (at % RECORDS_STRING_MAX == 0)
            fputs(at == 0 ? "\"" : "\" \"", stdout);
        if (text[at] == '"' || text[at] == '\\')
            putchar('\\');
        putchar(text[at]);
    }
    putchar('"');
}

static void print_record(const struct record *record, uint32_t ttl)
{
    printf("%s. %u IN %s ", record->owner, ttl, records_type_name(record->type));
    if (record->type == RECORDS_TXT)
        print_strings(record->data);
    else
        printf("%s%s", record->data, record->type == RECORDS_CNAME ? "." : "");
    putchar('\n');
}

/* --- nsupdate (RFC 2136): what was there before is replaced, in one update a domain, since two
   domains may be two zones */

/* What has been cleared for this domain, so that a second address does not clear the first. */
static char cleared[HOSTNAME_MAX + 1];

static void open_update(const char *domain)
{
    printf("; %s\n", domain);
    cleared[0] = '\0';
}

static void clear(const struct record *record)
{
    static const char *const places[] = { "CNAME", "A", "AAAA" };

    if (strcmp(cleared, record->owner) == 0)
        return;
    memcpy(cleared, record->owner, sizeof(cleared));
    if (record->type == RECORDS_TXT) {
        /* A server passes over what is added beside a CNAME, and says nothing (section 3.4.2.2). */
        printf("prereq nxrrset %s. IN CNAME\n", record->owner);
        printf("update delete %s. IN TXT\n", record->owner);
        return;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        printf("update delete %s. IN %s\n", record->owner, places[i]);
}

static void print_update(const struct record *record, uint32_t ttl)
{
    clear(record);
    fputs("update add ", stdout);
    print_record(record, ttl);
}

static void close_update(void)
{
    fputs("send\n\n", stdout);
}

/* --- JSON: an array with an object a record, a line each */

static bool first, lost;

static void begin_json(void)
{
    putchar('[');
    first = true;
    lost = false;
}

static void print_json(const struct record *record, uint32_t ttl)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:s}", "name", record->owner, "type",
                               records_type_name(record->type), "ttl", (int)ttl, "data",
                               record->data);

    fputs(first ? "\n  " : ",\n  ", stdout);
    first = false;
    if (object == NULL || json_dumpf(object, stdout, JSON_COMPACT) != 0)
        lost = true;
    json_decref(object);
}

static bool end_json(void)
{
    puts("\n]");
    return !lost;
}

static const struct dns_format formats[] = {
    { "zone", print_nothing, print_no_name, print_record, print_nothing, end_nothing },
    { "nsupdate", print_nothing, open_update, print_update, close_update, end_nothing },
    { "json", begin_json, print_no_name, print_json, print_nothing, end_json },
};

const struct dns_format *dns_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    }
    return NULL;
}
