#include "common/config_internal.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
    SYSTEMD_NAME_MAX = 255, /* bytes of a FileDescriptorName */
    NAME_MAX_LEN = INET6_ADDRSTRLEN + IF_NAMESIZE + 16
};

/* "65535" and the like; 0 is any free port. */
static bool parse_port(const char *text, uint16_t *port)
{
    uint32_t number;

    if (!config_digits(text, strlen(text), UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* "443", ":443" and "*:443" (every address), "localhost:443" (loopback): the pair that was
   meant, or NULL. */
static const char *const *meant_pair(const char *address, uint16_t *port)
{
    static const char *const every[2] = { "0.0.0.0", "[::]" };
    static const char *const loopback[2] = { "127.0.0.1", "[::1]" };

    if (parse_port(address, port))
        return every;
    if (address[0] == ':' && parse_port(address + 1, port))
        return every;
    if (strncmp(address, "*:", 2) == 0 && parse_port(address + 2, port))
        return every;
    if (strncmp(address, "localhost:", 10) == 0 && parse_port(address + 10, port))
        return loopback;
    return NULL;
}

/* What was meant by an address that is none, where that can be told. */
static void tell_bad_address(struct loader *loader, const struct item *item, const char *address)
{
    unsigned           usual = item->key == KEY_LISTEN_ACME     ? 80
                               : item->key == KEY_LISTEN_HEALTH ? 8081
                                                                : 443;
    unsigned char      bytes[sizeof(struct in6_addr)];
    uint16_t           port;
    const char *const *pair = meant_pair(address, &port);

    if (pair != NULL)
        config_error(loader, item->place,
                     SHOW " is no address to listen on; did you mean %s:%u and %s:%u?", address,
                     pair[0], port, pair[1], port);
    else if (inet_pton(AF_INET, address, bytes) == 1)
        config_error(loader, item->place, SHOW " has no port; did you mean %s:%u?", address,
                     address, usual);
    else if (inet_pton(AF_INET6, address, bytes) == 1)
        config_error(loader, item->place, SHOW " has no port; did you mean [%s]:%u?", address,
                     address, usual);
    else
        config_error(loader, item->place,
                     SHOW " is no address to listen on, such as 0.0.0.0:%u, [::]:%u or "
                          "systemd:NAME",
                     address, usual, usual);
}

static bool parse_ipv4(struct loader *loader, const struct item *item, const char *text,
                       struct config_listener *listener, char *name)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    const char        *colon = strrchr(text, ':');
    char               host[INET_ADDRSTRLEN] = "";
    uint16_t           port = 0;

    if (colon != NULL && (size_t)(colon - text) < sizeof host)
        memcpy(host, text, (size_t)(colon - text));
    if (colon == NULL || !parse_port(colon + 1, &port) ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        tell_bad_address(loader, item, text);
        return false;
    }
    address.sin_port = htons(port);
    memcpy(&listener->address, &address, sizeof address);
    listener->address_len = sizeof address;
    snprintf(name, NAME_MAX_LEN, "%s:%u", host, port);
    return true;
}

/* The interface behind %, which link-local addresses need and no others have (RFC 4007
   section 6). */
static bool parse_scope(struct loader *loader, const struct item *item, const char *scope,
                        struct sockaddr_in6 *address)
{
    bool local = IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);

    if (scope == NULL && local) {
        config_error(loader, item->place,
                     "a link-local address needs its interface, such as %%eth0");
        return false;
    }
    if (scope == NULL)
        return true;
    if (!local) {
        config_error(loader, item->place, "only a link-local address has an interface");
        return false;
    }
    address->sin6_scope_id = if_nametoindex(scope);
    if (address->sin6_scope_id == 0) {
        config_error(loader, item->place, "there is no interface " SHOW, scope);
        return false;
    }
    return true;
}

static bool parse_ipv6(struct loader *loader, const struct item *item, char *text,
                       struct config_listener *listener, char *name)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
    char               *end = strchr(text, ']');
    char               *scope;
    char                host[INET6_ADDRSTRLEN];
    uint16_t            port = 0;

    if (end == NULL || end[1] != ':' || !parse_port(end + 2, &port)) {
        config_error(loader, item->place, SHOW " is no IPv6 address and port, such as [::]:443",
                     text);
        return false;
    }
    *end = '\0';
    scope = strchr(text, '%');
    if (scope != NULL)
        *scope++ = '\0';
    if (inet_pton(AF_INET6, text + 1, &address.sin6_addr) != 1) {
        config_error(loader, item->place, SHOW " is no IPv6 address", text + 1);
        return false;
    }
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
        inet_ntop(AF_INET, address.sin6_addr.s6_addr + 12, host, sizeof host);
        config_error(loader, item->place, "[%s] is an IPv4 address; did you mean %s:%u?", text + 1,
                     host, port);
        return false;
    }
    if (!parse_scope(loader, item, scope, &address))
        return false;
    address.sin6_port = htons(port);
    memcpy(&listener->address, &address, sizeof address);
    listener->address_len = sizeof address;
    inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof host);
    snprintf(name, NAME_MAX_LEN, "[%s%s%.*s]:%u", host, scope != NULL ? "%" : "", IF_NAMESIZE,
             scope != NULL ? scope : "", port);
    return true;
}

static bool parse_systemd(struct loader *loader, const struct item *item, const char *name,
                          struct config_listener *listener)
{
    size_t len = strlen(name);

