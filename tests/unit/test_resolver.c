/*
 * resolver: what becomes of the answers, lies and silence of a resolver on loopback, and of lack of
 * memory. The loop is outside's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "fake_dns.h"
#include "fast_clock.h"

#include "common/region.h"
#include "tool/outside.h"
#include "tool/resolver_internal.h"

enum { TXT_MANY = 300, HEARD_MAX = 4 };

/* --- What the server says --- */

static void say_txt(struct dns_message *message)
{
    static const uint8_t strings[] = "\x09v=STSv1; \0\x05id=1;";

    dns_record(message, NULL, DNS_TXT, strings, sizeof(strings) - 1);
    dns_record(message, NULL, DNS_TXT,
               "\x03"
               "a\0b",
               4);
    dns_record(message, NULL, DNS_TXT, "", 1);
}

static void say_many(struct dns_message *message)
{
    char text[32];

    if (!message->tcp) {
        message->bytes[2] |= 2; /* TC */
        return;
    }
    for (int i = 0; i < TXT_MANY; i++) {
        snprintf(text, sizeof(text), "number %d", i);
        dns_txt(message, NULL, text);
    }
}

/* Cut off, and then nobody to be had by TCP. */
static void say_cut_off(struct dns_message *message)
{
    message->silent = message->tcp;
    message->bytes[2] |= 2;
}

static void say_mx(struct dns_message *message)
{
    dns_mx(message, 20, "Far.example");
    dns_mx(message, 5, "c.example");
    dns_mx(message, 300, "last.example");
    dns_mx(message, 5, "a.example");
}

static void say_null_mx(struct dns_message *message)
{
    dns_mx(message, 0, "");
}

