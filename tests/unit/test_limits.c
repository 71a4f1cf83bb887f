/*
 * limits: who has to go. Beside the cases that matter by name, thousands of random
 * operations are compared with a model that searches through everything each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "server/limits.h"

enum { POOL = 64 };

static const uint8_t key[16] = "of no importance";

static struct limits_member member[POOL];

static int empty_pool(void **state)
{
    (void)state;
    memset(member, 0, sizeof(member));
    return 0;
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

    assert_int_equal(limits_add(limits, &member[index], &from, rank), 0);
}

/* -1: there is room. -2: full, and all are busy. Else the member's index. */
static long victim(const struct limits *limits, const char *address)
{
    struct limits_address       from = address_of(address);
    bool                        full;
    const struct limits_member *found = limits_victim(limits, &from, &full);

    if (found == NULL)
        return full ? -2 : -1;
    assert_true(full);
    return found - member;
}

static void empty(struct limits *limits)
{
    for (size_t i = 0; i < POOL; i++)
        limits_remove(limits, &member[i]);
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
    struct limits        *limits = limits_new(2, 0, key);
    struct limits_address other = address_of("192.0.2.9");

    (void)state;
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    add(limits, 0, "192.0.2.1", LIMITS_BUSY);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    add(limits, 1, "192.0.2.1", LIMITS_BUSY);
    assert_int_equal(limits_count(limits), 2);
    assert_int_equal(victim(limits, "192.0.2.9"), -2);
    assert_int_equal(limits_add(limits, &member[2], &other, LIMITS_OPEN), -1);
    assert_null(member[2].holder);
    empty(limits);
}

static void the_oldest_idle_one_goes_first(void **state)
{
    struct limits *limits = limits_new(4, 0, key);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    add(limits, 1, "192.0.2.1", LIMITS_OPEN);
    add(limits, 2, "192.0.2.2", LIMITS_IDLE);
    add(limits, 3, "192.0.2.1", LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 2);
    limits_rank_set(limits, &member[2], LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 3);
    empty(limits);
}

static void a_crowd_from_one_place_does_not_keep_a_real_fetch_out(void **state)
{
    struct limits *limits = limits_new(4, 0, key);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN); /* the real one, and the oldest of all */
    for (size_t i = 1; i < 4; i++)
        add(limits, i, "198.51.100.1", LIMITS_OPEN);
    assert_int_equal(victim(limits, "198.51.100.1"), 1);
    assert_int_equal(victim(limits, "192.0.2.1"), 1);
    empty(limits);
}

static void one_that_is_answered_never_goes(void **state)
{
    struct limits *limits = limits_new(4, 0, key);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(limits, i, "198.51.100.1", LIMITS_BUSY);
    add(limits, 3, "192.0.2.1", LIMITS_OPEN); /* of those that can go, this address holds most */
    assert_int_equal(victim(limits, "192.0.2.9"), 3);
    limits_rank_set(limits, &member[3], LIMITS_BUSY);
    assert_int_equal(victim(limits, "192.0.2.9"), -2);
    limits_rank_set(limits, &member[1], LIMITS_IDLE);
    assert_int_equal(victim(limits, "192.0.2.9"), 1);
    empty(limits);
}

static void of_many_single_strangers_the_oldest_goes(void **state)
{
    struct limits *limits = limits_new(3, 0, key);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    add(limits, 1, "192.0.2.2", LIMITS_OPEN);
    add(limits, 2, "192.0.2.3", LIMITS_OPEN);
    assert_int_equal(victim(limits, "192.0.2.9"), 0);
    limits_remove(limits, &member[0]);
    add(limits, 0, "192.0.2.4", LIMITS_OPEN);
    assert_int_equal(victim(limits, "192.0.2.9"), 1);
    empty(limits);
}

static void over_its_own_limit_an_address_gives_up_its_own(void **state)
{
    struct limits *limits = limits_new(10, 2, key);

    (void)state;
    add(limits, 0, "192.0.2.1", LIMITS_IDLE);
    add(limits, 1, "2001:db8::1", LIMITS_OPEN);
    add(limits, 2, "2001:db8::2", LIMITS_BUSY);
    assert_int_equal(victim(limits, "2001:db8::3"), 1);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    limits_rank_set(limits, &member[2], LIMITS_IDLE);
    assert_int_equal(victim(limits, "2001:db8::3"), 2);
    limits_rank_set(limits, &member[1], LIMITS_BUSY);
    limits_rank_set(limits, &member[2], LIMITS_BUSY);
    assert_int_equal(victim(limits, "2001:db8::3"), -2); /* though others could go */
    empty(limits);
}

static void peers_without_an_address_have_no_limit_of_their_own(void **state)
{
    struct limits        *limits = limits_new(3, 1, key);
    const struct sockaddr unix_peer = { .sa_family = AF_UNIX };
    struct limits_address none;
    bool                  full;

    (void)state;
    limits_address_of(&unix_peer, &none);
    for (size_t i = 0; i < 3; i++) {
        assert_null(limits_victim(limits, &none, &full));
        assert_false(full);
        assert_int_equal(limits_add(limits, &member[i], &none, LIMITS_OPEN), 0);
    }
    assert_ptr_equal(limits_victim(limits, &none, &full), &member[0]);
    empty(limits);
}

