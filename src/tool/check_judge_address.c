/* Addresses that lead nowhere from elsewhere (RFC 6890). */
#include "tool/check_judge_internal.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum { MAPPED = 12 /* bytes in front of an IPv4 address within an IPv6 one */ };

struct range {
    uint8_t  first[4];
    unsigned bits;
};

static bool is_within(const uint8_t *bytes, const struct range *range)
{
    for (unsigned i = 0; i < range->bits; i++) {
        if (((bytes[i / 8] ^ range->first[i / 8]) << i % 8 & 0x80) != 0)
            return false;
    }
    return true;
}

static bool is_within_any(const uint8_t *bytes, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_within(bytes, &ranges[i]))
            return true;
    }
    return false;
}

static bool is_local4(const uint8_t *bytes)
{
    static const struct range ranges[] = {
        { { 0 }, 8 },         { { 10 }, 8 },       { { 100, 64 }, 10 },  { { 127 }, 8 },
        { { 169, 254 }, 16 }, { { 172, 16 }, 12 }, { { 192, 168 }, 16 }, { { 224 }, 3 },
    };

    return is_within_any(bytes, ranges, sizeof(ranges) / sizeof(*ranges));
}

static bool is_local6(const uint8_t *bytes)
{
    static const struct range    ranges[] = { { { 0xfc }, 7 },
                                              { { 0xfe, 0x80 }, 10 },
                                              { { 0xff }, 8 } };
    static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT, any = IN6ADDR_ANY_INIT;
    static const uint8_t         mapped[MAPPED] = { [10] = 0xff, [11] = 0xff };

    if (memcmp(bytes, mapped, MAPPED) == 0)
        return is_local4(bytes + MAPPED);
    return memcmp(bytes, &loopback, sizeof(loopback)) == 0 ||
           memcmp(bytes, &any, sizeof(any)) == 0 ||
           is_within_any(bytes, ranges, sizeof(ranges) / sizeof(*ranges));
}

static bool is_local(const char *address)
{
    uint8_t bytes[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, address, bytes) == 1)
        return is_local4(bytes);
    return inet_pton(AF_INET6, address, bytes) == 1 && is_local6(bytes);
}

void judge_local(struct judge *judge, enum check_code code, const char *host,
                 const struct check_places *places)
{
    for (size_t i = 0; i < places->count && !places->redirected; i++) {
        if (is_local(places->at[i].address))
            judge_find(judge, code, host, "%s is an address within one network or machine",
                       places->at[i].address);
    }
}
