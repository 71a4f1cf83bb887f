/*
 * readiness: which hosts are looked at, when again, and when there are enough. Configuration, certificates, log and the
 * timers of the event loop are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/certpair.h"
#include "common/config.h"
#include "common/log.h"
#include "failing_calloc.h"
#include "server/certs.h"
#include "server/readiness.h"

enum { DOMAINS_MAX = 3000 };

/* --- The world around the module */

struct certpair {
    unsigned references;
};

static struct {
    size_t               domains;
    char                 names[DOMAINS_MAX][16];
    bool                 good[DOMAINS_MAX];
    bool                 waits; /* certs_get does */
    unsigned             asked[DOMAINS_MAX];
    struct certs_waiter *waiter; /* of the one that waits */
    struct certpair      pair;
    ev_timer            *timer; /* active */
    unsigned             reached;
    bool                 refuses; /* reached returns false */
    char                 line[256];
} world;

static const struct policy *const policy = (const struct policy *)&world;

size_t config_domain_count(const struct config *config)
{
    (void)config;
    return world.domains;
}

void config_each_domain(const struct config *config,
                        bool (*visit)(void *context, const char *domain,
                                      const struct policy *policy),
                        void *context)
{
    (void)config;
    for (size_t i = 0; i < world.domains; i++)
        if (!visit(context, world.names[i], policy))
            return;
}

static struct certpair *pair_of(size_t domain)
{
    if (!world.good[domain])
        return NULL;
    world.pair.references++;
    return &world.pair;
}

enum certs_result certs_get(struct certs *certs, const struct policy *its, const char *host,
                            size_t len, struct certs_waiter *waiter, struct certpair **pair)
{
    size_t domain = strtoul(host + strlen("mta-sts.d"), NULL, 10);
    char   expected[32];

    (void)certs;
    assert_true(its == policy);
    snprintf(expected, sizeof(expected), "mta-sts.%s", world.names[domain]);
    assert_string_equal(host, expected);
    assert_int_equal(len, strlen(expected));
    world.asked[domain]++;
    if (world.waits) {
        assert_null(world.waiter); /* one at a time */
        world.waiter = waiter;
        return CERTS_WAIT;
    }
    *pair = pair_of(domain);
    return *pair != NULL ? CERTS_READY : CERTS_FAILED;
}

void certs_cancel(struct certs_waiter *waiter)
{
    if (world.waiter == waiter)
        world.waiter = NULL;
}

void certpair_unref(struct certpair *pair)
{
    if (pair != NULL)
        pair->references--;
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(world.line, sizeof(world.line), format, arguments);
    va_end(arguments);
}

void ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
    (void)loop;
    assert_null(world.timer);
    world.timer = timer;
}

void ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
    (void)loop;
    if (world.timer == timer)
        world.timer = NULL;
}

/* --- What a test is made of */

static bool reached(void *context)
{
    assert_true(context == &world);
    world.reached++;
    return !world.refuses;
}

static int start(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    for (size_t i = 0; i < DOMAINS_MAX; i++)
        snprintf(world.names[i], sizeof(world.names[i]), "d%zu.example", i);
    return 0;
}

static struct readiness *scan(size_t domains, unsigned percent)
{
    struct readiness *readiness;

    world.domains = domains;
    readiness = readiness_new(NULL, NULL, NULL, percent, reached, &world);
    assert_non_null(readiness);
    return readiness;
}

/* The timer fires, if it does so at once; gives for how many milliseconds it waits else, or -1: it is not active. */
static int turn(void)
{
    ev_timer *timer = world.timer;

    if (timer == NULL)
        return -1;
    if (timer->at > 0.)
        return (int)(timer->at * 1000 + 0.5);
    world.timer = NULL;
    timer->cb(NULL, timer, EV_TIMER);
    return 0;
}

/* Until it rests, waits for a pair, or is done. */
static int turns(void)
{
    int ms;

    while ((ms = turn()) == 0)
        ;
    return ms;
}

static void time_passes(void)
{
    world.timer->at = 0.;
}

/* --- Tests */

static void without_domains_it_is_reached_at_once(void **state)
{
    struct readiness *readiness = scan(0, 100);

    (void)state;
    assert_int_equal(world.reached, 0); /* from the loop alone */
    assert_int_equal(turns(), -1);
    assert_int_equal(world.reached, 1);
    readiness_free(readiness);
}

static void every_host_is_looked_at_once_when_all_are_good(void **state)
{
    struct readiness *readiness = scan(3, 100);

    (void)state;
    memset(world.good, true, sizeof(world.good));
    assert_int_equal(turns(), -1);
    assert_int_equal(world.reached, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world.asked[i], 1);
    assert_int_equal(world.pair.references, 0);
    assert_string_equal(world.line,
                        "ready_requires_certificates: 3 of 3 hosts have a good certificate");
    readiness_free(readiness);
}

static void no_more_are_looked_at_than_are_needed(void **state)
{
    struct readiness *readiness = scan(10, 25); /* 2.5 hosts */

    (void)state;
    memset(world.good, true, sizeof(world.good));
    turns();
    assert_int_equal(world.reached, 1);
    assert_int_equal(world.asked[2], 1);
    assert_int_equal(world.asked[3], 0);
    readiness_free(readiness);
}