    if (len == 0 || len > SYSTEMD_NAME_MAX || strchr(name, ':') != NULL) {
        config_error(loader, item->place,
                     "systemd: is followed by a FileDescriptorName: 1 to %d bytes, no colon",
                     SYSTEMD_NAME_MAX);
        return false;
    }
    listener->systemd = region_string(loader->config->region, name, len);
    if (listener->systemd == NULL)
        config_no_memory(loader);
    return listener->systemd != NULL;
}

/* The one place that knows which kinds of listeners this version lacks. */
static bool has_kind(struct loader *loader, const struct item *item, const char *kind)
{
    loader->wants_peers = true;
    config_error(loader, item->place, "this version has no %s listeners yet", kind);
    return false;
}

static bool parse_options(struct loader *loader, const struct item *item, char *rest)
{
    const char *option;

    while ((option = config_word(&rest)) != NULL) {
        if (item->key == KEY_LISTEN_HEALTH) {
            config_error(loader, item->place, "listen_health takes no options");
            return false;
        }
        if (strcmp(option, "plain") == 0 && item->key == KEY_LISTEN_ACME) {
            config_error(loader, item->place, "listen_acme is plain HTTP as it is");
            return false;
        }
        if (strcmp(option, "plain") == 0 || strcmp(option, "proxy") == 0)
            return has_kind(loader, item, option);
        config_error(loader, item->place, "unknown option " SHOW "; there are plain and proxy",
                     option);
        return false;
    }
    return true;
}

/* Whether two addresses can't both be listened on: the same, or one of them is every
   address of its family. Port 0 is another port each time. */
static bool overlap(const struct config_listener *a, const struct config_listener *b)
{
    struct sockaddr_in  a4;
    struct sockaddr_in  b4;
    struct sockaddr_in6 a6;
    struct sockaddr_in6 b6;

    if (a->systemd != NULL || b->systemd != NULL || a->address.ss_family != b->address.ss_family)
        return false;
    if (a->address.ss_family == AF_INET) {
        memcpy(&a4, &a->address, sizeof a4);
        memcpy(&b4, &b->address, sizeof b4);
        return a4.sin_port != 0 && a4.sin_port == b4.sin_port &&
               (a4.sin_addr.s_addr == INADDR_ANY || b4.sin_addr.s_addr == INADDR_ANY);
    }
    memcpy(&a6, &a->address, sizeof a6);
    memcpy(&b6, &b->address, sizeof b6);
    return a6.sin6_port != 0 && a6.sin6_port == b6.sin6_port &&
           (IN6_IS_ADDR_UNSPECIFIED(&a6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&b6.sin6_addr));
}

static bool is_any_port(const struct config_listener *listener)
{
    size_t len = strlen(listener->name);

    return listener->systemd == NULL && len > 2 && strcmp(listener->name + len - 2, ":0") == 0;
}

static bool is_free(struct loader *loader, const struct item *item,
                    const struct config_listener *listener)
{
    const struct config_server *server = &loader->config->server;

    for (size_t i = 0; i < server->listener_count; i++) {
        const struct config_listener *other = &server->listeners[i];

        if (strcmp(other->name, listener->name) == 0) {
            if (is_any_port(listener) && other->kind != listener->kind)
                continue;
            config_error(loader, item->place, "%s is already listened on by %s:%u", listener->name,
                         other->file, other->line);
            return false;
        }
        if (overlap(other, listener)) {
            config_error(loader, item->place, "%s overlaps %s at %s:%u", listener->name,
                         other->name, other->file, other->line);
            return false;
        }
    }
    return true;
}

static bool parse_listener(struct loader *loader, struct item *item, char *address,
                           struct config_listener *listener, char *name)
{
    if (strncmp(address, "unix:", 5) == 0)
        return has_kind(loader, item, "Unix socket");
    if (strncmp(address, "systemd:", 8) == 0) {
        snprintf(name, NAME_MAX_LEN + SYSTEMD_NAME_MAX, "%s", address);
        return parse_systemd(loader, item, address + 8, listener);
    }
    if (address[0] == '[')
        return parse_ipv6(loader, item, address, listener, name);
    return parse_ipv4(loader, item, address, listener, name);
}

bool config_set_listen(struct loader *loader, struct item *item, char *value)
{
    struct config_server  *server = &loader->config->server;
    struct config_listener listener = { 0 };
    char                   name[NAME_MAX_LEN + SYSTEMD_NAME_MAX];
    char                  *rest = value;
    char                  *address = config_word(&rest);

    if (!parse_listener(loader, item, address, &listener, name) ||
        !parse_options(loader, item, rest))
        return false;
    listener.kind = item->key == KEY_LISTEN_ACME     ? CONFIG_ACME
                    : item->key == KEY_LISTEN_HEALTH ? CONFIG_HEALTH
                                                     : CONFIG_HTTPS;
    listener.file = loader->config->path;
    listener.line = item->place.line;
    listener.name = region_string(loader->config->region, name, strlen(name));
    if (server->listeners == NULL)
        server->listeners = region_alloc(loader->config->region,
                                         CONFIG_LISTENERS_MAX * sizeof listener);
    if (listener.name == NULL || server->listeners == NULL) {
        config_no_memory(loader);
        return false;
    }
    if (!is_free(loader, item, &listener))
        return false;
    if (server->listener_count == CONFIG_LISTENERS_MAX) {
        config_error(loader, item->place, "more than %d listeners", CONFIG_LISTENERS_MAX);
        return false;
    }
    server->listeners[server->listener_count++] = listener;
    return true;
}
