#include "common/config.h"

#include "common/config_internal.h"

#include <stdlib.h>
#include <string.h>

static bool loader_init(struct loader *loader, const uint8_t digest_key[HASH_KEY_SIZE])
{
    struct config *config = calloc(1, sizeof *config);

    loader->section = NO_SECTION;
    loader->last_good = -1;
    loader->config = config;
    if (config == NULL)
        return false;
    memcpy(config->key, digest_key, HASH_KEY_SIZE);
    hash_128_init(&loader->digest, digest_key);
    config->region = region_new();
    loader->scratch = region_new();
    loader->body = malloc(CONFIG_BODY_SIZE);
    return config->region != NULL && loader->scratch != NULL && loader->body != NULL;
}

static void loader_fini(struct loader *loader)
{
    region_free(loader->scratch);
    free(loader->body);
    free(loader->files);
    free(loader->sections);
    free(loader->places);
    free(loader->kept);
    config_inputs_free(loader);
}

static void load(struct loader *loader, const char *path, const struct config_source *source)
{
    struct config *config = loader->config;

    config->path = region_string(config->region, path, strlen(path));
    if (config->path == NULL) {
        config_no_memory(loader);
        return;
    }
    config->time = time(NULL);
    config_server_defaults(loader);
    if (!config_inputs_begin(loader, source) || !config_read_main(loader, config->path))
        return;
    config_tell_log_format(loader);
    config_read_includes(loader);
    config_server_finish(loader);
    config_finish_policies(loader);
    config_count_rest(loader);
    domains_shrink(&config->domains);
    hash_128_final(&loader->digest, config->digest);
    config_record_domains(loader);
}

/* Out of the loader, before its end. */
static void keep_places(struct loader *loader)
{
    struct config *config = loader->config;

    config->scratch = loader->scratch;
    config->files = loader->files;
    config->file_count = loader->file_count;
    config->places = loader->places;
    loader->scratch = NULL;
    loader->files = NULL;
    loader->places = NULL;
}

struct config *config_load_from(const char *path, const struct config_source *source)
{
    struct loader loader = { .report = source->report,
                             .log_format = source->log_format,
                             .context = source->context };

    if (source->state_dir != NULL)
        source->state_dir[0] = '\0';
    if (loader_init(&loader, source->key)) {
        load(&loader, path, source);
        config_inputs_end(&loader);
        if (source->state_dir != NULL && loader.config->server.state_dir != NULL)
            strcpy(source->state_dir, loader.config->server.state_dir);
        if (source->places && loader.errors == 0)
            keep_places(&loader);
    } else {
        config_no_memory(&loader);
    }
    loader_fini(&loader);
    if (loader.errors == 0)
        return loader.config;
    config_free(loader.config);
    return NULL;
}

struct config *config_load(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                           config_report *report, void *context)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = digest_key, .report = report,
                                    .context = context };

    return config_load_from(path, &source);
}

struct config *config_load_with_places(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                                       config_report *report, void *context)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = digest_key, .report = report,
                                    .context = context, .places = true };

    return config_load_from(path, &source);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    domains_free(&config->domains);
    free(config->policies);
    free(config->files);
    free(config->places);
    region_free(config->scratch);
    region_free(config->region);
    free(config);
}

const struct config_server *config_server(const struct config *config)
{
    return &config->server;
}

const char *config_path(const struct config *config)
{
    return config->path;
}

const uint8_t *config_digest(const struct config *config)
{
    return config->digest;
}

bool config_find_host(const struct config *config, const char *host, size_t host_len,
                      struct config_match *match)
{
    const char          *name;
    size_t               len;
    char                 canonical[HOSTNAME_DOMAIN_MAX + 1];
    const struct domain *domain;

    if (host_len <= HOSTNAME_POLICY_PREFIX_LEN || host[host_len - 1] == '.' ||
        !hostname_equal(host, HOSTNAME_POLICY_PREFIX_LEN, HOSTNAME_POLICY_PREFIX,
                        HOSTNAME_POLICY_PREFIX_LEN))
        return false;
    name = host + HOSTNAME_POLICY_PREFIX_LEN;
    len = host_len - HOSTNAME_POLICY_PREFIX_LEN;
    if (hostname_canonical(name, len, HOSTNAME_DOMAIN_MAX, canonical) != HOSTNAME_OK)
        return false;
    domain = domains_find(&config->domains, config->key, canonical, len);
    if (domain != NULL) {
        match->policy = &config->policies[domain->policy];
        match->domain = config->domains.names + domain->name;
    } else if (config->any != NULL && len <= config->any_domain_max) {
        match->policy = config->any;
        match->domain = name;
    } else {
        return false;
    }
    match->domain_len = len;
    match->any = domain == NULL;
    return true;
}

void config_each_domain(const struct config *config,
                        bool (*visit)(void *context, const char *domain,
                                      const struct policy *policy),
                        void *context)
{
    for (uint32_t i = 0; i < config->domains.count; i++) {
        const struct policy *policy = &config->policies[config->domains.entries[i].policy];

        if (!visit(context, domains_name(&config->domains, i), policy))
            return;
    }
}

void config_place(const struct config *config, const char *domain, const char **file,
                  unsigned *line)
{
    const struct domain *found = domains_find(&config->domains, config->key, domain,
                                              strlen(domain));
    const struct place  *place = &config->places[found - config->domains.entries];

    *file = config->files[place->file].name;
    *line = place->line;
}

size_t config_domain_count(const struct config *config)
{
    return config->domains.count;
}

size_t config_policy_count(const struct config *config)
{
    return config->policy_count;
}

const struct policy *config_any(const struct config *config)
{
    return config->any;
}

time_t config_time(const struct config *config)
{
    return config->time;
}

size_t config_isolated_count(const struct config *config)
{
    return config->isolated;
}
