/* advise_state: what is remembered of a domain, and how strictly the file is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tool/advise_state.h"

#define HEAD "mta-sts advise state 1\n"
#define LINE                                                                               \
    "example.org first=1000 from=policy last=2000 mode=enforce since=1500 longest=604800 " \
    "enforced=yes id=a1 id_since=1600 mx=0123456789abcdef mx_since=0\n"
#define BARE                                                                           \
    "example.net first=1000 from=nothing last=0 mode=- since=0 longest=0 enforced=no " \
    "id=- id_since=0 mx=- mx_since=0\n"

static char folder[] = "/tmp/advise-state.XXXXXX";
static char path[64], why[ADVISE_STATE_WHY_MAX];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(void)
{
    static char text[4096];
    FILE       *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct advise_state *read_state(void)
{
    struct advise_state *state;

    assert_int_equal(advise_state_read(path, &state, why), ADVISE_STATE_FINE);
    return state;
}

static void what_was_read_is_written_again_in_order(void **unused)
{
    struct advise_state *state;

    (void)unused;
    write_file(HEAD LINE BARE);
    state = read_state();
    assert_int_equal(advise_state_of(state, "example.org")->longest, 604800);
    assert_int_equal(advise_state_of(state, "example.net")->first, 1000);
    assert_int_equal(advise_state_write(state, path, why), ADVISE_STATE_FINE);
    advise_state_free(state);
    assert_string_equal(read_file(), HEAD BARE LINE);
}

static void no_file_is_an_empty_one(void **unused)
{
    struct advise_state *state;
    struct advise_seen  *seen;

    (void)unused;
    unlink(path);
    state = read_state();
    seen = advise_state_of(state, "example.net");
    assert_int_equal(seen->first, 0);
    seen->first = 1000;
    assert_ptr_equal(advise_state_of(state, "example.net"), seen);
    assert_int_equal(advise_state_write(state, path, why), ADVISE_STATE_FINE);
    advise_state_free(state);
    assert_string_equal(read_file(), HEAD BARE);
}

static void what_is_not_known_is_an_error_with_its_line(void **unused)
{
    static const char *const broken[] = {
        "something else\n",
        HEAD "\n",
        /* clang-format off */
        HEAD LINE LINE,
        HEAD LINE "example.com\n",
        HEAD BARE "more",
        /* clang-format on */
        HEAD "Example.net first=1000 from=nothing last=0 mode=- since=0 longest=0 enforced=no id=- "
             "id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=maybe last=0 mode=- since=0 longest=0 enforced=no id=- "
             "id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=0 mode=- since=0 longest=0 enforced=no id=- "
             "id_since=0 mx=- "
             "mx_since=0 more=1\n",
        HEAD "example.net first=01000 from=nothing last=0 mode=- since=0 longest=0 enforced=no "
             "id=- id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=5 mode=strict since=0 longest=0 enforced=no "
             "id=- id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=0 mode=- since=-1 longest=0 enforced=no "
             "id=- id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=0 mode=- since=0 longest=31557601 "
             "enforced=no id=- id_since=0 "
             "mx=- mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=0 mode=- since=0 longest=0 enforced=no "
             "id=a-b id_since=0 mx=- "
             "mx_since=0\n",
        HEAD "example.net first=1000 from=nothing last=0 mode=- since=0 longest=0 enforced=no id=- "
             "id_since=0 mx=abc "
             "mx_since=0\n",
        HEAD "example.net first=99999999999999999999 from=nothing last=0 mode=- since=0 longest=0 "
             "enforced=no id=- "
             "id_since=0 mx=- mx_since=0\n",
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        struct advise_state *state;

        write_file(broken[i]);
        if (advise_state_read(path, &state, why) != ADVISE_STATE_BROKEN)
            fail_msg("%zu was read", i);
        assert_non_null(strstr(why, i == 0                       ? ":1: "
                                    : i == 2 || i == 3 || i == 4 ? ":3: "
                                                                 : ":2: "));
        advise_state_free(state);
    }
}

static void a_file_that_cannot_be_read_or_written_is_told(void **unused)
{
    struct advise_state *state;

    (void)unused;
    assert_int_equal(advise_state_read(folder, &state, why), ADVISE_STATE_BROKEN);
    assert_non_null(strstr(why, "directory"));
    assert_int_equal(advise_state_write(state, "/dev/full", why), ADVISE_STATE_BROKEN);
    assert_non_null(strstr(why, "space"));
    advise_state_free(state);
}

static void a_look_at_nothing_is_remembered_as_that(void **unused)
{
    struct advise_seen       seen = { 0 };
    const struct advise_look look = { .now = 1000 };

    (void)unused;
    advise_state_note(&seen, &look);
    assert_int_equal(seen.first, 1000);
    assert_false(seen.from_policy);
    assert_int_equal(seen.last, 0);
}

static void
a_record_or_a_policy_at_the_first_look_means_that_others_may_have_been_before(void **unused)
{
    struct advise_seen by_record = { 0 }, by_policy = { 0 };
    struct advise_look look = { .now = 1000, .published = true };

    (void)unused;
    advise_state_note(&by_record, &look);
    look = (struct advise_look){
        .now = 1000, .served = true, .mode = POLICY_TESTING, .max_age = 5
    };
    advise_state_note(&by_policy, &look);
    assert_true(by_record.from_policy && by_policy.from_policy);
    assert_int_equal(by_policy.last, 0);
}