static void what_is_no_member_is_left_alone(void **state)
{
    struct limits *limits = limits_new(1, 0, key);

    (void)state;
    limits_rank_set(limits, &member[0], LIMITS_OPEN);
    limits_remove(limits, &member[0]);
    add(limits, 0, "192.0.2.1", LIMITS_OPEN);
    limits_remove(limits, &member[0]);
    limits_remove(limits, &member[0]);
    assert_int_equal(victim(limits, "192.0.2.1"), -1);
    empty(limits);
    limits_free(NULL);
}

/* --- The model: ages are numbers, and every question is a search. */

enum { ADDRESSES = 7, STEPS = 20000, TOTAL = 40, PER_ADDRESS = 12 };

struct model {
    bool             in;
    size_t           address;
    enum limits_rank rank;
    unsigned long    since; /* the step it came to its rank */
};

static struct model model[POOL];

static size_t held(size_t address, bool open_only)
{
    size_t count = 0;

    for (size_t i = 0; i < POOL; i++)
        count += model[i].in && model[i].address == address &&
                 (!open_only || model[i].rank == LIMITS_OPEN);
    return count;
}

/* The oldest of that rank, of that address or (ADDRESSES) of all; -2: none. */
static long model_oldest(enum limits_rank rank, size_t address)
{
    long found = -2;

    for (size_t i = 0; i < POOL; i++) {
        if (model[i].in && model[i].rank == rank &&
            (address == ADDRESSES || model[i].address == address) &&
            (found < 0 || model[i].since < model[found].since))
            found = (long)i;
    }
    return found;
}

/* Is this what the model would say too? Several addresses can hold most. */
static bool model_agrees(size_t address, size_t count, size_t per_address, long said)
{
    bool   own = per_address > 0 && held(address, false) >= per_address;
    long   idle = model_oldest(LIMITS_IDLE, own ? address : ADDRESSES);
    size_t most = 0;

    if (!own && count < TOTAL)
        return said == -1;
    if (idle >= 0)
        return said == idle;
    if (own)
        return said == model_oldest(LIMITS_OPEN, address);
    for (size_t i = 0; i < ADDRESSES; i++)
        most = held(i, true) > most ? held(i, true) : most;
    if (most == 0)
        return said == -2;
    return said >= 0 && held(model[said].address, true) == most &&
           said == model_oldest(LIMITS_OPEN, model[said].address);
}

static void random_steps(size_t per_address, enum limits_rank lowest)
{
    static const char *const addresses[ADDRESSES] = {
        "192.0.2.1",       "192.0.2.2",          "198.51.100.7", "2001:db8::1",
        "2001:db8:0:1::1", "::ffff:203.0.113.1", "::1"
    };
    struct limits *limits = limits_new(TOTAL, per_address, key);
    size_t         count = 0, full = 0;

    memset(model, 0, sizeof(model));
    for (unsigned long step = 0; step < STEPS; step++) {
        size_t           i = (size_t)rand() % POOL;
        size_t           address = (size_t)(rand() % ADDRESSES * (rand() % 3) / 2);
        enum limits_rank rank = lowest + (unsigned)rand() % (LIMITS_BUSY + 1U - lowest);
        long             said = victim(limits, addresses[address]);

        assert_true(model_agrees(address, count, per_address, said));
        full += said != -1;
        if (model[i].in && rand() % 3 == 0) {
            limits_remove(limits, &member[i]);
            model[i].in = false;
            count--;
        } else if (model[i].in) {
            limits_rank_set(limits, &member[i], rank);
            model[i].rank = rank;
            model[i].since = step;
        } else if (said == -1) {
            add(limits, i, addresses[address], rank);
            model[i] = (struct model){ true, address, rank, step };
            count++;
        }
        assert_int_equal(limits_count(limits), count);
    }
    assert_true(full > STEPS / 20);
    empty(limits);
}

static void whatever_happens_the_right_one_goes(void **state)
{
    (void)state;
    srand(8461);
    random_steps(0, LIMITS_IDLE);
    random_steps(0, LIMITS_OPEN);
    random_steps(PER_ADDRESS, LIMITS_IDLE);
    random_steps(PER_ADDRESS, LIMITS_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_is_an_ipv4_address_or_an_ipv6_64, empty_pool),
        cmocka_unit_test_setup(there_is_room_until_there_is_none, empty_pool),
        cmocka_unit_test_setup(the_oldest_idle_one_goes_first, empty_pool),
        cmocka_unit_test_setup(a_crowd_from_one_place_does_not_keep_a_real_fetch_out, empty_pool),
        cmocka_unit_test_setup(one_that_is_answered_never_goes, empty_pool),
        cmocka_unit_test_setup(of_many_single_strangers_the_oldest_goes, empty_pool),
        cmocka_unit_test_setup(over_its_own_limit_an_address_gives_up_its_own, empty_pool),
        cmocka_unit_test_setup(peers_without_an_address_have_no_limit_of_their_own, empty_pool),
        cmocka_unit_test_setup(what_is_no_member_is_left_alone, empty_pool),
        cmocka_unit_test_setup(whatever_happens_the_right_one_goes, empty_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