static void say_address(struct dns_message *message)
{
    if (message->bytes[message->len - 3] == DNS_A)
        dns_record(message, NULL, DNS_A, "\xc0\0\2\1", 4);
    else
        dns_record(message, NULL, DNS_AAAA, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

static void say_alias(struct dns_message *message)
{
    dns_txt(message, "c.example", "there");
    dns_cname(message, "b.example", "C.example");
    dns_cname(message, NULL, "b.EXAMPLE");
    dns_txt(message, "d.example", "elsewhere");
}

static void say_dead_end(struct dns_message *message)
{
    dns_cname(message, NULL, "b.example");
}

static void say_circle(struct dns_message *message)
{
    dns_cname(message, NULL, "b.example");
    dns_cname(message, "b.example", "circle.example");
}

static void say_aliases(struct dns_message *message, int count)
{
    char owner[32], target[32];

    dns_cname(message, NULL, "1.example");
    for (int i = 1; i < count; i++) {
        snprintf(owner, sizeof(owner), "%d.example", i);
        snprintf(target, sizeof(target), "%d.example", i + 1);
        dns_cname(message, owner, target);
    }
    snprintf(owner, sizeof(owner), "%d.example", count);
    dns_txt(message, owner, "the end");
}

static void say_long_chain(struct dns_message *message)
{
    say_aliases(message, RESOLVER_CNAMES_MAX);
}

static void say_longer_chain(struct dns_message *message)
{
    say_aliases(message, RESOLVER_CNAMES_MAX + 1);
}

static void say_stray(struct dns_message *message)
{
    dns_txt(message, "bank.example", "v=STSv1; id=1;");
}

static void say_other_type(struct dns_message *message)
{
    dns_mx(message, 1, "a.example");
}

static void say_cut_record(struct dns_message *message)
{
    dns_txt(message, NULL, "v=STSv1; id=1;");
    message->bytes[7] = 2;
}

static void say_bad_string(struct dns_message *message)
{
    dns_record(message, NULL, DNS_TXT,
               "\x09"
               "abc",
               4);
}

static void say_no_string(struct dns_message *message)
{
    dns_record(message, NULL, DNS_TXT, "", 0);
}

static void say_bad_address(struct dns_message *message)
{
    dns_record(message, NULL, DNS_A, "\x7f\0\0", 3);
}

static void say_bad_mx(struct dns_message *message)
{
    dns_record(message, NULL, DNS_MX, "\0\1", 2);
}

static void say_bad_name(struct dns_message *message)
{
    dns_record(message, NULL, DNS_MX, "\0\1\xff\xff", 4);
}

static void say_nothing(struct dns_message *message)
{
    message->silent = true;
}

static void say_wrong_id(struct dns_message *message)
{
    dns_txt(message, NULL, "v=STSv1; id=1;");
    message->bytes[0] ^= 0x55;
}

static void say_wrong_question(struct dns_message *message)
{
    message->bytes[13] ^= 1;
    dns_txt(message, NULL, "v=STSv1; id=1;");
}

static void say_garbage(struct dns_message *message)
{
    memset(message->bytes + 2, 0xa5, message->len - 2);
}

static void say_nothing_is_there(struct dns_message *message)
{
    (void)message;
}

static void say_formerr(struct dns_message *message)
{
    dns_rcode(message, 1);
}

static void say_servfail(struct dns_message *message)
{
    dns_rcode(message, 2);
}

static void say_notimp(struct dns_message *message)
{
    dns_rcode(message, 4);
}

static void say_refused(struct dns_message *message)
{
    dns_rcode(message, 5);
}

static void say_notauth(struct dns_message *message)
{
    dns_rcode(message, 9);
}

static const struct dns_case cases[] = {
    { "txt", say_txt },
    { "many", say_many },
    { "cut-off", say_cut_off },
    { "mx", say_mx },
    { "null", say_null_mx },
    { "address", say_address },
    { "alias", say_alias },
    { "dead-end", say_dead_end },
    { "circle", say_circle },
    { "long-chain", say_long_chain },
    { "longer-chain", say_longer_chain },
    { "stray", say_stray },
    { "other-type", say_other_type },
    { "cut-record", say_cut_record },
    { "bad-string", say_bad_string },
    { "no-string", say_no_string },
    { "bad-address", say_bad_address },
    { "bad-mx", say_bad_mx },
    { "bad-name", say_bad_name },
    { "silent", say_nothing },
    { "wrong-id", say_wrong_id },
    { "wrong-question", say_wrong_question },
    { "garbage", say_garbage },
    { "nodata", say_nothing_is_there },
    { "formerr", say_formerr },
    { "servfail", say_servfail },
    { "notimp", say_notimp },
    { "refused", say_refused },
    { "notauth", say_notauth },
    { NULL, NULL },
};

/* --- Asking --- */

static struct fake_server server;
static struct outside    *outside;
static bool               asking; /* nobody is to be called */

struct heard {
    unsigned             calls;
    enum resolver_result result;
    char                 why[64];
    size_t               count;
    bool                 more;
    struct {
        char     text[64];
        size_t   len;
        unsigned strings, preference;
    } records[HEARD_MAX];
};

static void hear(void *context, const struct resolver_answer *answer)
{
    struct heard *heard = context;

    assert_false(asking);
    heard->calls++;
    heard->result = answer->result;
    snprintf(heard->why, sizeof(heard->why), "%s", answer->why ? answer->why : "");
    heard->count = answer->count;
    heard->more = answer->more;
    for (size_t i = 0; i < answer->count; i++)
        assert_int_equal(answer->records[i].text[answer->records[i].len], 0);
    for (size_t i = 0; i < answer->count && i < HEARD_MAX; i++) {
        heard->records[i].len = answer->records[i].len;
        assert_true(answer->records[i].len < sizeof(heard->records[i].text));
        memcpy(heard->records[i].text, answer->records[i].text, answer->records[i].len + 1);
        heard->records[i].strings = answer->records[i].strings;
        heard->records[i].preference = answer->records[i].preference;
    }
}

static struct outside *look_outside(void)
{
    char                         whom[32], why[OUTSIDE_WHY_MAX];
    const struct outside_options options = { .resolver = whom, .ca = "tests/unit/pki/root.pem" };
    bool                         usage;

    snprintf(whom, sizeof(whom), "127.0.0.1:%u", server.port);
    return outside_new(&options, &usage, why);
}

static void ask(const char *name, enum resolver_type type, struct heard *heard)
{
    memset(heard, 0, sizeof(*heard));
    asking = true;
    resolver_ask(outside_resolver(outside), name, type, hear, heard);
    asking = false;
}

static struct heard answer_to(const char *name, enum resolver_type type)
{
    struct heard heard;

    ask(name, type, &heard);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(heard.calls, 1);
    return heard;
}

static void assert_failed(const char *name, enum resolver_type type, const char *why)
{
    struct heard heard = answer_to(name, type);

    assert_int_equal(heard.result, RESOLVER_FAILED);
    assert_string_equal(heard.why, why);
    assert_int_equal(heard.count, 0);
}

static int look(void **state)
{
    (void)state;
    fast_clock_ahead = 0;
    outside = look_outside();
    return outside ? 0 : -1;
}

static int look_away(void **state)
{
    (void)state;
    outside_free(outside);
    outside = NULL;
    return 0;
}

/* --- What is there --- */

static void strings_of_a_record_are_joined(void **state)
{
    struct heard heard = answer_to("txt.example", RESOLVER_TXT);

    (void)state;
    assert_int_equal(heard.result, RESOLVER_OK);
    assert_int_equal(heard.count, 3);
    assert_string_equal(heard.records[0].text, "v=STSv1; id=1;");
    assert_int_equal(heard.records[0].strings, 3);
    assert_int_equal(heard.records[1].len, 3);
    assert_memory_equal(heard.records[1].text, "a\0b", 4);
    assert_int_equal(heard.records[2].strings, 1);
    assert_int_equal(heard.records[2].len, 0);
    assert_int_equal(resolver_answers(outside_resolver(outside)), 1);
}

static void what_does_not_fit_a_datagram_comes_by_tcp(void **state)
{
    struct heard heard = answer_to("many.example", RESOLVER_TXT);

    (void)state;
    assert_int_equal(heard.result, RESOLVER_OK);
    assert_int_equal(heard.count, RESOLVER_RECORDS_MAX);
    assert_true(heard.more);
    assert_string_equal(heard.records[3].text, "number 3");
}

static void exchangers_come_by_preference(void **state)
{
    static const char *const hosts[] = { "a.example", "c.example", "Far.example", "last.example" };
    struct heard             heard = answer_to("mx.example", RESOLVER_MX);

    (void)state;
    assert_int_equal(heard.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(heard.records[i].text, hosts[i]);
    assert_int_equal(heard.records[1].preference, 5);
    assert_int_equal(heard.records[3].preference, 300);
    heard = answer_to("null.example", RESOLVER_MX);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.records[0].preference, 0);
    assert_string_equal(heard.records[0].text, "");
}

static void addresses_are_text(void **state)
{
    struct heard heard = answer_to("address.example", RESOLVER_A);

    (void)state;
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.records[0].text, "192.0.2.1");
    heard = answer_to("address.example", RESOLVER_AAAA);
    assert_string_equal(heard.records[0].text, "2001:db8::1");
}

static void aliases_are_followed_in_any_order(void **state)
{
    struct heard heard = answer_to("alias.example", RESOLVER_TXT);

    (void)state;
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.records[0].text, "there");
    assert_int_equal(answer_to("dead-end.example", RESOLVER_TXT).result, RESOLVER_NO_DATA);
    assert_int_equal(answer_to("long-chain.example", RESOLVER_TXT).result, RESOLVER_OK);
    assert_failed("longer-chain.example", RESOLVER_TXT,
                  "its CNAMEs go in a circle, or are too many");
    assert_failed("circle.example", RESOLVER_TXT, "its CNAMEs go in a circle, or are too many");
}

