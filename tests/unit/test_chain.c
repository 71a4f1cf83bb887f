/*
 * chain: what is told of certificates as a server sent them. The certificates are pki/make.sh's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/chain.h"

#define HOST "mta-sts.example.org"
enum { PEM_MAX = 16384, PEMS_MAX = 4, DAY = 86400 };

/* The named files, blank-separated; a name that begins with "!" is a PEM text itself. */
static struct chain read_for(const char *host, const char *names)
{
    static char  pems[PEMS_MAX][PEM_MAX];
    const char  *list[PEMS_MAX];
    char         copy[128], path[128], *rest;
    size_t       count = 0;
    struct chain chain;

    snprintf(copy, sizeof(copy), "%s", names);
    for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        FILE *file;

        list[count] = pems[count];
        if (name[0] == '!') {
            snprintf(pems[count++], PEM_MAX, "%s", name + 1);
            continue;
        }
        snprintf(path, sizeof(path), "tests/unit/pki/%s.pem", name);
        file = fopen(path, "r");
        assert_non_null(file);
        pems[count][fread(pems[count], 1, PEM_MAX - 1, file)] = '\0';
        count++;
        fclose(file);
    }
    memset(&chain, 0xaa, sizeof(chain));
    chain_read(list, count, host, &chain);
    return chain;
}

static struct chain read_chain(const char *names)
{
    return read_for(HOST, names);
}

static void a_whole_chain_is_told(void **state)
{
    struct chain chain = read_chain("leaf intermediate root");

    (void)state;
    assert_true(chain.present);
    assert_int_equal(chain.length, 3);
    assert_true(chain.covers);
    assert_true(chain.has_names);
    assert_false(chain.deep);
    assert_false(chain.self_signed);
    assert_false(chain.lone);
    assert_string_equal(chain.names, "mta-sts.example.org www.example.org");
    assert_string_equal(chain.issuer, "intermediate");
    assert_int_equal(chain.not_after - chain.not_before, (time_t)36500 * DAY);
}

static void nothing_and_what_cannot_be_read_are_not_present(void **state)
{
    static const char *const unread[] = {
        "", "!", "!garbage", "!-----BEGIN", "!-----BEGIN-CERTIFICATE-----", "ed25519", "!x leaf"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(unread) / sizeof(*unread); i++) {
        struct chain chain = read_chain(unread[i]);

        assert_false(chain.present);
        assert_false(chain.covers);
        assert_string_equal(chain.names, "");
    }
    assert_int_equal(read_chain("").length, 0);
    assert_int_equal(read_chain("!x leaf").length, 2);
}

static void a_leaf_whose_signer_did_not_come_is_alone(void **state)
{
    (void)state;
    assert_true(read_chain("leaf").lone);
    assert_true(read_chain("leaf root").lone);
    assert_true(read_chain("leaf leaf").lone);
    assert_false(read_chain("leaf intermediate").lone);
    assert_false(read_chain("leaf root intermediate").lone);
    assert_false(read_chain("leaf !garbage").lone); /* who knows */
    assert_false(read_chain("plain").lone);
}

static void a_self_signed_one_is_told_from_a_ca_in_the_chain(void **state)
{
    (void)state;
    assert_true(read_chain("plain").self_signed);
    assert_true(read_chain("selfca").self_signed);
    assert_false(read_chain("leaf intermediate root").self_signed);
}

static void names_cover_a_host_as_the_rfc_has_it(void **state)
{
    struct chain chain = read_chain("wildcard");

    (void)state;
    assert_true(chain.covers);
    assert_string_equal(chain.names, "*.example.org");
    assert_true(read_chain("upper").covers);
    assert_false(read_chain("other").covers);
    assert_false(read_for("example.org", "wildcard").covers);
    assert_false(read_for("example.org", "wildcard").deep);
}

static void a_wildcard_over_two_labels_is_told(void **state)
{
    struct chain chain = read_chain("deep"); /* *.org, *.sub.example.org */

    (void)state;
    assert_false(chain.covers);
    assert_true(chain.deep);
    assert_true(read_for("a.b.example.org", "wildcard").deep);
    assert_false(read_for("b.example.org", "wildcard").deep); /* covered */
    assert_false(read_for("a.bexample.org", "wildcard").deep);
    assert_false(read_for("mta-sts.example.net", "wildcard").deep);
}

static void a_common_name_covers_nothing(void **state)
{
    struct chain chain = read_chain("nosan");

    (void)state;
    assert_true(chain.present);
    assert_false(chain.covers);
    assert_false(chain.has_names);
    assert_string_equal(chain.names, "CN=mta-sts.example.org");
    chain = read_chain("ip"); /* names, of which none is DNS's */
    assert_true(chain.has_names);
    assert_false(chain.covers);
    assert_string_equal(chain.names, "CN=ip");
}

static void many_names_are_cut_between_two(void **state)
{
    struct chain chain = read_chain("many");
    size_t       len = strlen(chain.names);

    (void)state;
    assert_true(len < CHAIN_NAMES_MAX);
    assert_true(len > CHAIN_NAMES_MAX - 30);
    assert_string_equal(chain.names + len - 24, " mail025.example.org ...");
    assert_memory_equal(chain.names, "mail001.example.org mail002.example.org ", 40);
    assert_true(read_for("mail100.example.org", "many").covers); /* named or not */
}

static void what_a_stranger_wrote_is_visible_ascii(void **state)
{
    struct chain chain = read_chain("nul");

    (void)state;
    assert_true(chain.present);
    assert_false(chain.covers); /* its name goes on behind the NUL */
    assert_string_equal(chain.names, "mta-sts.example.org?x.");
    assert_string_equal(read_chain("escape").issuer, "An ?[31mExample");
}

/* Each as it would be if a day of its life had been told otherwise. */
static void the_end_is_soon_within_a_sixth_of_its_life(void **state)
{
    const time_t now = 1700000000;
    struct chain chain = { .not_before = now - 76 * DAY, .not_after = now + 14 * DAY };

    (void)state;
    assert_false(chain_ends_soon(&chain, now));
    assert_true(chain_ends_soon(&chain, now + 1));
    assert_true(chain_ends_soon(&chain, chain.not_after));
    assert_false(chain_ends_soon(&chain, chain.not_after + 1));
    chain.not_before = now - 5 * DAY;
    chain.not_after = now + DAY;
    assert_false(chain_ends_soon(&chain, now));
    assert_true(chain_ends_soon(&chain, now + 1));
    assert_false(chain_ends_soon(&chain, chain.not_before - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_chain_is_told),
        cmocka_unit_test(nothing_and_what_cannot_be_read_are_not_present),
        cmocka_unit_test(a_leaf_whose_signer_did_not_come_is_alone),
        cmocka_unit_test(a_self_signed_one_is_told_from_a_ca_in_the_chain),
        cmocka_unit_test(names_cover_a_host_as_the_rfc_has_it),
        cmocka_unit_test(a_wildcard_over_two_labels_is_told),
        cmocka_unit_test(a_common_name_covers_nothing),
        cmocka_unit_test(many_names_are_cut_between_two),
        cmocka_unit_test(what_a_stranger_wrote_is_visible_ascii),
        cmocka_unit_test(the_end_is_soon_within_a_sixth_of_its_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
