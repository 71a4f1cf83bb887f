/* transport: what recv and send come to, over pairs of sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/transport.h"

static int    ours, his;
static char   bytes[4096];
static size_t count;

static int set_up(void **state)
{
    int ends[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    ours = ends[0];
    his = ends[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(ours);
    close(his);
    return 0;
}

static void fill(void)
{
    while (transport_send(ours, bytes, sizeof(bytes), &count) == IO_DONE)
        ;
}

static void bytes_travel(void **state)
{
    (void)state;
    assert_int_equal(transport_send(ours, "hello", 5, &count), IO_DONE);
    assert_int_equal(count, 5);
    assert_int_equal(transport_receive(his, bytes, sizeof(bytes), &count), IO_DONE);
    assert_int_equal(count, 5);
    assert_memory_equal(bytes, "hello", 5);
}

static void who_has_nothing_to_read_waits(void **state)
{
    (void)state;
    assert_int_equal(transport_receive(ours, bytes, sizeof(bytes), &count), IO_WANT_READ);
}

static void who_has_no_room_to_write_waits(void **state)
{
    (void)state;
    fill();
    assert_int_equal(transport_send(ours, bytes, 1, &count), IO_WANT_WRITE);
}

static void the_end_of_the_peer_is_the_end(void **state)
{
    (void)state;
    shutdown(his, SHUT_WR);
    assert_int_equal(transport_receive(ours, bytes, sizeof(bytes), &count), IO_END);
    shutdown(his, SHUT_RD);
    assert_int_equal(transport_send(ours, bytes, 1, &count), IO_END);
}

static void a_reset_is_the_end(void **state)
{
    (void)state;
    assert_int_equal(write(ours, "x", 1), 1);
    close(his); /* with a byte unread */
    assert_int_equal(transport_receive(ours, bytes, sizeof(bytes), &count), IO_END);
}

static void what_is_no_socket_has_failed(void **state)
{
    (void)state;
    assert_int_equal(transport_receive(-1, bytes, sizeof(bytes), &count), IO_FAILED);
    assert_int_equal(transport_send(-1, bytes, 1, &count), IO_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_travel),
        TEST(who_has_nothing_to_read_waits),
        TEST(who_has_no_room_to_write_waits),
        TEST(the_end_of_the_peer_is_the_end),
        TEST(a_reset_is_the_end),
        TEST(what_is_no_socket_has_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