static struct advise_look look_at(int64_t now, enum policy_mode mode, uint32_t max_age,
                                  const char *id)
{
    return (struct advise_look){ .now = now,
                                 .published = true,
                                 .served = true,
                                 .in_force = true,
                                 .mode = mode,
                                 .max_age = max_age,
                                 .id = id,
                                 .mx = "0123456789abcdef" };
}

static void the_longest_max_age_and_since_when_are_remembered(void **unused)
{
    struct advise_seen seen = { 0 };
    struct advise_look look = look_at(1000, POLICY_TESTING, 900, "1");

    (void)unused;
    advise_state_note(&seen, &look);
    assert_true(seen.from_policy && !seen.enforced);
    look = look_at(2000, POLICY_ENFORCE, 500, "2");
    advise_state_note(&seen, &look);
    look = look_at(3000, POLICY_ENFORCE, 700, "3");
    advise_state_note(&seen, &look);
    assert_int_equal(seen.longest, 900);
    assert_int_equal(seen.since, 2000);
    assert_int_equal(seen.id_since, 3000);
    assert_int_equal(seen.last, 3000);
    assert_string_equal(seen.id, "3");
    assert_true(seen.enforced);
    assert_int_equal(seen.mx_since, 0);
}

/* Served without its id: senders that know the old id don't hear of it, and those without one do. */
static void a_policy_not_in_force_adds_to_the_longest_and_begins_nothing(void **unused)
{
    struct advise_seen seen = { 0 };
    struct advise_look look = look_at(1000, POLICY_ENFORCE, 500, "1");

    (void)unused;
    advise_state_note(&seen, &look);
    look = look_at(2000, POLICY_NONE, 900, "1");
    look.in_force = false;
    advise_state_note(&seen, &look);
    assert_int_equal(seen.mode, POLICY_ENFORCE);
    assert_int_equal(seen.last, 1000);
    assert_int_equal(seen.longest, 900);
}

/* Set by hand, and forgotten: who knows the id goes on with what it was. */
static void another_mode_under_the_same_id_is_not_in_force(void **unused)
{
    struct advise_seen seen = { 0 };
    struct advise_look look = look_at(1000, POLICY_ENFORCE, 900, "1");

    (void)unused;
    assert_false(advise_state_is_same_id(&seen, &look));
    advise_state_note(&seen, &look);
    assert_false(advise_state_is_same_id(&seen, &look));
    look = look_at(2000, POLICY_NONE, 500, "1");
    assert_true(advise_state_is_same_id(&seen, &look));
    advise_state_note(&seen, &look);
    assert_int_equal(seen.mode, POLICY_ENFORCE);
    look = look_at(3000, POLICY_NONE, 500, "2");
    assert_false(advise_state_is_same_id(&seen, &look));
    advise_state_note(&seen, &look);
    assert_int_equal(seen.mode, POLICY_NONE);
    assert_int_equal(seen.since, 3000);
}

static void other_mx_hosts_are_noticed(void **unused)
{
    struct advise_seen seen = { 0 };
    struct advise_look look = look_at(1000, POLICY_TESTING, 900, "1");

    (void)unused;
    advise_state_note(&seen, &look);
    look.now = 2000;
    look.mx[0] = '\0'; /* DNS did not answer */
    advise_state_note(&seen, &look);
    assert_int_equal(seen.mx_since, 0);
    look = look_at(3000, POLICY_TESTING, 900, "1");
    look.mx[0] = 'f';
    advise_state_note(&seen, &look);
    assert_int_equal(seen.mx_since, 3000);
}

static void
an_enforced_policy_is_kept_from_the_last_look_and_any_other_from_the_first(void **unused)
{
    struct advise_seen seen = { .first = 1000, .since = 2000, .last = 3000, .longest = 500 };

    (void)unused;
    seen.mode = POLICY_ENFORCE;
    assert_int_equal(advise_state_cached_until(&seen), 3500);
    seen.mode = POLICY_NONE;
    assert_int_equal(advise_state_cached_until(&seen), 2500);
    seen.from_policy = true; /* of any max_age */
    assert_int_equal(advise_state_cached_until(&seen), 1000 + POLICY_MAX_AGE_MAX);
}

static int set_up(void **unused)
{
    (void)unused;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/state", folder);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_written_again_in_order),
        cmocka_unit_test(no_file_is_an_empty_one),
        cmocka_unit_test(what_is_not_known_is_an_error_with_its_line),
        cmocka_unit_test(a_file_that_cannot_be_read_or_written_is_told),
        cmocka_unit_test(a_look_at_nothing_is_remembered_as_that),
        cmocka_unit_test(
            a_record_or_a_policy_at_the_first_look_means_that_others_may_have_been_before),
        cmocka_unit_test(the_longest_max_age_and_since_when_are_remembered),
        cmocka_unit_test(a_policy_not_in_force_adds_to_the_longest_and_begins_nothing),
        cmocka_unit_test(another_mode_under_the_same_id_is_not_in_force),
        cmocka_unit_test(other_mx_hosts_are_noticed),
        cmocka_unit_test(
            an_enforced_policy_is_kept_from_the_last_look_and_any_other_from_the_first),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
