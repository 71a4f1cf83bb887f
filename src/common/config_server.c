#include "common/config_internal.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LIMIT_MAX = 1000000,
    DRAIN_DELAY_MAX = 3600, /* seconds */
    WORKERS_MAX = CONFIG_WORKERS_MAX,
    USER_MAX = 32,      /* bytes, as useradd has it */
    THUMBPRINT_LEN = 43 /* SHA-256 in base64url without padding (RFC 7638, RFC 8555 section 8.1) */
};

#define DIGITS    "0123456789"
#define LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64URL LETTERS DIGITS "-_"

static const char *keep(struct loader *loader, const char *text)
{
    const char *kept = region_string(loader->config->region, text, strlen(text));

    if (kept == NULL)
        config_no_memory(loader);
    return kept;
}

bool config_set_switch(struct loader *loader, struct item *item, char *value)
{
    struct config_server *server = &loader->config->server;
    bool                  on = strcmp(value, "on") == 0 || strcmp(value, "yes") == 0;

    if (!on && strcmp(value, "off") != 0 && strcmp(value, "no") != 0) {
        config_error(loader, item->place, "%s is on or off (or yes, no), not " SHOW,
                     config_keys[item->key].name, value);
        return false;
    }
    if (item->key == KEY_ACCESS_LOG)
        server->access_log = on;
    else if (item->key == KEY_ISOLATE)
        server->isolate = on;
    else
        server->plain_any = on;
    return true;
}

bool config_set_acme_folder(struct loader *loader, struct item *item, char *value)
{
    struct config_server *server = &loader->config->server;
    bool                  webroot = item->key == KEY_ACME_WEBROOT;
    const struct item    *other = config_find_item(&loader->sections[loader->section],
                                                webroot ? KEY_ACME_DIR : KEY_ACME_WEBROOT);
    const char           *below = webroot ? CONFIG_ACME_BELOW_WEBROOT : "";
    const char           *path;

    if (other != NULL) {
        config_error(loader, item->place,
                     "acme_webroot and acme_dir exclude each other; %s is at %s:%u",
                     config_keys[other->key].name, config_file_name(loader, other->place),
                     other->place.line);
        return false;
    }
    path = config_absolute(loader, item->place, value, false);
    if (path == NULL)
        return false;
    if (strlen(path) + webroot + strlen(below) > CONFIG_PATH_MAX) {
        config_error(loader, item->place, "a path of more than %d bytes", CONFIG_PATH_MAX);
        return false;
    }
    server->acme_dir = keep(loader, path);
    server->acme_below = below;
    server->acme_line = item->place.line;
    return true;
}

bool config_set_acme_thumbprint(struct loader *loader, struct item *item, char *value)
{
    if (strlen(value) != THUMBPRINT_LEN || strspn(value, BASE64URL) != THUMBPRINT_LEN) {
        config_error(loader, item->place,
                     "acme_thumbprint is the account key's thumbprint, %d letters, digits, - and _",
                     THUMBPRINT_LEN);
        return false;
    }
    loader->config->server.acme_thumbprint = keep(loader, value);
    return true;
}

/* All digits, and no more than an id may be: the last is reserved as "no user". */
static bool is_user_number(const char *text, size_t len)
{
    uint32_t number;

    return config_digits(text, len, UINT32_MAX - 1, &number);
}

bool config_set_user(struct loader *loader, struct item *item, char *value)
{
    size_t      len = strlen(value);
    const char *colon = strchr(value, ':');
    bool        good;

    if (colon != NULL)
        good = is_user_number(value, (size_t)(colon - value)) &&
               is_user_number(colon + 1, strlen(colon + 1));
    else if (strspn(value, DIGITS) == len)
        good = is_user_number(value, len);
    else
        good = len <= USER_MAX && value[0] != '-' && strspn(value, LETTERS DIGITS "._-") == len;
    if (!good) {
        config_error(loader, item->place, "user is a name, a number or number:number, not " SHOW,
                     value);
        return false;
    }
    loader->config->server.user = keep(loader, value);
    loader->config->server.user_line = item->place.line;
    return true;
}

static unsigned automatic_workers(void)
{
    cpu_set_t cpus;
    long      count = 1;

    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        count = CPU_COUNT(&cpus);
    else
        count = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than cpu_set_t holds */
    if (count < 1)
        return 1;
    return count > CONFIG_WORKERS_AUTO ? CONFIG_WORKERS_AUTO : (unsigned)count;
}

bool config_set_workers(struct loader *loader, struct item *item, char *value)
{
    uint32_t number;

    if (strcmp(value, "auto") == 0)
        return true;
    if (strspn(value, DIGITS) != strlen(value)) {
        config_error(loader, item->place, "workers is a number from 1 to %d or auto, not " SHOW,
                     WORKERS_MAX, value);
        return false;
    }
    if (!config_number(loader, item, value, 1, WORKERS_MAX, &number))
        return false;
    loader->config->server.workers = number;
    return true;
}

