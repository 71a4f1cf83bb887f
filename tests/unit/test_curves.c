/*
 * curves: what a start believes, and what it says of that. The self-tests are the test's own: they
 * go well, or fail, or are never reached, or take too much memory. So is Nettle's version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "server/curves.h"
#include "server/curves_internal.h"

#include <gmp.h>
#include <nettle/version.h>

#include <stdio.h>
#include <string.h>

#define ALL_PARTS "P-256, X25519, SHA-256, ECDSA, RSA"

enum course { WELL, WRONG, REFUSED, NOT_REACHED, GREEDY };

static enum course courses[CURVES_PARTS];
static bool        were_on[CURVES_PARTS]; /* when they were tested */

static int major_version, minor_version;

int nettle_version_major(void)
{
    return major_version;
}

int nettle_version_minor(void)
{
    return minor_version;
}

static void take_far_too_much(void)
{
    enum { FAR_TOO_MUCH = 1024 * 1024 };
    void *(*take)(size_t);
    void (*give_back)(void *, size_t);

    mp_get_memory_functions(&take, NULL, &give_back);
    give_back(take(FAR_TOO_MUCH), FAR_TOO_MUCH);
}

static bool run(enum curves_part part)
{
    were_on[part] = curves_states[part].on;
    if (courses[part] == GREEDY)
        take_far_too_much();
    if (courses[part] != NOT_REACHED && courses[part] != REFUSED)
        curves_states[part].calls++;
    return courses[part] != WRONG && courses[part] != REFUSED;
}

bool curves_selftest_p256(void)
{
    return run(CURVES_P256);
}

bool curves_selftest_x25519(void)
{
    return run(CURVES_X25519);
}

bool curves_selftest_sha256(void)
{
    return run(CURVES_SHA256);
}

bool curves_selftest_ecdsa(void)
{
    return run(CURVES_ECDSA);
}

bool curves_selftest_exp_mod(void)
{
    return run(CURVES_EXP_MOD);
}

/* What -V says: this, between Nettle's version and libsodium's. */
static void assert_text(const char *expected)
{
    const char *sodium = curves_multiply_start();
    char        text[512];

    snprintf(text, sizeof(text), "Nettle %d.%d: %s%s%s", nettle_version_major(),
             nettle_version_minor(), expected, sodium != NULL ? "; with libsodium " : "",
             sodium != NULL ? sodium : "");
    assert_string_equal(curves_text(), text);
}

static void start(void)
{
    memset(were_on, 0, sizeof(were_on));
    curves_start();
    for (int i = 0; i < CURVES_PARTS; i++) {
        assert_true(were_on[i]);
        assert_int_equal(curves_states[i].on, courses[i] == WELL);
    }
}

static int all_goes_well(void **state)
{
    (void)state;
    memset(courses, 0, sizeof(courses));
    major_version = NETTLE_VERSION_MAJOR;
    minor_version = NETTLE_VERSION_MINOR;
    return 0;
}

static void what_goes_well_is_on(void **state)
{
    (void)state;
    start();
    assert_text(ALL_PARTS);
    assert_null(curves_trouble());
}

static void what_gives_a_wrong_answer_stays_off_and_is_named(void **state)
{
    (void)state;
    courses[CURVES_X25519] = WRONG;
    start();
    assert_text("P-256, SHA-256, ECDSA, RSA; stock: X25519 (a wrong answer)");
    assert_string_equal(curves_trouble(), "X25519 (a wrong answer)");
}

static void what_gives_none_stays_off_and_is_named(void **state)
{
    (void)state;
    courses[CURVES_ECDSA] = REFUSED;
    courses[CURVES_P256] = WRONG;
    start();
    assert_text("X25519, SHA-256, RSA; stock: P-256 (a wrong answer), ECDSA (no answer)");
    assert_string_equal(curves_trouble(), "P-256 (a wrong answer), ECDSA (no answer)");
}

static void what_is_not_reached_stays_off_and_is_named(void **state)
{
    (void)state;
    courses[CURVES_EXP_MOD] = NOT_REACHED;
    start();
    assert_text("P-256, X25519, SHA-256, ECDSA; stock: RSA (mbedTLS does not call it)");
    assert_string_equal(curves_trouble(), "RSA (mbedTLS does not call it)");
}

/* As where the library calls itself without asking who else there is (-Bsymbolic). */
static void nothing_has_to_be_reached(void **state)
{
    (void)state;
    for (int i = 0; i < CURVES_PARTS; i++)
        courses[i] = NOT_REACHED;
    start();
    assert_text(
        "nothing; stock: P-256 (mbedTLS does not call it), X25519 (mbedTLS does not call it), "
        "SHA-256 (mbedTLS does not call it), ECDSA (mbedTLS does not call it), "
        "RSA (mbedTLS does not call it)");
}

static void a_new_start_judges_anew(void **state)
{
    (void)state;
    courses[CURVES_SHA256] = WRONG;
    start();
    assert_non_null(curves_trouble());
    courses[CURVES_SHA256] = WELL;
    start();
    assert_text(ALL_PARTS);
    assert_null(curves_trouble());
}

static void assert_older(void)
{
    memset(were_on, 0, sizeof(were_on));
    curves_start();
    for (int i = 0; i < CURVES_PARTS; i++) {
        assert_false(were_on[i]);
        assert_false(curves_states[i].on);
        assert_string_equal(curves_states[i].trouble, "Nettle is older than the build's");
    }
    assert_non_null(strstr(curves_trouble(), "RSA (Nettle is older than the build's)"));
}

/* As where the program was built on one system and runs on another. */
static void a_nettle_older_than_the_builds_is_not_even_tried(void **state)
{
    (void)state;
    minor_version--;
    assert_older();
    minor_version = NETTLE_VERSION_MINOR + 1;
    start();
    assert_text(ALL_PARTS);
    major_version--;
    assert_older();
}

/* The last test: once it was too small, it is not believed again. */
static void what_takes_too_much_memory_stays_off_and_is_named(void **state)
{
    (void)state;
    courses[CURVES_EXP_MOD] = GREEDY;
    start();
    assert_text("P-256, X25519, SHA-256, ECDSA; stock: RSA (it takes too much memory)");
    assert_string_equal(curves_trouble(), "RSA (it takes too much memory)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_goes_well_is_on, all_goes_well),
        cmocka_unit_test_setup(what_gives_a_wrong_answer_stays_off_and_is_named, all_goes_well),
        cmocka_unit_test_setup(what_gives_none_stays_off_and_is_named, all_goes_well),
        cmocka_unit_test_setup(what_is_not_reached_stays_off_and_is_named, all_goes_well),
        cmocka_unit_test_setup(nothing_has_to_be_reached, all_goes_well),
        cmocka_unit_test_setup(a_new_start_judges_anew, all_goes_well),
        cmocka_unit_test_setup(a_nettle_older_than_the_builds_is_not_even_tried, all_goes_well),
        cmocka_unit_test_setup(what_takes_too_much_memory_stays_off_and_is_named, all_goes_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include "curves_stock.h"
#endif
