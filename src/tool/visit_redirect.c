#include "tool/visit_internal.h"

#include "common/hostname.h"
#include "tool/typed.h"

#include <string.h>

static bool is_host_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';
}

/* Up to the next colon, which is behind a bracket where there is one. */
static bool take_host(const char **at, const char **host, size_t *len)
{
    const char *start = *at, *end = start;

    if (*start == '[') {
        end = strchr(start, ']');
        if (!end || typed_address_of(start + 1, (size_t)(end - start - 1)) != AF_INET6)
            return false;
        end++;
    } else {
        while (is_host_byte(*end))
            end++;
    }
    if (*end != ':')
        return false;
    *host = start;
    *len = (size_t)(end - start);
    *at = end + 1;
    return true;
}

/* 0 where there is none. */
static bool take_port(const char **at, char end, unsigned *port)
{
    const char *start = *at;

    for (*port = 0; **at >= '0' && **at <= '9' && *at - start < 5; ++*at)
        *port = *port * 10 + (unsigned)(**at - '0');
    if (**at != end || *port > 65535 || (*port == 0 && *at != start))
        return false;
    if (end)
        ++*at;
    return true;
}

bool visit_read_redirect(const char *text, struct redirect *redirect)
{
    return take_host(&text, &redirect->from, &redirect->from_len) &&
           take_port(&text, ':', &redirect->from_port) &&
           take_host(&text, &redirect->to, &redirect->to_len) &&
           take_port(&text, '\0', &redirect->to_port);
}

static bool fits(const struct redirect *redirect, const char *host, unsigned port)
{
    return (redirect->from_len == 0 ||
            hostname_equal(redirect->from, redirect->from_len, host, strlen(host))) &&
           (redirect->from_port == 0 || redirect->from_port == port);
}

void visits_redirect(const struct visits *visits, const char *host, unsigned port, const char **to,
                     size_t *to_len, unsigned *to_port)
{
    *to = host;
    *to_len = strlen(host);
    *to_port = port;
    for (size_t i = 0; i < visits->redirects_count; i++) {
        const struct redirect *redirect = &visits->redirects[i];

        if (!fits(redirect, host, port))
            continue;
        if (redirect->to_len > 0) {
            *to = redirect->to;
            *to_len = redirect->to_len;
        }
        if (redirect->to_port > 0)
            *to_port = redirect->to_port;
        return;
    }
}
