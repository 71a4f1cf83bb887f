/*
 * limits: how many of something there may be, in all and for one address, and
 * who has to go when one too many comes.
 *
 * A worker has two: of connections and of TLS states. Each member belongs to
 * an address (an IPv4 address or an IPv6 /64). When there is no room, the member to go is the
 * oldest that is idle, then the oldest of the address that holds most: a crowd of idle strangers
 * from one place does not keep a real fetch out. "Holds most" counts members of rank
 * LIMITS_OPEN alone, so whenever one of them is in, one is found; of addresses that hold the
 * same, the one that came to that number first has to give, which with one member each is the
 * oldest member of all. All in constant time, since it is under attack that this is used. Pure
 * bookkeeping: whoever owns the member closes it.
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What one address is: comparable with memcmp. */
struct limits_address {
    uint8_t bytes[8]; /* IPv4: 4 bytes, then zeros; IPv6: the /64 */
    uint8_t family;   /* 4 or 6; 0: no address (unix sockets), all of which are one, to which
                         the limit for one address does not apply: a proxy is behind it */
    uint8_t zero[7];
};

/* IPv4-mapped IPv6 counts as IPv4 (systemd's dual-stack sockets). */
void limits_address_of(const struct sockaddr *peer, struct limits_address *address);

enum limits_rank {
    LIMITS_IDLE, /* goes first: idle keep-alive */
    LIMITS_OPEN, /* goes next: nothing of it is being answered */
    LIMITS_BUSY  /* never goes */
};

struct limits_holder; /* an address that has members */

/* A place in one list, oldest first. Private. */
struct limits_link {
    struct limits_link *next, **prev;
};

/* Embedded in the member. Zeroed before its first limits_add. */
struct limits_member {
    struct limits_holder *holder;  /* NULL: not a member */
    struct limits_link    by_rank; /* among the holder's of its rank */
    struct limits_link    by_idle; /* among all that are idle */
    enum limits_rank      rank;
};

struct limits;

/* total members at most, per_address of one address (0: no such limit). NULL when there is no
   memory. */
struct limits *limits_new(size_t total, size_t per_address, const uint8_t hash_key[HASH_KEY_SIZE]);
void           limits_free(struct limits *limits); /* accepts NULL; must be empty */

/*
 * Who would have to go before a member of this address can be added: NULL with *full
 * false when there is room; NULL with *full true when everyone is busy. Over the
 * per-address limit, only members of that address are asked to go.
 */
struct limits_member *limits_victim(const struct limits         *limits,
                                    const struct limits_address *address, bool *full);

/* Adds, as the youngest of its rank; there must be room in all. -1 when there is none, or no
   memory. The per-address limit is limits_victim's alone. */
int limits_add(struct limits *limits, struct limits_member *member,
               const struct limits_address *address, enum limits_rank rank);
/* The member becomes the youngest of its new rank, even when that is its old one. No-op for one
   that is no member. */
void limits_rank_set(struct limits *limits, struct limits_member *member, enum limits_rank rank);
void limits_remove(struct limits *limits, struct limits_member *member); /* no-op when not in */

size_t limits_count(const struct limits *limits);

#endif
