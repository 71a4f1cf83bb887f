/*
 * limits: which member is evicted. Beside the cases that matter by name, thousands of random
 * operations are compared with a model that searches through everything each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/limits.h"

enum { POOL = 64 };

static const uint8_t key[16] = "of no importance";

static struct limits_counted pool[POOL];
static int64_t               now; /* ms */

static int empty_pool(void **state)
{
    (void)state;
    memset(pool, 0, sizeof(pool));
    now = 1000000;
    return 0;
}

static struct limits *new_limits(size_t total, size_t easy, size_t per_address)
{
    struct limits *limits = limits_new(
        &(struct limits_bounds){ .total = total, .easy = easy, .per_address = per_address }, key);

    assert_non_null(limits);
    return limits;
}

static struct limits_address address_of(const char *text)
{
    struct sockaddr_in    in = { .sin_family = AF_INET };
    struct sockaddr_in6   in6 = { .sin6_family = AF_INET6 };
    struct limits_address address;

    memset(&address, 0xa5, sizeof(address));
    if (strchr(text, ':') == NULL) {
        assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
        limits_address_of((const struct sockaddr *)&in, &address);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        limits_address_of((const struct sockaddr *)&in6, &address);
    }
    return address;
}

static void add(struct limits *limits, size_t index, const char *address, enum limits_rank rank)
{
    struct limits_address from = address_of(address);

    assert_int_equal(limits_add_counted(limits, &pool[index], &from, rank, now), 0);
}

static void set_rank(struct limits *limits, size_t index, enum limits_rank rank)
{
    limits_rank_set(limits, &pool[index].member, rank, now);
}

static void take_out(struct limits *limits, size_t index)
{
    limits_remove(limits, &pool[index].member);
}

static long index_of(const struct limits_member *member)
{
    return ((const char *)member - (const char *)pool) / (long)sizeof(pool[0]);
}

/* -1: there is room. -2: full, and all are busy. Else the member's index. */
static long victim(const struct limits *limits, const char *address)
{
    struct limits_address       from = address_of(address);
    bool                        full;
    const struct limits_member *found = limits_victim(limits, &from, now, &full);

    if (found == NULL)
        return full ? -2 : -1;
    return index_of(found);
}

static void empty(struct limits *limits)
{
    for (size_t i = 0; i < POOL; i++)
        take_out(limits, i);
    assert_int_equal(limits_count(limits), 0);
    limits_free(limits);
}

static bool same(const char *a, const char *b)
{
    struct limits_address one = address_of(a), other = address_of(b);

    return memcmp(&one, &other, sizeof(one)) == 0;
}

