#include "common/config_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    BODY_FRAME_MAX = 128, /* bytes: the longest "max_age: " line and the first two lines are less */
    DECIMAL_SIZE = 11     /* bytes of 32 bits in digits, with NUL */
};

/* A policy in the making: what of it comes from where. */
struct draft {
    struct policy         policy; /* its strings in scratch */
    const struct section *section;
    struct section       *mx_from;  /* the section or [defaults] */
    struct section       *rua_from; /* likewise, or NULL */
    struct item          *certificate;
    struct item          *key;
    struct item          *id;
    const char           *rua[CONFIG_RUA_MAX];
    size_t                longest; /* bytes of the longest domain it is for */
};

static struct section *defaults_of(const struct loader *loader)
{
    uint32_t known = loader->special[SECTION_DEFAULTS];

    return known != 0 ? &loader->sections[known - 1] : NULL;
}

/* A section's key replaces that of [defaults]; lists are replaced whole. */
static struct section *source(const struct loader *loader, struct section *section, enum key_id id)
{
    struct section *defaults = defaults_of(loader);

    if (section->seen & KEY_BIT(id))
        return section;
    return defaults != NULL && defaults->seen & KEY_BIT(id) ? defaults : NULL;
}

/* The item, or NULL; a bad one makes *good false, and so does a missing one that is needed. */
static struct item *single(struct loader *loader, struct section *section, enum key_id id,
                           bool needed, bool *good)
{
    struct section *from = source(loader, section, id);
    struct item    *item = from != NULL ? config_find_item(from, id) : NULL;

    if (item == NULL && needed) {
        config_error(loader, section->place, "no %s, neither here nor in [defaults]",
                     config_keys[id].name);
        *good = false;
    }
    if (item != NULL && item->bad)
        *good = false;
    return item;
}

static struct item *good_from(struct item *item, enum key_id id)
{
    while (item != NULL && (item->key != id || item->bad))
        item = item->next;
    return item;
}

/* A list key's good items, one after the other. */
static struct item *first_of(const struct section *section, enum key_id id)
{
    return good_from(section->first, id);
}

static struct item *next_of(const struct item *item)
{
    return good_from(item->next, (enum key_id)item->key);
}

static bool has_bad(const struct section *section, enum key_id id)
{
    const struct item *item = section->first;

    while (item != NULL && (item->key != id || !item->bad))
        item = item->next;
    return item != NULL;
}

/* Fills in where everything comes from. False when something is bad or missing. */
static bool gather(struct loader *loader, struct section *section, struct draft *draft)
{
    bool         good = true;
    struct item *mode = single(loader, section, KEY_MODE, true, &good);
    struct item *max_age = single(loader, section, KEY_MAX_AGE, false, &good);

    memset(draft, 0, sizeof *draft);
    draft->section = section;
    draft->mx_from = source(loader, section, KEY_MX);
    draft->rua_from = source(loader, section, KEY_RUA);
    draft->certificate = single(loader, section, KEY_CERTIFICATE, true, &good);
    draft->key = single(loader, section, KEY_KEY, false, &good);
    draft->id = single(loader, section, KEY_ID, false, &good);
    draft->longest = section->longest;
    if (draft->mx_from == NULL)
        /* RFC 8461 section 3.2 lets "none" go without; some senders do not. */
        config_error(loader, section->place, "no mx, neither here nor in [defaults]");
    if (!good || draft->mx_from == NULL)
        return false;
    draft->policy.mode = (enum policy_mode)mode->number;
    draft->policy.max_age = max_age != NULL ? max_age->number : POLICY_MAX_AGE_DEFAULT;
    draft->policy.certificate = draft->certificate->text;
    draft->policy.key = draft->key != NULL ? draft->key->text : NULL;
    draft->policy.id = draft->id != NULL ? draft->id->text : NULL;
    draft->policy.rua = draft->rua;
    if (draft->rua_from == NULL)
        return true;
    for (struct item *rua = first_of(draft->rua_from, KEY_RUA); rua != NULL; rua = next_of(rua))
        draft->rua[draft->policy.rua_count++] = rua->text;
    return !has_bad(draft->rua_from, KEY_RUA);
}

