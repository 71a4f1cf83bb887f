/* Simulates half handshakes against real senders, with src/server/limits.c itself and with other rules for the choice of
   the TLS state to evict, and prints the share of the fetches that are served (%): a table in Markdown. Each figure is the
   least with 1, 2, 8 or 16 connections of the real sender at a time, and with 2,000 or 50,000 addresses of attackers; MB
   is what the TLS states need, at most.

       limits_model [SECONDS]

   Attackers arrive at random moments (a Poisson process) with a random one of their addresses, take a TLS state, and are
   silent. A real sender has one address and so many connections at a time: each takes a TLS state, is silent for one round
   trip, and is served if it has its TLS state then. It comes again one round trip later, served or not. Two workers share the
   connections at random. Computing takes no time here, so the figures are those of the rule alone;
   tests/bench/siege.py measures the server. */

#include "server/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    WORKERS = 2,
    PLACES_MAX = 4096,     /* TLS states of a worker */
    SLOTS = 16,            /* connections of the real sender */
    ADDRESSES_MAX = 50001, /* 0 is the real sender's */
    DEADLINE_MS = 10000,   /* of a handshake */
    WARM_UP_MS = 10000,    /* until the attack has filled what it can */
    STATE_KB = 41
};

struct place {
    struct limits_member member; /* first: a member is its place */
    bool                 in;
    uint32_t             address;
    int64_t              since;
    struct slot         *slot; /* of the real sender; NULL: an attacker's */
};

struct worker {
    struct place   places[PLACES_MAX];
    size_t         count, total;
    unsigned       held[ADDRESSES_MAX];
    struct limits *limits;
};

struct slot {
    struct place  *place; /* NULL: evicted, refused or not begun */
    struct worker *worker;
    int64_t        due; /* when it completes, or begins anew */
    bool           begun;
};

/* The place to evict before one more; NULL with *full false: none has to be evicted. */
typedef struct place *choice(struct worker *worker, int64_t now, bool *full);

struct rule {
    const char *name;
    size_t      total;
    choice     *choose;
};

static struct worker workers[WORKERS];
static uint64_t      random_state;

static double random_number(void) /* 0 to 1; splitmix64 */
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static size_t random_below(size_t bound)
{
    return (size_t)(random_number() * (double)bound);
}

/* --- The rules */

static struct place *oldest(struct worker *worker, bool of_most)
{
    struct place *found = NULL;
    unsigned      most = 0;

    for (size_t i = 0; i < worker->total; i++) {
        struct place *place = &worker->places[i];
        unsigned      held = of_most ? worker->held[place->address] : 0;

        if (place->in &&
            (found == NULL || held > most || (held == most && place->since < found->since))) {
            found = place;
            most = held;
        }
    }
    return found;
}

/* The rule of mta-stsd until limits.c had the present one. */
static struct place *of_most(struct worker *worker, int64_t now, bool *full)
{
    (void)now;
    *full = worker->count == worker->total;
    return *full ? oldest(worker, true) : NULL;
}

static struct place *any_oldest(struct worker *worker, int64_t now, bool *full)
{
    (void)now;
    *full = worker->count == worker->total;
    return *full ? oldest(worker, false) : NULL;
}

/* None that may be a real sender's is evicted: where there is no other, the new one is refused. */
static struct place *silent(struct worker *worker, int64_t now, bool *full)
{
    struct place *place = any_oldest(worker, now, full);

    return place != NULL && now - place->since > 300 ? place : NULL;
}

static struct place *by_chance(struct worker *worker, int64_t now, bool *full)
{
    (void)now;
    *full = worker->count == worker->total;
    return *full ? &worker->places[random_below(worker->total)] : NULL;
}

static struct place *by_limits(struct worker *worker, int64_t now, bool *full)
{
    return (struct place *)(void *)limits_victim(worker->limits, NULL, now, full);
}

/* --- Places */

static void leave(struct worker *worker, struct place *place)
{
    if (place->slot != NULL)
        place->slot->place = NULL;
    worker->held[place->address]--;
    worker->count--;
    place->in = false;
    limits_remove(worker->limits, &place->member);
}

/* NULL: refused. */
static struct place *enter(const struct rule *rule, struct worker *worker, uint32_t address,
                           struct slot *slot, int64_t now)
{
    static size_t at;
    struct place *place;
    bool          full;

    while ((place = rule->choose(worker, now, &full)) != NULL)
        leave(worker, place);
    if (full)
        return NULL;
    while (worker->places[at %= worker->total].in)
        at++;
    place = &worker->places[at];
    memset(place, 0, sizeof(*place));
    place->in = true;
    place->address = address;
    place->since = now;
    place->slot = slot;
    worker->held[address]++;
    worker->count++;
    limits_add(worker->limits, &place->member, LIMITS_OPEN, now);
    return place;
}

