/*
 * records: the DNS records that belong to a policy domain.
 *
 *   _mta-sts.DOMAIN   TXT           that there is a policy, and its id (RFC 8461 section 3.1)
 *   mta-sts.DOMAIN    CNAME, A...   where it is served (section 3.3); only when one says where
 *   _smtp._tls.DOMAIN TXT           who gets the reports (RFC 8460 section 3); only with a rua
 *
 * Pure functions over the configuration's policies.
 */
#ifndef TOOL_RECORDS_H
#define TOOL_RECORDS_H

#include "common/hostname.h"
#include "common/policy.h"

enum {
    RECORDS_TTL_DEFAULT = 3600,    /* seconds */
    RECORDS_TTL_MAX = 2147483647,  /* seconds (RFC 2181 section 8) */
    RECORDS_STRING_MAX = 255,      /* bytes of one string of a TXT record (RFC 1035 section 3.3) */
    RECORDS_TXT_MAX = 65535 - 257, /* bytes in all: each string has a byte of its own, too */
    RECORDS_ADDRESSES_MAX = 32
};

enum records_type { RECORDS_TXT, RECORDS_CNAME, RECORDS_A, RECORDS_AAAA };

const char *records_type_name(enum records_type type);

struct record {
    char              owner[HOSTNAME_MAX + 1]; /* without the final dot */
    enum records_type type;
    const char       *data; /* TXT: all of it, of visible ASCII and blanks; else a name without the
                               final dot, or an address */
};

/* Where policy hosts are. */
struct records_place {
    const char *target; /* of a CNAME; NULL: the addresses, if there are any */
    struct {
        enum records_type type; /* RECORDS_A or RECORDS_AAAA */
        const char       *text;
    } addresses[RECORDS_ADDRESSES_MAX];
    size_t address_count;
};

/* What a domain cannot have. */
enum records_lack {
    RECORDS_LACK_NAME = 1,  /* a record whose name would be longer than DNS names are */
    RECORDS_LACK_RUA = 2,   /* reports: no rua is configured */
    RECORDS_LACK_ROOM = 4,  /* reports: all rua together are too long for a record */
    RECORDS_LACK_PLACE = 8, /* a CNAME: its policy host is the target */
    RECORDS_LACK_MEMORY = 16
};

/*
 * Calls visit for each record of the domain, in the order above; data is valid for that call.
 * Gives what is lacking, as bits of enum records_lack.
 */
unsigned records_each(const struct policy *policy, const char *domain,
                      const struct records_place *place,
                      void (*visit)(void *context, const struct record *record), void *context);

#endif