/* [*] serves the domains for which each mx is a name that DNS can carry. */
static void limit_any(struct loader *loader, struct draft *draft)
{
    draft->longest = HOSTNAME_DOMAIN_MAX;
    for (struct item *mx = first_of(draft->mx_from, KEY_MX); mx != NULL; mx = next_of(mx)) {
        if (mx->number > 0) {
            size_t room = (HOSTNAME_MAX - (strlen(mx->text) - (size_t)2 * mx->number)) / mx->number;

            if (room < draft->longest)
                draft->longest = room;
        }
    }
    loader->config->any_domain_max = draft->longest;
}

static bool check_mx_lengths(struct loader *loader, const struct draft *draft)
{
    const struct place place = draft->section->place;
    bool               good = true;

    for (struct item *mx = first_of(draft->mx_from, KEY_MX); mx != NULL; mx = next_of(mx)) {
        if (strlen(mx->text) + mx->number * draft->longest - (size_t)2 * mx->number <= HOSTNAME_MAX)
            continue;
        good = false;
        if (!mx->told)
            config_error(loader, mx->place,
                         "mx %s has more than %d bytes with a domain of %zu bytes, as there is "
                         "one at %s:%u",
                         mx->text, HOSTNAME_MAX, draft->longest, config_file_name(loader, place),
                         place.line);
        mx->told = true;
    }
    return good;
}

/* pattern and literal are the same mx for a domain that has this list. */
static bool meet(struct loader *loader, const struct section *list, const struct item *pattern,
                 const struct item *literal)
{
    const struct config *config = loader->config;
    size_t               before = strcspn(pattern->text, "%");
    size_t               behind = strlen(pattern->text) - before - 2;
    size_t               len = strlen(literal->text);
    const struct domain *domain;
    const struct item   *first = literal;
    const struct item   *second = pattern;

    if (len <= before + behind || memcmp(literal->text, pattern->text, before) != 0 ||
        strcmp(literal->text + len - behind, pattern->text + before + 2) != 0)
        return false;
    domain = domains_find(&config->domains, config->key, literal->text + before,
                          len - before - behind);
    if (domain == NULL || source(loader, &loader->sections[domain->policy], KEY_MX) != list)
        return false;
    if (pattern->place.line < literal->place.line) {
        first = pattern;
        second = literal;
    }
    config_error(loader, second->place, "mx %s is the same as mx %s at %s:%u for %.*s",
                 second->text, first->text, config_file_name(loader, first->place),
                 first->place.line, (int)(len - before - behind), literal->text + before);
    return true;
}

/* An mx that is repeated only when %d is filled in. Looked for once a list, whoever has it. */
static bool check_mx_distinct(struct loader *loader, struct section *list)
{
    if (list->mx_judged)
        return true;
    list->mx_judged = true;
    for (struct item *pattern = first_of(list, KEY_MX); pattern != NULL;
         pattern = next_of(pattern)) {
        if (pattern->number != 1)
            continue;
        for (struct item *literal = first_of(list, KEY_MX); literal != NULL;
             literal = next_of(literal)) {
            if (literal->number == 0 && meet(loader, list, pattern, literal))
                return false;
        }
    }
    return true;
}

