#include "common/config_internal.h"

#include "common/ini_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS_FIRST = 64, PLACES_FIRST = 64 };

static const char *const special_names[] = {
    [SECTION_SERVER] = "server",
    [SECTION_DEFAULTS] = "defaults",
    [SECTION_ANY] = "*",
};

struct item *config_find_item(const struct section *section, enum key_id id)
{
    struct item *item = section->first;

    if (!(section->seen & KEY_BIT(id)))
        return NULL;
    while (item != NULL && item->key != id)
        item = item->next;
    return item;
}

/* A new section becomes the one being read. */
static bool open_section(struct loader *loader, enum section_kind kind, struct place place)
{
    struct section *section;

    if (loader->section_count == loader->section_size) {
        uint32_t        size = loader->section_size * 2 + SECTIONS_FIRST;
        struct section *sections = realloc(loader->sections, size * sizeof *sections);

        if (sections == NULL) {
            config_no_memory(loader);
            return false;
        }
        loader->sections = sections;
        loader->section_size = size;
    }
    loader->section = loader->section_count++;
    section = &loader->sections[loader->section];
    memset(section, 0, sizeof *section);
    section->kind = (uint8_t)kind;
    section->place = place;
    section->fits = UINT8_MAX;
    return true;
}

static void open_special(struct loader *loader, enum section_kind kind, struct place place)
{
    uint32_t known = loader->special[kind];

    if (loader->file != 0)
        config_take_out(loader, UNIT_LINE, 0, true);
    else if (kind == SECTION_ANY && known != 0)
        config_take_out(loader, UNIT_SECTION, known - 1, false);
    if (loader->file != 0) {
        config_error(loader, place, "[%s] stands in the main file only", special_names[kind]);
    } else if (known != 0) {
        struct place first = loader->sections[known - 1].place;

        config_error(loader, place, "[%s] is already at %s:%u", special_names[kind],
                     config_file_name(loader, first), first.line);
    } else if (open_section(loader, kind, place)) {
        loader->special[kind] = loader->section + 1;
        if (kind == SECTION_ANY)
            config_take_out(loader, UNIT_SECTION, loader->section, false);
    }
}

/* The special section that a name which is no domain may stand for, or NULL. */
static const char *near_special(const char *name)
{
    for (int kind = SECTION_SERVER; kind <= SECTION_DEFAULTS; kind++) {
        if (config_nearness(name, special_names[kind]) >= 0)
            return special_names[kind];
    }
    return NULL;
}

static void tell_bad_domain(struct loader *loader, struct place place, const char *name, size_t len,
                            enum hostname_verdict verdict, bool header)
{
    const char *near = header ? near_special(name) : NULL;
    char        more[64] = "";

    if (verdict == HOSTNAME_TOO_LONG)
        snprintf(more, sizeof more, ": a domain has at most %d bytes", HOSTNAME_DOMAIN_MAX);
    else if (near != NULL)
        snprintf(more, sizeof more, "; did you mean [%s]?", near);
    config_error(loader, place, "%s%.*s%s is no domain: it %s%s", header ? "[" : "\"",
                 len > 100 ? 100 : (int)len, name, header ? "]" : "\"", hostname_explain(verdict),
                 more);
}

/* RFC 8461 section 3.3: the policy host is made from the domain, by us. mta-sts.org is a
   domain all the same: "org" is none. */
static bool is_policy_host(const char *domain, size_t len)
{
    char rest[HOSTNAME_DOMAIN_MAX + 1];

    return strncmp(domain, HOSTNAME_POLICY_PREFIX, HOSTNAME_POLICY_PREFIX_LEN) == 0 &&
           hostname_canonical(domain + HOSTNAME_POLICY_PREFIX_LEN, len - HOSTNAME_POLICY_PREFIX_LEN,
                              HOSTNAME_DOMAIN_MAX, rest) == HOSTNAME_OK;
}

bool config_keep_place(struct loader *loader, uint32_t index, struct place place)
{
    if (index >= loader->place_size) {
        uint32_t      size = loader->place_size == 0 ? PLACES_FIRST : loader->place_size * 2;
        struct place *places = realloc(loader->places, size * sizeof *places);

        if (places == NULL)
            return false;
        loader->places = places;
        loader->place_size = size;
    }
    loader->places[index] = place;
    return true;
}

/* A domain that is in the table already. Another section's claim to it may be a claim to the domain
   of another customer, so with isolate = on neither counts. */
