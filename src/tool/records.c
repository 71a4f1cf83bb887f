#include "tool/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who is visited, and what could not be. */
struct walk {
    const char *domain;
    void (*visit)(void *context, const struct record *record);
    void    *context;
    unsigned lack;
};

const char *records_type_name(enum records_type type)
{
    static const char *const names[] = {
        [RECORDS_TXT] = "TXT", [RECORDS_CNAME] = "CNAME", [RECORDS_A] = "A", [RECORDS_AAAA] = "AAAA"
    };

    return names[type];
}

static void give(struct walk *walk, const char *label, enum records_type type, const char *data)
{
    struct record record = { .type = type, .data = data };
    int           len = snprintf(record.owner, sizeof(record.owner), "%s.%s", label, walk->domain);

    if ((size_t)len >= sizeof(record.owner))
        walk->lack |= RECORDS_LACK_NAME;
    else
        walk->visit(walk->context, &record);
}

static void give_policy(struct walk *walk, const struct policy *policy)
{
    char id[POLICY_ID_LEN + 1];
    char text[sizeof("v=STSv1; id=;") + POLICY_ID_LEN];

    policy_id(policy, walk->domain, strlen(walk->domain), id);
    snprintf(text, sizeof(text), "v=STSv1; id=%s;", id);
    give(walk, "_mta-sts", RECORDS_TXT, text);
}

static void give_place(struct walk *walk, const struct records_place *place)
{
    char host[HOSTNAME_MAX + 1];

    snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s", walk->domain);
    if (place->target != NULL && strcmp(place->target, host) == 0)
        walk->lack |= RECORDS_LACK_PLACE;
    else if (place->target != NULL)
        give(walk, "mta-sts", RECORDS_CNAME, place->target);
    for (size_t i = 0; i < place->address_count; i++)
        give(walk, "mta-sts", place->addresses[i].type, place->addresses[i].text);
}

/* "v=TLSRPTv1; rua=...,...": config has seen to it that each is a URI of its kind, encoded. */
static char *reports_text(const struct policy *policy)
{
    char  *text = NULL;
    size_t len;
    FILE  *stream = open_memstream(&text, &len);

    if (stream == NULL)
        return NULL;
    fputs("v=TLSRPTv1; rua=", stream);
    for (size_t i = 0; i < policy->rua_count; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", policy->rua[i]);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

static void give_reports(struct walk *walk, const struct policy *policy)
{
    char *text = reports_text(policy);

    if (text == NULL)
        walk->lack |= RECORDS_LACK_MEMORY;
    else if (strlen(text) > RECORDS_TXT_MAX)
        walk->lack |= RECORDS_LACK_ROOM;
    else
        give(walk, "_smtp._tls", RECORDS_TXT, text);
    free(text);
}

unsigned records_each(const struct policy *policy, const char *domain,
                      const struct records_place *place,
                      void (*visit)(void *context, const struct record *record), void *context)
{
    struct walk walk = { .domain = domain, .visit = visit, .context = context };

    give_policy(&walk, policy);
    give_place(&walk, place);
    if (policy->rua_count > 0)
        give_reports(&walk, policy);
    else
        walk.lack |= RECORDS_LACK_RUA;
    return walk.lack;
}
