#include "tool/typed.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>

/* A name of ASCII alone is not for IDNA to judge: there are hosts whose labels it does not like. */
static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80)
            return false;
    }
    return true;
}

bool typed_name(const char *text, size_t max, char *out, char *why)
{
    char                 *ascii = NULL;
    int                   result;
    enum hostname_verdict verdict;

    if (is_ascii(text)) {
        verdict = hostname_canonical(text, strlen(text), max, out);
    } else {
        result = idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL);
        if (result != IDN2_OK) {
            snprintf(why, TYPED_WHY_MAX, "is no name by IDNA: %s", idn2_strerror(result));
            return false;
        }
        verdict = hostname_canonical(ascii, strlen(ascii), max, out);
        idn2_free(ascii);
    }
    if (verdict == HOSTNAME_OK)
        return true;
    snprintf(why, TYPED_WHY_MAX, "%s", hostname_explain(verdict));
    return false;
}

sa_family_t typed_address_of(const char *text, size_t len)
{
    char          copy[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (len >= sizeof(copy))
        return AF_UNSPEC;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, copy, bytes) == 1 ? AF_INET6 : AF_UNSPEC;
}

sa_family_t typed_address(const char *text)
{
    return typed_address_of(text, strlen(text));
}