bool config_set_limit(struct loader *loader, struct item *item, char *value)
{
    struct config_server *server = &loader->config->server;
    unsigned             *limit = &server->cert_cache;
    uint32_t              number;

    if (item->key == KEY_MAX_CONNECTIONS)
        limit = &server->max_connections;
    else if (item->key == KEY_MAX_TLS)
        limit = &server->max_tls;
    else if (item->key == KEY_MAX_CONNECTIONS_PER_IP)
        limit = &server->max_connections_per_ip;
    else if (item->key == KEY_DRAIN_DELAY)
        limit = &server->drain_delay;
    if (!config_number(
            loader, item, value,
            limit == &server->max_connections_per_ip || limit == &server->drain_delay ? 0 : 1,
            limit == &server->drain_delay ? DRAIN_DELAY_MAX : LIMIT_MAX, &number))
        return false;
    *limit = number;
    return true;
}

bool config_set_max_tls(struct loader *loader, struct item *item, char *value)
{
    if (strcmp(value, "auto") == 0)
        return true;
    if (strspn(value, DIGITS) != strlen(value)) {
        config_error(loader, item->place, "max_tls is a number from 1 to %d or auto, not " SHOW,
                     LIMIT_MAX, value);
        return false;
    }
    return config_set_limit(loader, item, value);
}

/* "5%" */
static bool parse_percent(const char *value, uint32_t *number)
{
    size_t len = strlen(value);

    return len > 1 && value[len - 1] == '%' && config_digits(value, len - 1, 100, number);
}

bool config_set_ready_percent(struct loader *loader, struct item *item, char *value)
{
    uint32_t number;

    if (!parse_percent(value, &number)) {
        config_error(loader, item->place,
                     "ready_requires_certificates is a percentage from 0%% to 100%%, not " SHOW,
                     value);
        return false;
    }
    loader->config->server.ready_percent = number;
    return true;
}

bool config_set_max_removed(struct loader *loader, struct item *item, char *value)
{
    struct config_share *share = &loader->config->server.max_removed;
    uint32_t             number;

    share->percent = parse_percent(value, &number);
    if (!share->percent && !config_digits(value, strlen(value), UINT32_MAX, &number)) {
        config_error(loader, item->place,
                     "max_removed is a number of domains or a percentage, such as 5%%, not " SHOW,
                     value);
        return false;
    }
    share->number = number;
    share->set = true;
    return true;
}

bool config_set_state_dir(struct loader *loader, struct item *item, char *value)
{
    struct config_server *server = &loader->config->server;
    const char           *path = config_absolute(loader, item->place, value, false);

    if (path == NULL)
        return false;
    server->state_dir = keep(loader, path);
    server->state_dir_line = item->place.line;
    return server->state_dir != NULL;
}

bool config_set_log_format(struct loader *loader, struct item *item, char *value)
{
    bool json = strcmp(value, "json") == 0;

    if (!json && strcmp(value, "text") != 0) {
        config_error(loader, item->place, "log_format is text or json, not " SHOW, value);
        return false;
    }
    loader->config->server.log_json = json;
    config_tell_log_format(loader);
    return true;
}

void config_tell_log_format(const struct loader *loader)
{
    if (loader->log_format != NULL)
        loader->log_format(loader->context, loader->config->server.log_json);
}

void config_server_defaults(struct loader *loader)
{
    struct config_server *server = &loader->config->server;

    server->workers = automatic_workers();
    server->max_connections = 4096;
    server->max_connections_per_ip = 64;
    server->cert_cache = 1024;
    server->access_log = true;
    server->max_removed = (struct config_share){ .number = 50, .percent = true };
}

static void warn_without_effect(struct loader *loader, const struct section *section,
                                enum key_id id, const char *why)
{
    const struct item *item = config_find_item(section, id);

    if (item != NULL && !item->bad)
        config_warning(loader, item->place, "%s has no effect: %s", config_keys[id].name, why);
}

static void check_acme(struct loader *loader, const struct section *section)
{
    static const enum key_id sources[] = { KEY_ACME_WEBROOT, KEY_ACME_DIR, KEY_ACME_THUMBPRINT };
    const struct item       *listener = config_find_item(section, KEY_LISTEN_ACME);
    bool                     sourced = false;

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        sourced = sourced || config_find_item(section, sources[i]) != NULL;
        if (listener == NULL)
            warn_without_effect(loader, section, sources[i], "there is no listen_acme");
    }
    if (listener != NULL && !sourced)
        config_warning(loader, listener->place,
                       "every token will be answered 404: there is no acme_webroot, acme_dir or "
                       "acme_thumbprint");
}

static void check_max_tls(struct loader *loader, const struct section *section)
{
    struct config_server *server = &loader->config->server;
    const struct item    *item = config_find_item(section, KEY_MAX_TLS);

    if (server->max_tls <= server->max_connections)
        return;
    if (item != NULL && !item->bad)
        config_warning(loader, item->place, "max_tls is more than max_connections, which is %u",
                       server->max_connections);
    server->max_tls = server->max_connections;
}

void config_server_finish(struct loader *loader)
{
    static const struct place whole = { 0, 0 };
    const struct section     *section;

    if (loader->special[SECTION_SERVER] == 0) {
        config_error(loader, whole, "there is no [server]");
        return;
    }
    section = &loader->sections[loader->special[SECTION_SERVER] - 1];
    if (!(section->seen & KEY_BIT(KEY_LISTEN)))
        config_error(loader, section->place, "[server] has no listen");
    check_acme(loader, section);
    check_max_tls(loader, section);
    if (!loader->wants_peers) {
        warn_without_effect(loader, section, KEY_TRUSTED, "no listener is plain or proxy");
        warn_without_effect(loader, section, KEY_PLAIN_ANY, "no listener is plain");
    }
    config_trusted_finish(loader);
}
