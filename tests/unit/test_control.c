#include "server/control.h"
#include "server/packet.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int line[2];

static int setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line);
}

static int teardown(void **state)
{
    (void)state;
    close(line[0]);
    close(line[1]);
    return 0;
}

static int lowest_free(void)
{
    int fd = dup(line[0]);

    close(fd);
    return fd;
}

static void a_listener_arrives_with_its_descriptor(void **state)
{
    struct control sent, got;
    int            fd;

    (void)state;
    control_init(&sent, CONTROL_LISTENER);
    strcpy(sent.name, "[::]:443");
    sent.listener = CONFIG_HEALTH;
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_GOT);
    assert_memory_equal(&sent, &got, sizeof(got));
    assert_true(fd >= 0 && fd != line[0]);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void without_a_descriptor_none_arrives(void **state)
{
    struct control sent, got;
    int            fd;

    (void)state;
    control_init(&sent, CONTROL_GO);
    assert_int_equal(control_send(line[0], &sent, -1), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_GOT);
    assert_int_equal(fd, -1);
}

static void what_ready_carries_arrives(void **state)
{
    struct control sent, got;
    int            fd;

    (void)state;
    control_init(&sent, CONTROL_READY);
    strcpy(sent.text, "1 domain, 2 listeners, 1 worker");
    memset(sent.digest, 7, sizeof(sent.digest));
    sent.drain_delay = 3600;
    sent.degraded = sent.log_json = true;
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_GOT);
    assert_memory_equal(&sent, &got, sizeof(got));
    close(fd);
}

static void every_kind_arrives_and_no_other(void **state)
{
    struct control sent, got;
    int            fd;

    (void)state;
    for (int kind = 0; kind <= (int)CONTROL_RECHECK + 1; kind++) {
        control_init(&sent, (enum control_kind)kind);
        assert_int_equal(control_send(line[0], &sent, -1), 0);
        assert_int_equal(control_receive(line[1], &got, &fd),
                         kind >= CONTROL_LISTENER && kind <= CONTROL_RECHECK ? CONTROL_GOT
                                                                             : CONTROL_END);
    }
}

static void an_empty_line_says_nothing_and_a_closed_one_ends(void **state)
{
    struct control got;
    int            fd;

    (void)state;
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_NOTHING);
    close(line[0]);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    line[0] = dup(line[1]);
}

static void nonsense_ends_the_line_and_leaks_no_descriptor(void **state)
{
    struct control sent, got;
    char           longer[sizeof(sent) + 1] = { CONTROL_GO };
    int            fds[2] = { line[0], line[0] }, fd, before = lowest_free();

    (void)state;
    control_init(&sent, CONTROL_GO);
    assert_int_equal(packet_send(line[0], &sent, sizeof(sent) - 1, fds, 1), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    assert_int_equal(packet_send(line[0], longer, sizeof(longer), fds, 1), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    assert_int_equal(packet_send(line[0], &sent, sizeof(sent), fds, 2), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    sent.kind = 99;
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    control_init(&sent, CONTROL_LISTENER);
    sent.listener = CONFIG_HEALTH + 1;
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    control_init(&sent, CONTROL_LISTENER);
    memset(sent.name, 'x', sizeof(sent.name));
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    control_init(&sent, CONTROL_REFUSED);
    memset(sent.text, 'x', sizeof(sent.text));
    assert_int_equal(control_send(line[0], &sent, line[0]), 0);
    assert_int_equal(control_receive(line[1], &got, &fd), CONTROL_END);
    assert_int_equal(fd, -1);
    assert_int_equal(lowest_free(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_listener_arrives_with_its_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_descriptor_none_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ready_carries_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_arrives_and_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_line_says_nothing_and_a_closed_one_ends, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nonsense_ends_the_line_and_leaks_no_descriptor, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