static bool repeat_domain(struct loader *loader, struct place place, const char *domain,
                          uint32_t index)
{
    struct place first = loader->places[index];
    const char  *file = config_file_name(loader, first);
    uint32_t     owner = loader->config->domains.entries[index].policy;

    if (!loader->isolate || owner == loader->section) {
        config_error(loader, place, "%s is already named at %s:%u", domain, file, first.line);
        return false;
    }
    config_isolate_domain(loader, index, place, "%s is already named at %s:%u: neither counts",
                          domain, file, first.line);
    return true;
}

/* A canonical name, into the table. */
static bool enter_domain(struct loader *loader, struct place place, const char *domain, size_t len,
                         bool header)
{
    struct section     *section = &loader->sections[loader->section];
    struct config      *config = loader->config;
    uint32_t            index;
    enum domains_answer answer = domains_add(&config->domains, config->key, domain, len,
                                             loader->section, &index);

    if (header)
        section->header = index + 1;
    if (answer == DOMAINS_KNOWN)
        return repeat_domain(loader, place, domain, index);
    if (answer == DOMAINS_NO_MEMORY || !config_keep_place(loader, index, place)) {
        config_no_memory(loader);
        return false;
    }
    if (len > section->longest)
        section->longest = (uint8_t)len;
    return true;
}

bool config_add_domain(struct loader *loader, struct place place, const char *name, size_t len,
                       bool header)
{
    char                  domain[HOSTNAME_DOMAIN_MAX + 1];
    enum hostname_verdict verdict = hostname_canonical(name, len, HOSTNAME_DOMAIN_MAX, domain);

    if (header)
        config_take_out(loader, UNIT_SECTION, loader->section, verdict != HOSTNAME_OK);
    if (verdict != HOSTNAME_OK) {
        if (header && loader->file == 0 && near_special(name) != NULL)
            config_take_out(loader, UNIT_ALL, 0, false);
        tell_bad_domain(loader, place, name, len, verdict, header);
        return false;
    }
    len = strlen(domain);
    if (is_policy_host(domain, len)) {
        loader->unit.unsure = header;
        config_error(loader, place,
                     header ? "[%s] names a policy host, not its domain; did you mean [%s]?"
                            : "%s is a policy host, not a domain; did you mean %s?",
                     domain, domain + HOSTNAME_POLICY_PREFIX_LEN);
        return false;
    }
    return enter_domain(loader, place, domain, len, header);
}

static void on_section(void *context, unsigned line, const char *name)
{
    struct loader *loader = context;
    struct place   place = { loader->file, line };

    loader->section = NO_SECTION;
    config_take_out(loader, UNIT_ALL, 0, false);
    if (loader->no_memory)
        return;
    for (int kind = SECTION_SERVER; kind <= SECTION_ANY; kind++) {
        if (strcmp(name, special_names[kind]) == 0) {
            open_special(loader, (enum section_kind)kind, place);
            return;
        }
    }
    if (!open_section(loader, SECTION_DOMAIN, place))
        return;
    if (config_add_domain(loader, place, name, strlen(name), true))
        return;
    loader->sections[loader->section].kind = SECTION_BAD;
    if (near_special(name) != NULL)
        loader->section = NO_SECTION; /* its keys are of another kind than they'd be judged by */
}

/* [server] and [defaults] stand in the main file: what may be one of them there is. */
static bool may_be_special(const struct loader *loader, const char *header)
{
    char   name[32];
    size_t start = strspn(header, " \t");
    size_t len = strcspn(header + start, "] \t;");

    snprintf(name, sizeof name, "%.*s", (int)len, header + start);
    return loader->file == 0 && near_special(name) != NULL;
}

static void on_bad_header(void *context, unsigned line, const char *text, const char *header)
{
    struct loader *loader = context;
    struct place   place = { loader->file, line };

    loader->section = NO_SECTION;
    if (may_be_special(loader, header))
        config_take_out(loader, UNIT_ALL, 0, false);
    else
        config_take_out(loader, UNIT_LINE, 0, true);
    config_error(loader, place, "%s", text);
}

static bool belongs(enum key_home home, enum section_kind kind)
{
    switch (home) {
    case HOME_SERVER:
        return kind == SECTION_SERVER;
    case HOME_POLICY:
        return kind != SECTION_SERVER;
    case HOME_DOMAIN:
        return kind == SECTION_DOMAIN || kind == SECTION_BAD;
    }
    return false;
}

