/*
 * Two lists hold all members that may be evicted, one a rank; each is in the order of the last
 * progress, because progress moves a member to the end. A hash table has an entry for each address
 * and prefix with members, with two such lists of its own.
 */
#include "server/limits.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = LIMITS_BUSY /* that have a list */ };

struct list {
    struct limits_link *first, **last; /* *last is the NULL at the end */
};

struct limits_holder {
    struct limits_address address;
    struct limits_holder *chain; /* in its slot of the table */
    struct list           members[RANKS];
    size_t                count; /* of all ranks */
};

struct limits {
    struct limits_bounds   bounds;
    size_t                 count;
    uint8_t                hash_key[HASH_KEY_SIZE];
    struct list            members[RANKS];
    struct limits_holder **slots;
    size_t                 slot_mask; /* a power of two, less one */
};

/* The struct that the link, which is its field, is embedded in. */
#define OWNER(link, type, field) ((type *)(void *)(((char *)(link)) - offsetof(type, field)))

/* --- Lists */

static void list_init(struct list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void list_append(struct list *list, struct limits_link *link)
{
    link->next = NULL;
    link->prev = list->last;
    *list->last = link;
    list->last = &link->next;
}

static void list_remove(struct list *list, struct limits_link *link)
{
    *link->prev = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    else
        list->last = link->prev;
}

/* --- Addresses */

static void set_address(struct limits_address *address, uint8_t family, const void *bytes,
                        size_t len)
{
    address->family = family;
    memcpy(address->bytes, bytes, len);
}

void limits_address_of(const struct sockaddr *peer, struct limits_address *address)
{
    memset(address, 0, sizeof(*address));
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)peer;

        set_address(address, 4, &in->sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(in6))
            set_address(address, 4, &in6->s6_addr[12], 4);
        else
            set_address(address, 6, in6, 8);
    }
}

/* IPv6 has the /64, the /56 and the /48; the others have themselves. */
static size_t steps_of(const struct limits *limits, const struct limits_address *address)
{
    if (address == NULL || address->family == 0 || limits->bounds.per_address == 0)
        return 0;
    return address->family == 6 ? LIMITS_STEPS : 1;
}

static struct limits_address prefix_of(const struct limits_address *address, size_t step)
{
    struct limits_address prefix = *address;

    memset(prefix.bytes + sizeof(prefix.bytes) - step, 0, step);
    prefix.step = (uint8_t)step;
    return prefix;
}

static size_t bound_of(const struct limits *limits, size_t step)
{
    size_t bound = limits->bounds.per_address;

    while (step-- > 0)
        bound *= LIMITS_STEP_FACTOR;
    return bound;
}

