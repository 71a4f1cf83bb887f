#include "server/deadlines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct deadlines deadlines;

static int setup(void **state)
{
    (void)state;
    deadlines_init(&deadlines);
    return 0;
}

static void nothing_is_due_before_its_time(void **state)
{
    struct deadline one = { 0 };

    (void)state;
    assert_null(deadlines_due(&deadlines, 1000));
    deadlines_set(&deadlines, &one, 0, 100);
    assert_null(deadlines_due(&deadlines, 99));
    assert_ptr_equal(deadlines_due(&deadlines, 100), &one);
    assert_ptr_equal(deadlines_due(&deadlines, 100), &one); /* it stays until it is moved */
}

static void the_oldest_of_a_list_is_due_first(void **state)
{
    struct deadline first = { 0 }, second = { 0 };

    (void)state;
    deadlines_set(&deadlines, &first, 3, 10);
    deadlines_set(&deadlines, &second, 3, 20);
    assert_ptr_equal(deadlines_due(&deadlines, 50), &first);
    deadlines_remove(&deadlines, &first);
    assert_ptr_equal(deadlines_due(&deadlines, 50), &second);
}

static void every_list_is_looked_at(void **state)
{
    struct deadline late = { 0 }, early = { 0 };

    (void)state;
    deadlines_set(&deadlines, &late, 0, 500);
    deadlines_set(&deadlines, &early, DEADLINES_LISTS_MAX - 1, 100);
    assert_ptr_equal(deadlines_due(&deadlines, 100), &early);
}

static void setting_it_again_moves_it_to_another_list(void **state)
{
    struct deadline one = { 0 }, other = { 0 };

    (void)state;
    deadlines_set(&deadlines, &one, 0, 10);
    deadlines_set(&deadlines, &other, 0, 20);
    deadlines_set(&deadlines, &one, 1, 300);
    assert_ptr_equal(deadlines_due(&deadlines, 20), &other);
    assert_ptr_equal(deadlines.first[1], &one);
    assert_ptr_equal(deadlines.last[0], &other.next);
}

static void one_that_is_in_no_list_can_be_removed(void **state)
{
    struct deadline one = { 0 };

    (void)state;
    deadlines_remove(&deadlines, &one);
    deadlines_set(&deadlines, &one, 2, 10);
    deadlines_remove(&deadlines, &one);
    deadlines_remove(&deadlines, &one);
    assert_null(deadlines_due(&deadlines, 10));
}

/* Against the obvious: an array of times, searched from end to end. */
static void many_come_and_go_and_no_deadline_is_lost(void **state)
{
    enum { MANY = 64, STEPS = 20000 };
    struct deadline all[MANY] = { { 0 } };
    long            times[MANY] = { 0 }; /* 0: in no list */

    (void)state;
    srand(1);
    for (long now = 1; now <= STEPS; now++) {
        int              i = rand() % MANY;
        unsigned         list = (unsigned)rand() % 4;
        struct deadline *due;
        long             earliest = 0;

        if (rand() % 3 == 0) {
            deadlines_remove(&deadlines, &all[i]);
            times[i] = 0;
        } else {
            times[i] = now + 10 * ((long)list + 1);
            deadlines_set(&deadlines, &all[i], list, times[i]);
        }
        for (int at = 0; at < MANY; at++)
            if (times[at] != 0 && times[at] <= now)
                earliest = times[at];
        due = deadlines_due(&deadlines, now);
        assert_int_equal(due != NULL, earliest != 0);
        while ((due = deadlines_due(&deadlines, now)) != NULL) {
            assert_true(times[due - all] != 0 && times[due - all] <= now);
            deadlines_remove(&deadlines, due);
            times[due - all] = 0;
        }
        for (int at = 0; at < MANY; at++)
            assert_true(times[at] == 0 || times[at] > now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_due_before_its_time, setup),
        cmocka_unit_test_setup(the_oldest_of_a_list_is_due_first, setup),
        cmocka_unit_test_setup(every_list_is_looked_at, setup),
        cmocka_unit_test_setup(setting_it_again_moves_it_to_another_list, setup),
        cmocka_unit_test_setup(one_that_is_in_no_list_can_be_removed, setup),
        cmocka_unit_test_setup(many_come_and_go_and_no_deadline_is_lost, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