static void an_address_is_an_ipv4_address_or_an_ipv6_64(void **state)
{
    const struct sockaddr unix_peer = { .sa_family = AF_UNIX };
    struct limits_address address;

    (void)state;
    assert_true(same("192.0.2.1", "192.0.2.1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(same("::", "0.0.0.0"));
    limits_address_of(&unix_peer, &address);
    assert_int_equal(address.family, 0);
}

static void there_is_room_until_there_is_none(void **state)
{
    struct limits        *limits = new_limits(2, 2, 0);
    struct limits_address other = address_of("192.0.2.9");

    (void)state;
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    add(limits, 0, "192.0.2.1", LIMITS_BUSY);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    add(limits, 1, "192.0.2.1", LIMITS_BUSY);
    assert_int_equal(limits_count(limits), 2);
    assert_int_equal(victim(limits, "192.0.2.9"), -2);
    assert_int_equal(limits_add_counted(limits, &pool[2], &other, LIMITS_OPEN, now), -1);
    assert_int_equal(limits_add(limits, &pool[2].member, LIMITS_OPEN, now), -1);
    assert_false(pool[2].member.in);
    empty(limits);
}

static void the_oldest_idle_one_is_evicted_first(void **state)
{
    struct limits *limits = new_limits(4, 4, 0);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    add(limits, 1, "192.0.2.1", LIMITS_OPEN);
    add(limits, 2, "192.0.2.2", LIMITS_IDLE);
    add(limits, 3, "192.0.2.1", LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 2);
    set_rank(limits, 2, LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 3);
    empty(limits);
}

/* The sender holds most places, and each attacker has an address of its own. */
static void a_sender_with_many_connections_is_not_evicted_before_an_older_member(void **state)
{
    static const char *const attackers[] = { "198.51.100.1", "198.51.100.2", "198.51.100.3" };
    struct limits           *limits = new_limits(7, 7, 0);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(limits, i, attackers[i], LIMITS_OPEN);
    for (size_t i = 3; i < 7; i++)
        add(limits, i, "192.0.2.1", LIMITS_OPEN);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(victim(limits, "198.51.100.9"), i);
        take_out(limits, i);
        add(limits, i, attackers[i], LIMITS_OPEN);
    }
    assert_int_equal(victim(limits, "198.51.100.9"), 3);
    empty(limits);
}

static void progress_makes_a_member_the_youngest(void **state)
{
    struct limits *limits = new_limits(3, 3, 0);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    add(limits, 1, "192.0.2.2", LIMITS_OPEN);
    add(limits, 2, "192.0.2.3", LIMITS_OPEN);
    set_rank(limits, 0, LIMITS_OPEN);
    assert_int_equal(victim(limits, "192.0.2.9"), 1);
    set_rank(limits, 1, LIMITS_OPEN);
    assert_int_equal(victim(limits, "192.0.2.9"), 2);
    empty(limits);
}

static void one_that_is_answered_is_never_evicted(void **state)
{
    struct limits *limits = new_limits(4, 4, 0);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(limits, i, "198.51.100.1", LIMITS_BUSY);
    add(limits, 3, "192.0.2.1", LIMITS_OPEN);
    assert_int_equal(victim(limits, "192.0.2.9"), 3);
    assert_ptr_equal(limits_oldest(limits), &pool[3].member);
    set_rank(limits, 3, LIMITS_BUSY);
    assert_int_equal(victim(limits, "192.0.2.9"), -2);
    assert_null(limits_oldest(limits));
    set_rank(limits, 1, LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 1);
    empty(limits);
}

/* Silence before the bound: a second at `easy` members, less with more of them, but never less than
   a round trip needs. */
static void the_patience_shrinks_with_the_number_of_members(void **state)
{
    static const struct {
        size_t  count;
        int64_t ms;
    } cases[] = { { 8, 1000 }, { 10, 800 }, { 16, 500 }, { 20, 400 }, { 40, 400 } };
    struct limits *limits = new_limits(POOL, 8, 0);
    size_t         count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t since = now;

        for (; count < cases[i].count; count++) {
            assert_int_equal(victim(limits, "192.0.2.9"), -1);
            add(limits, count, "192.0.2.1", LIMITS_OPEN);
        }
        now = since + cases[i].ms;
        assert_int_equal(victim(limits, "192.0.2.9"), -1);
        now++;
        assert_int_equal(victim(limits, "192.0.2.9"), 0);
        for (size_t at = 0; at < count; at++) /* all are young again, and in the same order */
            set_rank(limits, at, LIMITS_OPEN);
    }
    empty(limits);
}

static void few_members_may_be_silent_for_ever(void **state)
{
    struct limits *limits = new_limits(POOL, 8, 0);

    (void)state;
    for (size_t i = 0; i < 7; i++)
        add(limits, i, "192.0.2.1", LIMITS_OPEN);
    now += 3600000;
    assert_int_equal(victim(limits, "192.0.2.9"), -1);
    add(limits, 7, "192.0.2.1", LIMITS_BUSY);
    assert_int_equal(victim(limits, "192.0.2.9"), 0);
    empty(limits);
}

static void an_idle_one_that_is_silent_goes_before_an_open_one(void **state)
{
    struct limits *limits = new_limits(POOL, 2, 0);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    now += 100;
    add(limits, 1, "192.0.2.1", LIMITS_IDLE);
    now += LIMITS_PATIENCE_MAX;
    assert_int_equal(victim(limits, "192.0.2.9"),
                     0); /* the idle one has been so for too short a time */
    now += 1;
    assert_int_equal(victim(limits, "192.0.2.9"), 1);
    empty(limits);
}

static void over_its_own_limit_an_address_gives_up_its_own(void **state)
{
    struct limits *limits = new_limits(10, 10, 2);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_IDLE);
    add(limits, 1, "2001:db8::1", LIMITS_OPEN);
    add(limits, 2, "2001:db8::2", LIMITS_BUSY);
    assert_int_equal(victim(limits, "2001:db8::3"), 1);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    set_rank(limits, 2, LIMITS_IDLE);
    assert_int_equal(victim(limits, "2001:db8::3"), 2);
    set_rank(limits, 1, LIMITS_BUSY);
    set_rank(limits, 2, LIMITS_BUSY);
    assert_int_equal(victim(limits, "2001:db8::3"), -2); /* though others could go */
    empty(limits);
}