/* The number, at the end of out. printf takes seven times as many instructions. */
static const char *decimal(uint32_t number, char out[DECIMAL_SIZE])
{
    char *at = &out[DECIMAL_SIZE - 1];

    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

/* Into out, which has room for it. Returns where it ends. */
static char *line(char *out, const char *key, const char *value)
{
    return stpcpy(stpcpy(stpcpy(out, key), value), "\r\n");
}

/* The body as a template, into the loader's buffer; past the end only its length is
   counted on. False when it is not whole. */
static bool write_body(struct loader *loader, struct draft *draft)
{
    struct policy *policy = &draft->policy;
    char          *body = loader->body;
    char           max_age[DECIMAL_SIZE];
    bool           whole = true;
    char          *end = line(body, "version: STSv1\r\nmode: ", policy_mode_name(policy->mode));
    size_t         len = (size_t)(end - body);

    for (struct item *mx = first_of(draft->mx_from, KEY_MX); mx != NULL; mx = next_of(mx)) {
        size_t mx_len = strlen(mx->text);

        if (len + mx_len + BODY_FRAME_MAX <= CONFIG_BODY_SIZE)
            line(body + len, "mx: ", mx->text);
        else
            whole = false;
        len += mx_len + 6;
        policy->mx_count++;
        policy->body_domains += mx->number;
    }
    if (whole) {
        end = line(body + len, "max_age: ", decimal(policy->max_age, max_age));
        len = (size_t)(end - body);
    }
    policy->body = body;
    policy->body_len = (uint32_t)len;
    return whole;
}

/* Sizes are judged for the longest domain: RFC 8461 section 3.3 lets senders stop at 64 KB. */
static bool judge_body(struct loader *loader, struct draft *draft, bool whole)
{
    size_t       len = policy_body_length(&draft->policy, draft->longest);
    struct item *mx = first_of(draft->mx_from, KEY_MX);

    if (!whole || len > POLICY_BODY_MAX) {
        config_error(loader, draft->section->place,
                     "a policy of %zu bytes; senders take no more than %d", len, POLICY_BODY_MAX);
        return false;
    }
    if (len > POLICY_BODY_WARN && !mx->told) {
        config_warning(loader, draft->section->place,
                       "a policy of %zu bytes; some senders stop at %d", len, POLICY_BODY_WARN);
        mx->told = true;
    }
    return true;
}

/* The text of an item where it lasts, once for all who use the item. */
static const char *lasting(struct loader *loader, struct item *item)
{
    if (item == NULL)
        return NULL;
    if (item->kept == NULL)
        item->kept = region_string(loader->config->region, item->text, strlen(item->text));
    if (item->kept == NULL)
        config_no_memory(loader);
    return item->kept;
}

static const char *const *lasting_rua(struct loader *loader, const struct draft *draft)
{
    uint32_t     count = 0;
    const char **rua;

    if (draft->policy.rua_count == 0)
        return NULL;
    rua = region_alloc(loader->config->region, draft->policy.rua_count * sizeof *rua);
    if (rua == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    for (struct item *item = first_of(draft->rua_from, KEY_RUA); item != NULL; item = next_of(item))
        rua[count++] = lasting(loader, item);
    return rua;
}

static uint32_t keep_policy(struct loader *loader, struct draft *draft)
{
    struct policy *policy = &draft->policy;
    uint32_t       hash;
    uint32_t       index = config_kept_find(loader, policy, &hash);

    if (index != NO_POLICY)
        return index;
    policy->body = region_string(loader->config->region, policy->body, policy->body_len);
    if (policy->body == NULL)
        config_no_memory(loader);
    policy->certificate = lasting(loader, draft->certificate);
    policy->key = lasting(loader, draft->key);
    policy->id = lasting(loader, draft->id);
    policy->rua = lasting_rua(loader, draft);
    return loader->no_memory ? NO_POLICY : config_kept_add(loader, policy, hash);
}

static void finish_section(struct loader *loader, struct section *section)
{
    struct draft draft;
    bool         whole;

    section->policy = NO_POLICY;
    if (!gather(loader, section, &draft))
        return;
    if (section->kind == SECTION_ANY)
        limit_any(loader, &draft);
    if (!check_mx_lengths(loader, &draft) || has_bad(draft.mx_from, KEY_MX) ||
        !check_mx_distinct(loader, draft.mx_from))
        return;
    whole = write_body(loader, &draft);
    if (judge_body(loader, &draft, whole))
        section->policy = keep_policy(loader, &draft);
}

static void assign_policies(struct loader *loader)
{
    struct config *config = loader->config;
    uint32_t       any = loader->special[SECTION_ANY];

    for (uint32_t i = 0; i < config->domains.count; i++) {
        struct domain *domain = &config->domains.entries[i];

        domain->policy = loader->sections[domain->policy].policy;
    }
    if (any != 0)
        config->any = &config->policies[loader->sections[any - 1].policy];
}

void config_finish_policies(struct loader *loader)
{
    static const struct place whole = { 0, 0 };
    uint32_t                  policies = 0;

    for (uint32_t i = 0; i < loader->section_count && !loader->no_memory; i++) {
        struct section *section = &loader->sections[i];

        if (section->kind == SECTION_ANY || section->kind == SECTION_DOMAIN)
            finish_section(loader, section);
        policies += section->kind >= SECTION_ANY;
    }
    if (policies == 0)
        config_error(loader, whole, "there is no policy: no section of a domain and no [*]");
    if (loader->errors == 0)
        assign_policies(loader);
}
