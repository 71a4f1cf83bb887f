/*
 * dns_format: how `mta-sts dns` writes records: a zone's lines, nsupdate's commands, or JSON.
 */
#ifndef TOOL_DNS_FORMAT_H
#define TOOL_DNS_FORMAT_H

#include "tool/records.h"

#include <stdbool.h>
#include <stdint.h>

struct dns_format {
    const char *name;
    /* All print to standard output. Between begin and end, each domain has an open, its records
       and a close. */
    void (*begin)(void);
    void (*open)(const char *domain);
    void (*record)(const struct record *record, uint32_t ttl);
    void (*close)(void);
    bool (*end)(void); /* false: there was no memory for all records */
};

/* NULL: there is no such format. */
const struct dns_format *dns_format_find(const char *name);

#endif
