/*
 * check_facts: what there is to see of a domain from outside, before anybody judges it.
 *
 * Gathered by check_gather, judged by check_judge. All of it lives in a region that whoever gathers
 * owns; what belongs to an MX host, in that of check_exchangers.
 */
#ifndef TOOL_CHECK_FACTS_H
#define TOOL_CHECK_FACTS_H

#include "common/policy.h"
#include "tool/resolver.h"
#include "tool/visit.h"

enum {
    CHECK_ADDRESSES_MAX = 4, /* of a host that are tried, of each family */
    CHECK_VISITED_MAX = 64   /* MX hosts of a domain that are visited, the preferred ones */
};

/* One address of a host, and what came of the visit. */
struct check_place {
    const char  *address;
    bool         ipv6;
    struct visit visit;
};

/* Where a host is. */
struct check_places {
    bool                   redirected; /* by --connect-to: DNS has no say in it */
    struct resolver_answer a, aaaa;    /* of the host, or of the name that it was redirected to */
    struct check_place    *at;         /* in the order of the answers, A first */
    size_t                 count;
    size_t                 untried; /* addresses over CHECK_ADDRESSES_MAX */
};

/* One MX host. */
struct check_exchanger {
    const char         *host; /* canonical; as in DNS where it is no name that could be */
    struct check_places places;
};

/* One MX record. */
struct check_mx {
    const char                   *written; /* as DNS has it */
    unsigned                      preference;
    const struct check_exchanger *exchanger; /* NULL: it was not visited */
};

struct check_facts {
    const char            *domain;     /* canonical */
    const char            *host;       /* the policy host */
    const struct policy   *configured; /* NULL: there is no configuration to hold it against */
    struct resolver_answer record;     /* TXT _mta-sts */
    struct resolver_answer reports;    /* TXT _smtp._tls */
    struct resolver_answer exchangers; /* MX */
    struct check_places    places;     /* the policy host's */
    struct check_mx       *mx;         /* by preference; none where it is a null MX (RFC 7505) */
    size_t                 mx_count;
    bool                   mx_implicit; /* no MX record: mx is the domain itself */
    bool                   smtp;        /* MX hosts were visited */
    bool                   lost;        /* there was no memory for all of it */
};

#endif
