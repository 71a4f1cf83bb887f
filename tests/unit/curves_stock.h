/* curves_stock: the whole of a test of curves in a build without Nettle, where there are none. */
#ifndef UNIT_CURVES_STOCK_H
#define UNIT_CURVES_STOCK_H

#include "server/curves.h"

static void without_nettle_it_is_all_mbedtls(void **state)
{
    (void)state;
    curves_start();
    assert_string_equal(curves_text(), "stock");
    assert_null(curves_trouble());
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(without_nettle_it_is_all_mbedtls) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
