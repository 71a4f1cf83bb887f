#include "common/config_internal.h"

#include <arpa/inet.h>
#include <string.h>

enum { TRUSTED_MAX = 256 };

/* "8" and the like, at most bits. */
static bool parse_prefix(const char *text, uint8_t bits, uint8_t *prefix)
{
    uint32_t number;

    if (!config_digits(text, strlen(text), bits, &number))
        return false;
    *prefix = (uint8_t)number;
    return true;
}

/* Clears what is behind the prefix; true when there was nothing. */
static bool mask_network(struct config_network *network, size_t size)
{
    bool clean = true;

    for (size_t i = 0; i < size; i++) {
        int     bits = (int)network->prefix - (int)(8 * i);
        uint8_t mask = bits >= 8 ? 0xff : bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));

        clean = clean && (network->bytes[i] & ~mask & 0xff) == 0;
        network->bytes[i] &= mask;
    }
    return clean;
}

static bool parse_network(struct loader *loader, const struct item *item, char *word,
                          struct config_network *network)
{
    char   *slash = strchr(word, '/');
    bool    ipv6 = strchr(word, ':') != NULL;
    uint8_t bits = ipv6 ? 128 : 32;
    uint8_t prefix = bits;
    char    text[INET6_ADDRSTRLEN];

    memset(network, 0, sizeof *network);
    network->family = ipv6 ? AF_INET6 : AF_INET;
    if (slash != NULL)
        *slash = '\0';
    if (inet_pton(network->family, word, network->bytes) != 1 ||
        (slash != NULL && (!parse_prefix(slash + 1, bits, &prefix)))) {
        config_error(loader, item->place,
                     "\"%.100s%s%.100s\" is no address or network, such as 10.0.0.0/8", word,
                     slash != NULL ? "/" : "", slash != NULL ? slash + 1 : "");
        return false;
    }
    if (ipv6 && memcmp(network->bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
        config_error(loader, item->place, "%s is an IPv4 address; write it as one", word);
        return false;
    }
    network->prefix = prefix;
    if (!mask_network(network, bits / 8)) {
        inet_ntop(network->family, network->bytes, text, sizeof text);
        config_error(loader, item->place, "%s/%u has bits behind its prefix; did you mean %s/%u?",
                     word, prefix, text, prefix);
        return false;
    }
    return true;
}

static struct config_network *more_trusted(struct loader *loader)
{
    struct config_server *server = &loader->config->server;

    if (server->trusted == NULL)
        server->trusted = region_alloc(loader->config->region,
                                       TRUSTED_MAX * sizeof *server->trusted);
    if (server->trusted == NULL) {
        config_no_memory(loader);
        return NULL;
    }
    return &server->trusted[server->trusted_count++];
}

bool config_set_trusted(struct loader *loader, struct item *item, char *value)
{
    struct config_network  network;
    struct config_network *kept;
    char                  *rest = value;
    char                  *word;

    while ((word = config_word(&rest)) != NULL) {
        if (!parse_network(loader, item, word, &network))
            return false;
        if (loader->config->server.trusted_count == TRUSTED_MAX) {
            config_error(loader, item->place, "more than %d trusted networks", TRUSTED_MAX);
            return false;
        }
        kept = more_trusted(loader);
        if (kept == NULL)
            return false;
        *kept = network;
    }
    return true;
}

void config_trusted_finish(struct loader *loader)
{
    static const struct config_network loopback[2] = {
        { AF_INET, 8, { 127 } },
        { AF_INET6, 128, { [15] = 1 } },
    };

    if (loader->config->server.trusted_count > 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct config_network *kept = more_trusted(loader);

        if (kept != NULL)
            *kept = loopback[i];
    }
}
