/*
 * A hash table of holders; each has its members in one list a rank. Holders with
 * at least one LIMITS_OPEN member stand in the bucket of that count, and the highest
 * bucket in use is known: a count moves by one at a time, so when the highest bucket
 * is left empty, the next lower one has the holder that left it, or nobody is left at all.
 */
#include "server/limits.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = LIMITS_BUSY + 1 };

struct list {
    struct limits_link *first, **last; /* *last is the NULL at the end */
};

struct limits_holder {
    struct limits_address address;
    struct limits_holder *chain; /* in its slot of the table */
    struct list           members[RANKS];
    size_t                count;   /* of all ranks */
    size_t                open;    /* of LIMITS_OPEN: the bucket it stands in */
    struct limits_link    by_open; /* in that bucket, unless it is 0 */
};

struct limits {
    size_t                 total, per_address;
    size_t                 count;
    uint8_t                hash_key[HASH_KEY_SIZE];
    struct list            idle;    /* the LIMITS_IDLE members of all */
    struct list           *buckets; /* total + 1 of them; 0 is never used */
    size_t                 highest; /* bucket in use; 0: none */
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

static struct limits_member *oldest(const struct list *by_rank)
{
    return by_rank->first != NULL ? OWNER(by_rank->first, struct limits_member, by_rank) : NULL;
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

/* Moves the holder to the next higher or next lower bucket. */
static void holder_set_open(struct limits *limits, struct limits_holder *holder, size_t open)
{
    if (holder->open > 0)
        list_remove(&limits->buckets[holder->open], &holder->by_open);
    holder->open = open;
    if (open > 0)
        list_append(&limits->buckets[open], &holder->by_open);
    if (open > limits->highest)
        limits->highest = open;
    else if (limits->buckets[limits->highest].first == NULL && limits->highest > 0)
        limits->highest--;
}

/* --- Members */

static void enter(struct limits *limits, struct limits_member *member, enum limits_rank rank)
{
    struct limits_holder *holder = member->holder;

    member->rank = rank;
    list_append(&holder->members[rank], &member->by_rank);
    if (rank == LIMITS_IDLE)
        list_append(&limits->idle, &member->by_idle);
    else if (rank == LIMITS_OPEN)
        holder_set_open(limits, holder, holder->open + 1);
}

static void leave(struct limits *limits, struct limits_member *member)
{
    struct limits_holder *holder = member->holder;

    list_remove(&holder->members[member->rank], &member->by_rank);
    if (member->rank == LIMITS_IDLE)
        list_remove(&limits->idle, &member->by_idle);
    else if (member->rank == LIMITS_OPEN)
        holder_set_open(limits, holder, holder->open - 1);
}

int limits_add(struct limits *limits, struct limits_member *member,
               const struct limits_address *address, enum limits_rank rank)
{
    struct limits_holder **at = find_holder(limits, address);
    struct limits_holder  *holder = *at;

    if (limits->count == limits->total)
        return -1;
    if (holder == NULL && (holder = *at = holder_new(address)) == NULL)
        return -1;
    member->holder = holder;
    holder->count++;
    limits->count++;
    enter(limits, member, rank);
    return 0;
}

void limits_rank_set(struct limits *limits, struct limits_member *member, enum limits_rank rank)
{
    if (member->holder == NULL)
        return;
    leave(limits, member);
    enter(limits, member, rank);
}

void limits_remove(struct limits *limits, struct limits_member *member)
{
    struct limits_holder *holder = member->holder;

    if (holder == NULL)
        return;
    leave(limits, member);
    member->holder = NULL;
    limits->count--;
    if (--holder->count == 0)
        holder_free(limits, holder);
}

/* --- Who has to go */

static struct limits_member *victim_of(const struct limits_holder *holder)
{
    struct limits_member *idle = oldest(&holder->members[LIMITS_IDLE]);

    return idle != NULL ? idle : oldest(&holder->members[LIMITS_OPEN]);
}

static struct limits_member *victim_of_all(const struct limits *limits)
{
    struct limits_link *most;

    if (limits->idle.first != NULL)
        return OWNER(limits->idle.first, struct limits_member, by_idle);
    if (limits->highest == 0)
        return NULL;
    most = limits->buckets[limits->highest].first;
    return oldest(&OWNER(most, struct limits_holder, by_open)->members[LIMITS_OPEN]);
}

struct limits_member *limits_victim(const struct limits         *limits,
                                    const struct limits_address *address, bool *full)
{
    const struct limits_holder *holder = *find_holder(limits, address);

    *full = true;
    if (holder != NULL && address->family != 0 && limits->per_address > 0 &&
        holder->count >= limits->per_address)
        return victim_of(holder);
    if (limits->count >= limits->total)
        return victim_of_all(limits);
    *full = false;
    return NULL;
}

size_t limits_count(const struct limits *limits)
{
    return limits->count;
}

/* --- The whole */

struct limits *limits_new(size_t total, size_t per_address, const uint8_t hash_key[HASH_KEY_SIZE])
{
    struct limits *limits = calloc(1, sizeof(*limits));
    size_t         slots = 1;

    if (limits == NULL)
        return NULL;
    while (slots < total)
        slots *= 2;
    limits->total = total;
    limits->per_address = per_address;
    limits->slot_mask = slots - 1;
    memcpy(limits->hash_key, hash_key, HASH_KEY_SIZE);
    list_init(&limits->idle);
    limits->slots = calloc(slots, sizeof(struct limits_holder *));
    limits->buckets = calloc(total + 1, sizeof(struct list));
    if (limits->slots == NULL || limits->buckets == NULL) {
        limits_free(limits);
        return NULL;
    }
    for (size_t open = 0; open <= total; open++)
        list_init(&limits->buckets[open]);
    return limits;
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    free(limits->slots);
    free(limits->buckets);
    free(limits);
}
