/*
 * curves where mbedTLS does not call them: this program is linked without the seams, as if the
 * library bound its own calls (-Bsymbolic), or called something else now. The self-tests are the
 * real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "server/curves.h"
#include "server/curves_internal.h"

#include <string.h>

#define NOT_CALLED " (mbedTLS does not call it)"
#define ALL_PARTS                                                                        \
    "P-256" NOT_CALLED ", X25519" NOT_CALLED ", SHA-256" NOT_CALLED ", ECDSA" NOT_CALLED \
    ", RSA" NOT_CALLED

static void what_is_not_reached_is_not_believed(void **state)
{
    (void)state;
    curves_start();
    for (int i = 0; i < CURVES_PARTS; i++)
        assert_false(curves_states[i].on);
    assert_string_equal(curves_trouble(), ALL_PARTS);
    assert_non_null(strstr(curves_text(), ": nothing; stock: " ALL_PARTS));
}

static void mbedtls_goes_on_by_itself(void **state)
{
    (void)state;
    curves_start();
    assert_true(curves_selftest_p256());
    assert_true(curves_selftest_x25519());
    assert_true(curves_selftest_sha256());
    assert_true(curves_selftest_ecdsa());
    assert_true(curves_selftest_exp_mod());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_reached_is_not_believed),
        cmocka_unit_test(mbedtls_goes_on_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include "curves_stock.h"
#endif
