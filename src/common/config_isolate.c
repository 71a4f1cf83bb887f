#include "common/config_internal.h"

#include "common/ini_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 2 * (CONFIG_PATH_MAX + 1), /* bytes of a finding without what became of it */
    OUTCOME_MAX = 1024
};

/* ---- whether isolation is wanted: known before the first section is judged ---- */

struct wanted {
    bool server; /* in [server] */
    bool isolate;
};

static void on_section(void *context, unsigned line, const char *name)
{
    struct wanted *wanted = context;

    (void)line;
    wanted->server = strcmp(name, "server") == 0;
}

static void on_key(void *context, unsigned line, const char *key, const char *value)
{
    struct wanted *wanted = context;

    (void)line;
    if (wanted->server && strcmp(key, "isolate") == 0)
        wanted->isolate = strcmp(value, "on") == 0 || strcmp(value, "yes") == 0;
}

static void on_error(void *context, unsigned line, const char *text)
{
    (void)context;
    (void)line;
    (void)text;
}

static void on_bad_header(void *context, unsigned line, const char *text, const char *header)
{
    struct wanted *wanted = context;

    (void)line;
    (void)text;
    (void)header;
    wanted->server = false;
}

/* Whether a line begins with the key that is at at. */
static bool begins_line(const char *text, const char *at)
{
    while (at > text && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return at == text || at[-1] == '\n';
}

bool config_wants_isolation(const char *text, size_t len)
{
    static const struct ini_handler handler = { on_section, on_key, on_error, on_bad_header };
    static const char               key[] = "isolate";
    struct wanted                   wanted = { false, false };
    const char                     *end = text + len;
    const char                     *last = NULL;

    for (const char *at = text; (at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL;
         at += sizeof key - 1) {
        if (begins_line(text, at))
            last = at;
    }
    if (last == NULL)
        return false;
    /* Most files say it near their top: the rest is read once. */
    last = memchr(last, '\n', (size_t)(end - last));
    (void)ini_reader_run(text, last != NULL ? (size_t)(last - text) : len, &handler, &wanted);
    return wanted.isolate;
}

/* ---- what an error takes out ---- */

struct unit config_take_out(struct loader *loader, enum unit_kind kind, uint32_t index, bool unsure)
{
    struct unit before = loader->unit;

    loader->unit = (struct unit){ kind, index, unsure };
    return before;
}

/* Marks it, and counts it when it was not yet. */
static void take_out(struct loader *loader, struct place place)
{
    const struct unit *unit = &loader->unit;
    bool               known = false;

    if (unit->kind == UNIT_SECTION) {
        known = loader->sections[unit->index].isolated;
        loader->sections[unit->index].isolated = true;
    } else if (unit->kind == UNIT_DOMAIN) {
        struct domain *domain = &loader->config->domains.entries[unit->index];

        known = domain->policy == NO_POLICY || (domain->policy & DOMAIN_ISOLATED) != 0;
        domain->policy |= DOMAIN_ISOLATED;
    } else if (unit->kind == UNIT_FILE) {
        loader->files[unit->index].unsure = true;
    }
    if (unit->unsure)
        loader->files[place.file].unsure = true;
    loader->config->isolated += !known;
}

void config_isolate(struct loader *loader, struct place place, const char *format,
                    va_list arguments)
{
    char             text[TEXT_MAX];
    struct isolated *isolated;

    take_out(loader, place);
    if (loader->isolated_count++ >= CONFIG_ERRORS_MAX)
        return;
    if (loader->isolated == NULL)
        loader->isolated = region_alloc(loader->scratch,
                                        CONFIG_ERRORS_MAX * sizeof *loader->isolated);
    if (loader->isolated == NULL) {
        config_no_memory(loader);
        return;
    }
    vsnprintf(text, sizeof text, format, arguments);
    isolated = &loader->isolated[loader->isolated_count - 1];
    isolated->unit = loader->unit;
    isolated->place = place;
    isolated->text = region_string(loader->scratch, text, strlen(text));
    if (isolated->text == NULL)
        config_no_memory(loader);
}

void config_isolate_domain(struct loader *loader, uint32_t index, struct place place,
                           const char *format, ...)
{
    struct unit before = config_take_out(loader, UNIT_DOMAIN, index, false);
    va_list     arguments;

    va_start(arguments, format);
    if (!loader->no_memory)
        config_isolate(loader, place, format, arguments);
    va_end(arguments);
    loader->unit = before;
}

/* ---- what became of it ---- */

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

/* "example.org and 2 more domains keep their last good policy" */
static int name_outcome(const struct loader *loader, const struct section *section, char *out)
{
    const struct domains *domains = &loader->config->domains;
    const char *name = section->header != 0 ? domains_name(domains, section->header - 1) : NULL;
    uint32_t    count = section->kept + section->left_out;
    const char *what = section->kept > 0 ? (count > 1 ? "keep their last good policy"
                                                      : "keeps its last good policy")
                                         : (count > 1 ? "are left out" : "is left out");

    if (section->kind == SECTION_ANY)
        return snprintf(out, OUTCOME_MAX, "[*] %s",
                        section->kept > 0 ? "keeps its last good policy" : "is left out");
    if (section->kept > 0 && section->left_out > 0)
        return snprintf(out, OUTCOME_MAX,
                        "of its %u domains, %u keep%s the last good policy and %u %s left out",
                        count, section->kept, section->kept == 1 ? "s" : "", section->left_out,
                        section->left_out == 1 ? "is" : "are");
    if (count == 0)
        return snprintf(out, OUTCOME_MAX, "the section is left out");
    if (name == NULL)
        return snprintf(out, OUTCOME_MAX, "its %u domain%s %s", count, plural(count), what);
    if (count == 1)
        return snprintf(out, OUTCOME_MAX, "%s %s", name, what);
    return snprintf(out, OUTCOME_MAX, "%s and %u more domain%s %s", name, count - 1,
                    plural(count - 1), what);
}

static int domain_outcome(const struct loader *loader, uint32_t index, char *out)
{
    const struct domains *domains = &loader->config->domains;

    return snprintf(out, OUTCOME_MAX, "%s %s", domains_name(domains, index),
                    domains->entries[index].policy == NO_POLICY ? "is left out"
                                                                : "keeps its last good policy");
}

/* What the unit's names became. */
static int outcome(const struct loader *loader, const struct isolated *isolated, char *out)
{
    const struct unit *unit = &isolated->unit;

    switch (unit->kind) {
    case UNIT_SECTION:
        return name_outcome(loader, &loader->sections[unit->index], out);
    case UNIT_DOMAIN:
        return domain_outcome(loader, unit->index, out);
    case UNIT_FILE:
        return snprintf(out, OUTCOME_MAX, "the file is left out");
    default:
        return snprintf(out, OUTCOME_MAX, "it is left out");
    }
}

static void report(struct loader *loader, const struct isolated *isolated, bool resolved)
{
    const struct unit *unit = &isolated->unit;
    uint32_t           file = unit->kind == UNIT_FILE ? unit->index : isolated->place.file;
    uint32_t           kept = loader->files[file].kept;
    char               became[OUTCOME_MAX];
    int                len = 0;

    became[0] = '\0';
    if (resolved)
        len = outcome(loader, isolated, became);
    if (kept > 0 && (unit->unsure || unit->kind == UNIT_FILE))
        snprintf(became + len, sizeof became - (size_t)len,
                 ", and %u domain%s that %s not found now keep%s the last good policy", kept,
                 plural(kept), kept == 1 ? "is" : "are", kept == 1 ? "s" : "");
    config_tell(loader, CONFIG_ISOLATED, isolated->place, "%s%s%s", isolated->text,
                resolved ? "; " : "", became);
}

static void report_all(struct loader *loader, bool resolved)
{
    unsigned count = loader->isolated_count < CONFIG_ERRORS_MAX ? loader->isolated_count
                                                                : CONFIG_ERRORS_MAX;

    for (unsigned i = 0; i < count && !loader->no_memory; i++)
        report(loader, &loader->isolated[i], resolved);
}

/* ---- policies ---- */

/* Isolates the domains that the policy of their section is too long for. */
static void judge_lengths(struct loader *loader)
{
    const struct domains *domains = &loader->config->domains;

    for (uint32_t i = 0; i < domains->count && loader->limited; i++) {
        uint32_t              owner = domains->entries[i].policy & ~DOMAIN_ISOLATED;
        const struct section *section = &loader->sections[owner];
        const char           *name = domains_name(domains, i);

        if (section->isolated || strlen(name) <= section->fits)
            continue;
        if (section->mx_limit != NULL)
            config_isolate_domain(loader, i, loader->places[i],
                                  "mx %s has more than %d bytes with %s", section->mx_limit->text,
                                  HOSTNAME_MAX, name);
        else
            config_isolate_domain(loader, i, loader->places[i],
                                  "a policy of more than %d bytes with %s", POLICY_BODY_MAX, name);
    }
}

/* Gives each domain the policy of its section, or its last good one, or none. */
static void resolve_domains(struct loader *loader, struct last_good *last)
{
    struct config *config = loader->config;

    for (uint32_t i = 0; i < config->domains.count && !loader->no_memory; i++) {
        uint32_t        entry = config->domains.entries[i].policy;
        struct section *section = &loader->sections[entry & ~DOMAIN_ISOLATED];
        uint32_t        policy = section->policy;

        if ((entry & DOMAIN_ISOLATED) != 0 || section->isolated) {
            policy = NO_POLICY;
            if (last != NULL)
                policy = config_last_good_find(loader, last, domains_name(&config->domains, i),
                                               loader->places[i]);
            if (policy == NO_POLICY)
                section->left_out++;
            else
                section->kept++;
        }
        config->domains.entries[i].policy = policy;
    }
}

static void resolve_any(struct loader *loader, struct last_good *last)
{
    struct config  *config = loader->config;
    uint32_t        any = loader->special[SECTION_ANY];
    struct section *section = any != 0 ? &loader->sections[any - 1] : NULL;

    if (section != NULL && !section->isolated) {
        config->any_policy = section->policy;
        config->any_place = section->place;
        return;
    }
    config->any_policy = NO_POLICY;
    if (last == NULL || (section == NULL && !loader->files[0].unsure))
        return;
    if (config_last_good_any(loader, last,
                             section != NULL ? section->place : (struct place){ 0, 0 }) &&
        section != NULL)
        section->kept++;
}

/* Takes the domains without a policy out of the table. */
static void compact(struct loader *loader)
{
    struct config *config = loader->config;
    struct domains left = { 0 };

    for (uint32_t i = 0; i < config->domains.count && !loader->no_memory; i++) {
        const char *name = domains_name(&config->domains, i);
        uint32_t    policy = config->domains.entries[i].policy;
        uint32_t    index;

        if (policy == NO_POLICY)
            continue;
        if (domains_add(&left, config->key, name, strlen(name), policy, &index) != DOMAINS_NEW)
            config_no_memory(loader);
        else
            loader->places[index] = loader->places[i];
    }
    domains_free(&config->domains);
    config->domains = left;
}

/* An included file that was cut while it was written mostly ends in a wrong section: what stood behind the
   cut is not known. So a file whose last section is wrong is treated as one with a broken header. */
static void suspect_cut_files(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->section_count; i++) {
        uint32_t file = loader->sections[i].place.file;
        bool last = i + 1 == loader->section_count || loader->sections[i + 1].place.file != file;

        if (file == 0 || !last || !loader->sections[i].isolated)
            continue;
        loader->files[file].unsure = true;
        for (unsigned at = 0; at < loader->isolated_count && at < CONFIG_ERRORS_MAX; at++) {
            struct unit *unit = &loader->isolated[at].unit;

            if (unit->kind == UNIT_SECTION && unit->index == i)
                unit->unsure = true;
        }
    }
}

void config_isolate_finish(struct loader *loader)
{
    static const struct place whole = { 0, 0 };
    struct config            *config = loader->config;
    bool                      resolved = loader->errors == 0;

    if (resolved) {
        struct last_good *last;

        judge_lengths(loader);
        suspect_cut_files(loader);
        last = config_last_good_open(loader);
        resolve_domains(loader, last);
        resolve_any(loader, last);
        if (last != NULL)
            config_last_good_unsure(loader, last);
        config_last_good_free(last);
    }
    report_all(loader, resolved && !loader->no_memory);
    if (!resolved || loader->isolated_count == 0 || loader->no_memory)
        return;
    compact(loader);
    if (config->domains.count == 0 && config->any_policy == NO_POLICY)
        config_error(loader, whole, "there is no policy left: everything is isolated");
}
