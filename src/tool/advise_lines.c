#include "tool/advise_lines.h"

#include "tool/dns_format.h"
#include "tool/domain_list.h"
#include "tool/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char indent[] = "    ";

const char *advise_age_text(uint32_t max_age, char out[ADVISE_AGE_TEXT])
{
    static const struct {
        uint32_t    seconds;
        const char *name;
    } units[] = { { 604800, "week" }, { 86400, "day" }, { 3600, "hour" }, { 1, "second" } };
    const uint32_t day = units[1].seconds;
    size_t         i = 0;

    while (max_age % units[i].seconds != 0)
        i++;
    if (units[i].seconds < day && max_age > day)
        snprintf(out, ADVISE_AGE_TEXT, "about %" PRIu32 " days", (max_age + day / 2) / day);
    else
        snprintf(out, ADVISE_AGE_TEXT, "%" PRIu32 " %s%s", max_age / units[i].seconds,
                 units[i].name, max_age / units[i].seconds == 1 ? "" : "s");
    return out;
}

/* --- The configuration */

/* Is what is written there a section's header, and not an alias? */
static bool is_header(const char *file, unsigned number)
{
    FILE  *stream = fopen(file, "re");
    char  *line = NULL;
    size_t size = 0;
    bool   header = false;

    for (unsigned i = 0; stream != NULL && i < number; i++) {
        if (getline(&line, &size, stream) < 0)
            break;
        header = i + 1 == number && line[strspn(line, " \t")] == '[';
    }
    free(line);
    if (stream != NULL)
        fclose(stream);
    return header;
}

static void print_header(const struct config *config, const struct check_facts *facts)
{
    const char         *domain = facts->domain;
    struct config_match match;
    const char         *file;
    unsigned            line;

    if (config_find_host(config, facts->host, strlen(facts->host), &match) && match.any) {
        printf("%s[*]    ; every domain that it stands for\n", indent);
        return;
    }
    config_place(config, domain, &file, &line);
    if (is_header(file, line))
        printf("%s[%s]    ; %s:%u\n", indent, domain, file, line);
    else
        printf("%s; in the section that has %s, %s:%u, and so for all of its domains\n", indent,
               domain, file, line);
}

static void print_setting(const struct advice *advice)
{
    char age[ADVISE_AGE_TEXT];

    printf("%smode    = %s\n", indent, policy_mode_name(advice->mode));
    printf("%smax_age = %" PRIu32 "    ; %s\n", indent, advice->max_age,
           advise_age_text(advice->max_age, age));
}

bool advise_lines_change(const struct config *config, const struct check_facts *facts,
                         const struct advice *advice)
{
    print_header(config, facts);
    print_setting(advice);
    if (facts->configured->id != NULL)
        printf("%s; and no id: it is derived from the policy then, and changes with it\n", indent);
    return true;
}

bool advise_lines_section(const struct check_facts *facts, const struct advice *advice)
{
    printf("%s[%s]\n", indent, facts->domain);
    print_setting(advice);
    for (size_t i = 0; i < facts->mx_count; i++) {
        if (facts->mx[i].exchanger == NULL)
            continue;
        printf("%smx      = ", indent);
        printable_put(facts->mx[i].exchanger->host, stdout);
        putchar('\n');
    }
    if (facts->mx_count == 0)
        printf("%smx      = mail.%s\n", indent, facts->domain);
    printf("%srua     = mailto:tls-reports@%s\n", indent, facts->domain);
    return true;
}

bool advise_lines_rua(const struct config *config, const struct check_facts *facts)
{
    print_header(config, facts);
    printf("%srua     = mailto:tls-reports@%s\n", indent, facts->domain);
    return true;
}

/* --- Records */

static const char reports_label[] = "_smtp._tls.", policy_label[] = "_mta-sts.";

static void print_record(void *context, const struct record *record)
{
    const char *label = context;

    if (strncmp(record->owner, label, strlen(label)) != 0)
        return;
    fputs(indent, stdout);
    dns_format_find("zone")->record(record, RECORDS_TTL_DEFAULT);
}

static bool print_records(const struct policy *policy, const char *domain, const char *label)
{
    static const struct records_place nowhere;
    char                              copy[sizeof(reports_label)];

    snprintf(copy, sizeof(copy), "%s", label);
    return (records_each(policy, domain, &nowhere, print_record, copy) & RECORDS_LACK_MEMORY) == 0;
}

/* The body with the mode and max_age of the advice: they are its second and its last line. */
static char *changed_body(const struct policy *policy, const struct advice *advice, size_t *len)
{
    const char *mode = memchr(policy->body, '\n', policy->body_len);
    const char *rest = mode == NULL ? NULL : strchr(mode + 1, '\n');
    const char *age = rest;
    char       *body = NULL;
    FILE       *stream;

    if (rest == NULL)
        return NULL;
    for (const char *at = rest; (at = strstr(at, "\nmax_age: ")) != NULL; at++)
        age = at;
    stream = open_memstream(&body, len);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "%.*s\nmode: %s\r%.*s\nmax_age: %" PRIu32 "\r\n", (int)(mode - policy->body),
            policy->body, policy_mode_name(advice->mode), (int)(age - rest), rest, advice->max_age);
    if (fclose(stream) == 0)
        return body;
    free(body);
    return NULL;
}

bool advise_lines_record(const struct check_facts *facts, const struct advice *advice)
{
    struct policy policy = *facts->configured;
    size_t        len;
    char         *body;
    bool          printed;

    if (!advice->change)
        return print_records(&policy, facts->domain, policy_label);
    body = changed_body(&policy, advice, &len);
    if (body == NULL)
        return false;
    policy.id = NULL;
    policy.body = body;
    policy.body_len = (uint32_t)len;
    printed = print_records(&policy, facts->domain, policy_label);
    free(body);
    return printed;
}

bool advise_lines_reports(const struct check_facts *facts)
{
    return print_records(facts->configured, facts->domain, reports_label);
}
