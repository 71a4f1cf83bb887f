/*
 * chain: what a server's certificates say, for a person who is to mend them.
 *
 * Whether they are trusted is not judged here, but by the TLS library that a sender would use too.
 */
#ifndef TOOL_CHAIN_H
#define TOOL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { CHAIN_NAMES_MAX = 512, CHAIN_NAME_MAX = 256 };

struct chain {
    bool   present;     /* at least the leaf came, and could be read; else nothing below counts */
    size_t length;      /* certificates that came */
    bool   covers;      /* a subject alternative name is the host's (RFC 8461 section 3.3) */
    bool   has_names;   /* there is a subject alternative name at all */
    bool   deep;        /* not covered, and would be if "*" stood for more labels than one */
    bool   self_signed; /* the leaf, by itself */
    bool   lone;        /* the leaf is not self-signed, and nothing came with it that signed it */
    time_t not_before;
    time_t not_after;
    char   names[CHAIN_NAMES_MAX]; /* its DNS names, with a blank between, "..." where there are
                                      more; or the common name as "CN=..." */
    char   issuer[CHAIN_NAME_MAX]; /* its common name, or organisation */
};

/* Reads PEM certificates, the leaf first, for a host (canonical). count 0: not present. What a
   stranger wrote is made visible ASCII. False: there was no memory, and nothing is to be believed. */
bool chain_read(const char *const *pems, size_t count, const char *host, struct chain *chain);

/* Does it end so soon that renewal has failed? Below 14 days, and never more than a sixth of its
   lifetime. False where it has ended, or not begun. */
bool chain_ends_soon(const struct chain *chain, time_t now);

#endif