static void what_is_missing_is_looked_at_again_and_nothing_else(void **state)
{
    struct readiness *readiness = scan(5, 80);

    (void)state;
    world.good[0] = world.good[2] = world.good[3] = true;
    for (unsigned looks = 1; looks <= 3; looks++) {
        assert_int_equal(turns(), READINESS_AGAIN_MS);
        assert_int_equal(world.reached, 0);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(world.asked[i], world.good[i] ? 1 : looks);
        time_passes();
    }
    world.good[4] = true;
    assert_int_equal(turns(), -1);
    assert_int_equal(world.reached, 1);
    assert_int_equal(world.asked[1], 4);
    assert_string_equal(world.line,
                        "ready_requires_certificates: 4 of 5 hosts have a good certificate");
    readiness_free(readiness);
}

static void a_pair_that_comes_later_counts_as_well(void **state)
{
    struct readiness *readiness = scan(2, 100);

    (void)state;
    world.waits = true;
    for (size_t i = 0; i < 3; i++) {
        struct certs_waiter *waiter;

        assert_int_equal(turns(), -1);
        waiter = world.waiter;
        assert_non_null(waiter);
        assert_null(world.timer);
        world.waiter = NULL;
        world.good[1] = i > 1;
        waiter->done(waiter, pair_of(i == 0 ? 1 : i == 1 ? 0 : 1));
        if (i == 0)
            world.good[0] = true;
        if (i == 1) {
            assert_int_equal(turns(), READINESS_AGAIN_MS);
            time_passes();
        }
    }
    assert_int_equal(turns(), -1);
    assert_int_equal(world.reached, 1);
    assert_int_equal(world.pair.references, 0);
    readiness_free(readiness);
}

static void what_could_not_be_passed_on_is_tried_again(void **state)
{
    struct readiness *readiness = scan(1, 100);

    (void)state;
    world.good[0] = world.refuses = true;
    assert_int_equal(turns(), READINESS_AGAIN_MS);
    assert_int_equal(world.reached, 1);
    assert_string_equal(world.line, "");
    world.refuses = false;
    time_passes();
    assert_int_equal(turns(), -1);
    assert_int_equal(world.reached, 2);
    assert_int_equal(world.asked[0], 1);
    readiness_free(readiness);
}

static void of_very_many_so_many_are_chosen_evenly(void **state)
{
    static const size_t counts[] = { READINESS_HOSTS_MAX, READINESS_HOSTS_MAX + 1, 2500,
                                     DOMAINS_MAX };

    for (size_t at = 0; at < sizeof(counts) / sizeof(counts[0]); at++) {
        struct readiness *readiness;
        size_t            chosen = 0;

        start(state);
        readiness = scan(counts[at], 100);
        turns();
        for (size_t i = 0; i < counts[at]; i++)
            chosen += world.asked[i];
        assert_int_equal(chosen, READINESS_HOSTS_MAX);
        for (size_t part = 0; part < 10; part++) { /* each tenth has its part */
            size_t first = part * counts[at] / 10, last = (part + 1) * counts[at] / 10, within = 0;

            for (size_t i = first; i < last; i++) {
                assert_true(world.asked[i] <= 1);
                within += world.asked[i];
            }
            assert_in_range(within, READINESS_HOSTS_MAX / 10 - 1, READINESS_HOSTS_MAX / 10 + 1);
        }
        readiness_free(readiness);
    }
}

static void freed_while_it_waits_it_is_not_called_any_more(void **state)
{
    struct readiness *readiness = scan(1, 100);

    (void)state;
    world.waits = true;
    turns();
    assert_non_null(world.waiter);
    readiness_free(readiness);
    assert_null(world.waiter);
    readiness = scan(1, 100);
    readiness_free(readiness);
    assert_null(world.timer);
    readiness_free(NULL);
}

static void without_memory_there_is_none(void **state)
{
    struct readiness *readiness;

    (void)state;
    world.domains = 1;
    allocation_was_seen = false;
    allocations_until_failure = 1;
    readiness = readiness_new(NULL, NULL, NULL, 1, reached, &world);
    if (readiness != NULL) {
        assert_false(allocation_was_seen);
        readiness_free(readiness);
        skip(); /* under valgrind no allocation fails */
    }
    assert_int_equal(allocations_until_failure, 0);
    assert_null(world.timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_domains_it_is_reached_at_once, start),
        cmocka_unit_test_setup(every_host_is_looked_at_once_when_all_are_good, start),
        cmocka_unit_test_setup(no_more_are_looked_at_than_are_needed, start),
        cmocka_unit_test_setup(what_is_missing_is_looked_at_again_and_nothing_else, start),
        cmocka_unit_test_setup(a_pair_that_comes_later_counts_as_well, start),
        cmocka_unit_test_setup(what_could_not_be_passed_on_is_tried_again, start),
        cmocka_unit_test_setup(of_very_many_so_many_are_chosen_evenly, start),
        cmocka_unit_test_setup(freed_while_it_waits_it_is_not_called_any_more, start),
        cmocka_unit_test_setup(without_memory_there_is_none, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