static void no_name_no_data_and_failure_are_three_things(void **state)
{
    (void)state;
    assert_int_equal(answer_to("nobody.example", RESOLVER_TXT).result, RESOLVER_NO_NAME);
    assert_int_equal(answer_to("nodata.example", RESOLVER_TXT).result, RESOLVER_NO_DATA);
    assert_int_equal(answer_to("other-type.example", RESOLVER_TXT).result, RESOLVER_NO_DATA);
    assert_failed("servfail.example", RESOLVER_TXT, "SERVFAIL");
    assert_failed("refused.example", RESOLVER_TXT, "REFUSED");
    assert_failed("formerr.example", RESOLVER_TXT, "FORMERR");
    assert_failed("notimp.example", RESOLVER_TXT, "NOTIMP");
    assert_failed("notauth.example", RESOLVER_TXT, "an unusual error code");
    assert_int_equal(resolver_answers(outside_resolver(outside)), 8);
}

/* --- Lies and silence --- */

static void what_is_not_about_the_name_is_no_answer(void **state)
{
    (void)state;
    assert_failed("stray.example", RESOLVER_TXT, "the answer is about another name");
}

static void what_is_malformed_is_a_failure(void **state)
{
    (void)state;
    assert_failed("cut-record.example", RESOLVER_TXT, "the answer can't be read");
    assert_failed("bad-string.example", RESOLVER_TXT, "the answer can't be read");
    assert_failed("no-string.example", RESOLVER_TXT, "the answer can't be read");
    assert_failed("bad-address.example", RESOLVER_A, "the answer can't be read");
    assert_failed("bad-mx.example", RESOLVER_MX, "the answer can't be read");
    assert_failed("bad-name.example", RESOLVER_MX, "the answer can't be read");
}