static void expire(struct worker *worker, int64_t now)
{
    for (size_t i = 0; i < worker->total; i++)
        if (worker->places[i].in && now - worker->places[i].since >= DEADLINE_MS)
            leave(worker, &worker->places[i]);
}

/* --- One run */

struct cell {
    double  rate; /* half handshakes a second */
    size_t  addresses, parallel;
    int64_t rtt;
    double  served; /* of all fetches */
    size_t  states; /* most at a time, of all workers */
};

static void step_slot(const struct rule *rule, struct cell *cell, struct slot *slot, int64_t now,
                      unsigned count[2])
{
    if (now < slot->due)
        return;
    slot->due = now + cell->rtt;
    if (slot->begun) {
        count[slot->place != NULL] += now > WARM_UP_MS;
        if (slot->place != NULL)
            leave(slot->worker, slot->place);
    } else {
        slot->worker = &workers[random_below(WORKERS)];
        slot->place = enter(rule, slot->worker, 0, slot, now);
    }
    slot->begun = !slot->begun;
}

static void run(const struct rule *rule, struct cell *cell, int64_t end)
{
    static const uint8_t       key[HASH_KEY_SIZE];
    const struct limits_bounds bounds = { .total = rule->total, .easy = 128 };
    struct slot                slots[SLOTS] = { 0 };
    unsigned                   count[2] = { 0, 0 }; /* failed, served */
    double                     due = 0;

    random_state = 8461;
    memset(workers, 0, sizeof(workers));
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].total = rule->total;
        workers[i].limits = limits_new(&bounds, key);
    }
    for (int64_t now = 0; now < end; now++) {
        size_t states = 0;

        due += cell->rate / 1000;
        while (due > random_number()) {
            due--;
            enter(rule, &workers[random_below(WORKERS)],
                  (uint32_t)(1 + random_below(cell->addresses)), NULL, now);
        }
        for (size_t i = 0; i < cell->parallel; i++)
            step_slot(rule, cell, &slots[i], now, count);
        for (size_t i = 0; i < WORKERS; i++) {
            if (now % 100 == 0)
                expire(&workers[i], now);
            states += workers[i].count;
        }
        cell->states = states > cell->states ? states : cell->states;
    }
    cell->served = (double)count[1] / (count[0] + count[1]);
    for (size_t i = 0; i < WORKERS; i++) {
        for (size_t at = 0; at < rule->total; at++)
            if (workers[i].places[at].in)
                leave(&workers[i], &workers[i].places[at]);
        limits_free(workers[i].limits);
    }
}

/* The cells of one rate and round trip: the least share that was served, in %. */
static double worst(const struct rule *rule, double rate, int64_t rtt, int64_t end, size_t *states)
{
    static const size_t parallel[] = { 1, 2, 8, 16 };
    static const size_t addresses[] = { 2000, 50000 };
    double              least = 1;

    for (size_t p = 0; p < COUNT(parallel); p++) {
        for (size_t a = 0; a < COUNT(addresses); a++) {
            struct cell cell = {
                .rate = rate, .addresses = addresses[a], .parallel = parallel[p], .rtt = rtt
            };

            run(rule, &cell, end);
            least = cell.served < least ? cell.served : least;
            *states = cell.states > *states ? cell.states : *states;
        }
    }
    return 100 * least;
}

int main(int argc, char **argv)
{
    static const struct rule rules[] = {
        { "oldest of the address with most, 256", 256, of_most },
        { "any, by chance, 256", 256, by_chance },
        { "silent for 300 ms, else refuse, 256", 256, silent },
        { "oldest, 256", 256, any_oldest },
        { "limits.c, 256", 256, by_limits },
        { "limits.c, 4096", 4096, by_limits },
    };
    static const double  rates[] = { 60, 500, 1000, 2000, 4000 };
    static const int64_t rtts[] = { 20, 100, 300 };
    int64_t              end = WARM_UP_MS + 1000 * (argc > 1 ? atol(argv[1]) : 20);

    printf("| rule, TLS states of a worker | a second | 20 ms | 100 ms | 300 ms | MB |\n"
           "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < COUNT(rules); i++) {
        for (size_t rate = 0; rate < COUNT(rates); rate++) {
            size_t states = 0;

            printf("| %s | %.0f |", rules[i].name, rates[rate]);
            for (size_t r = 0; r < COUNT(rtts); r++)
                printf(" %.0f |", worst(&rules[i], rates[rate], rtts[r], end, &states));
            printf(" %.0f |\n", (double)states * STATE_KB / 1000);
            fflush(stdout);
        }
    }
    return 0;
}
