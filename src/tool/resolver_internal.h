/*
 * resolver_internal: what the parts of resolver share: resolver.c asks and waits, resolver_server.c
 * reads whom to ask, resolver_answer.c reads what came.
 */
#ifndef TOOL_RESOLVER_INTERNAL_H
#define TOOL_RESOLVER_INTERNAL_H

#include "tool/resolver.h"

#define CARES_NO_DEPRECATED /* says 1.34 of what 1.18 has instead */
#include <ares.h>

struct region;

enum { RESOLVER_SERVER_MAX = 64 };

/* "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53" or "2001:db8::1" as c-ares takes it, with a port,
   to out, which holds RESOLVER_SERVER_MAX bytes. False: it is none of these. */
bool resolver_read_server(const char *text, char *out);

/* Reads a message, whatever its bytes, that is an answer to the question. What it holds is taken
   from the region; false: there was no memory. */
bool resolver_read_answer(const unsigned char *message, int len, const char *name,
                          enum resolver_type type, struct region *region,
                          struct resolver_answer *answer);

#endif
