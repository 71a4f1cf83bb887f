/*
 * typed: names and addresses as a person types them.
 *
 * Domains may be written in their own script (U-labels, RFC 5890), in any case, and with a final
 * dot; inside they are what common/hostname says.
 */
#ifndef TOOL_TYPED_H
#define TOOL_TYPED_H

#include "common/hostname.h"

#include <sys/socket.h>

enum { TYPED_WHY_MAX = 256 };

/*
 * The canonical form of a domain or host of at most max bytes, to out, which holds max + 1. False:
 * it is none, and why says so (TYPED_WHY_MAX bytes), going on from the name. The text is UTF-8.
 */
bool typed_name(const char *text, size_t max, char *out, char *why);

/* AF_INET or AF_INET6; AF_UNSPEC: it is no address. */
sa_family_t typed_address(const char *text);
sa_family_t typed_address_of(const char *text, size_t len); /* the same of a part of a text */

#endif
