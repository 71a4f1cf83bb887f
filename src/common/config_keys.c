#include "common/config_internal.h"

#include <string.h>

const struct config_key config_keys[KEY_COUNT] = {
    /* clang-format off: a table */
    [KEY_LISTEN] = { "listen", HOME_SERVER, true, config_set_listen },
    [KEY_LISTEN_ACME] = { "listen_acme", HOME_SERVER, true, config_set_listen },
    [KEY_TRUSTED] = { "trusted", HOME_SERVER, true, config_set_trusted },
    [KEY_PLAIN_ANY] = { "plain_any", HOME_SERVER, false, config_set_switch },
    [KEY_ACME_WEBROOT] = { "acme_webroot", HOME_SERVER, false, config_set_acme_folder },
    [KEY_ACME_DIR] = { "acme_dir", HOME_SERVER, false, config_set_acme_folder },
    [KEY_ACME_THUMBPRINT] = { "acme_thumbprint", HOME_SERVER, false, config_set_acme_thumbprint },
    [KEY_USER] = { "user", HOME_SERVER, false, config_set_user },
    [KEY_WORKERS] = { "workers", HOME_SERVER, false, config_set_workers },
    [KEY_MAX_CONNECTIONS] = { "max_connections", HOME_SERVER, false, config_set_limit },
    [KEY_MAX_TLS] = { "max_tls", HOME_SERVER, false, config_set_max_tls },
    [KEY_MAX_CONNECTIONS_PER_IP] = { "max_connections_per_ip", HOME_SERVER, false,
                                     config_set_limit },
    [KEY_CERT_CACHE] = { "cert_cache", HOME_SERVER, false, config_set_limit },
    [KEY_ACCESS_LOG] = { "access_log", HOME_SERVER, false, config_set_switch },
    [KEY_LISTEN_HEALTH] = { "listen_health", HOME_SERVER, true, config_set_listen },
    [KEY_READY_REQUIRES_CERTIFICATES] = { "ready_requires_certificates", HOME_SERVER, false,
                                          config_set_ready_percent },
    [KEY_DRAIN_DELAY] = { "drain_delay", HOME_SERVER, false, config_set_limit },
    [KEY_ISOLATE] = { "isolate", HOME_SERVER, false, config_set_switch },
    [KEY_MAX_REMOVED] = { "max_removed", HOME_SERVER, false, config_set_max_removed },
    [KEY_STATE_DIR] = { "state_dir", HOME_SERVER, false, config_set_state_dir },
    [KEY_LOG_FORMAT] = { "log_format", HOME_SERVER, false, config_set_log_format },
    [KEY_INCLUDE] = { "include", HOME_SERVER, true, config_set_include },
    [KEY_MODE] = { "mode", HOME_POLICY, false, config_set_mode },
    [KEY_MX] = { "mx", HOME_POLICY, true, config_set_mx },
    [KEY_MAX_AGE] = { "max_age", HOME_POLICY, false, config_set_max_age },
    [KEY_CERTIFICATE] = { "certificate", HOME_POLICY, false, config_set_path },
    [KEY_KEY] = { "key", HOME_POLICY, false, config_set_path },
    [KEY_ID] = { "id", HOME_POLICY, false, config_set_id },
    [KEY_RUA] = { "rua", HOME_POLICY, true, config_set_rua },
    [KEY_ALIAS] = { "alias", HOME_DOMAIN, true, config_set_alias },
    [KEY_ALIAS_FILE] = { "alias_file", HOME_DOMAIN, true, config_set_alias_file },
    /* clang-format on */
};

_Static_assert(KEY_COUNT <= 64, "struct section has a bit for each key");

enum key_id config_find_key(const char *name)
{
    int id = 0;

    while (id < KEY_COUNT &&
           (config_keys[id].name[0] != name[0] || strcmp(config_keys[id].name, name) != 0))
        id++;
    return (enum key_id)id;
}

bool config_digits(const char *text, size_t len, uint32_t most, uint32_t *number)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        sum = sum * 10 + (uint64_t)(text[i] - '0');
        if (sum > most)
            return false;
    }
    *number = (uint32_t)sum;
    return len > 0;
}

bool config_number(struct loader *loader, const struct item *item, const char *value,
                   uint32_t least, uint32_t most, uint32_t *number)
{
    if (config_digits(value, strlen(value), most, number) && *number >= least)
        return true;
    config_error(loader, item->place, "%s is a number from %u to %u, not " SHOW,
                 config_keys[item->key].name, least, most, value);
    return false;
}

char *config_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");

    if (word == end)
        return NULL;
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}