static void a_name_that_cannot_be_asked_for_is_a_failure(void **state)
{
    (void)state;
    assert_failed("a..example", RESOLVER_TXT, "that is no name that can be asked for");
}

/* All at once, on a clock that runs: none of them is answered, and others are. */
static void silence_and_what_nobody_asked_for_end_in_time(void **state)
{
    static const char *const names[] = { "silent.example", "wrong-id.example",
                                         "wrong-question.example", "garbage.example",
                                         "cut-off.example" };
    enum { NAMES = sizeof(names) / sizeof(*names) };
    struct heard heard[NAMES], good;

    (void)state;
    for (size_t i = 0; i < NAMES; i++)
        ask(names[i], RESOLVER_TXT, &heard[i]);
    ask("txt.example", RESOLVER_TXT, &good);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(good.result, RESOLVER_OK);
    for (size_t i = 0; i < NAMES; i++) {
        assert_int_equal(heard[i].calls, 1);
        assert_int_equal(heard[i].count, 0);
        assert_true(heard[i].result == RESOLVER_SILENT ||
                    (i >= 3 && heard[i].result == RESOLVER_FAILED));
    }
    assert_string_equal(heard[0].why, "no answer in time");
    assert_in_range(fast_clock_ahead, 1, 3 * RESOLVER_PATIENCE);
}

static void a_port_where_nobody_is_ends_at_once(void **state)
{
    unsigned     port = server.port, nobody = 0;
    int          fd = fake_server_socket(SOCK_DGRAM, &nobody);
    struct heard heard;

    (void)state;
    close(fd);
    outside_free(outside);
    server.port = nobody;
    outside = look_outside();
    server.port = port;
    heard = answer_to("txt.example", RESOLVER_TXT);
    assert_int_equal(heard.result, RESOLVER_SILENT);
    assert_string_equal(heard.why, "nobody answers there");
    assert_int_equal(resolver_answers(outside_resolver(outside)), 0);
}