static void tell_unknown(struct loader *loader, enum section_kind kind, struct place place,
                         const char *key)
{
    const char *near = NULL;
    int         nearest = 0;

    for (int id = 0; id < KEY_COUNT; id++) {
        int distance = config_nearness(key, config_keys[id].name);

        if (!belongs(config_keys[id].home, kind) || distance < 0)
            continue;
        if (near == NULL || distance < nearest) {
            near = config_keys[id].name;
            nearest = distance;
        }
    }
    if (near != NULL && config_keys[config_find_key(near)].home == HOME_DOMAIN)
        loader->unit.unsure = true;
    if (near != NULL)
        config_error(loader, place, "unknown key " SHOW "; did you mean %s?", key, near);
    else
        config_error(loader, place, "unknown key " SHOW, key);
}

static void tell_misplaced(struct loader *loader, enum section_kind kind, struct place place,
                           const struct config_key *key)
{
    const char *home = "[server]";
    const char *here = "a policy";

    if (key->home == HOME_POLICY)
        home = "a policy";
    else if (key->home == HOME_DOMAIN)
        home = "the section of a domain";
    if (kind <= SECTION_ANY)
        config_error(loader, place, "%s belongs in %s, not in [%s]", key->name, home,
                     special_names[kind]);
    else
        config_error(loader, place, "%s belongs in %s, not in %s", key->name, home, here);
}

static struct item *add_item(struct loader *loader, struct section *section)
{
    struct item *item = region_alloc(loader->scratch, sizeof *item);

    if (item == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    memset(item, 0, sizeof *item);
    if (section->last != NULL)
        section->last->next = item;
    else
        section->first = item;
    section->last = item;
    return item;
}

static void take_key(struct loader *loader, enum key_id id, struct place place, const char *value)
{
    struct section *section = &loader->sections[loader->section];
    struct item    *known = config_keys[id].list ? NULL : config_find_item(section, id);
    struct item     alias = { 0 }; /* a section may have a million: nothing of them is kept */
    struct item    *item = config_keys[id].home == HOME_DOMAIN ? &alias : NULL;
    char            copy[INI_READER_LINE_MAX + 1];

    if (known != NULL) {
        config_error(loader, place, "%s is already set at %s:%u", config_keys[id].name,
                     config_file_name(loader, known->place), known->place.line);
        return;
    }
    if (item == NULL && (item = add_item(loader, section)) == NULL)
        return;
    if (item == &alias) /* without its file, the names in it are not known */
        config_take_out(loader, UNIT_LINE, 0, id == KEY_ALIAS_FILE);
    section->seen |= KEY_BIT(id);
    item->key = (uint8_t)id;
    item->place = place;
    item->bad = true;
    if (*value == '\0')
        config_error(loader, place, "%s has no value", config_keys[id].name);
    else if (*value == '"' || *value == '\'')
        config_error(loader, place, "values are written without quotes");
    else
        item->bad = !config_keys[id].set(loader, item, strcpy(copy, value));
}

static void on_key(void *context, unsigned line, const char *key, const char *value)
{
    struct loader    *loader = context;
    struct place      place = { loader->file, line };
    enum key_id       id = config_find_key(key);
    enum section_kind kind;
    struct unit       unit = loader->unit;

    if (loader->section == NO_SECTION || loader->no_memory)
        return;
    kind = (enum section_kind)loader->sections[loader->section].kind;
    if (id == KEY_COUNT)
        tell_unknown(loader, kind, place, key);
    else if (!belongs(config_keys[id].home, kind))
        tell_misplaced(loader, kind, place, &config_keys[id]);
    else
        take_key(loader, id, place, value);
    loader->unit = unit;
}

/* A line that is not understood may have been one that names domains. */
static void on_error(void *context, unsigned line, const char *text)
{
    struct loader *loader = context;
    struct place   place = { loader->file, line };
    struct unit    unit = config_take_out(loader, loader->unit.kind, loader->unit.index, true);

    config_error(loader, place, "%s", text);
    loader->unit = unit;
}

void config_read_sections(struct loader *loader, uint32_t file, const char *text, size_t len)
{
    static const struct ini_handler handler = { on_section, on_key, on_error, on_bad_header };

    loader->file = file;
    loader->section = NO_SECTION;
    if (file != 0)
        config_take_out(loader, UNIT_LINE, 0, true);
    if (ini_reader_run(text, len, &handler, loader) != 0)
        config_no_memory(loader);
    config_take_out(loader, UNIT_ALL, 0, false);
}