static void larger_prefixes_of_ipv6_have_limits_of_their_own(void **state)
{
    struct limits *limits = new_limits(POOL, POOL, 2);
    char           address[INET6_ADDRSTRLEN];
    size_t         count = 0;

    (void)state;
    add(limits, count++, "2001:db9::1", LIMITS_OPEN);
    for (; count < 9; count++) { /* a /64 each of one /56, which may have 8 */
        snprintf(address, sizeof(address), "2001:db8:0:%zx::1", count);
        assert_int_equal(victim(limits, address), -1);
        add(limits, count, address, LIMITS_OPEN);
    }
    assert_int_equal(victim(limits, "2001:db8:0:ff::1"), 1);
    assert_int_equal(victim(limits, "2001:db8:0:1::2"), 1);
    assert_int_equal(victim(limits, "2001:db9::2"), -1);
    for (; count < 33; count++) { /* a /56 each of the /48, which may have 32 */
        snprintf(address, sizeof(address), "2001:db8:0:%zx00::1", count);
        assert_int_equal(victim(limits, address), -1);
        add(limits, count, address, LIMITS_OPEN);
    }
    assert_int_equal(victim(limits, "2001:db8:0:fe00::1"), 1);
    set_rank(limits, 1, LIMITS_BUSY);
    set_rank(limits, 4, LIMITS_IDLE);
    assert_int_equal(victim(limits, "2001:db8:0:fe00::1"), 4);
    assert_int_equal(victim(limits, "2001:db8:1::1"), -1);
    take_out(limits, 7);
    assert_int_equal(victim(limits, "2001:db8:0:fe00::1"), -1);
    empty(limits);
}

static void peers_without_an_address_have_no_limit_of_their_own(void **state)
{
    struct limits        *limits = new_limits(3, 3, 1);
    const struct sockaddr unix_peer = { .sa_family = AF_UNIX };
    struct limits_address none;
    bool                  full;

    (void)state;
    limits_address_of(&unix_peer, &none);
    for (size_t i = 0; i < 3; i++) {
        assert_null(limits_victim(limits, &none, now, &full));
        assert_false(full);
        assert_int_equal(limits_add_counted(limits, &pool[i], &none, LIMITS_OPEN, now), 0);
    }
    assert_ptr_equal(limits_victim(limits, &none, now, &full), &pool[0].member);
    empty(limits);
}

static void members_need_no_address(void **state)
{
    struct limits       *limits = new_limits(2, 2, 1);
    struct limits_member member[3] = { 0 };
    bool                 full;

    (void)state;
    assert_int_equal(limits_add(limits, &member[0], LIMITS_OPEN, now), 0);
    assert_int_equal(limits_add(limits, &member[1], LIMITS_OPEN, now), 0);
    assert_int_equal(limits_add(limits, &member[2], LIMITS_OPEN, now), -1);
    assert_ptr_equal(limits_victim(limits, NULL, now, &full), &member[0]);
    limits_rank_set(limits, &member[0], LIMITS_OPEN, now);
    assert_ptr_equal(limits_victim(limits, NULL, now, &full), &member[1]);
    limits_remove(limits, &member[0]);
    limits_remove(limits, &member[1]);
    limits_free(limits);
}

static void what_is_no_member_is_left_alone(void **state)
{
    struct limits *limits = new_limits(1, 1, 0);

    (void)state;
    set_rank(limits, 0, LIMITS_OPEN);
    take_out(limits, 0);
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    take_out(limits, 0);
    take_out(limits, 0);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    empty(limits);
    limits_free(NULL);
}

/* --- The model: every question is a search. */

enum { ADDRESSES = 9, STEPS = 20000, TOTAL = 40, PER_ADDRESS = 5 };

static const char *const addresses[ADDRESSES] = {
    "192.0.2.1",          "192.0.2.2",         "198.51.100.7",
    "2001:db8::1",        "2001:db8:0:1::1",   "2001:db8:0:100::1",
    "::ffff:203.0.113.1", "2001:db8:0:200::1", "::1"
};

struct model {
    bool             in;
    size_t           address;
    enum limits_rank rank;
    int64_t          since;
    unsigned long    step; /* in which it came to its rank: the order */
};

static struct model model[POOL];

/* Whether the addresses are one, seen with the prefix of a step. */
static bool within(size_t one, size_t other, size_t step)
{
    struct limits_address a = address_of(addresses[one]), b = address_of(addresses[other]);

    if (a.family != b.family || (a.family == 4 && step > 0))
        return false;
    return memcmp(a.bytes, b.bytes, 8 - step) == 0;
}

/* The oldest of that rank among those within a prefix (step LIMITS_STEPS: of all); -2: none. */
static long model_oldest(enum limits_rank rank, size_t address, size_t step)
{
    long found = -2;

    for (size_t i = 0; i < POOL; i++) {
        if (model[i].in && model[i].rank == rank &&
            (step == LIMITS_STEPS || within(model[i].address, address, step)) &&
            (found < 0 || model[i].step < model[found].step))
            found = (long)i;
    }
    return found;
}