/* --- How many at once --- */

static size_t count_datagrams(int fd)
{
    char   bytes[512];
    size_t count = 0;

    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        count++;
    return count;
}

static void no_resolver_is_asked_everything_at_once(void **state)
{
    enum { QUESTIONS = 2 * RESOLVER_AT_ONCE + 1 };
    static struct heard heard[QUESTIONS];
    unsigned            port = server.port, silent = 0;
    int                 fd = fake_server_socket(SOCK_DGRAM, &silent);

    (void)state;
    outside_free(outside);
    server.port = silent;
    outside = look_outside();
    server.port = port;
    for (size_t i = 0; i < QUESTIONS; i++)
        ask("silent.example", RESOLVER_TXT, &heard[i]);
    assert_true(resolver_step(outside_resolver(outside)));
    assert_int_equal(count_datagrams(fd), RESOLVER_AT_ONCE);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    for (size_t i = 0; i < QUESTIONS; i++)
        assert_int_equal(heard[i].calls, 1);
    close(fd);
}

/* --- Whoever asks --- */

static void ask_again(void *context, const struct resolver_answer *answer)
{
    hear(context, answer);
    if (((struct heard *)context)->calls < 3)
        resolver_ask(outside_resolver(outside), "txt.example", RESOLVER_TXT, ask_again, context);
}

static void an_answer_may_ask_for_more(void **state)
{
    struct heard heard = { 0 };

    (void)state;
    resolver_ask(outside_resolver(outside), "mx.example", RESOLVER_MX, ask_again, &heard);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(heard.calls, 3);
    assert_true(outside_run(outside, fast_clock_tick, NULL)); /* with nothing to do */
}

static void nobody_is_called_by_the_end(void **state)
{
    struct heard heard, other;

    (void)state;
    ask("txt.example", RESOLVER_TXT, &heard);
    assert_true(resolver_step(outside_resolver(outside)));
    ask("txt.example", RESOLVER_TXT, &other);
    outside_free(outside);
    outside = NULL;
    assert_int_equal(heard.calls + other.calls, 0);
}

static void without_memory_it_is_an_answer_or_the_end(void **state)
{
    struct heard heard;
    bool         done = false;

    (void)state;
    for (long n = 1; !done; n++) {
        struct heard mx;

        look_away(NULL);
        assert_int_equal(look(NULL), 0);
        mallocs_until_failure = n;
        ask("many.example", RESOLVER_TXT, &heard);
        ask("mx.example", RESOLVER_MX, &mx);
        if (outside_run(outside, fast_clock_tick, NULL)) {
            assert_int_equal(heard.calls, 1);
            assert_int_equal(mx.calls, 1);
            assert_true(heard.result != RESOLVER_OK || heard.count == RESOLVER_RECORDS_MAX);
            assert_true(mx.result != RESOLVER_OK || mx.count == 4);
        }
        done = mallocs_until_failure > 0; /* none failed any more, or under valgrind */
        mallocs_until_failure = 0;
    }
    assert_int_equal(heard.result, RESOLVER_OK);
}

static void a_resolver_that_cannot_be_is_told(void **state)
{
    static const char *const bad[] = { "",
                                       "localhost",
                                       "127.0.0.1:",
                                       "127.0.0.1:0",
                                       "127.0.0.1:x",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:053000",
                                       "[127.0.0.1]:53",
                                       "[::1",
                                       "[::1]53",
                                       "[::1]:",
                                       "::1:x",
                                       "1.2.3",
                                       ":53",
                                       "127.0.0.1,127.0.0.2",
                                       "fe80::1%lo" };
    static const char *const good[][2] = { { "127.0.0.1", "127.0.0.1:53" },
                                           { "127.0.0.1:65535", "127.0.0.1:65535" },
                                           { "::1", "[::1]:53" },
                                           { "[::1]", "[::1]:53" },
                                           { "[2001:db8::1]:5353", "[2001:db8::1]:5353" } };
    char                     out[RESOLVER_SERVER_MAX], why[OUTSIDE_WHY_MAX];
    struct outside_options   options = { .resolver = "localhost" };
    bool                     usage = false;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (resolver_read_server(bad[i], out))
            fail_msg("\"%s\" was taken", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(resolver_read_server(good[i][0], out));
        assert_string_equal(out, good[i][1]);
    }
    options.ca = "tests/unit/pki/root.pem";
    assert_null(outside_new(&options, &usage, why));
    assert_true(usage);
    assert_non_null(strstr(why, "--resolver localhost: an address is expected"));
}