static bool same_address(const struct limits_address *a, const struct limits_address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- Holders */

/* Where the holder of this address hangs, or where it would: at the end of its chain. */
static struct limits_holder **find_holder(const struct limits         *limits,
                                          const struct limits_address *address)
{
    uint64_t               hash = hash_64(limits->hash_key, address, sizeof(*address));
    struct limits_holder **at = &limits->slots[hash & limits->slot_mask];

    while (*at != NULL && !same_address(&(*at)->address, address))
        at = &(*at)->chain;
    return at;
}

static struct limits_holder *holder_new(const struct limits_address *address)
{
    struct limits_holder *holder = calloc(1, sizeof(*holder));

    if (holder == NULL)
        return NULL;
    holder->address = *address;
    for (size_t rank = 0; rank < RANKS; rank++)
        list_init(&holder->members[rank]);
    return holder;
}

static void holder_free(struct limits *limits, struct limits_holder *holder)
{
    *find_holder(limits, &holder->address) = holder->chain;
    free(holder);
}

/* --- Members */

static struct limits_counted *counted_of(struct limits_member *member)
{
    return OWNER(member, struct limits_counted, member);
}

static void enter(struct limits *limits, struct limits_member *member, enum limits_rank rank,
                  int64_t now)
{
    member->rank = (uint8_t)rank;
    member->since = now;
    if (rank == LIMITS_BUSY)
        return;
    list_append(&limits->members[rank], &member->by_age);
    for (size_t step = 0; member->counted && step < LIMITS_STEPS; step++) {
        struct limits_place *place = &counted_of(member)->places[step];

        if (place->holder != NULL)
            list_append(&place->holder->members[rank], &place->by_age);
    }
}

static void leave(struct limits *limits, struct limits_member *member)
{
    if (member->rank == LIMITS_BUSY)
        return;
    list_remove(&limits->members[member->rank], &member->by_age);
    for (size_t step = 0; member->counted && step < LIMITS_STEPS; step++) {
        struct limits_place *place = &counted_of(member)->places[step];

        if (place->holder != NULL)
            list_remove(&place->holder->members[member->rank], &place->by_age);
    }
}

/* Counts it no more. A holder without members goes. */
static void leave_holders(struct limits *limits, struct limits_counted *counted)
{
    for (size_t step = 0; step < LIMITS_STEPS; step++) {
        struct limits_holder *holder = counted->places[step].holder;

        if (holder != NULL && --holder->count == 0)
            holder_free(limits, holder);
        counted->places[step].holder = NULL;
    }
    counted->member.counted = false;
}

/* -1: no memory. */
static int enter_holders(struct limits *limits, struct limits_counted *counted,
                         const struct limits_address *address)
{
    for (size_t step = 0; step < steps_of(limits, address); step++) {
        struct limits_address  prefix = prefix_of(address, step);
        struct limits_holder **at = find_holder(limits, &prefix);
        struct limits_holder  *holder = *at;

        if (holder == NULL && (holder = *at = holder_new(&prefix)) == NULL) {
            leave_holders(limits, counted);
            return -1;
        }
        holder->count++;
        counted->places[step].holder = holder;
    }
    counted->member.counted = true;
    return 0;
}

int limits_add(struct limits *limits, struct limits_member *member, enum limits_rank rank,
               int64_t now)
{
    if (limits->count == limits->bounds.total)
        return -1;
    member->in = true;
    limits->count++;
    enter(limits, member, rank, now);
    return 0;
}

int limits_add_counted(struct limits *limits, struct limits_counted *counted,
                       const struct limits_address *address, enum limits_rank rank, int64_t now)
{
    if (enter_holders(limits, counted, address) != 0)
        return -1;
    if (limits_add(limits, &counted->member, rank, now) == 0)
        return 0;
    leave_holders(limits, counted);
    return -1;
}

void limits_rank_set(struct limits *limits, struct limits_member *member, enum limits_rank rank,
                     int64_t now)
{
    if (!member->in)
        return;
    leave(limits, member);
    enter(limits, member, rank, now);
}

void limits_remove(struct limits *limits, struct limits_member *member)
{
    if (!member->in)
        return;
    leave(limits, member);
    if (member->counted)
        leave_holders(limits, counted_of(member));
    member->in = false;
    limits->count--;
}

/* --- The choice */

static struct limits_member *oldest(const struct limits *limits, enum limits_rank rank)
{
    struct limits_link *first = limits->members[rank].first;

    return first != NULL ? OWNER(first, struct limits_member, by_age) : NULL;
}

static struct limits_member *oldest_of(const struct limits_holder *holder)
{
    struct limits_link  *first = holder->members[LIMITS_IDLE].first;
    struct limits_place *place;

    if (first == NULL)
        first = holder->members[LIMITS_OPEN].first;
    if (first == NULL)
        return NULL;
    place = OWNER(first, struct limits_place, by_age) - holder->address.step;
    return &OWNER(place, struct limits_counted, places)->member;
}

struct limits_member *limits_oldest(const struct limits *limits)
{
    struct limits_member *idle = oldest(limits, LIMITS_IDLE);

    return idle != NULL ? idle : oldest(limits, LIMITS_OPEN);
}

/* The address, or the smallest prefix of it, that has as many members as it may have. */
static const struct limits_holder *full_holder(const struct limits         *limits,
                                               const struct limits_address *address)
{
    for (size_t step = 0; step < steps_of(limits, address); step++) {
        struct limits_address       prefix = prefix_of(address, step);
        const struct limits_holder *holder = *find_holder(limits, &prefix);

        if (holder != NULL && holder->count >= bound_of(limits, step))
            return holder;
    }
    return NULL;
}

/* Milliseconds for which a member may be silent. */
static int64_t patience(const struct limits *limits)
{
    size_t ms = LIMITS_PATIENCE_MAX * limits->bounds.easy / limits->count;

    return ms > LIMITS_PATIENCE_MIN ? (int64_t)ms : LIMITS_PATIENCE_MIN;
}

static struct limits_member *overdue(const struct limits *limits, int64_t now)
{
    if (limits->count == 0 || limits->count < limits->bounds.easy)
        return NULL;
    for (enum limits_rank rank = LIMITS_IDLE; rank < LIMITS_BUSY; rank++) {
        struct limits_member *member = oldest(limits, rank);

        if (member != NULL && now - member->since > patience(limits))
            return member;
    }
    return NULL;
}

struct limits_member *limits_victim(const struct limits         *limits,
                                    const struct limits_address *address, int64_t now, bool *full)
{
    const struct limits_holder *holder = full_holder(limits, address);

    *full = holder != NULL || limits->count >= limits->bounds.total;
    if (holder != NULL)
        return oldest_of(holder);
    return *full ? limits_oldest(limits) : overdue(limits, now);
}

size_t limits_count(const struct limits *limits)
{
    return limits->count;
}

/* --- The whole */

static void lists_init(struct list lists[RANKS])
{
    for (size_t rank = 0; rank < RANKS; rank++)
        list_init(&lists[rank]);
}

struct limits *limits_new(const struct limits_bounds *bounds, const uint8_t hash_key[HASH_KEY_SIZE])
{
    struct limits *limits = calloc(1, sizeof(*limits));
    size_t         slots = 1;

    if (limits == NULL)
        return NULL;
    while (slots < bounds->total && bounds->per_address > 0)
        slots *= 2;
    limits->bounds = *bounds;
    limits->slot_mask = slots - 1;
    memcpy(limits->hash_key, hash_key, HASH_KEY_SIZE);
    lists_init(limits->members);
    limits->slots = calloc(slots, sizeof(struct limits_holder *));
    if (limits->slots == NULL) {
        limits_free(limits);
        return NULL;
    }
    return limits;
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    free(limits->slots);
    free(limits);
}
