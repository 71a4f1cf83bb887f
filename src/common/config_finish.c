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

/* The item, or NULL; a bad one makes *good false, and so does a missing one that is needed. */
static struct item *single(struct loader *loader, struct section *section, enum key_id id,
                           bool needed, bool *good)
{
    struct section *from = config_home(loader, section, id);
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

/* Fills in where everything comes from. False when something is bad or missing. */
static bool gather(struct loader *loader, struct section *section, struct draft *draft)
{
    bool         good = true;
    struct item *mode = single(loader, section, KEY_MODE, true, &good);
    struct item *max_age = single(loader, section, KEY_MAX_AGE, false, &good);

    memset(draft, 0, sizeof *draft);
    draft->section = section;
    draft->mx_from = config_home(loader, section, KEY_MX);
    draft->rua_from = config_home(loader, section, KEY_RUA);
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
    for (struct item *rua = config_first_item(draft->rua_from, KEY_RUA); rua != NULL;
         rua = config_next_item(rua))
        draft->rua[draft->policy.rua_count++] = rua->text;
    return !config_has_bad(draft->rua_from, KEY_RUA);
}

/* With isolate = on, an mx or a body that is too long with some domains is good for the others. */
static void limit_section(struct draft *draft, struct section *section, size_t longest,
                          const struct item *mx)
{
    if (longest >= section->fits)
        return;
    section->fits = (uint8_t)longest;
    section->mx_limit = mx;
    if (draft->longest > longest)
        draft->longest = longest;
}

/* Bytes that %d may have in an mx that DNS can carry. */
static size_t room_in_mx(const struct item *mx)
{
    return (HOSTNAME_MAX - (strlen(mx->text) - (size_t)2 * mx->number)) / mx->number;
}

static void fit_mx(struct draft *draft, struct section *section)
{
    for (struct item *mx = config_first_item(draft->mx_from, KEY_MX); mx != NULL;
         mx = config_next_item(mx)) {
        if (mx->number > 0 && room_in_mx(mx) < draft->longest)
            limit_section(draft, section, room_in_mx(mx), mx);
    }
}

static void fit_body(struct draft *draft, struct section *section)
{
    const struct policy *policy = &draft->policy;
    size_t               fixed = policy_body_length(policy, 0);

    if (policy->body_domains > 0 && fixed < POLICY_BODY_MAX &&
        policy_body_length(policy, draft->longest) > POLICY_BODY_MAX)
        limit_section(draft, section, (POLICY_BODY_MAX - fixed) / policy->body_domains, NULL);
}

/* [*] serves the domains for which each mx is a name that DNS can carry. */
static void limit_any(struct loader *loader, struct draft *draft)
{
    draft->longest = HOSTNAME_DOMAIN_MAX;
    for (struct item *mx = config_first_item(draft->mx_from, KEY_MX); mx != NULL;
         mx = config_next_item(mx)) {
        if (mx->number > 0) {
            if (room_in_mx(mx) < draft->longest)
                draft->longest = room_in_mx(mx);
        }
    }
    loader->config->any_domain_max = draft->longest;
}

static bool check_mx_lengths(struct loader *loader, const struct draft *draft)
{
    const struct place place = draft->section->place;
    bool               good = true;

    for (struct item *mx = config_first_item(draft->mx_from, KEY_MX); mx != NULL;
         mx = config_next_item(mx)) {
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

    for (struct item *mx = config_first_item(draft->mx_from, KEY_MX); mx != NULL;
         mx = config_next_item(mx)) {
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
    struct item *mx = config_first_item(draft->mx_from, KEY_MX);

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
    for (struct item *item = config_first_item(draft->rua_from, KEY_RUA); item != NULL;
         item = config_next_item(item))
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
    bool         isolates = loader->isolate && section->kind == SECTION_DOMAIN;
    bool         whole;

    section->policy = NO_POLICY;
    if (!gather(loader, section, &draft))
        return;
    if (section->kind == SECTION_ANY)
        limit_any(loader, &draft);
    if (isolates)
        fit_mx(&draft, section);
    if (!check_mx_lengths(loader, &draft) || config_has_bad(draft.mx_from, KEY_MX) ||
        !config_check_mx_distinct(loader, draft.mx_from))
        return;
    whole = write_body(loader, &draft);
    if (isolates && whole)
        fit_body(&draft, section);
    loader->limited = loader->limited || section->fits < section->longest;
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
    config->any_policy = NO_POLICY;
    if (any != 0) {
        config->any_policy = loader->sections[any - 1].policy;
        config->any_place = loader->sections[any - 1].place;
    }
}

void config_finish_policies(struct loader *loader)
{
    static const struct place whole = { 0, 0 };
    struct config            *config = loader->config;
    uint32_t                  policies = 0;

    for (uint32_t i = 0; i < loader->section_count && !loader->no_memory; i++) {
        struct section *section = &loader->sections[i];

        config_take_out(loader, UNIT_SECTION, i, false);
        if (section->kind == SECTION_ANY || section->kind == SECTION_DOMAIN)
            finish_section(loader, section);
        policies += section->kind >= SECTION_ANY;
    }
    config_take_out(loader, UNIT_ALL, 0, false);
    if (policies == 0 &&
        loader->isolated_count == 0) /* else last good policies may be all there is */
        config_error(loader, whole, "there is no policy: no section of a domain and no [*]");
    if (loader->isolate)
        config_isolate_finish(loader);
    else if (loader->errors == 0)
        assign_policies(loader);
    if (loader->errors == 0 && config->any_policy != NO_POLICY)
        config->any = &config->policies[config->any_policy];
}