/* --- The reader alone --- */

static bool read_message(const struct dns_message *message, size_t len,
                         struct resolver_answer *answer)
{
    struct region *region = region_new();
    uint8_t       *bytes = malloc(len > 0 ? len : 1); /* so that ASan sees where it ends */
    bool           read;
    volatile char  sum = 0;

    assert_non_null(region);
    assert_non_null(bytes);
    memcpy(bytes, message->bytes, len);
    read = resolver_read_answer(bytes, (int)len, "alias.example", RESOLVER_TXT, region, answer);
    for (size_t i = 0; i < answer->count; i++)
        for (size_t j = 0; j <= answer->records[i].len; j++)
            sum = (char)(sum + answer->records[i].text[j]);
    free(bytes);
    region_free(region);
    return read;
}

/* From a whole answer: every length of it, and 100,000 changes of a few bytes. */
static void no_bytes_are_too_odd_to_be_read(void **state)
{
    static struct dns_message whole, message;
    struct resolver_answer    answer;
    unsigned                  random = 1;

    (void)state;
    whole.len = 12 + dns_name(whole.bytes + 12, "alias.example") + 4;
    dns_answer(cases, &whole);
    assert_true(read_message(&whole, whole.len, &answer));
    assert_int_equal(answer.result, RESOLVER_OK);
    for (size_t len = 0; len < whole.len; len++) {
        assert_true(read_message(&whole, len, &answer));
        assert_int_equal(answer.result, RESOLVER_FAILED);
    }
    for (int i = 0; i < 100000; i++) {
        message = whole;
        for (int j = 0; j < 1 + i % 4; j++) {
            random = random * 1664525 + 1013904223;
            message.bytes[(random >> 8) % message.len] = (uint8_t)(random >> 24);
        }
        assert_true(read_message(&message, message.len, &answer));
        assert_true(answer.result != RESOLVER_SILENT);
        assert_int_equal(answer.result == RESOLVER_OK, answer.count > 0);
        assert_int_equal(answer.result == RESOLVER_FAILED, answer.why != NULL);
    }
}

static int start(void **state)
{
    (void)state;
    server = fake_dns_start(cases);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_server_stop(&server);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, look, look_away)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(strings_of_a_record_are_joined),
        TEST(what_does_not_fit_a_datagram_comes_by_tcp),
        TEST(exchangers_come_by_preference),
        TEST(addresses_are_text),
        TEST(aliases_are_followed_in_any_order),
        TEST(no_name_no_data_and_failure_are_three_things),
        TEST(what_is_not_about_the_name_is_no_answer),
        TEST(what_is_malformed_is_a_failure),
        TEST(a_name_that_cannot_be_asked_for_is_a_failure),
        TEST(silence_and_what_nobody_asked_for_end_in_time),
        TEST(a_port_where_nobody_is_ends_at_once),
        TEST(no_resolver_is_asked_everything_at_once),
        TEST(an_answer_may_ask_for_more),
        TEST(nobody_is_called_by_the_end),
        TEST(without_memory_it_is_an_answer_or_the_end),
        cmocka_unit_test(a_resolver_that_cannot_be_is_told),
        cmocka_unit_test(no_bytes_are_too_odd_to_be_read),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
