#include "tool/resolver_internal.h"
#include "tool/typed.h"

#include <stdio.h>
#include <string.h>

static bool is_port(const char *text)
{
    unsigned port = 0;

    if (!*text || strlen(text) > 5)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (unsigned)(*text - '0');
    }
    return port >= 1 && port <= 65535;
}

bool resolver_read_server(const char *text, char *out)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL, *colon = strchr(text, ':');

    if (typed_address(text) == AF_INET6) {
        snprintf(out, RESOLVER_SERVER_MAX, "[%s]:53", text);
        return true;
    }
    if (bracket) {
        if (typed_address_of(text + 1, (size_t)(bracket - text - 1)) != AF_INET6)
            return false;
        colon = bracket[1] ? bracket + 1 : NULL;
    } else if (typed_address_of(text, colon ? (size_t)(colon - text) : strlen(text)) != AF_INET) {
        return false;
    }
    if (colon && (*colon != ':' || !is_port(colon + 1)))
        return false;
    snprintf(out, RESOLVER_SERVER_MAX, "%s%s", text, colon ? "" : ":53");
    return true;
}