static long model_first(size_t address, size_t step)
{
    long idle = model_oldest(LIMITS_IDLE, address, step);

    return idle >= 0 ? idle : model_oldest(LIMITS_OPEN, address, step);
}

static long model_victim(size_t address, size_t count, size_t easy, size_t per_address)
{
    size_t bound = per_address;

    for (size_t step = 0; per_address > 0 && step < LIMITS_STEPS; step++, bound *= 4) {
        size_t held = 0;

        for (size_t i = 0; i < POOL; i++)
            held += model[i].in && within(model[i].address, address, step);
        if (held >= bound)
            return model_first(address, step);
    }
    if (count >= TOTAL)
        return model_first(0, LIMITS_STEPS);
    for (enum limits_rank rank = LIMITS_IDLE; count >= easy && rank <= LIMITS_OPEN; rank++) {
        long    oldest = model_oldest(rank, 0, LIMITS_STEPS);
        int64_t patience = (int64_t)(LIMITS_PATIENCE_MAX * easy / count);

        if (patience < LIMITS_PATIENCE_MIN)
            patience = LIMITS_PATIENCE_MIN;
        if (oldest >= 0 && now - model[oldest].since > patience)
            return oldest;
    }
    return -1;
}

static void random_steps(size_t easy, size_t per_address, enum limits_rank lowest)
{
    struct limits *limits = new_limits(TOTAL, easy, per_address);
    size_t         count = 0, evicting = 0;

    memset(model, 0, sizeof(model));
    for (unsigned long step = 0; step < STEPS; step++) {
        size_t           i = (size_t)rand() % POOL;
        size_t           address = (size_t)(rand() % ADDRESSES);
        enum limits_rank rank = lowest + (unsigned)rand() % (LIMITS_BUSY + 1U - lowest);
        long             found;

        now += rand() % 40;
        found = victim(limits, addresses[address]);
        assert_int_equal(found, model_victim(address, count, easy, per_address));
        evicting += found != -1;
        if (model[i].in && rand() % 3 == 0) {
            take_out(limits, i);
            model[i].in = false;
            count--;
        } else if (model[i].in) {
            set_rank(limits, i, rank);
            model[i].rank = rank;
            model[i].since = now;
            model[i].step = step;
        } else if (found == -1) {
            add(limits, i, addresses[address], rank);
            model[i] = (struct model){ true, address, rank, now, step };
            count++;
        }
        assert_int_equal(limits_count(limits), count);
    }
    assert_true(evicting > STEPS / 20);
    empty(limits);
}

static void the_choice_is_that_of_a_search(void **state)
{
    (void)state;
    srand(8461);
    for (enum limits_rank lowest = LIMITS_IDLE; lowest <= LIMITS_OPEN; lowest++) {
        random_steps(TOTAL, 0, lowest);
        random_steps(TOTAL, PER_ADDRESS, lowest);
        random_steps(20, 0, lowest);
        random_steps(20, PER_ADDRESS, lowest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_is_an_ipv4_address_or_an_ipv6_64, empty_pool),
        cmocka_unit_test_setup(there_is_room_until_there_is_none, empty_pool),
        cmocka_unit_test_setup(the_oldest_idle_one_is_evicted_first, empty_pool),
        cmocka_unit_test_setup(a_sender_with_many_connections_is_not_evicted_before_an_older_member,
                               empty_pool),
        cmocka_unit_test_setup(progress_makes_a_member_the_youngest, empty_pool),
        cmocka_unit_test_setup(one_that_is_answered_is_never_evicted, empty_pool),
        cmocka_unit_test_setup(the_patience_shrinks_with_the_number_of_members, empty_pool),
        cmocka_unit_test_setup(few_members_may_be_silent_for_ever, empty_pool),
        cmocka_unit_test_setup(an_idle_one_that_is_silent_goes_before_an_open_one, empty_pool),
        cmocka_unit_test_setup(over_its_own_limit_an_address_gives_up_its_own, empty_pool),
        cmocka_unit_test_setup(larger_prefixes_of_ipv6_have_limits_of_their_own, empty_pool),
        cmocka_unit_test_setup(peers_without_an_address_have_no_limit_of_their_own, empty_pool),
        cmocka_unit_test_setup(members_need_no_address, empty_pool),
        cmocka_unit_test_setup(what_is_no_member_is_left_alone, empty_pool),
        cmocka_unit_test_setup(the_choice_is_that_of_a_search, empty_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
