/*
 * limits: bounds on the number of members, in total and for each address, and the choice of the
 * member to evict when a bound is reached.
 *
 * A worker has two: one for connections, one for TLS states. The member to evict is the one that
 * has made no progress for the longest time: a real client is silent for one round trip at most,
 * a half handshake is silent for ever. Each change of rank is progress and makes the member the
 * youngest. In this order:
 *   - over the bound of its address: the oldest member of that address, the oldest idle one first
 *   - at the total: the oldest idle member, else the oldest open one
 *   - from `easy` members on: a member that has been silent for longer than the patience, which is
 *     LIMITS_PATIENCE_MAX at `easy` members and shrinks in inverse proportion to their number, to
 *     LIMITS_PATIENCE_MIN. So memory follows the rate of the attack, and not the total.
 * The number of members of an address plays no part in the latter two: the address with most
 * members is a provider with several senders behind one address, and not an attacker with thousands
 * of addresses. tests/bench/limits_model.c compares these rules with others.
 *
 * An address is an IPv4 address or an IPv6 /64. The bound of an IPv6 /56 is four times, that of a /48
 * 16 times the bound of a /64, because a host with a /48 has 65,536 of these. Every operation takes
 * constant time, because an attacker causes them. Pure bookkeeping: the caller has the clock, and
 * closes what is evicted.
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    LIMITS_PATIENCE_MAX = 1000, /* ms of silence: a round trip, a computation, a lost packet */
    LIMITS_PATIENCE_MIN = 400   /* ms: a round trip of 300 ms */
};

enum { LIMITS_STEPS = 3, /* of IPv6: /64, /56, /48 */ LIMITS_STEP_FACTOR = 4 };

/* Comparable with memcmp. */
struct limits_address {
    uint8_t bytes[8]; /* IPv4: 4 bytes, then zeros; IPv6: the /64 */
    uint8_t family;   /* 4 or 6; 0: no address (unix sockets, with a proxy behind them), no bound */
    uint8_t step;     /* 0: the address; private: 1 for its /56, 2 for its /48 */
    uint8_t zero[6];
};

/* IPv4-mapped IPv6 counts as IPv4 (systemd's dual-stack sockets). */
void limits_address_of(const struct sockaddr *peer, struct limits_address *address);

enum limits_rank {
    LIMITS_IDLE, /* evicted first: idle keep-alive */
    LIMITS_OPEN, /* evicted next: nothing of it is being answered */
    LIMITS_BUSY  /* never evicted */
};

struct limits_holder; /* an address that has members */

/* An entry of one list, oldest first. Private. */
struct limits_link {
    struct limits_link *next, **prev;
};

/* Embedded, and zeroed before it is added. Its fields are private. */
struct limits_member {
    struct limits_link by_age; /* among all of its rank */
    int64_t            since;  /* ms of the last progress */
    uint8_t            rank;   /* enum limits_rank */
    bool               in;
    bool               counted; /* it is the first part of a struct limits_counted */
};

/* A member's entry with one address or prefix. Private. */
struct limits_place {
    struct limits_link    by_age; /* among the holder's of its rank */
    struct limits_holder *holder; /* NULL: not counted */
};

/* A member that is counted for its address, too. */
struct limits_counted {
    struct limits_member member;
    struct limits_place  places[LIMITS_STEPS];
};

struct limits;

struct limits_bounds {
    size_t total;       /* members */
    size_t easy;        /* members up to which silence evicts none; from total on: without effect */
    size_t per_address; /* members; 0: no bound */
};

/* NULL: no memory. */
struct limits *limits_new(const struct limits_bounds *bounds,
                          const uint8_t               hash_key[HASH_KEY_SIZE]);
void           limits_free(struct limits *limits); /* accepts NULL; must be empty */

/*
 * The member to evict before a member of this address (NULL: one that is not counted) is added;
 * ask again after that. NULL with *full false: there is room. NULL with *full true: there is none,
 * and all are busy.
 */
struct limits_member *limits_victim(const struct limits         *limits,
                                    const struct limits_address *address, int64_t now, bool *full);

/* The member to evict where memory is short, whatever the bounds. NULL: there is none, or all are
   busy. */
struct limits_member *limits_oldest(const struct limits *limits);

/* Adds it, as the youngest of its rank. -1: no room in total. */
int limits_add(struct limits *limits, struct limits_member *member, enum limits_rank rank,
               int64_t now);
/* The same for one that is counted for its address, whose bound is limits_victim's alone. -1: or no
   memory. */
int limits_add_counted(struct limits *limits, struct limits_counted *counted,
                       const struct limits_address *address, enum limits_rank rank, int64_t now);
/* Progress: it becomes the youngest of its new rank, even when that is its old one. No-op for one
   that is no member. */
void limits_rank_set(struct limits *limits, struct limits_member *member, enum limits_rank rank,
                     int64_t now);
void limits_remove(struct limits *limits, struct limits_member *member); /* no-op when not in */

size_t limits_count(const struct limits *limits);

#endif
